"""Goals: what a target asks for over a source whose density is planted."""

import numpy as np
import pytest
from planted_synthesis import UNIFORM, K, crowded, even, held
from scipy.special import polygamma
from scipy.stats import wasserstein_distance

from stages.errors import BadInput
from stages.grid import Target
from stages.synthesis import goals

GROUPS = Target("groups", None)
SPREAD = float(np.sqrt(polygamma(1, K)) / np.log(10))  # of a k-NN estimate, dex


def level(value: float) -> Target:
    return Target("density", value)


def test_the_goal_at_the_sources_own_level_is_the_source() -> None:
    for rows in (even(150, 2), crowded(150, 3)):
        source = held(rows)
        made = goals.goal(level(float(source.reference.mean())), source, len(rows), None)
        assert made is not None
        assert made.tilt == pytest.approx(0, abs=1e-6)
        assert np.allclose(made.weights, 1 / source.source_points)
        assert np.allclose(made.levels, source.reference)


def test_a_smaller_pool_of_the_same_shape_is_thinner_by_its_size() -> None:
    source = held(even(200, 2))
    own = float(source.reference.mean())
    made = goals.goal(level(own - np.log10(4)), source, 50, None)
    assert made is not None
    assert made.tilt == pytest.approx(0, abs=1e-6)


def test_uniform_weighs_each_point_by_the_volume_it_stands_for() -> None:
    source = held(crowded(150, 2))
    made = goals.goal(UNIFORM, source, 60, None)
    assert made is not None
    assert made.weights.sum() == pytest.approx(1)
    assert np.allclose(made.weights * 10**source.reference, made.weights[0] * 10 ** source.reference[0])
    assert np.allclose(made.levels, made.levels[0])


def test_uniform_asks_for_the_pools_points_over_the_sources_volume() -> None:
    rows = even(1500, 2)  # the unit square, 4500 points
    made = goals.goal(UNIFORM, held(rows), 500, None)
    assert made is not None
    # 1500 points per unit area. The mean of 1/ρ̂ is off by a constant: k/e^ψ(k), 0.045 dex at k = 5.
    assert made.levels[0] == pytest.approx(np.log10(1500), abs=0.08)


def test_a_level_is_met_and_higher_levels_crowd_where_the_source_is_dense() -> None:
    source = held(crowded(300, 2))
    own = float(source.reference.mean()) + np.log10(60 / 300)
    tilts = []
    for wanted in (own - 0.1, own, own + 0.3):
        made = goals.goal(level(wanted), source, 60, None)
        assert made is not None
        assert float(made.weights @ made.levels) == pytest.approx(wanted, abs=1e-6)
        tilts.append(made.tilt)
    assert -1 < tilts[0] < tilts[1] < tilts[2]


def test_below_uniform_the_target_is_the_same_density_on_a_wider_support() -> None:
    source = held(crowded(300, 2))
    flat = goals.goal(UNIFORM, source, 60, None)
    assert flat is not None
    made = goals.goal(level(float(flat.levels[0]) - 1.0), source, 60, None)
    assert made is not None
    assert made.tilt == pytest.approx(-1, abs=1e-6)
    values, weights = made.distribution(K, made.target.density)
    assert np.average(values, weights=weights) == pytest.approx(float(flat.levels[0]) - 1.0)


def test_a_targets_log_densities_have_the_mean_and_the_estimators_spread() -> None:
    made = goals.goal(UNIFORM, held(crowded(200, 2)), 60, None)
    assert made is not None
    for k in (4, 16):
        values, weights = made.distribution(k, 2.5)
        assert weights.sum() == pytest.approx(1)
        assert np.average(values, weights=weights) == pytest.approx(2.5)
        spread = np.sqrt(np.average((values - 2.5) ** 2, weights=weights))
        assert spread == pytest.approx(np.sqrt(polygamma(1, k)) / np.log(10), rel=0.05)


def test_estimates_of_an_even_source_lie_as_the_goal_says() -> None:
    rows = held(even(700, 2))
    made = goals.goal(UNIFORM, rows, 700, None)
    assert made is not None
    inner = ((rows.vectors > 0.08) & (rows.vectors < 0.92)).all(axis=1)  # off the box's edges
    found = rows.reference[inner]
    values, weights = made.distribution(K, float(found.mean()))
    assert wasserstein_distance(found, values, v_weights=weights) < 0.03
    assert found.std() == pytest.approx(SPREAD, rel=0.1)


@pytest.mark.parametrize("rows", [even(600, 2), crowded(600, 2), crowded(600, 3)])
def test_a_source_thinned_at_random_is_near_the_goal_of_its_own_mean(rows: list) -> None:
    source = held(rows)
    chosen = np.sort(np.random.default_rng(1).choice(600, 200, replace=False))
    within = source.within(chosen)
    made = goals.goal(level(float(within.mean())), source, 200, None)
    assert made is not None
    values, weights = made.distribution(K, float(within.mean()))
    distance = wasserstein_distance(within, values, v_weights=weights)
    # The source's own estimates are spread by the estimator, and the goal spreads them once more.
    assert distance < (np.sqrt(2) - 1) * SPREAD + 0.05
    far, _ = made.distribution(K, float(within.mean()) + 0.5)
    assert wasserstein_distance(within, far, v_weights=weights) > 0.4


def test_a_baseline_has_no_goal() -> None:
    assert goals.goal(Target("random", None), held(even(50, 2)), 20, None) is None


def test_a_level_that_few_points_carry_is_refused_with_what_is_reachable() -> None:
    source = held(crowded(100, 2))
    said = r"density 9\.0: only \d+ of the source's 300 points are that dense; .* up to (\d\.\d\d) dex"
    with pytest.raises(BadInput, match=said) as refused:
        goals.goal(level(9.0), source, 60, None)
    highest = float(str(refused.value).split("up to ")[1].split(" dex")[0])
    assert goals.goal(level(highest - 0.01), source, 60, None) is not None
    with pytest.raises(BadInput, match="are that dense"):
        goals.goal(level(highest + 0.05), source, 60, None)


def test_a_table_gives_groups_the_densities_relative_to_one_another() -> None:
    source = held(even(400, 2))
    table = {0: 1.0, 1: 0.0, 2: 0.0, 3: 0.0}
    made = goals.goal(GROUPS, source, 100, table)
    assert made is not None
    share = {g: float(made.weights[source.groups == g].sum()) for g in table}
    assert share[0] == pytest.approx(10 / 13, abs=0.04)  # equal areas, one of them ten times as dense
    assert share[1] == pytest.approx(1 / 13, abs=0.02)
    of = {g: float(made.levels[source.groups == g][0]) for g in table}
    assert of[0] - of[1] == pytest.approx(1.0)
    shifted = goals.goal(GROUPS, source, 100, {g: v + 5 for g, v in table.items()})
    assert shifted is not None
    assert np.allclose(shifted.levels, made.levels)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "no table; set `synthesize.densities`"),
        ({0: 1.0, 1: 1.0, 2: 1.0}, "group 3 is missing"),
        ({0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0, 7: 1.0}, "group 7 has no knowledge point; groups are 0 to 3"),
    ],
)
def test_a_table_must_name_every_group_and_no_other(table: dict | None, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        goals.goal(GROUPS, held(even(100, 2)), 50, table)
