"""Intervals: exact where theory is, and covering as often as they say where it is not."""

import numpy as np
import pytest
from scipy import stats

from stages.laws.curves import Exponential, LastTwo, Law, Point, Power, Rectified
from stages.laws.fitting import fit
from stages.laws.forecast import forecast, judge


def points_of(
    law: Law, theta: tuple[float, ...], budgets: tuple[int, ...], rng: np.random.Generator
) -> list[Point]:
    noise = 0.01  # of log loss
    truth = law.predict(theta, budgets)
    return [
        Point(float(r), float(loss * np.exp(noise * rng.normal())), seed)
        for r, loss in zip(budgets, truth, strict=True)
        for seed in range(3)
    ]


def test_the_line_has_the_textbook_t_interval() -> None:
    rng = np.random.default_rng(0)
    points = points_of(LastTwo(), (2.0, 0.3), (1, 2, 4, 8), rng)
    fitted = fit(LastTwo(), points, level=0.9)
    y = {r: np.log([p.loss for p in points if p.r == r]) for r in (4, 8)}
    sigma = np.sqrt((y[4].var(ddof=1) + y[8].var(ddof=1)) / 2)
    # log L(16) = 2 y(8) − y(4), each the mean of 3, and the mean of 3 new seeds
    half = stats.t.ppf(0.95, 4) * sigma * np.sqrt((4 + 1 + 1) / 3)
    centre = 2 * y[8].mean() - y[4].mean()
    predicted = forecast(fitted, 16.0, 3, level=0.9)
    assert np.log([predicted.low, predicted.loss, predicted.high]) == pytest.approx(
        [centre - half, centre, centre + half], abs=1e-4 * half
    )
    beta = fitted.parameters["beta"]
    error = sigma * np.sqrt(2 / 3) / np.log(2)
    assert beta.standard_error == pytest.approx(error, rel=1e-4)
    assert beta.high - beta.estimate == pytest.approx(stats.t.ppf(0.95, 4) * error, rel=1e-3)


def test_criteria_are_those_of_the_gaussian_likelihood_with_sigma_counted() -> None:
    points = points_of(Power(), (2.0, 0.6, 0.5), (1, 2, 4, 8), np.random.default_rng(0))
    fitted = fit(Power(), points)
    squares, n, k = sum(e.residual**2 for e in fitted.residuals), 12, 4
    llf = -0.5 * n * (np.log(2 * np.pi * squares / n) + 1)
    assert fitted.log_likelihood == pytest.approx(llf)
    assert fitted.aic == pytest.approx(2 * k - 2 * llf)
    assert fitted.aicc == pytest.approx(2 * k - 2 * llf + 2 * k * (k + 1) / (n - k - 1))
    assert fitted.bic == pytest.approx(k * np.log(n) - 2 * llf)
    assert fit(LastTwo(), points).aic is None


def test_standard_errors_match_the_profile_where_the_law_is_nearly_linear() -> None:
    rng = np.random.default_rng(0)
    truth = Power().predict((2.0, 0.6, 0.5), [1, 4, 16, 64, 256])
    points = [
        Point(float(r), float(loss * np.exp(1e-4 * rng.normal())), seed)
        for r, loss in zip((1, 4, 16, 64, 256), truth, strict=True)
        for seed in range(3)
    ]
    fitted = fit(Power(), points)
    for found in fitted.parameters.values():
        half = stats.t.ppf(0.95, fitted.scale.freedom) * found.standard_error
        assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.02)


def test_seeds_that_agree_better_than_the_law_fits_do_not_narrow_its_interval() -> None:
    truth = Rectified().predict((3.0, 2.0, 1.2, 0.6), [1, 2, 4, 8, 16])
    points = [
        Point(float(r), float(loss * (1 + 1e-4 * (seed - 1))), seed)
        for r, loss in zip((1, 2, 4, 8, 16), truth, strict=True)
        for seed in range(3)
    ]
    fitted = fit(Exponential(), points)
    assert fitted.lack_of_fit < 0.001 and fitted.scale.source == "lack_of_fit" and fitted.scale.freedom == 2
    outcome = judge(forecast(fitted, 16.0, 3), [p for p in points if p.r == 16])
    assert outcome.covered


def test_shuffled_points_give_the_same_fit() -> None:
    rng = np.random.default_rng(0)
    points = points_of(Rectified(), (3.0, 2.0, 0.8, 0.6), (1, 2, 4, 8, 16), rng)
    again = [points[i] for i in rng.permutation(len(points))]
    assert fit(Rectified(), points).parameters == fit(Rectified(), again).parameters


def test_one_seed_per_budget_takes_its_error_from_the_residuals() -> None:
    points = points_of(Power(), (2.0, 0.6, 0.5), (1, 2, 4, 8, 16, 32), np.random.default_rng(0))
    fitted = fit(Power(), [p for p in points if p.seed == 0])
    squares = sum(e.residual**2 for e in fitted.residuals)
    assert fitted.scale.source == "residuals" and fitted.lack_of_fit is None
    assert fitted.scale.sigma == pytest.approx(np.sqrt(squares / (6 - 3)))


def covered(law: Law, theta: tuple[float, ...], curves: int) -> tuple[float, float]:
    """Return how often 90 % intervals held the mean of three new seeds, and the planted parameters."""
    rng = np.random.default_rng(0)
    means, parameters = [], []
    for _ in range(curves):
        points = points_of(law, theta, (1, 2, 4, 8, 16), rng)
        fitted = fit(law, [p for p in points if p.r < 16])
        means.append(judge(forecast(fitted, 16.0, 3), [p for p in points if p.r == 16]).covered)
        for value, found in zip(theta, fitted.parameters.values(), strict=True):
            parameters.append((found.low or 0.0) <= value <= (found.high or np.inf))
    return float(np.mean(means)), float(np.mean(parameters))


def test_ninety_percent_intervals_of_the_line_cover_ninety_percent() -> None:
    means, parameters = covered(LastTwo(), (2.0, 0.3), 150)
    assert 0.83 <= means <= 0.97  # ± 3 standard errors of 150 curves
    assert 0.83 <= parameters <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    ("law", "theta"),
    [(Power(), (2.0, 0.6, 0.5)), (Exponential(), (2.0, 0.15, 0.7))],
    ids=["power", "exponential"],
)
def test_ninety_percent_intervals_cover_where_the_law_is_true(law: Law, theta: tuple[float, ...]) -> None:
    means, parameters = covered(law, theta, 60)
    assert 0.8 <= means <= 0.99  # 90 % ± 2.5 standard errors of 60 curves
    assert 0.8 <= parameters <= 0.99


@pytest.mark.slow
def test_the_rectified_law_covers_though_four_budgets_leave_its_parameters_loose() -> None:
    means, parameters = covered(Rectified(), (3.0, 2.0, 0.8, 0.6), 24)
    assert means >= 0.75  # 90 % less 2.5 standard errors of 24 curves
    assert parameters >= 0.75
