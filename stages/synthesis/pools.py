"""Pools sampled from candidates: towards a goal, or as a baseline's rule says."""

from typing import NamedTuple

import numpy as np

from stages.grid import Target
from stages.synthesis import baselines, goals, sampling
from stages.synthesis.candidates import Candidates
from stages.synthesis.config import Config
from stages.synthesis.planning import Library


class Sample(NamedTuple):
    """A pool sampled from the candidates."""

    chosen: np.ndarray  # positions
    probability: np.ndarray  # of acceptance, of every candidate
    within: np.ndarray  # log10 ρ of the pool's distinct points, dex
    tilt: float | None
    effective: float
    wasserstein: float | None


def sample(
    candidates: Candidates,
    goal: goals.Goal | None,
    target: Target,
    library: Library,
    config: Config,
    seed: int,
) -> Sample:
    """Return the pool of `config.questions` questions, or of all candidates where there are fewer.

    A level is met by the pool's measured mean: the tilt t of the acceptance weights is solved for it.

    Args:
        candidates: to choose from.
        goal: of a steered target; None of a baseline.
        target: what the goal is of.
        library: tells a baseline the domains.
        config: size and tolerance.
        seed: random seed.
    """
    size = min(config.questions, len(candidates.rows))
    uniforms = _uniforms(candidates, seed)
    if goal is None:
        units, quota = baselines.quotas(target.strategy, candidates, library, config)
        chosen = baselines.fill(units, quota, uniforms, size)
        even = np.full(len(uniforms), size / len(uniforms))
        return Sample(chosen, even, candidates.within(chosen), None, float(len(uniforms)), None)
    among = candidates.question_means(candidates.density)

    def logs(tilt: float | None) -> np.ndarray:
        return (
            candidates.question_means(goal.log_field(candidates.reference, candidates.groups, tilt)) - among
        )

    def pick(tilt: float | None) -> np.ndarray:
        return sampling.choose(sampling.acceptance(logs(tilt), size), uniforms, size)

    tilt: float | None = None
    if target.density is not None:
        tilt, _ = sampling.solve(
            lambda t: float(candidates.within(pick(t)).mean()),
            target.density,
            -goals.STEEPEST,
            goals.STEEPEST,
            config.level_tolerance / 10,
        )
    weights = logs(tilt)
    probability = sampling.acceptance(weights, size)
    chosen = sampling.choose(probability, uniforms, size)
    within = candidates.within(chosen)
    from scipy.stats import wasserstein_distance

    level = float(within.mean()) if target.density is None else target.density
    values, shares = goal.distribution(candidates.k, level)
    distance = float(wasserstein_distance(within, values, v_weights=shares))
    return Sample(chosen, probability, within, tilt, sampling.effective_size(weights), distance)


def reach(candidates: Candidates, pool: Sample, config: Config, seed: int) -> tuple[float, float]:
    """Return the mean log10 densities of the sparsest and of the densest pool found of these candidates, dex.

    Tried are the steepest acceptance weights either way, by the source's density alone and divided by that
    among the candidates as `sample` does; `pool`, which was found too, lies within.

    Args:
        candidates: to choose from.
        pool: sampled from them.
        config: size.
        seed: random seed.
    """
    uniforms = _uniforms(candidates, seed)
    source = candidates.question_means(candidates.reference)
    among = candidates.question_means(candidates.density)
    found = [float(pool.within.mean())]
    for tilt in (-goals.STEEPEST, goals.STEEPEST):
        for logs in (tilt * source, (1 + tilt) * source - among):
            chosen = sampling.choose(sampling.acceptance(logs, config.questions), uniforms, config.questions)
            found.append(float(candidates.within(chosen).mean()))
    return min(found), max(found)


def _uniforms(candidates: Candidates, seed: int) -> np.ndarray:
    """Return each question's random number, the same in every round and for every pool."""
    return np.array([sampling.uniform(seed, "accept", row.question_id) for row in candidates.rows])
