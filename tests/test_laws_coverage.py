"""The coverage law, and the law of two variables: planted truth comes back."""

import numpy as np
import pytest

from stages.laws import parametric
from stages.laws.coverage import CoverageLoss, Draws, fit_coverage, unsolved_share
from stages.laws.curves import Point
from stages.laws.fitting import fit


def ledger(a: float, b: float, pi: float, questions: int, n: int) -> list[Draws]:
    rng = np.random.default_rng(5)
    p = rng.beta(a, b, questions) * (rng.random(questions) >= pi)
    return [Draws(int(k), n) for k in rng.binomial(n, p)]


def test_planted_coverage_is_inside_its_intervals() -> None:
    truth = {"a": 2.0, "b": 1.0, "pi": 0.1}
    found = fit_coverage(ledger(*truth.values(), questions=2000, n=16))
    assert found.status == "ok"
    for name, value in truth.items():
        estimate = found.parameters[name]
        assert estimate.low < value < estimate.high
        assert (estimate.high - estimate.low) / 2 == pytest.approx(1.645 * estimate.standard_error, rel=0.1)
    assert found.theta == pytest.approx(tuple(truth.values()), rel=0.15)


def test_few_draws_foretell_the_unsolved_share_of_many() -> None:
    found = fit_coverage(ledger(0.7, 0.9, 0.05, questions=2000, n=8))
    assert unsolved_share(found.theta, 16) == pytest.approx(unsolved_share((0.7, 0.9, 0.05), 16), abs=0.02)


def test_likelihood_of_two_tallies_is_the_hand_computed_one() -> None:
    """With p uniform, k of n accepts has probability 1/(n + 1) for every k."""
    found = fit_coverage([Draws(k, 4) for k in range(5)] * 200)
    assert found.theta == pytest.approx((1.0, 1.0, 0.0), abs=0.02)
    assert found.log_likelihood == pytest.approx(-1000 * np.log(5), rel=1e-6)
    assert found.parameters["pi"].low == 0.0 < found.parameters["pi"].high


def test_unequal_numbers_of_draws_are_counted_as_they_are() -> None:
    mixed = ledger(2.0, 1.0, 0.0, 800, 16) + ledger(2.0, 1.0, 0.0, 800, 4)
    assert fit_coverage(mixed).theta[:2] == pytest.approx((2.0, 1.0), rel=0.25)


@pytest.mark.parametrize(
    ("draws", "status"),
    [
        ([Draws(1, 2), Draws(0, 2)], "too_few_draws"),
        ([Draws(0, 8)] * 9, "no_accepts"),
        ([Draws(8, 8)] * 9, "no_rejects"),
    ],
)
def test_a_ledger_that_says_nothing_says_so(draws: list[Draws], status: str) -> None:
    found = fit_coverage(draws)
    assert found.status == status and found.theta is None
    assert all(value is None for e in found.parameters.values() for value in e)


def test_questions_all_alike_leave_the_beta_weakly_identified() -> None:
    rng = np.random.default_rng(0)
    found = fit_coverage([Draws(int(k), 8) for k in rng.binomial(8, 0.5, 60)])
    assert found.status == "weakly_identified"
    assert found.parameters["a"].high is None and found.parameters["a"].standard_error is None


def test_impossible_tallies_are_refused() -> None:
    for draws in ([], [Draws(3, 2)], [Draws(0, 0)]):
        with pytest.raises(ValueError, match="0 <= k <= n"):
            fit_coverage(draws)


def test_loss_in_proportion_to_coverage_needs_two_budgets_only() -> None:
    law = CoverageLoss((0.7, 0.9, 0.05))
    losses = law.predict((0.4, 2.0), [1, 2, 4])
    points = [
        Point(float(r), float(loss * (1 + 1e-4 * (s - 1))), s)
        for r, loss in zip((1, 2, 4), losses, strict=True)
        for s in range(3)
    ]
    assert fit(law, points).parameters["kappa"].estimate == pytest.approx(2.0, rel=1e-3)


def test_planted_parametric_law_is_recovered_from_noisy_runs() -> None:
    rng = np.random.default_rng(0)
    truth = {"A": 480.0, "B": 2100.0, "E": 1.8, "alpha": 0.35, "beta": 0.37}
    N, D = np.exp(rng.uniform(17, 23, 60)), np.exp(rng.uniform(20, 26, 60))
    loss = parametric.predict(truth, N, D) * np.exp(2e-4 * rng.normal(size=60))
    found = parametric.fit(N, D, loss)
    assert found.converged and found.agreeing > 1
    for name, value in truth.items():
        assert found.theta[name] == pytest.approx(value, rel=0.08)
    with pytest.raises(ValueError, match="positive"):
        parametric.fit(N, D, -loss)
