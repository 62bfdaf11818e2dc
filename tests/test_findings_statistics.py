"""The statistics of the findings: hand values, published relations, how often they claim what is not."""

import numpy as np
import planted_study as planted
import pytest
from scipy.stats import friedmanchisquare, kstest

from stages.findings import agreement, baselines, optimum, resampling
from stages.findings.study import Panel
from stages.grid import Target

TARGETS = tuple(t for t in planted.TARGETS if t != Target("uniform", None))


def panel(rng: np.random.Generator, excess: np.ndarray, name: str = "one", n: int = 60) -> Panel:
    """Return one student at one data size: losses with items, seeds and noise all random."""
    items = tuple(("popqa", item) for _, item in planted.items(n))
    scatter = 0.3 * rng.normal(size=n) + 0.05 * rng.normal(size=(len(TARGETS), 1, 3, 1))
    # How much a target suits an item is the same for every seed: it scatters over items, not over seeds.
    taste = 0.2 * rng.normal(size=(len(TARGETS), 1, 1, n))
    noise = 0.2 * rng.normal(size=(len(TARGETS), 1, 3, n))
    weight = 1.0 + np.arange(n) % 4
    per_token = 2 + excess[:, None, None, None] + scatter + taste + noise
    correct = (per_token < 2).astype(float)
    return Panel(
        name,
        "qwen3",
        1,
        1,
        TARGETS,
        (1000,),
        (0, 1, 2),
        items,
        per_token * weight,
        correct,
        weight,
        correct[0, 0, 0],
    )


def test_w_is_1_where_rankings_are_equal_and_has_its_hand_value():
    assert agreement.kendall_w(np.array([[1.0, 2, 3], [1, 2, 3]])) == 1
    # Column sums 4, 6, 8 → S = 8; 12·8 / (9·24) = 4/9.
    assert agreement.kendall_w(np.array([[1.0, 2, 3], [2, 1, 3], [1, 3, 2]])) == pytest.approx(
        12 * 8 / (9 * 24)
    )
    assert agreement.kendall_w(np.array([[1.0, 2, 3], [3, 2, 1]])) == 0
    assert np.isnan(agreement.kendall_w(np.full((2, 3), 2.0)))


@pytest.mark.parametrize("decimals", [6, 0])
def test_w_is_friedmans_chi_squared_by_m_times_n_less_1_with_and_without_ties(decimals):
    scores = np.round(np.random.default_rng(3).normal(size=(6, 5)) + np.arange(5) / 3, decimals)
    W = agreement.kendall_w(agreement.ranks(scores))
    relation = friedmanchisquare(*scores.T).statistic / (6 * 4)
    assert float(W) == pytest.approx(relation)
    assert decimals or len(np.unique(scores)) < 15  # there were ties


def test_the_permutation_p_is_uniform_where_raters_rank_by_chance():
    rng = np.random.default_rng(0)
    p = [agreement.permutation_p(agreement.ranks(rng.normal(size=(4, 6))), 300, rng) for _ in range(300)]
    assert kstest(p, "uniform").pvalue > 0.01
    assert min(p) >= 1 / 301


def test_the_permutation_p_of_perfect_agreement_is_as_small_as_it_can_be():
    ranked = np.tile(np.arange(1.0, 9), (5, 1))
    assert agreement.permutation_p(ranked, 1000, np.random.default_rng(0)) == 1 / 1001


def test_resampled_losses_scatter_as_the_students_t_of_the_paired_comparison():
    rng = np.random.default_rng(2)
    one = panel(rng, np.zeros(len(TARGETS)), n=400)
    counts = resampling.item_counts(400, 4000, seed=0)
    drawn = resampling.eval_losses(one, counts, seed=0)
    low, high = resampling.quantiles(drawn[:, 0, 0] - drawn[:, 4, 0], 0.9)
    found = baselines.paired.difference(one.loss[0, 0] - one.loss[4, 0], one.weight, 0.9)
    assert high - low == pytest.approx(found.high - found.low, rel=0.15)
    single = one._replace(loss=one.loss[:, :, :1], seeds=(0,))
    assert resampling.eval_losses(single, counts, seed=0) is None


def test_halves_are_fixed_by_the_items_names():
    items = planted.items(400)
    half = resampling.first_half(items)
    assert 150 < half.sum() < 250
    assert list(resampling.first_half(items[::-1])) == list(half[::-1])


def claims(excess: np.ndarray, studies: int, verdict_of: str) -> list[str]:
    """Return the verdicts of many studies of one student (three raters where raters are asked for)."""
    found = []
    for i in range(studies):
        rng = np.random.default_rng([11, i])
        panels = [panel(rng, excess, f"s{k}") for k in range(3 if verdict_of == "agreement" else 1)]
        counts = resampling.item_counts(60, 200, seed=i)
        draws = [resampling.eval_losses(one, counts, seed=i) for one in panels]
        if verdict_of == "optimum":
            found.append(optimum.verdict(optimum.optimum(panels[0], draws[0], 0.9)[0])[0])
        elif verdict_of == "agreement":
            found.append(agreement.verdict(agreement.agreement(panels, draws, 0.9, 200, seed=i))[0])
        else:
            rows = baselines.against_baselines(panels[0], counts, 0.9, seed=i)
            found.append(baselines.verdict(rows, ["s0"], "s0", 1000)[0])
    return found


@pytest.mark.parametrize(
    ("claim", "studies"),
    [
        ("optimum", 200),
        ("agreement", 200),
        ("baselines", 200),
    ],
)
def test_a_flat_study_is_seldom_called_support(claim, studies):
    found = claims(np.zeros(len(TARGETS)), studies, claim)
    assert found.count("supported") <= 0.06 * studies
    assert found.count("not supported") <= 0.06 * studies


def test_a_slope_to_the_end_is_seldom_called_an_interior_optimum():
    slope = np.array([0.4, 0.3, 0.2, 0.1, 0.0, 0.2, 0.2, 0.2])
    assert claims(slope, 100, "optimum").count("supported") <= 6


def test_a_deep_valley_is_found():
    valley = np.array([1.2, 0.5, 0.0, 0.5, 1.2, 1.5, 1.5, 1.5])
    for claim in ("optimum", "agreement", "baselines"):
        found = claims(valley, 20, claim)
        assert found.count("supported") >= 16, claim
