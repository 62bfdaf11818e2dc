"""Ledgers that end early, as the tables and the laws read them: sound ones, unsound ones, their coverage."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planted_pools import draw, settle_pools

from stages.errors import BadInput
from stages.grid import Cut, stops_at
from stages.laws import measure
from stages.laws.coverage import Draws, fit_coverage, unsolved_share
from stages.records import Response
from stages.scaling import ledgers as scaling
from stages.tables import ledgers

N, CAP = 2, 16
TRUTH = {"a": 0.7, "b": 0.9, "pi": 0.05}


def planted(questions: int, stops: int | None, cap: int = CAP, seed: int = 1) -> pa.Table:
    """Return a ledger of known competence; the first draws are the same whatever `stops` is.

    One right answer in five repeats another: it counts for coverage, and not for `stops`.
    """
    rng = np.random.default_rng(seed)
    p = rng.beta(TRUTH["a"], TRUTH["b"], questions) * (rng.random(questions) >= TRUTH["pi"])
    right, again = rng.random((questions, cap)) < p[:, None], rng.random((questions, cap)) < 0.2
    again &= right & (right.cumsum(1) > 1)
    accepted = right & ~again
    before = accepted.cumsum(1) - accepted
    kept = before < (stops or cap + 1)
    question, rollout = np.nonzero(kept)
    columns = {
        **{"strategy": "physics", "density": None, "domain": "physics", "teacher": "teacher"},
        "protocol": f"until_accepted_{stops}" if stops else "rejection_sampling",
        **{"step": "answer", "question": "?", "answer": "!", "rationale": "", "score": None},
        **{"cost_usd": None, "request_key": "k"},
    }
    arrays = {name: pa.array([value] * len(rollout)) for name, value in columns.items()}
    arrays |= {"question_id": pa.array([f"q{q:04}" for q in question]), "rank": question, "rollout": rollout}
    arrays |= {
        "accepted": accepted[kept],
        "prompt_tokens": 10 + rollout,
        "completion_tokens": 5 + 0 * rollout,
    }
    arrays["reason"] = np.select([again, right], ["duplicate", "accepted"], "wrong_answer")[kept]
    schema = Response.arrow_schema()
    return pa.table([pa.array(arrays[f.name], f.type) if isinstance(arrays[f.name], np.ndarray)
                     else arrays[f.name].cast(f.type) for f in schema], schema=schema)  # fmt: skip


STOPPED = planted(200, N)
ROWS = STOPPED.to_pylist()
MADE = {q: [r for r in ROWS if r["question_id"] == q] for q in dict.fromkeys(r["question_id"] for r in ROWS)}
ENDED = [q for q, made in MADE.items() if len(made) < CAP]


def test_the_name_says_where_a_protocol_stops() -> None:
    names = ("until_accepted_12", "until_accepted_0", "until_accepted", "rejection_sampling_0.2", "x")
    assert [stops_at(name) for name in names] == [12, None, None, None, None]


def test_cuts_of_a_ledger_that_stops_are_counted_as_drawn() -> None:
    for cut in (Cut(1.0, CAP), Cut(0.5, 4)):
        (found,) = ledgers.draws(STOPPED, [cut]).to_pylist()
        paid = [r for r in ROWS if r["rank"] < 200 * cut.share and r["rollout"] < cut.budget]
        assert found["questions"] == 200 * cut.share and found["sample_budget"] == len(paid)
        assert found["accepted"] == sum(r["accepted"] for r in paid)
        assert found["covered"] == len({r["rank"] for r in paid if r["accepted"]})
        assert found["prompt_tokens"] == sum(r["prompt_tokens"] for r in paid)
        assert len(paid) < found["questions"] * cut.budget


def dropped(question: str, rollout: int) -> list[dict]:
    return [r for r in ROWS if (r["question_id"], r["rollout"]) != (question, rollout)]


LONG = next(q for q in ENDED if len(MADE[q]) > 4)
LAST, SPENT = len(MADE[LONG]) - 1, next(q for q in MADE if len(MADE[q]) == CAP)
MORE = {**MADE[LONG][-1], "rollout": LAST + 1}


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (
            dropped(LONG, LAST),
            f"question {LONG} lacks some of the 16 rollouts .* and has not 2 accepted ones",
        ),
        (dropped(LONG, 1), f"question {LONG} lacks some of the 16 rollouts"),
        (dropped(SPENT, CAP - 1), f"question {SPENT} lacks some of the 16 rollouts"),
        ([*ROWS, MADE[LONG][0]], f"question {LONG} has a rollout twice"),
        ([*ROWS, MORE], f"question {LONG} has rollouts after the 2 accepted ones with which it ends"),
        ([*ROWS, {**MORE, "accepted": False}], f"question {LONG} has rollouts after the 2 accepted ones"),
        ([r | {"protocol": "rejection_sampling"} for r in ROWS], f"question {ENDED[0]} lacks some of the 16"),
    ],
)
def test_a_ledger_that_does_not_end_with_its_last_acceptance_is_refused(rows: list[dict], says: str) -> None:
    with pytest.raises(BadInput, match=says) as caught:
        ledgers.draws(pa.Table.from_pylist(rows, schema=STOPPED.schema), [Cut(1.0, CAP), Cut(1.0, 2)])
    assert "\n" not in caught.value.message


def test_a_cut_above_the_cap_is_sound_where_every_question_ended() -> None:
    only = [{**r, "rank": ENDED.index(r["question_id"])} for r in ROWS if r["question_id"] in ENDED]
    table = pa.Table.from_pylist(only, schema=STOPPED.schema)
    assert ledgers.draws(table, [Cut(1.0, 64)]).to_pylist()[0]["sample_budget"] == len(only)
    with pytest.raises(BadInput, match=r"lacks some of the 64 rollouts .*\(the fewest of a question: 16\)"):
        ledgers.draws(STOPPED, [Cut(1.0, 64)])


def test_tallies_of_a_ledger_that_stops_are_of_the_draws_made(tmp_path: Path) -> None:
    pq.write_table(STOPPED, tmp_path / "x.parquet")
    solved = {q: [r["reason"] in ("accepted", "duplicate") for r in made] for q, made in MADE.items()}
    for budget in (4, CAP):
        wanted = [Draws(sum(solved[q][:budget]), len(solved[q][:budget])) for q in sorted(solved)]
        assert measure.tallies(STOPPED, budget, "x") == wanted
        assert sorted(scaling.tallies(tmp_path / "x.parquet", 1.0, [budget])[budget]) == sorted(wanted)
        plain = measure.tallies(planted(200, None), budget, "x")
        assert measure.unsolved(wanted) == measure.unsolved(plain)
        assert {d.n for d in plain} == {budget} == {d.n for d in wanted if not d.k}
        assert any(d.n < budget for d in wanted)
    with pytest.raises(
        BadInput, match=r"16 of 32 draws and \d of 2 accepted responses: what more draws would"
    ):
        measure.tallies(STOPPED, 32, "x")
    with pytest.raises(BadInput, match=r"question q0000 has 16 of 32 draws: what more draws"):
        measure.tallies(planted(200, None), 32, "x")


@pytest.mark.parametrize("stops", [1, 3])
def test_planted_coverage_is_inside_its_intervals_though_questions_stop(stops: int) -> None:
    draws = measure.tallies(planted(2000, stops), CAP, "x")
    found = fit_coverage(draws, level=0.99)
    for name, value in TRUTH.items():
        assert found.parameters[name].low < value < found.parameters[name].high
    assert unsolved_share(found.theta, 64) == pytest.approx(
        unsolved_share(tuple(TRUTH.values()), 64), abs=0.03
    )
    mean = (1 - TRUTH["pi"]) * TRUTH["a"] / (TRUTH["a"] + TRUTH["b"])
    assert np.mean([d.k / d.n for d in draws]) > mean + 0.03  # what a mean of shares would say


def test_the_coverage_law_finds_a_teachers_competence_in_real_draws_that_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_pools(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    draw("until_accepted_2", CAP, of="many")
    stopped = pq.read_table("many-until_accepted_2-16.parquet", columns=list(measure.LEDGER_COLUMNS))
    draws = measure.tallies(stopped, CAP, "x")
    assert len(draws) == 150 and sum(d.n for d in draws) < 150 * CAP / 2
    found = fit_coverage(draws)
    for name, value in {"a": 1.0, "b": 1.0, "pi": 0.1}.items():  # of `small_world`'s teacher
        assert found.parameters[name].low < value < found.parameters[name].high
