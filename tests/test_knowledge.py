"""Density estimates against planted truths."""

import math

import numpy as np
import pytest
from scipy.special import polygamma
from scipy.stats import multivariate_normal, spearmanr

from stages.errors import BadInput
from stages.knowledge import Config
from stages.knowledge.density import intrinsic_dimension, log10_density, log_volume
from stages.knowledge.embed import cluster, embed, locate
from stages.records import Knowledge

CONFIG = Config(embedder="hashing", features=16, dimensions=4, neighbours=3, groups=4)


def test_the_unit_ball_has_its_volume() -> None:
    assert math.exp(log_volume(2)) == pytest.approx(math.pi)
    assert math.exp(log_volume(3)) == pytest.approx(4 / 3 * math.pi)


def test_density_on_a_line_agrees_with_the_count_per_length() -> None:
    # 1,000 points on a length of 10: 100 per unit, 2 dex.
    places = np.random.default_rng(0).uniform(0, 10, (1000, 1))
    inner = (places[:, 0] > 0.5) & (places[:, 0] < 9.5)
    assert log10_density(places, 10)[inner].mean() == pytest.approx(2.0, abs=0.02)


def test_density_on_a_torus_is_unbiased_with_the_theoretical_spread() -> None:
    # Uniform on [0, 1)^2 with wrap-around, made by tiling: mean error near 0, sd of log ρ = √ψ₁(k).
    rng = np.random.default_rng(1)
    points = rng.uniform(size=(4000, 2))
    tiled = np.concatenate([points + np.array([i, j]) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    logs = log10_density(tiled, 10)[4 * 4000 : 5 * 4000] * math.log(10)
    assert logs.mean() == pytest.approx(math.log(4000), abs=0.02)
    assert logs.std() == pytest.approx(math.sqrt(polygamma(1, 10)), rel=0.05)


def test_density_ranks_a_gaussian_as_its_true_density_does() -> None:
    points = np.random.default_rng(2).standard_normal((3000, 3))
    assert (
        spearmanr(log10_density(points, 20), multivariate_normal(np.zeros(3)).logpdf(points)).statistic > 0.95
    )


def test_coinciding_points_stay_finite_and_all_coinciding_is_refused() -> None:
    points = np.r_[np.zeros((5, 2)), np.random.default_rng(3).uniform(size=(20, 2))]
    assert np.isfinite(log10_density(points, 3)).all()
    with pytest.raises(ValueError, match="coincide"):
        log10_density(np.zeros((5, 2)), 3)
    with pytest.raises(ValueError, match="too few"):
        log10_density(points, 25)


def test_intrinsic_dimension_sees_through_the_ambient_one() -> None:
    flat = np.random.default_rng(4).uniform(size=(2000, 3)) @ np.random.default_rng(5).standard_normal(
        (3, 10)
    )
    estimated = intrinsic_dimension(flat, 10)
    assert estimated["levina_bickel"] == pytest.approx(3, abs=0.3)
    assert estimated["two_nn"] == pytest.approx(3, abs=0.3)


def test_embedding_puts_like_statements_together() -> None:
    rivers = [
        f"The river {name} flows into the Black Sea." for name in ("Danube", "Dnieper", "Don", "Dniester")
    ]
    metals = [f"{name} is a metal of group {i}." for i, name in enumerate(("Iron", "Tin", "Zinc", "Lead"), 4)]
    vectors = embed(rivers + metals, CONFIG, seed=0)
    assert vectors.shape == (8, 4)
    near = np.linalg.norm(vectors[0] - vectors[1:4], axis=1).max()
    assert near < np.linalg.norm(vectors[0] - vectors[4:], axis=1).min()
    groups = cluster(vectors, 2, seed=0)
    assert set(groups[:4]) != set(groups[4:])


def test_equal_statements_share_place_and_group() -> None:
    rows = [
        Knowledge(
            question_id=str(i),
            topic_entities=["x"],
            points=["Iron is a metal.", f"Town {i} lies north.", f"Lake {i * 7} is deep."],
            logic_form="",
            request_key="",
        )
        for i in range(4)
    ]
    points = locate(rows, CONFIG, seed=0)
    same = [p for p in points if p.text == "Iron is a metal."]
    assert len(points) == 12
    assert len({(tuple(p.embedding), p.group) for p in same}) == 1
    with pytest.raises(BadInput, match="too few"):
        locate(rows[:1], CONFIG, seed=0)
