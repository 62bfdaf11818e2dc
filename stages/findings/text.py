"""The findings in words and in few, stable numbers: the findings table and what `dvc metrics diff` shows."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.findings import baselines, supporting
from stages.findings.agreement import ALL, LEVELS
from stages.findings.supporting import largest
from stages.findings.tables import Finding, Findings
from stages.tables.figures import ABSENT, p_value, significant, whole, with_interval
from stages.tables.grids import Grid, markdown

Row = dict[str, Any]
Rows = Mapping[str, list[Row]]

SIMULATOR = (
    "The teacher is a simulator: its answers are made from a small embedded world with a planted competence. "
    "These findings are about this system on that world; of language models as teachers they say nothing."
)
CLAIMS = {
    "optimum": "An optimal knowledge density exists inside the tried range",
    "stability": "It is stable: students and data sizes rank the densities alike",
    "baselines": "Steering by density beats unsteered synthesis",
    "expansion": "Every density expands the knowledge boundary",
}
_OPTIMUM = ("best", "low", "high", "best_share", "interior_p", "interior")
_AGREEMENT = ("W", "low", "high", "p", "consistency", "raters", "targets")


def summarise(found: Findings, level: float, simulator: bool) -> dict[str, Any]:
    """Return the findings at the largest data size as nested names and numbers, without lists.

    Args:
        found: tables and verdicts.
        level: of the intervals.
        simulator: the teacher is the embedded one.
    """
    rows = _rows(found)
    optimum: dict[str, Any] = {r["student"]: _take(r, _OPTIMUM) for r in largest(found, rows["optimum"])}
    agreement = {r["group"]: _take(r, _AGREEMENT) for r in rows["agreement"] if r["scope"] == LEVELS}
    against: dict[str, Any] = {}
    for row in largest(found, rows["baselines"]):
        if (row["choice"], row["benchmark"]) == (baselines.HELD_OUT, None):
            mine = against.setdefault(row["student"], {"density": row["density"]})
            mine[row["baseline"]] = {
                measure: {name: row[f"{measure}_{name}"] for name in ("difference", "low", "high", "p_holm")}
                for measure in baselines.MEASURES
            }
    expansion: dict[str, Any] = {}
    for row in largest(found, rows["expansion"]):
        if row["benchmark"] is None:
            figures = _take(row, ("net", "net_low", "net_high", "mcnemar_p_holm"))
            expansion.setdefault(row["student"], {})[row["target"]] = figures
    parts = {"optimum": optimum, "stability": agreement, "baselines": against, "expansion": expansion}
    return {
        "simulator": simulator,
        "level": level,
        "tokens": found.tokens,
        "headline": found.headline,
        "caution": caution(found),
        **{
            claim: {**getattr(found, claim)._asdict(), "groups" if claim == "stability" else "students": part}
            for claim, part in parts.items()
        },
    }


def _rows(found: Findings) -> Rows:
    return {name: table.to_pylist() for name, table in found.tables.items()}


def _take(row: Row, names: tuple[str, ...]) -> Row:
    return {n: significant(row[n], 5) if isinstance(row[n], float) else row[n] for n in names}


def findings(found: Findings, level: float, simulator: bool) -> str:
    """Return the findings as Markdown: the claims, a sentence on each, and the figures behind them."""
    notice = [f"{textwrap.fill(SIMULATOR, 100)}\n"] if simulator else []
    said = [
        textwrap.fill(f"- {CLAIMS[claim]}: **{one.verdict}.** {one.reason}", 100, subsequent_indent="  ")
        for claim, one in _claims(found).items()
    ]
    if told := caution(found):
        said.append(textwrap.fill(f"- Read with care: {told}", 100, subsequent_indent="  "))
    table, *figures = (markdown(grid) for grid in grids(found, level))
    return "\n".join([*notice, table, "\n".join(said) + "\n", *figures])


def grids(found: Findings, level: float) -> list[Grid]:
    """Return the findings table, then the figures behind it."""
    rows, shown = _rows(found), f"{100 * level:g} %"
    return [
        claims(found, level),
        supporting.optima(rows, shown),
        supporting.agreements(rows, shown),
        supporting.comparisons(found, rows, shown),
        supporting.comparisons_by_benchmark(found, rows, shown),
        supporting.expansions(found, rows, shown),
    ]


def read_back(summary: Mapping[str, Any], tables: dict[str, pa.Table]) -> Findings:
    """Return the findings from what was published of them.

    Args:
        summary: of `summarise`.
        tables: those published, by name.
    """
    said = {claim: Finding(summary[claim]["verdict"], summary[claim]["reason"]) for claim in CLAIMS}
    return Findings(tables=tables, headline=summary["headline"], tokens=summary["tokens"], **said)


def caution(found: Findings) -> str | None:
    """Return a sentence where more training tokens mostly raise the eval loss, by which claims are judged."""
    loss = {
        (row["student"], row["target"], row["tokens"]): (row["eval_loss"], row["exact_match"])
        for row in found.tables["by_target"].to_pylist()
    }
    least = min(tokens for _, _, tokens in loss)
    pairs = [
        (loss[student, target, least], (after, right))
        for (student, target, tokens), (after, right) in loss.items()
        if tokens == found.tokens > least
    ]
    rises = sum(after > before for (before, _), (after, _) in pairs)
    better = sum(right > before for (_, before), (_, right) in pairs)
    if 2 * rises <= len(pairs):
        return None
    return (
        f"from {whole(least)} to {whole(found.tokens)} training tokens the eval loss rises for {rises} of "
        f"{len(pairs)} pairs of student and target, while exact match rises for {better}. Where it does, the "
        "students grow surer of what they get wrong, and what is judged by eval loss at the largest data "
        "size is about that as well."
    )


def _claims(found: Findings) -> dict[str, Finding]:
    return {claim: getattr(found, claim) for claim in CLAIMS}


def claims(found: Findings, level: float) -> Grid:
    """Return the findings table: a row per claim with verdict, statistic, interval, test and p."""
    rows = _rows(found)
    best = largest(found, rows["optimum"])
    own = next(row for row in best if row["student"] == found.headline)
    concord = next(r for r in rows["agreement"] if (r["scope"], r["group"]) == (LEVELS, ALL))
    against = baselines.totals(rows["baselines"], found.headline, found.tokens)
    close = max(against, key=lambda row: row["loss_difference"], default=None)
    gains = [
        r for r in largest(found, rows["expansion"]) if r["benchmark"] is None and r["density"] is not None
    ]
    least = min(gains, key=lambda row: row["net"])
    interior = [row["interior_p"] for row in best]
    figures = {
        "optimum": (
            f"best density of {found.headline}, dex",
            with_interval(own["best"], own["low"], own["high"], ".2f"),
            "one-sided paired, both ends, every student",
            p_value(None if None in interior else max(interior)),
        ),
        "stability": (
            "Kendall's W",
            with_interval(concord["W"], concord["low"], concord["high"], ".2f"),
            f"{concord['raters']} rankings permuted",
            p_value(concord["p"]),
        ),
        "baselines": (ABSENT, ABSENT, ABSENT, ABSENT)
        if close is None
        else (
            f"eval loss of {found.headline} minus {close['baseline']}",
            with_interval(*(close[f"loss_{name}"] for name in ("difference", "low", "high"))),
            "paired over items × seeds, Holm",
            p_value(close["loss_p_holm"]),
        ),
        "expansion": (
            f"net gain of {least['student']} at {least['target']}, items",
            with_interval(least["net"], least["net_low"], least["net_high"], "+.1f"),
            "McNemar, exact, Holm",
            p_value(least["mcnemar_p_holm"]),
        ),
    }
    return Grid(
        title="Findings",
        head=("claim", "verdict", "statistic", f"value [{100 * level:g} %]", "test", "p"),
        rows=[(CLAIMS[claim], one.verdict, *figures[claim]) for claim, one in _claims(found).items()],
        note=(
            f"At the largest data size, {whole(found.tokens)} training tokens. Where a claim is about "
            "several students, densities or baselines, the one that supports it least is shown. "
            "Every cell has one "
            "training set: intervals and tests cover benchmark items and training seeds, not another draw of "
            "the pool or of the teacher's replies."
        ),
        texts=3,
    )
