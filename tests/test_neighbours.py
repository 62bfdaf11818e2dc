"""Lists of nearest neighbours against scikit-learn's brute force, estimated whole and grown."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from stages.knowledge.neighbours import SAMPLE, Neighbours

K = 10
TREE, BLOCKS = 4, 24  # dimensions searched by trees, and by comparing all pairs


def scattered(n: int, d: int, seed: int = 0) -> np.ndarray:
    """Points of which each tenth lies where an earlier one does, and 15 all in one place."""
    points = np.random.default_rng(seed).standard_normal((n, d))
    points[9::10] = points[0::10]
    points[-30::2] = 0.5
    return points


def clustered(n: int, seed: int = 0) -> np.ndarray:
    """Points in 20 groups of intrinsic dimension 8 in 32 dimensions."""
    rng = np.random.default_rng(seed)
    turned = rng.standard_normal((20, 8, 32)) * 0.2
    centres, group = rng.standard_normal((20, 32)), rng.integers(20, size=n)
    return centres[group] + np.einsum("na,nab->nb", rng.standard_normal((n, 8)), turned[group])


def brute(points: np.ndarray, k: int = K) -> np.ndarray:
    found, _ = NearestNeighbors(n_neighbors=k + 1, algorithm="brute").fit(points).kneighbors(points)
    return found[:, 1:]


def grown(points: np.ndarray, *steps: int, **options: int) -> Neighbours:
    lists = Neighbours(K, points.shape[1], **options)
    for part in np.split(points, steps):
        lists.add(part)
    return lists


@pytest.mark.parametrize("d", [1, TREE, 8, 9, BLOCKS])
def test_exact_lists_are_those_of_brute_force(d: int) -> None:
    points = scattered(700, d)
    lists = grown(points)
    assert lists.exact
    # Brute force rounds: distances of 0 come out as 1e-8 there.
    assert lists.distances == pytest.approx(brute(points), abs=1e-6)


@pytest.mark.parametrize("d", [TREE, BLOCKS])
def test_indices_name_other_points_at_those_distances(d: int) -> None:
    points = scattered(700, d)
    for lists in (grown(points), grown(points, 500, 600)):
        assert (lists.indices != np.arange(700)[:, None]).all()
        assert (np.diff(np.sort(lists.indices, axis=1), axis=1) > 0).all()
        apart = np.sqrt(((points[:, None] - points[lists.indices]) ** 2).sum(axis=2))
        assert lists.distances == pytest.approx(apart, abs=1e-12)
        assert (np.diff(lists.distances, axis=1) >= 0).all()


@pytest.mark.parametrize("d", [TREE, BLOCKS])
@pytest.mark.parametrize("steps", [(665,), (100, 101, 690), (3, 12, 400)])
def test_grown_lists_equal_a_whole_estimate_to_the_last_bit(d: int, steps: tuple[int, ...]) -> None:
    points = scattered(700, d)
    assert np.array_equal(grown(points, *steps).distances, grown(points).distances)


@pytest.mark.parametrize("d", [TREE, BLOCKS])
def test_points_that_coincide_are_each_others_neighbours_at_distance_zero(d: int) -> None:
    points = np.concatenate([np.zeros((K + 2, d)), np.random.default_rng(0).standard_normal((50, d))])
    lists = grown(points, 5, 40)
    assert (lists.distances[: K + 2] == 0).all()
    assert (lists.distances[K + 2 :, 0] > 0).all()


@pytest.mark.parametrize("d", [TREE, BLOCKS])
def test_lists_longer_than_the_set_end_in_infinity(d: int) -> None:
    points = scattered(40, d)[:4]
    lists = grown(points, 1)
    assert lists.distances[:, :3] == pytest.approx(brute(points, 3), abs=1e-6)
    assert np.isinf(lists.distances[:, 3:]).all()
    assert (lists.indices[:, 3:] == -1).all()
    assert np.array_equal(grown(points, 2).distances, grown(points).distances)


def test_the_graph_recalls_clustered_points_whole_and_grown() -> None:
    points, rng = clustered(4200), np.random.default_rng(1)
    whole, more = grown(points, exact_below=1000), grown(points, 4000, exact_below=1000)
    assert not whole.exact
    for lists in (whole, more):
        # The recall that the lists tell of themselves is that against brute force.
        true = brute(points)[:, -1:]
        measured = (lists.distances <= true * (1 + 1e-6)).mean()
        assert measured > 0.97
        assert lists.recall(4200, rng) == pytest.approx(measured, abs=0.001)
        assert (lists.indices != np.arange(4200)[:, None]).all()


def test_lists_may_grow_from_exact_to_approximate() -> None:
    points = clustered(1500)
    lists = grown(points, 900, exact_below=1000)
    assert not lists.exact
    assert lists.recall(1500, np.random.default_rng(0)) > 0.95


def test_the_graph_gives_the_same_lists_twice() -> None:
    points = clustered(3000)
    first, second = (grown(points, 2800, exact_below=1000) for _ in range(2))
    assert np.array_equal(first.distances, second.distances)
    assert np.array_equal(first.indices, second.indices)


def test_recall_is_below_one_where_lists_are_wrong() -> None:
    lists = grown(scattered(200, TREE))
    assert lists.recall(200, np.random.default_rng(0)) == 1
    lists.distances[:, -1] = np.inf
    assert lists.recall(200, np.random.default_rng(0)) == pytest.approx(0.9)


@pytest.mark.parametrize("d", [TREE, BLOCKS])
@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_coordinate_that_is_not_finite_is_refused_and_changes_nothing(d: int, wrong: float) -> None:
    points = scattered(60, d)
    lists = grown(points)
    with pytest.raises(ValueError, match="not finite"):
        lists.add(np.full((1, d), wrong))
    assert len(lists) == len(lists.distances) == 60


def test_points_of_another_dimension_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shape \(2, 3\) in a space of 4 dimensions"):
        Neighbours(K, 4).add(np.zeros((2, 3)))


def test_adding_nothing_changes_nothing() -> None:
    lists = grown(scattered(60, TREE))
    before = lists.distances.copy()
    lists.add(np.zeros((0, TREE)))
    assert np.array_equal(lists.distances, before)


def test_a_sampled_recall_is_measured_where_the_search_is_approximate_only() -> None:
    near = grown(clustered(1500), exact_below=1000)
    near.distances[::2, -1] = np.inf
    told = near.sampled_recall(seed=3)
    assert told == near.recall(SAMPLE, np.random.default_rng(3)) < 0.98
    exact = grown(scattered(200, TREE))
    exact.distances[:] = np.inf  # not looked at
    assert exact.sampled_recall(seed=3) == 1.0
