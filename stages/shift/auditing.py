"""The audit of a study's ledgers: coverage by budget, and tests of early against late responses."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.errors import BadInput
from stages.knowledge.embedders import HASHING, Hashing, Model, embed
from stages.shift import Config, testing
from stages.tables.figures import rounded
from stages.tables.paired import holm
from stages.tables.query import run

COLUMNS = ("question_id", "rank", "rollout", "answer", "rationale", "accepted", "reason")
_SHIFT = pa.schema(
    [
        ("teacher", pa.string()),
        ("domain", pa.string()),
        ("early_budget", pa.int64()),
        ("late_budget", pa.int64()),
    ]
    + [("early", pa.int64()), ("late", pa.int64()), ("feature", pa.string())]
    + [(name, pa.float64()) for name in ("effect", "statistic", "p_composition", "p_composition_holm")]
    + [(name, pa.float64()) for name in ("p_within", "p_within_holm")]
)


class Ledger(NamedTuple):
    """One teacher's plain draws on one domain's source; `rows` has the columns `COLUMNS`."""

    teacher: str
    domain: str
    rows: pa.Table


class Audit(NamedTuple):
    """The published tables by name, and the run's figures in few numbers."""

    tables: dict[str, pa.Table]
    summary: dict[str, Any]


def audit(
    ledgers: Sequence[Ledger], shares: Sequence[float], budgets: Sequence[int], config: Config, seed: int
) -> Audit:
    """Measure coverage per share and budget; test each doubling of the budget for a shift.

    Args:
        ledgers: each with every question's rollouts up to the largest budget.
        shares: of the questions, 0 < share ≤ 1.
        budgets: responses per question.
        config: settings.
        seed: of the samples and permutations.

    Raises:
        BadInput: a ledger is empty or too short for the largest budget.
    """
    for ledger in ledgers:
        _check(ledger, max(budgets))
    tests = [row for ledger in ledgers for row in _shifts(ledger, sorted(set(budgets)), config, seed)]
    for name in ("p_composition", "p_within"):
        for row, p in zip(tests, holm([row[name] for row in tests]), strict=True):
            row[f"{name}_holm"] = p
    covered = _coverage(ledgers, shares, budgets, config.level)
    tables = {"coverage": covered, "shift": pa.Table.from_pylist(tests, schema=_SHIFT)}
    return Audit({name: rounded(table) for name, table in tables.items()}, _summary(covered, tests, budgets))


def _check(ledger: Ledger, budget: int) -> None:
    where = f"ledger of {ledger.teacher} on {ledger.domain}"
    if not len(ledger.rows):
        raise BadInput(f"{where}: no responses; run `dvc repro respond`")
    drawn = ledger.rows.group_by("question_id").aggregate([("rollout", "count"), ("rollout", "max")])
    short = drawn.filter(pc.less(drawn["rollout_count"], budget))
    if len(short):
        row = short.slice(0, 1).to_pylist()[0]
        raise BadInput(
            f"{where}: question {row['question_id']} has {row['rollout_count']} draws, the audit needs "
            f"{budget}; run `dvc repro respond`"
        )


def _coverage(
    ledgers: Sequence[Ledger], shares: Sequence[float], budgets: Sequence[int], level: float
) -> pa.Table:
    from statsmodels.stats.proportion import proportion_confint

    grid, rows = [], []
    for ledger in ledgers:
        place = {"teacher": ledger.teacher, "domain": ledger.domain}
        size = 1 + pc.max(ledger.rows["rank"]).as_py()
        grid += [
            place | {"share": share, "budget": budget, "questions": int(np.ceil(share * size))}
            for share in sorted(set(shares))
            for budget in sorted(set(budgets))
        ]
        named = [pa.array([value] * len(ledger.rows)) for value in place.values()]
        columns = ["question_id", "rank", "rollout", "answer", "accepted", "reason"]
        rows.append(pa.table([*named, *ledger.rows.select(columns).columns], names=[*place, *columns]))
    relations = {"grid": pa.Table.from_pylist(grid), "ledger": pa.concat_tables(rows)}
    table = run("coverage", relations, "stages.shift")
    covered, questions = (np.asarray(table[name]) for name in ("covered", "questions"))
    low, high = proportion_confint(covered, questions, alpha=1 - level, method="wilson")
    place = table.column_names.index("covered_share") + 1
    table = table.add_column(place, "covered_low", pa.array(low, pa.float64()))
    return table.add_column(place + 1, "covered_high", pa.array(high, pa.float64()))


def _shifts(ledger: Ledger, budgets: Sequence[int], config: Config, seed: int) -> list[dict[str, Any]]:
    """Test, for every budget r whose double is there too, the draws r … 2r−1 against 0 … r−1."""
    accepted = ledger.rows.filter(ledger.rows["accepted"]).sort_by(
        [("rollout", "ascending"), ("rank", "ascending")]
    )
    texts = [
        f"{r} {a}" for r, a in zip(*(accepted[n].to_pylist() for n in ("rationale", "answer")), strict=True)
    ]
    if len(set(texts)) < 2:
        return []
    hashing = config.embedder == HASHING
    embedder = (
        Hashing.fit(sorted(set(texts)), config.features, seed)
        if hashing
        else Model(config.embedder, config.revision)
    )
    vectors = embed(embedder, texts).astype(float)
    rollout = np.asarray(accepted["rollout"])
    questions, answers = (accepted[name].to_pylist() for name in ("question_id", "answer"))
    rows: list[dict[str, Any]] = []
    for budget in budgets:
        if 2 * budget > budgets[-1]:
            break
        rng = np.random.default_rng([seed, budget])
        sides = [
            np.flatnonzero(rollout < budget),
            np.flatnonzero((rollout >= budget) & (rollout < 2 * budget)),
        ]
        if not all(len(side) for side in sides):
            continue
        taken = np.concatenate([_sample(side, config.responses, rng) for side in sides])
        responses = testing.responses_of(
            [questions[i] for i in taken],
            rollout[taken] >= budget,
            [answers[i] for i in taken],
            [texts[i] for i in taken],
            vectors[taken],
        )
        place = {"teacher": ledger.teacher, "domain": ledger.domain, "early_budget": budget}
        place |= {"late_budget": 2 * budget, "early": len(sides[0]), "late": len(sides[1])}
        rows += [place | test._asdict() for test in testing.tests(responses, config.permutations, rng)]
    return rows


def _sample(side: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return side if len(side) <= most else np.sort(rng.choice(side, most, replace=False))


def _summary(covered: pa.Table, tests: Sequence[Mapping[str, Any]], budgets: Sequence[int]) -> dict[str, Any]:
    """Return the covered share at the largest budget, and how many tests are significant after Holm."""
    top: dict[str, Any] = {}
    for row in covered.to_pylist():
        if (row["share"], row["budget"]) == (1.0, max(budgets)):
            figures = {"covered": row["covered_share"], "distinct_responses": row["distinct_responses"]}
            top.setdefault(row["teacher"], {})[row["domain"]] = figures
    found = {
        name: sum((row[f"p_{name}_holm"] or 1.0) < 0.05 for row in tests if row[f"p_{name}_holm"] is not None)
        for name in ("composition", "within")
    }
    return {"budget": max(budgets), "tests": len(tests), "shifts": found, "covered": top}
