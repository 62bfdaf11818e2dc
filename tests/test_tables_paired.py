"""The paired comparison: refusals by name, and intervals that hold the planted truth as often as they say."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from stages.errors import BadInput
from stages.tables import paired


def arm(**changes: object) -> paired.Arm:
    plain = paired.Arm(
        name="tiny-2.0-1x1",
        sample_budget=40,
        seeds=(0, 1, 2),
        items=(("t", "a"), ("t", "b"), ("t", "c")),
        correct=np.array([[1.0, 0, 1], [1, 0, 0], [1, 1, 1]]),
        loss=np.array([[2.0, 3, 1], [2.1, 3.3, 0.8], [1.8, 3.1, 1.2]]),
        tokens=np.array([2.0, 4, 1]),
    )
    return plain._replace(**changes)


REFUSED = [
    ({"sample_budget": 80}, "tiny-2.0-1x1 and tiny-2.0-1x2: unequal sample budgets: 40 and 80"),
    ({"items": (("t", "a"), ("t", "b"), ("t", "z"))}, "different items, 2 of them, first t/c"),
    ({"seeds": (0, 1, 3)}, r"different training seeds, \(0, 1, 2\) and \(0, 1, 3\)"),
    ({"tokens": np.array([2.0, 4, 2])}, "different answer tokens"),
]


@pytest.mark.parametrize(("change", "said"), REFUSED)
def test_arms_that_do_not_match_are_refused_by_name(change, said):
    with pytest.raises(BadInput, match=said):
        paired.compare(arm(), arm(name="tiny-2.0-1x2", **change))


def test_loss_is_compared_per_token_and_accuracy_per_item():
    better = arm(loss=arm().loss - 0.5 * arm().tokens + 0.01 * np.eye(3), correct=np.ones((3, 3)))
    found = paired.compare(better, arm())
    assert found.loss.estimate == pytest.approx(-0.5 + 0.01 * 3 / 21)
    assert found.accuracy.estimate == pytest.approx(3 / 9)
    assert found.loss.low < -0.497 < found.loss.high and found.loss.p < 0.001


def test_swapping_the_arms_mirrors_the_comparison():
    other = arm(loss=arm().loss * 1.3)
    one, two = paired.compare(arm(), other).loss, paired.compare(other, arm()).loss
    assert (
        one.estimate == -two.estimate
        and one.low == pytest.approx(-two.high)
        and one.p == pytest.approx(two.p)
    )


def test_identical_arms_differ_by_nothing_and_there_is_no_scatter_to_judge_by():
    assert paired.compare(arm(), arm()).loss == (0.0, None, None, None)


def test_one_seed_has_no_interval():
    one = {"seeds": (0,), "correct": np.ones((1, 3)), "loss": np.array([[1.0, 2, 3]])}
    found = paired.compare(arm(**one), arm(**(one | {"loss": np.array([[1.0, 2, 4]])})))
    assert found.loss == (pytest.approx(-1 / 7), None, None, None)


def simulate(seeds: int, seed_std: float, truth: float, runs: int) -> tuple[float, float]:
    """Return how often the 95 % interval holds the truth, and how often p < 0.05."""
    rng = np.random.default_rng(12)
    held = rejected = 0
    for _ in range(runs):
        w = rng.integers(1, 6, size=150).astype(float)
        per_token = truth + 0.5 * rng.normal(size=150) + seed_std * rng.normal(size=(seeds, 1))
        found = paired.difference(w * (per_token + rng.normal(size=(seeds, 150)) / np.sqrt(w)), w)
        held += found.low <= truth <= found.high
        rejected += found.p < 0.05
    return held / runs, rejected / runs


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("seed_std", [0.0, 0.05, 0.3])
def test_the_interval_holds_the_planted_difference_at_least_as_often_as_it_says(seeds, seed_std):
    held, _ = simulate(seeds, seed_std, truth=0.3, runs=600)
    assert held >= 0.925  # 0.95 less three Monte Carlo errors of 0.009


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_where_only_seeds_scatter_the_p_value_is_that_of_a_t_test_over_seeds(seeds):
    per_seed = np.array([0.2, 0.1, 0.25, 0.3, 0.15])[:seeds]
    found = paired.difference(np.repeat(per_seed[:, None], 40, axis=1), np.ones(40))
    exact = ttest_1samp(per_seed, 0.0)
    assert found.p == pytest.approx(exact.pvalue, rel=0.002)
    assert (found.low, found.high) == pytest.approx(tuple(exact.confidence_interval(0.95)), rel=0.002)


def test_where_only_items_scatter_the_interval_is_that_of_a_t_test_over_items():
    per_item = np.linspace(-0.1, 0.4, 30)
    found = paired.difference(np.repeat(per_item[None], 3, axis=0), np.ones(30))
    exact = ttest_1samp(per_item, 0.0)
    assert found.p == pytest.approx(exact.pvalue, rel=0.01)
    assert (found.low, found.high) == pytest.approx(tuple(exact.confidence_interval(0.95)), rel=0.01)


def test_no_difference_is_called_one_no_more_often_than_stated():
    assert simulate(3, 0.1, truth=0.0, runs=1000)[1] <= 0.07


def test_a_real_difference_is_seen():
    assert simulate(3, 0.02, truth=0.5, runs=100)[1] > 0.95


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_leaves_the_untested():
    assert paired.holm([0.04, 0.01, None, 0.03]) == pytest.approx([0.06, 0.03, None, 0.06])
    assert paired.holm([None]) == [None]
    assert paired.holm([]) == []


def test_holm_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(0)
    for m in (1, 2, 7, 20):
        p = rng.random(m).round(1)  # with ties
        assert paired.holm(list(p)) == pytest.approx(list(multipletests(p, method="holm")[1]))


def test_mcnemar_is_the_exact_binomial_of_the_items_that_changed():
    assert paired.mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert paired.mcnemar(4, 1) == pytest.approx(2 * 6 / 2**5)
    assert paired.mcnemar(3, 3) == 1.0 and paired.mcnemar(0, 0) == 1.0
