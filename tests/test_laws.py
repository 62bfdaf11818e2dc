"""The laws' equations, and what a fit says and refuses to say."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime, least_squares

from stages.laws.coverage import CoverageLoss, unsolved_share
from stages.laws.curves import Exponential, LastTwo, Law, Point, Power, Rectified, RectifiedTied
from stages.laws.fitting import REFUSALS, fit
from stages.laws.forecast import band, forecast, judge
from stages.laws.least_squares import Surface, average

BUDGETS = (1, 2, 4, 8, 16, 32)
PLANTED: list[tuple[Law, tuple[float, ...]]] = [
    (Rectified(), (3.0, 2.0, 0.8, 0.6)),
    (RectifiedTied(2.1), (2.0, 0.8, 0.6)),
    (Power(), (2.0, 0.6, 0.5)),
    (Exponential(), (2.0, 0.15, 0.7)),
    (LastTwo(), (2.0, 0.3)),
    (CoverageLoss((0.7, 0.9, 0.05)), (0.4, 2.0)),
]
each_law = pytest.mark.parametrize(("law", "theta"), PLANTED, ids=[law.name for law, _ in PLANTED])


def measured(
    law: Law, theta: tuple[float, ...], noise: float = 0.0, seeds: int = 3, budgets=BUDGETS
) -> list[Point]:
    rng = np.random.default_rng(1)
    truth = law.predict(theta, budgets)
    return [
        Point(float(r), float(loss * np.exp(noise * rng.normal())), seed)
        for r, loss in zip(budgets, truth, strict=True)
        for seed in range(seeds)
    ]


def statuses(points: list[Point], law: Law | None = None) -> tuple[str, str]:
    fitted = fit(law or Rectified(), points)
    return fitted.status, forecast(fitted, 64.0, 3).status


def test_equations_give_hand_computed_losses() -> None:
    assert Rectified().predict((3, 2, 1, 0.5), [0, 1, 4]) == pytest.approx([2.0, 1.5, 1.0])
    assert RectifiedTied(2.0).predict((2, 1, 0.5), [0, 1, 4]) == pytest.approx([2.0, 1.5, 1.0])
    assert Power().predict((2, 0.5, 1), [1, 4]) == pytest.approx([3.0, 2.0])
    assert Exponential().predict((2, np.log(2), 1), [0, 1, 2]) == pytest.approx([3.0, 2.0, 1.5])
    assert LastTwo().predict((8, 0.5), [4, 16]) == pytest.approx([4.0, 2.0])
    assert unsolved_share((1, 1, 0.2), [0, 1, 3]) == pytest.approx([1.0, 0.2 + 0.8 / 2, 0.2 + 0.8 / 4])


@each_law
def test_gradients_agree_with_differences(law: Law, theta: tuple[float, ...]) -> None:
    phi, r = law.phi(theta), np.array([1.0, 3.0, 20.0])
    for i in range(len(r)):
        numeric = approx_fprime(phi, lambda p, i=i: law.log_loss(p, r)[i], 1e-7)
        assert law.gradient(phi, r)[i] == pytest.approx(numeric, abs=1e-5)
    assert law.theta(phi) == pytest.approx(theta)
    slopes = [approx_fprime(phi, lambda p, j=j: law.theta(p)[j], 1e-7)[j] for j in range(len(phi))]
    assert law.theta_slope(phi) == pytest.approx(slopes, rel=1e-5)


@each_law
def test_planted_parameters_are_recovered(law: Law, theta: tuple[float, ...]) -> None:
    fitted = fit(law, measured(law, theta, noise=1e-4))
    assert fitted.status == "ok"
    for name, value in zip(law.parameters, theta, strict=True):
        found = fitted.parameters[name]
        assert found.estimate == pytest.approx(value, rel=0.05)
        assert found.low < found.estimate < found.high
    assert forecast(fitted, 64.0, 3).loss == pytest.approx(law.predict(theta, 64.0)[0], rel=1e-3)


@each_law
def test_batched_descents_end_where_scipy_does(law: Law, theta: tuple[float, ...]) -> None:
    means, within = average(measured(law, theta, noise=0.02))
    optimum = Surface(law, means, within).minimise()
    box, root = law.box(means.r, means.loss), np.sqrt(means.seeds)
    reference = min(
        least_squares(
            lambda p: root * (law.log_loss(p, means.r) - means.y), np.clip(s, *box), bounds=box, xtol=1e-12
        ).cost
        for s in law.starts(means.r, means.loss)
    )
    assert optimum.squares == pytest.approx(2 * reference, rel=1e-4, abs=1e-10)


def test_a_floor_of_zero_can_be_left_again() -> None:
    """On a logarithmic scale E = 0 has no gradient, and profiles that pass there come out too narrow."""
    law, theta = PLANTED[0]
    fitted = fit(law, measured(law, theta, noise=0.01, budgets=(1, 2, 4, 8)))
    for name, value in zip(law.parameters, theta, strict=True):
        low, high = fitted.parameters[name].low, fitted.parameters[name].high
        assert (low is None or low < value) and (high is None or value < high)


def test_fewer_budgets_than_parameters_print_nothing() -> None:
    points = measured(*PLANTED[0], noise=0.01, budgets=(1, 2, 4))
    assert statuses(points) == ("too_few_budgets", "refused")
    fitted = fit(Rectified(), points)
    assert all(value is None for e in fitted.parameters.values() for value in e)
    assert fitted.aic is None and not fitted.residuals
    with pytest.raises(ValueError, match="refused"):
        band(fitted, np.array([8.0]), 3)
    assert fit(Power(), points).status not in REFUSALS


def test_flat_and_rising_curves_are_told_apart() -> None:
    flat = [
        Point(p.r, 2.0 * (1 + 0.01 * ((p.seed + i) % 3 - 1)), p.seed)
        for i, p in enumerate(measured(*PLANTED[0]))
    ]
    assert statuses(flat) == ("no_trend", "refused")
    rising = [Point(p.r, p.loss + 0.3 * np.log(p.r), p.seed) for p in flat]
    assert statuses(rising) == ("increasing", "refused")
    assert statuses(rising, LastTwo())[1] == "ok"


def test_a_fall_smaller_than_the_scatter_of_the_seeds_is_no_trend() -> None:
    clean = measured(*PLANTED[0], noise=0.005)
    assert statuses(clean)[1] == "ok"
    noisy = [Point(p.r, p.loss * np.exp(0.9 * (p.seed - 1)), p.seed) for p in clean]
    assert statuses(noisy) == ("no_trend", "refused")


def test_losses_above_the_untrained_one_refuse_the_tied_law_only() -> None:
    points = measured(*PLANTED[0], noise=0.01)
    assert statuses(points, RectifiedTied(0.5)) == ("above_base_loss", "refused")
    assert statuses(points)[1] == "ok"


def test_a_parameter_at_its_bound_is_null_but_its_other_side_is_not() -> None:
    points = measured(Power(), (2.0, 0.4, 0.0), noise=0.01)
    fitted = fit(Power(), points)
    floor = fitted.parameters["E"]
    assert fitted.status in ("at_bound", "weakly_identified")
    assert floor.low is None and floor.standard_error is None and 0 < floor.high < 1
    assert forecast(fitted, 64.0, 3).status == "ok"


def test_as_many_parameters_as_budgets_and_one_seed_give_a_point_without_an_interval() -> None:
    fitted = fit(Rectified(), measured(*PLANTED[0], seeds=1, budgets=(1, 2, 4, 8)))
    assert fitted.status == "no_error_estimate" and fitted.aic is None
    predicted = forecast(fitted, 16.0, 1)
    assert predicted.status == "no_interval" and predicted.low is None
    assert predicted.loss == pytest.approx(PLANTED[0][0].predict(PLANTED[0][1], 16.0)[0], rel=1e-3)


def test_losses_that_are_no_numbers_are_refused() -> None:
    for bad in (float("nan"), 0.0, -1.0, float("inf")):
        with pytest.raises(ValueError, match="positive and finite"):
            fit(Power(), [*measured(*PLANTED[2]), Point(64.0, bad, 0)])


def test_one_seed_has_no_std_and_no_forecast_meets_another_budget() -> None:
    fitted = fit(Power(), measured(*PLANTED[2], noise=0.01))
    outcome = judge(forecast(fitted, 64.0, 1), [Point(64.0, 0.7, 0)])
    assert outcome.std is None and outcome.relative_error == pytest.approx(outcome.error / 0.7)
    with pytest.raises(ValueError, match="budget 64"):
        judge(forecast(fitted, 64.0, 1), [Point(32.0, 0.7, 0)])
