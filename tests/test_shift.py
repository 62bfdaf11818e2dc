"""Shift: kinds of answers, coverage by budget, permutation tests with and without a planted shift."""

import numpy as np
import pyarrow as pa
import pytest

from stages.errors import BadInput
from stages.shift import Config, auditing, testing
from stages.shift.kinds import kind

QUESTIONS, BUDGET = 60, 8
CONFIG = Config(permutations=200, responses=300)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("1912", "year"),
        ("1,912", "integer"),
        ("−3", "integer"),
        ("12.5", "decimal"),
        ("3/4", "fraction"),
        (r"\frac{3}{4}", "fraction"),
        ("12.5 m/s", "quantity"),
        ("6x+2", "expression"),
        ("x + 2", "expression"),
        ("Paris", "word"),
        ("New York City", "words"),
    ],
)
def test_the_kind_of_an_answer_is_its_form(answer, expected):
    assert kind(answer) == expected


def ledger(text, seed=0, p=0.6):
    """One source's draws; `text(rng, rollout)` words an accepted one."""
    rng = np.random.default_rng(seed)
    rows = []
    for rollout in range(BUDGET):
        for rank in range(QUESTIONS):
            right = rng.random() < p
            rows.append(
                {
                    "question_id": f"q{rank}",
                    "rank": rank,
                    "rollout": rollout,
                    "answer": f"Town {rank}" if right else "elsewhere",
                    "rationale": text(rng, rollout),
                    "accepted": right,
                    "reason": "accepted" if right else "wrong_answer",
                }
            )
    return auditing.Ledger("strong", "knowledge", pa.Table.from_pylist(rows))


def wording(rng, rollout):
    words = rng.choice(["river", "lake", "hill", "coast", "plain", "wood"], size=3 + rng.integers(4))
    return " ".join(words)


def drifting(rng, rollout):
    return wording(rng, rollout) + (" and so on and on" if rollout >= 4 else "")


def test_coverage_is_counted_per_share_and_budget():
    found = auditing.audit([ledger(wording)], (0.25, 1.0), (1, 8), CONFIG, 0).tables["coverage"].to_pylist()
    rows = ledger(wording).rows.to_pylist()
    for row in found:
        size = round(row["share"] * QUESTIONS)
        mine = [r for r in rows if r["rank"] < size and r["rollout"] < row["budget"]]
        covered = {r["question_id"] for r in mine if r["accepted"]}
        assert (row["questions"], row["draws"], row["covered"]) == (size, len(mine), len(covered))
        assert row["distinct_responses"] == sum(r["accepted"] for r in mine)
        assert row["covered_low"] <= row["covered_share"] <= row["covered_high"]
    assert len(found) == 4


def shift_rows(drawn):
    return {
        (row["early_budget"], row["feature"]): row
        for row in auditing.audit([drawn], (1.0,), (1, 2, 4, 8), CONFIG, 0).tables["shift"].to_pylist()
    }


def test_draws_that_are_alike_show_no_shift():
    rows = shift_rows(ledger(wording))
    assert {budget for budget, _ in rows} == {1, 2, 4}
    assert min(row["p_composition_holm"] for row in rows.values()) > 0.05
    assert min(row["p_within_holm"] for row in rows.values() if row["p_within_holm"] is not None) > 0.05


def test_a_planted_drift_of_wording_is_found_at_its_budget_and_nowhere_else():
    rows = shift_rows(ledger(drifting))
    for feature in ("length", "embedding"):
        assert rows[4, feature]["p_within_holm"] < 0.05
        assert rows[2, feature]["p_within_holm"] > 0.05
    assert rows[4, "length"]["effect"] == pytest.approx(5.0, abs=0.5)
    assert rows[4, "answer_type"]["p_within_holm"] > 0.05


def test_other_questions_coming_late_shift_the_composition_but_not_the_wording_within_a_question():
    rng = np.random.default_rng(1)
    late = np.repeat([False, True], 200)
    question = np.where(late, rng.integers(10, 40, 400), rng.integers(0, 30, 400))
    responses = testing.Responses(
        question=question,
        late=late,
        words=question + 5.0,  # the length is the question's own
        kinds=["word"] * 400,
        vectors=np.eye(40)[question],
    )
    length, _, embedding = testing.tests(responses, 200, np.random.default_rng(2))
    assert length.p_composition < 0.01 and embedding.p_composition < 0.01
    assert length.p_within == 1.0 and embedding.p_within == 1.0


def test_p_is_uniform_where_nothing_shifts():
    p = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        responses = testing.Responses(
            question=np.arange(60),
            late=np.arange(60) % 2 == 0,
            words=rng.normal(size=60),
            kinds=["word"] * 60,
            vectors=np.eye(60),
        )
        first = testing.tests(responses, 100, rng)[0]
        assert first.p_within is None  # no question has responses on both sides
        p.append(first.p_composition)
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) < 0.1) < 0.25


def test_a_short_or_empty_ledger_is_refused_by_name():
    short = ledger(wording)
    with pytest.raises(BadInput, match=r"strong on knowledge: question q\d+ has 8 draws, the audit needs 16"):
        auditing.audit([short], (1.0,), (16,), CONFIG, 0)
    with pytest.raises(BadInput, match="no responses"):
        auditing.audit([short._replace(rows=short.rows.slice(0, 0))], (1.0,), (1,), CONFIG, 0)
