"""The local curve: a line that may bend for a while, judged by its own one-step forecasts."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from stages.laws import local
from stages.laws.least_squares import Means
from stages.laws.local import CELLS, flat, learn, local_cells, mix


def means(y: np.ndarray, seeds: float = 1.0) -> Means:
    return Means(2.0 ** np.arange(len(y)), np.asarray(y, float), np.full(len(y), seeds))


def ahead(y: np.ndarray, doublings: int, within: float = 0.0, seeds: float = 1.0) -> local.Reach:
    r = 2.0 ** (len(y) - 1 + np.arange(1, doublings + 1))
    return mix(local_cells(means(y, seeds), within, r, 1.0), flat())


def test_covariance_is_the_double_integral() -> None:
    a = 0.7

    def numeric(x: float, z: float) -> float:
        return dblquad(lambda v, u: (x - u) * (z - v) * np.exp(-a * abs(u - v)), 0, x, 0, z)[0]

    for x, z in ((1.0, 2.0), (2.5, 1.3), (3.0, 3.0)):
        found = local._integrated(np.array([x]), np.array([z]), np.full((1, 1, 1), a))
        assert found[0, 0, 0] == pytest.approx(numeric(x, z), rel=1e-6)


def test_second_differences_have_the_stated_size() -> None:
    x = np.array([0.0, 1.0, 2.0])
    V = local._shared(x, x)
    D = np.array([1.0, -2.0, 1.0])
    assert np.sqrt(D @ V @ D) == pytest.approx(local._S)


def test_a_straight_line_goes_on_straight() -> None:
    told = ahead(1.0 - 0.1 * np.arange(6), 3)
    assert told.log_loss == pytest.approx([0.4, 0.3, 0.2], abs=1e-6)
    assert (np.diff(told.sd) > 0).all() and told.sd[0] < 0.01


def test_a_bend_goes_on_for_a_while_and_less_than_a_parabola_would() -> None:
    y = 1.0 - 0.01 * np.arange(8) ** 2
    line = y[-1] + (y[-1] - y[-2]) * np.arange(1, 4)
    parabola = 1.0 - 0.01 * np.arange(8, 11) ** 2
    told = ahead(y, 3).log_loss
    assert (parabola < told).all() and (told < line).all()
    assert (np.diff((told - parabola) / (line - parabola)) > 0).all()


def test_noise_is_smoothed_where_the_line_through_two_points_follows_it() -> None:
    rng = np.random.default_rng(0)
    local_off, line_off = [], []
    for _ in range(40):
        y = 1.0 - 0.1 * np.arange(9) + 0.01 * rng.normal(size=9)
        truth = 1.0 - 0.1 * 10
        local_off.append(abs(ahead(y, 2).log_loss[1] - truth))
        line_off.append(abs(y[-1] + 2 * (y[-1] - y[-2]) - truth))
    assert np.mean(local_off) < 0.6 * np.mean(line_off)


def test_evidence_is_the_product_of_one_step_forecasts() -> None:
    y = np.array([1.0, 0.93, 0.85, 0.79, 0.71])
    shorter = local_cells(means(y[:4]), 0.0, np.array([16.0]), 1.0)
    longer = local_cells(means(y), 0.0, np.array([32.0]), 1.0)
    variance, error = shorter.variance[:, 0], y[4] - shorter.mean[:, 0]
    assert longer.log_evidence - shorter.log_evidence == pytest.approx(
        -0.5 * (error**2 / variance + np.log(variance)), abs=1e-6
    )


def test_scatter_of_the_seeds_widens_the_interval() -> None:
    y = 1.0 - 0.1 * np.arange(5)
    assert ahead(y, 1, within=0.0, seeds=3).sd[0] < ahead(y, 1, within=0.01, seeds=3).sd[0]


def test_budgets_need_not_double() -> None:
    r = np.array([1.0, 3.0, 4.0, 20.0, 30.0])
    curve = Means(r, 2.0 - 0.3 * np.log(r), np.ones(5))
    told = mix(local_cells(curve, 0.0, np.array([45.0, 100.0]), 1.0), flat())
    assert told.log_loss == pytest.approx(2.0 - 0.3 * np.log([45.0, 100.0]), abs=1e-6)


def test_the_prior_learns_how_curves_bend_and_rules_no_cell_out() -> None:
    rng = np.random.default_rng(1)
    straight = [1.0 - 0.1 * np.arange(8) + 0.004 * rng.normal(size=8) for _ in range(20)]
    evidence = np.array([local_cells(means(y), 0.0, np.array([256.0]), 1.0).log_evidence for y in straight])
    prior = learn(evidence, flat_curves=5.0)
    assert prior.sum() == pytest.approx(1.0) and prior.min() >= 5.0 / 25 / CELLS * 0.999
    assert prior[local._S < 0.003].sum() > 2 * flat()[local._S < 0.003].sum()


def test_two_budgets_are_too_few() -> None:
    with pytest.raises(ValueError, match="needs 3 budgets, there are 2"):
        ahead(np.array([1.0, 0.9]), 1)
