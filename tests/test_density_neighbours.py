"""Growing lists of nearest neighbours: exact ones equal a whole estimate; recall of others is measured."""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from stages.knowledge.neighbours import Neighbours


def grown(places: np.ndarray, k: int, steps: tuple[int, ...], exact_below: int = 50_000) -> Neighbours:
    found = Neighbours(k, places.shape[1], exact_below)
    for part in np.split(places, steps):
        found.add(part)
    return found


def crowded(n: int, d: int) -> np.ndarray:
    """Return points of which many coincide, more than a list holds."""
    places = np.random.default_rng(0).standard_normal((n, d)).round(6)
    places[100:140], places[n - 60 : n - 30], places[n - 5 :] = places[0], places[7], places[0]
    return places


def clustered(n: int, d: int, intrinsic: int) -> np.ndarray:
    rng = np.random.default_rng(1)
    planes = rng.standard_normal((20, intrinsic, d))
    group = rng.integers(20, size=n)
    within = np.einsum("ni,nid->nd", rng.standard_normal((n, intrinsic)), planes[group])
    return rng.standard_normal((20, d))[group] * 4 + within


@pytest.mark.parametrize("d", [4, 20])
def test_exact_neighbours_are_those_of_scikit_learn(d: int) -> None:
    places = crowded(1500, d)
    true = NearestNeighbors(n_neighbors=6, algorithm="kd_tree").fit(places).kneighbors()[0]
    found = grown(places, 6, ())
    assert found.exact
    assert np.allclose(found.distances, true, rtol=0, atol=1e-12)
    assert (found.indices != np.arange(1500)[:, None]).all()
    again = np.linalg.norm(places[:, None] - places[found.indices], axis=2)
    assert np.allclose(again, found.distances, rtol=0, atol=1e-12)


@pytest.mark.parametrize("d", [4, 20])
@pytest.mark.parametrize("steps", [(3, 900, 1400), (1425,), tuple(range(1400, 1500, 10))])
def test_growing_equals_a_whole_estimate_to_the_last_bit(d: int, steps: tuple[int, ...]) -> None:
    places = crowded(1500, d)
    assert (grown(places, 6, steps).distances == grown(places, 6, ()).distances).all()


def test_lists_are_infinite_where_there_are_too_few_points() -> None:
    found = grown(np.array([[0.0], [3.0]]), 2, (1,))
    assert found.distances.tolist() == [[3.0, np.inf], [3.0, np.inf]]
    assert found.indices.tolist() == [[1, -1], [0, -1]]


def test_the_graph_finds_nearly_all_and_keeps_doing_so_as_it_grows() -> None:
    places = clustered(6000, 20, 6)
    found = grown(places, 10, (3000, 5000, 5500), exact_below=4000)
    assert not found.exact
    assert found.recall(300, np.random.default_rng(2)) > 0.95
    true = NearestNeighbors(n_neighbors=10).fit(places).kneighbors()[0]
    held = (found.distances <= true[:, -1:] * (1 + 1e-6)).mean()
    assert found.recall(6000, np.random.default_rng(2)) == pytest.approx(held)


def test_recall_sees_lists_that_are_wrong() -> None:
    found = grown(clustered(500, 20, 6), 10, ())
    assert found.recall(100, np.random.default_rng(0)) == 1.0
    found.distances[:, 5:] *= 10
    assert found.recall(100, np.random.default_rng(0)) == pytest.approx(0.5)


def test_the_graph_gives_the_same_lists_each_time() -> None:
    places = clustered(3000, 20, 6)
    first, second = (grown(places, 10, (2000,), exact_below=1000) for _ in range(2))
    assert (first.distances == second.distances).all()


def test_the_graph_keeps_a_point_that_coincides_with_others_out_of_its_own_list() -> None:
    found = grown(crowded(1500, 20), 6, (1000,), exact_below=500)
    assert (found.indices != np.arange(1500)[:, None]).all()
    assert (found.distances[100:140] == 0).all()


def test_points_of_another_dimension_or_not_finite_are_refused() -> None:
    found = Neighbours(2, 3)
    with pytest.raises(ValueError, match="space of 3 dimensions"):
        found.add(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="not finite"):
        found.add(np.full((4, 3), np.nan))
    assert len(found) == 0
