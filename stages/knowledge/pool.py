"""Pools at a density target, by density-weighted acceptance.

A pool's density is the mean over its distinct knowledge points of log10 ρ, ρ being the k-NN number density
within the pool (defined here; arXiv 2606.23271 gives no formula). Number densities grow with the number of
points, so targets compare pools of one size.

A question x is accepted with probability min(1, c·q(x)/ρ̂(x)), where ρ̂ is its density in the source and the
sought density is q ∝ ρ̂^(1+t): t = −1 spreads the pool evenly, t = 0 leaves the source as it is, t > 0 crowds
it. c makes the expected number the pool's size; t is found so that the pool reaches its target.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from pydantic import Field

from stages.errors import BadInput
from stages.knowledge.density import log10_density
from stages.params import Section
from stages.records import KnowledgePoint, PoolQuestion, SeedQuestion

STRATEGY = "density_weighted"
_STEEPEST = 8.0  # |t| beyond this orders questions by density alone
_HALVINGS = 24


class Config(Section):
    """The section `synthesize` of params.yaml."""

    questions: int = Field(ge=4)  # of a pool
    tolerance: float = Field(gt=0)  # dex; how far a pool's density may lie from its target


class Trace(NamedTuple):
    """How a pool was reached."""

    target: float  # dex
    reached: float  # dex; the pool's density
    lowest: float  # dex; what the source allows at this size
    highest: float
    tilt: float  # t
    wasserstein: float  # dex; W1 between the pool's log densities and the source's moved to the target
    effective_sample_size: float  # (Σw)² / Σw² of the weights q/ρ̂ over the source
    questions: int
    source: int


class _Source(NamedTuple):
    density: np.ndarray  # of each question in the source, dex
    uniform: np.ndarray  # one random number per question, the same at every tilt
    vectors: np.ndarray  # of the distinct knowledge points
    members: list[np.ndarray]  # rows of `vectors` that belong to each question
    k: int
    size: int


def steer(
    questions: Sequence[SeedQuestion],
    points: Sequence[KnowledgePoint],
    target: float,
    config: Config,
    k: int,
    seed: int,
) -> tuple[list[PoolQuestion], Trace]:
    """Choose the pool of `config.questions` questions whose density is `target`.

    Args:
        questions: the source; each has points.
        points: of all questions.
        target: τ, dex.
        config: size and tolerance.
        k: neighbours of the density estimate.
        seed: random seed; each question's random numbers depend on it and on the question alone, so that
            one more question in the source moves little.

    Raises:
        BadInput: the source is too small, or cannot reach the target; the line gives the reachable range.
    """
    if not np.isfinite(target):
        raise BadInput(f"density {target}: not a finite number; give targets in dex under `densities`")
    if len(questions) < config.questions:
        raise BadInput(
            f"density {target}: the source has {len(questions)} questions, a pool needs {config.questions}; "
            "lower `synthesize.questions` or raise `ask.articles` or `ask.per_article`"
        )
    source = _prepare(questions, points, config.questions, k, seed)
    lowest, highest = (_measure(source, _choose(source, t)).mean() for t in (-_STEEPEST, _STEEPEST))
    tilt = _solve(source, target, lowest, highest)
    chosen = _choose(source, tilt)
    within = _measure(source, chosen)
    reached = float(within.mean())
    if abs(reached - target) > config.tolerance:
        raise BadInput(
            f"density {target}: the source reaches {lowest:.2f} to {highest:.2f} dex with pools of "
            f"{config.questions}; the nearest pool has {reached:.3f}; choose a target within, or raise "
            "`synthesize.tolerance`"
        )
    from scipy.stats import wasserstein_distance

    weight = 10 ** (tilt * (source.density - source.density.max()))
    whole = _measure(source, np.arange(len(questions)))
    trace = Trace(
        target=target,
        reached=reached,
        lowest=float(lowest),
        highest=float(highest),
        tilt=tilt,
        wasserstein=float(wasserstein_distance(within, whole - whole.mean() + target)),
        effective_sample_size=float(weight.sum() ** 2 / (weight**2).sum()),
        questions=len(chosen),
        source=len(questions),
    )
    return _rows(questions, points, source, chosen, within, tilt, target, seed), trace


def acceptance(density: np.ndarray, tilt: float, size: int) -> np.ndarray:
    """Return min(1, c·10^(t·density)) with c such that the probabilities add up to `size`.

    Args:
        density: log10 ρ̂ of each question.
        tilt: t.
        size: at most the number of questions.
    """
    logs = tilt * (density - density.mean())
    order = np.argsort(-logs, kind="stable")
    weights = 10.0 ** (logs[order] - logs.max())
    tail = np.cumsum(weights[::-1])[::-1]
    # With the j heaviest certain, the others share size − j in proportion; the first j that keeps them ≤ 1.
    for j in range(size):
        if weights[j] * (size - j) <= tail[j]:
            scaled = np.concatenate([np.ones(j), weights[j:] * (size - j) / tail[j]])
            break
    else:
        scaled = np.concatenate([np.ones(size), np.zeros(len(density) - size)])
    probabilities = np.empty(len(density))
    probabilities[order] = scaled
    return probabilities


def _prepare(
    questions: Sequence[SeedQuestion], points: Sequence[KnowledgePoint], size: int, k: int, seed: int
) -> _Source:
    row_of: dict[str, int] = {}
    members: dict[str, list[int]] = {row.question_id: [] for row in questions}
    vectors: list[list[float]] = []
    for point in points:
        if point.text not in row_of:
            row_of[point.text] = len(vectors)
            vectors.append(point.embedding)
        if point.question_id in members:
            members[point.question_id].append(row_of[point.text])
    space = np.array(vectors)
    density = log10_density(space, k)
    return _Source(
        density=np.array([density[members[row.question_id]].mean() for row in questions]),
        uniform=np.array([_uniform(seed, "accept", row.question_id) for row in questions]),
        vectors=space,
        members=[np.array(members[row.question_id]) for row in questions],
        k=k,
        size=size,
    )


def _choose(source: _Source, tilt: float) -> np.ndarray:
    """Return the accepted questions: sequential Poisson sampling (Ohlsson 1998), a fixed-size sample whose
    inclusion probabilities are the acceptance probabilities."""
    probability = acceptance(source.density, tilt, source.size)
    order = np.argsort(source.uniform / np.maximum(probability, 1e-300), kind="stable")
    return np.sort(order[: source.size])


def _measure(source: _Source, chosen: np.ndarray) -> np.ndarray:
    """Return log10 ρ of the chosen questions' distinct points among themselves, in the order of `_held`."""
    return log10_density(source.vectors[_held(source, chosen)], source.k)


def _held(source: _Source, chosen: np.ndarray) -> np.ndarray:
    """Return the rows of `vectors` that belong to the chosen questions, ascending."""
    return np.unique(np.concatenate([source.members[i] for i in chosen]))


def _solve(source: _Source, target: float, lowest: float, highest: float) -> float:
    """Return the tilt whose pool comes nearest to the target, by bisection."""
    if target <= lowest or target >= highest:
        return -_STEEPEST if target <= lowest else _STEEPEST
    low, high = -_STEEPEST, _STEEPEST
    best, error = low, abs(lowest - target)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        reached = _measure(source, _choose(source, middle)).mean()
        if abs(reached - target) < error:
            best, error = middle, abs(reached - target)
        low, high = (middle, high) if reached < target else (low, middle)
    return best


def _rows(
    questions: Sequence[SeedQuestion],
    points: Sequence[KnowledgePoint],
    source: _Source,
    chosen: np.ndarray,
    within: np.ndarray,
    tilt: float,
    target: float,
    seed: int,
) -> list[PoolQuestion]:
    probability = acceptance(source.density, tilt, source.size)
    group: Mapping[str, int] = {p.question_id: p.group for p in points if p.position == 0}
    density = dict(zip(_held(source, chosen), within, strict=True))
    ranked = sorted(chosen, key=lambda i: (_uniform(seed, "rank", questions[i].question_id), i))
    return [
        PoolQuestion(
            density=target,
            question_id=questions[i].question_id,
            rank=rank,
            strategy=STRATEGY,
            question=questions[i].question,
            answer=questions[i].answer,
            answer_aliases=questions[i].answer_aliases,
            title=questions[i].title,
            page_id=questions[i].page_id,
            revision_id=questions[i].revision_id,
            log10_density=float(np.mean([density[row] for row in source.members[i]])),
            acceptance=float(probability[i]),
            group=group[questions[i].question_id],
        )
        for rank, i in enumerate(ranked)
    ]


def _uniform(seed: int, purpose: str, question_id: str) -> float:
    digest = hashlib.blake2b(f"{seed}|{purpose}|{question_id}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / 2**64
