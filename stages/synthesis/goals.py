"""What a pool is steered to: a field of density over the source's space, and the log densities it implies.

Defined here; arXiv 2606.23271 gives no formula in our sources. For a level τ the sought probability density
is q ∝ ρ_S^(1+t), ρ_S being the k-NN density of the source: among all densities of a given mean log ρ_S it is
the one that departs least (in Kullback–Leibler divergence) from the source's. t = 0 is the source, t = −1
uniform, t > 0 crowds. A pool with n distinct points then has the number density n·q(x), and t is found so
that the mean of log10(n·q) over q is τ. Below the level of t = −1 the source's support is too small: the
target is then the same density 10^τ everywhere, on a support that synthesis must widen.

A k-NN estimate of a constant density is spread by √ψ₁(k) nats, as 1/Gamma(k); the target's log densities are
spread likewise, or a perfect pool would never match them.
"""

from typing import NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.grid import Target
from stages.synthesis.candidates import Candidates

STEEPEST = 8.0  # |t| beyond this orders questions by density alone
_QUANTILES = 32  # of the estimator's spread
_FEWEST = 4.0  # times k: effective source points that must carry a target


class Goal(NamedTuple):
    """A target over one source."""

    target: Target
    tilt: float  # t; of `groups` unused
    weights: np.ndarray  # of each source point, adding up to 1: its share of the pool's points under q
    levels: np.ndarray  # log10(n·q) at each source point, dex
    table: dict[int, float] | None  # of `groups`

    def log_field(self, reference: np.ndarray, groups: np.ndarray, tilt: float | None = None) -> np.ndarray:
        """Return log10 q at points, up to a constant; `tilt` in place of the goal's own for a level."""
        if self.table is not None:
            return np.array([self.table[int(group)] for group in groups])
        return (1 + (self.tilt if tilt is None else tilt)) * reference

    def distribution(self, k: int, level: float | None) -> tuple[np.ndarray, np.ndarray]:
        """Return (log10 densities, weights) that a pool on target shows, estimated with k neighbours.

        Args:
            k: neighbours.
            level: mean, dex; None: as the goal says.
        """
        from scipy.special import digamma
        from scipy.stats import gamma

        noise = digamma(k) - np.log(gamma.ppf((np.arange(_QUANTILES) + 0.5) / _QUANTILES, k))
        noise = (noise - noise.mean()) / np.log(10)
        shift = 0.0 if level is None else level - float(self.weights @ self.levels)
        values = (self.levels[:, None] + shift + noise).ravel()
        return values, np.repeat(self.weights / _QUANTILES, _QUANTILES)


def goal(target: Target, source: Candidates, size: int, table: dict[int, float] | None) -> Goal | None:
    """Return the goal of a target, None of an unsteered baseline.

    Args:
        target: what is asked for.
        source: before anything was added to it.
        size: questions of a pool.
        table: densities of the target `groups`, group → dex.

    Raises:
        BadInput: no table or a group of it without points; a level that only a handful of the source's points
            could carry.
    """
    points = size * source.source_points / source.source_questions  # distinct ones of a pool, about
    density, groups = source.reference, source.groups
    if target.strategy == "groups":
        return _of_table(target, density, groups, table, points)
    if target.strategy == "uniform":
        return _tilted(target, density, -1.0, points, source.source_points)
    if target.density is None:
        return None
    low, high = -1.0, STEEPEST
    for _ in range(60):
        middle = (low + high) / 2
        made = _tilted(target, density, middle, points, source.source_points)
        low, high = (middle, high) if float(made.weights @ made.levels) < target.density else (low, middle)
    # Below uniform, bisection ends at t = −1; `distribution` moves the level then.
    made = _tilted(target, density, (low + high) / 2, points, source.source_points)
    carried = 1 / float((made.weights**2).sum())
    if carried < _FEWEST * source.k:
        reachable = _highest(target, density, points, source)
        raise BadInput(
            f"density {target}: only {carried:.0f} of the source's {source.source_points} points are that "
            f"dense; with pools of {size} questions it carries up to {reachable:.2f} dex; choose a lower "
            "target, or raise `ask.articles` or `ask.per_article`"
        )
    return made


def _tilted(target: Target, density: np.ndarray, tilt: float, points: float, n: int) -> Goal:
    logs = tilt * (density - density.max())
    mean_log = np.log10(np.mean(10**logs))
    weights = 10**logs
    # ρ_S is a number density of n points: n·q = (points/n)·ρ_S·w / mean(w).
    levels = density + logs - mean_log + np.log10(points / n)
    return Goal(target, tilt, weights / weights.sum(), levels, None)


def _highest(target: Target, density: np.ndarray, points: float, source: Candidates) -> float:
    low, high = -1.0, STEEPEST
    for _ in range(40):
        middle = (low + high) / 2
        made = _tilted(target, density, middle, points, source.source_points)
        enough = 1 / float((made.weights**2).sum()) >= _FEWEST * source.k
        low, high = (middle, high) if enough else (low, middle)
    made = _tilted(target, density, low, points, source.source_points)
    return float(made.weights @ made.levels)


def _of_table(
    target: Target, density: np.ndarray, groups: np.ndarray, table: dict[int, float] | None, points: float
) -> Goal:
    if table is None:
        raise BadInput("target groups: no table; set `synthesize.densities` to group: dex for every group")
    held = sorted(set(groups.tolist()))
    empty = sorted(set(table) - set(held))
    if empty:
        raise BadInput(
            f"synthesize.densities: group {empty[0]} has no knowledge point; "
            f"groups are {held[0]} to {held[-1]}"
        )
    missing = sorted(set(held) - set(table))
    if missing:
        raise BadInput(f"synthesize.densities: group {missing[0]} is missing; give every group a density")
    level = np.array([table[int(group)] for group in groups])
    weights = 10 ** (level - density - (level - density).max())  # the volume of a group is the sum of 1/ρ_S
    weights = weights / weights.sum()
    # n·q = points·10^level / Σ 10^level/ρ_S
    levels = level + np.log10(points) - np.log10(np.sum(10 ** (level - density)))
    return Goal(target, 0.0, weights, levels, dict(table))
