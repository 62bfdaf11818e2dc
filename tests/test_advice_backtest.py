"""The back-test hides what it predicts, and its intervals hold what they promise."""

from collections.abc import Callable

import numpy as np
import pytest
from planted_advice import MANY_UNSOLVED, SOON_SOLVED, offer, panel

from stages.advice import Config, backtest, document, study
from stages.advice.backtest import Panel
from stages.advice.surface import Change
from stages.grid import Cut


def test_what_is_hidden_does_not_move_the_prediction() -> None:
    """Spoil every cell that a trial may not see: predictions from the held one stay."""
    whole = panel(MANY_UNSOLVED, 0.02)
    held = Cut(0.5, 8)

    def spoilt(keep: Callable[[Cut], bool]) -> Panel:
        cells = [c if keep(c.cut) or c.cut == held else c._replace(loss=99.0) for c in whole.cells]
        return whole._replace(cells=tuple(cells))

    earlier, fewer = spoilt(lambda cut: cut.budget < 8), spoilt(lambda cut: cut.share <= 0.5)
    trials = [backtest.trials([p]) for p in (whole, earlier, fewer)]
    of_held = [triple for triple in zip(*trials, strict=True) if triple[0].held == held]
    assert [true.axis for true, _, _ in of_held].count("new_questions") == 1 and len(of_held) == 4
    for true, without_later, without_larger in of_held:
        unseen = without_larger if true.axis == "new_questions" else without_later
        assert true.predicted == unseen.predicted


def test_trials_are_of_one_axis_each_and_need_a_coverage_law() -> None:
    found = backtest.trials([panel(MANY_UNSOLVED, 0.02)])
    assert {t.held.budget for t in found} == {4, 8, 16, 32}
    assert {t.axis for t in found if t.held.budget == 32} == {"questions", "new_questions"}
    assert {(t.held.share, t.bought.share) for t in found if t.axis == "new_questions"} == {(0.5, 1.0)}
    assert all((t.held.share == t.bought.share) == (t.axis == "responses") for t in found)


def test_scores_of_a_true_surface_need_no_widening_and_a_wrong_one_does() -> None:
    rng = np.random.default_rng(0)
    true = [panel(MANY_UNSOLVED, 0.05, rng, teacher=str(i)) for i in range(20)]
    bent = [panel(MANY_UNSOLVED, 0.02, rng, teacher=str(i), bend=3.0) for i in range(20)]
    assert all(f.factor < 1.25 for f in backtest.factors(backtest.trials(true)))
    assert max(f.factor for f in backtest.factors(backtest.trials(bent))) > 1.5


def test_intervals_cover_what_is_then_measured_in_85_to_95_of_100_simulated_surfaces() -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        told = backtest.told(backtest.trials([panel(MANY_UNSOLVED, 0.05, rng)]), 0.9)
        covered += [t.covered for t in told if t.trial.held.budget == 16]
    assert len(covered) == 1400 and 0.85 <= np.mean(covered) <= 0.95


def test_intervals_of_a_bent_surface_are_widened_by_what_was_seen_before() -> None:
    rng = np.random.default_rng(1)
    bent = [panel((1.0, 1.1, 0.1), 0.02, rng, teacher=str(i), bend=1.5) for i in range(40)]
    told = [t for t in backtest.told(backtest.trials(bent), 0.9) if t.trial.held.budget == 16]
    unwidened = [t.trial.score < 1.645 for t in told if t.trial.axis == "questions"]
    widened = [t.covered for t in told if t.trial.axis == "questions"]
    assert np.mean(unwidened) < 0.6 and np.mean(widened) > 0.85


def test_widening_before_a_budget_uses_no_outcome_at_that_budget() -> None:
    rng = np.random.default_rng(2)
    seen = backtest.trials([panel(MANY_UNSOLVED, 0.05, rng, teacher=str(i)) for i in range(5)])
    spoilt = [t._replace(score=50.0) if t.bought.budget >= 16 else t for t in seen]
    assert backtest.learned(seen)[16] == backtest.learned(spoilt)[16]
    assert backtest.learned(seen)[32] != backtest.learned(spoilt)[32]


def test_the_nearest_distance_that_reaches_as_far_widens() -> None:
    known = [backtest.Factor("responses", d, 3, 1 + d) for d in (1.0, 2.0)]
    assert [backtest.factor(known, "responses", d).factor for d in (0.5, 1.0, 1.6, 3.0)] == [2, 2, 3, 3]
    assert backtest.factor(known, "questions", 1.0) is None


def test_interval_is_students_t_times_the_factor() -> None:
    assert backtest.interval(Change(-1.0, 0.5, 10), 2.0, 0.9) == pytest.approx(
        (-1 - 1.8125, -1 + 1.8125), abs=1e-3
    )


def test_choices_at_equal_sample_budgets_are_right_where_the_truth_is_clear() -> None:
    rng = np.random.default_rng(3)
    seen = backtest.trials([panel(SOON_SOLVED, 0.02, rng, teacher=str(i)) for i in range(10)])
    pairs = backtest.pairs(seen, 0.9)
    for pair in pairs:
        N = {t.bought.share * t.bought.budget for t in (pair.responses, pair.questions)}
        assert len(N) == 1 and pair.responses.held == pair.questions.held
    assert all(pair.chosen == pair.best == "questions" and pair.told_apart for pair in pairs)
    assert {pair.regret for pair in pairs} == {0.0}


def test_the_document_counts_what_the_trials_say() -> None:
    advice = study.advise([offer(MANY_UNSOLVED), offer(SOON_SOLVED, teacher="weak")], (), Config(), 0.9)
    error = {"budget": 32, "loss": 1.0, "relative_error": -0.5}
    place = {"student": "qwen", "domain": "physics", "share": 0.5, "law": "rectified", "prediction": error}
    told = document.document(advice, {"laws": [place | {"teacher": "weak"}]}, 32, False)
    top, whole = (
        next(e for e in told["back_test"]["trials"] if (e["scope"], e["axis"]) == (scope, "responses"))
        for scope in ("top_budget", "all")
    )
    assert top["trials"] == 6 and whole["trials"] == 2 * 3 * (3 + 2 + 1)
    assert top["coverage"] == top["covered"] / 6 and top["coverage_low"] < top["coverage"]
    assert [entry["choices"] for entry in told["back_test"]["choices"]] == [4, 16]
    (law,) = told["back_test"]["laws"]
    assert (law["law"], law["curves"], law["surface_closer"]) == ("rectified", 1, 1)
    assert law["surface_median_error"] < 0.05 < law["law_median_error"]
