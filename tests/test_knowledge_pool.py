"""Pools: planted crowded and thin regions, steered between."""

import numpy as np
import pytest

from stages.errors import BadInput
from stages.knowledge import pool
from stages.records import KnowledgePoint, SeedQuestion

CONFIG = pool.Config(questions=100, tolerance=0.05)


def planted(n: int = 300, seed: int = 0) -> tuple[list[SeedQuestion], list[KnowledgePoint]]:
    """Half of the questions in a crowd, half scattered; three points each."""
    rng = np.random.default_rng(seed)
    questions, points = [], []
    for i in range(n):
        spread = 0.05 if i < n // 2 else 1.0
        centre = rng.normal(size=2) * spread + (5.0 if i < n // 2 else 0.0)
        questions.append(
            SeedQuestion(
                question_id=f"q{i:03}",
                page_id=i,
                revision_id=i,
                title=f"T{i}",
                question=f"Q{i}?",
                answer=f"A{i}",
                answer_aliases=[],
                evidence="",
                request_key="",
            )
        )
        for position in range(3):
            place = centre + rng.normal(size=2) * spread * 0.1
            points.append(
                KnowledgePoint(
                    question_id=f"q{i:03}",
                    position=position,
                    text=f"{i}-{position}",
                    group=int(i < n // 2),
                    embedding=place.tolist(),
                )
            )
    return questions, points


def reached(target: float) -> tuple[list, pool.Trace]:
    return pool.steer(*planted(), target, CONFIG, k=5, seed=0)


def test_a_pool_reaches_its_target_and_says_how() -> None:
    _, middle = reached(2.5)
    for target in (middle.lowest + 0.3, 2.5, middle.highest - 0.3):
        rows, trace = reached(target)
        assert len(rows) == 100
        assert trace.reached == pytest.approx(target, abs=CONFIG.tolerance)
        assert sorted(row.rank for row in rows) == list(range(100))
        assert 1 <= trace.effective_sample_size <= 300


def test_a_denser_target_draws_from_the_crowd() -> None:
    _, trace = reached(2.5)
    thin, dense = reached(trace.lowest + 0.2)[0], reached(trace.highest - 0.2)[0]
    assert np.mean([row.group for row in dense]) > np.mean([row.group for row in thin]) + 0.3


def test_an_unreachable_target_names_the_reachable_range() -> None:
    with pytest.raises(BadInput, match=r"density 9\.0: the source reaches -?\d+\.\d\d to \d\.\d\d dex"):
        reached(9.0)


@pytest.mark.parametrize("target", [float("nan"), float("inf")])
def test_a_target_must_be_finite(target: float) -> None:
    with pytest.raises(BadInput, match="not a finite number"):
        reached(target)


def test_a_pool_larger_than_its_source_is_refused() -> None:
    with pytest.raises(BadInput, match="the source has 50 questions, a pool needs 100"):
        pool.steer(*planted(50), 2.0, CONFIG, k=5, seed=0)


def test_acceptance_adds_up_and_follows_the_tilt() -> None:
    density = np.linspace(0, 3, 50)
    for tilt in (-8.0, -1.0, 0.0, 2.0, 8.0):
        probability = pool.acceptance(density, tilt, 20)
        assert probability.sum() == pytest.approx(20)
        assert probability.max() <= 1 + 1e-9
        assert (np.diff(probability) * tilt >= -1e-12).all()
    assert np.allclose(pool.acceptance(density, 0.0, 20), 0.4)


def test_one_more_question_moves_few_others() -> None:
    questions, points = planted(301)
    before, _ = pool.steer(questions[:300], points[:900], 2.5, CONFIG, k=5, seed=0)
    after, _ = pool.steer(questions, points, 2.5, CONFIG, k=5, seed=0)
    assert len({r.question_id for r in before} & {r.question_id for r in after}) >= 85
