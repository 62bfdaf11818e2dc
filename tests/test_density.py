"""Density estimates against planted truths."""

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree
from scipy.special import polygamma
from scipy.stats import multivariate_normal, spearmanr

from stages.knowledge.density import log10_density, log10_from_distances, log_volume, neighbour_distances


def test_the_unit_ball_has_its_volume() -> None:
    assert math.exp(log_volume(1)) == pytest.approx(2)
    assert math.exp(log_volume(2)) == pytest.approx(math.pi)
    assert math.exp(log_volume(3)) == pytest.approx(4 / 3 * math.pi)


def test_density_on_a_line_agrees_with_the_count_per_length() -> None:
    # 1,000 points on a length of 10: 100 per unit, 2 dex.
    places = np.random.default_rng(0).uniform(0, 10, (1000, 1))
    inner = (places[:, 0] > 0.5) & (places[:, 0] < 9.5)
    assert log10_density(places, 10)[inner].mean() == pytest.approx(2.0, abs=0.02)


@pytest.mark.parametrize("d", [2, 8])
def test_density_on_a_torus_is_unbiased_with_the_theoretical_spread(d: int) -> None:
    # Uniform on [0, 1)^d with wrap-around: mean error near 0, sd of log ρ = √ψ₁(k), in nats.
    n, k = 20_000, 10
    points = np.random.default_rng(1).uniform(size=(n, d))
    r_k = cKDTree(points, boxsize=1).query(points[:4000], [k + 1])[0][:, 0]
    assert r_k.max() < 0.5  # no ball meets itself
    logs = log10_from_distances(r_k, k, d) * math.log(10)
    assert abs(logs.mean() - math.log(n)) < 0.05
    assert logs.std() == pytest.approx(math.sqrt(polygamma(1, k)), rel=0.05)


def test_density_ranks_a_gaussian_as_its_true_density_does() -> None:
    points = np.random.default_rng(2).standard_normal((5000, 3))
    truth = multivariate_normal(np.zeros(3)).logpdf(points)
    assert spearmanr(log10_density(points, 20), truth).statistic > 0.95


def test_a_space_ten_times_as_wide_is_d_dex_thinner() -> None:
    points = np.random.default_rng(3).standard_normal((200, 5))
    assert log10_density(10 * points, 4) == pytest.approx(log10_density(points, 4) - 5)


def test_the_last_distance_alone_decides() -> None:
    points = np.random.default_rng(4).standard_normal((200, 3))
    r = neighbour_distances(points, 4)
    assert r.shape == (200, 4)
    assert np.array_equal(log10_density(points, 4), log10_from_distances(r[:, -1], 4, 3))


def test_coinciding_points_are_given_the_smallest_positive_distance() -> None:
    points = np.r_[np.zeros((5, 2)), np.random.default_rng(5).uniform(1, 2, size=(20, 2))]
    logs = log10_density(points, 3)
    assert np.isfinite(logs).all()
    assert logs[:5] == pytest.approx(logs[5:].max())
    assert np.array_equal(log10_from_distances(np.array([0.0, 0.1, 1.0]), 3, 2)[[0]], logs_at(0.1))


def logs_at(r_k: float) -> np.ndarray:
    return log10_from_distances(np.array([r_k]), 3, 2)


def test_points_that_all_coincide_are_refused() -> None:
    with pytest.raises(ValueError, match="all points coincide"):
        log10_density(np.zeros((5, 2)), 3)


@pytest.mark.parametrize("n", [1, 3, 4])
def test_as_many_neighbours_as_points_are_refused(n: int) -> None:
    with pytest.raises(ValueError, match=f"{n} points are too few for 4 neighbours"):
        log10_density(np.random.default_rng(6).uniform(size=(n, 2)), 4)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_coordinate_that_is_not_finite_is_refused(wrong: float) -> None:
    points = np.random.default_rng(7).uniform(size=(10, 2))
    points[3, 1] = wrong
    with pytest.raises(ValueError, match="a coordinate is not finite"):
        log10_density(points, 3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_a_distance_that_is_none_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="negative or not finite"):
        log10_from_distances(np.array([1.0, wrong]), 3, 2)
