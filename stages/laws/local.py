"""The local curve: a straight line in log-log whose curvature wanders and fades, with no law behind it.

`y(x) = alpha + beta x + f(x) + e`, y = log L, x = log2 r (defined here). The curvature f'' is an
Ornstein–Uhlenbeck process: it keeps a share phi of itself over a doubling of the budget and is zero on
average, so that a bend goes on for a while and then gives way to a straight line. e has standard deviation
tau, what all students at one budget share, beside the seeds' own scatter. alpha and beta are free.

Every cell of a grid over (s, phi, tau) is one extrapolation. One cell, without noise and with curvature soon
forgotten, is the line through the last two points; others smooth over more points, or carry a bend on. They
are mixed with weights `prior × evidence`. The evidence of a Gaussian model is the product of its one-step
predictive densities (Dawid 1984): each cell is back-tested on the curve itself, every budget predicted from
those below. The prior is learnt on other curves.
"""

from typing import NamedTuple

import numpy as np

from stages.laws.curves import Array
from stages.laws.least_squares import Means

FEWEST = 3  # budgets: two leave nothing to judge the curvature by
_CURVATURE = np.geomspace(5e-4, 0.512, 11)  # s: standard deviation of a second difference over doublings
_KEPT = (0.3, 0.7, 0.95)  # phi
_NOISE = np.geomspace(2.5e-4, 0.128, 10)  # tau, of log loss
_S, _PHI, _TAU = (a.ravel() for a in np.meshgrid(_CURVATURE, _KEPT, _NOISE, indexing="ij"))
CELLS = len(_S)


class Cells(NamedTuple):
    """What every cell says of one curve's further budgets."""

    log_evidence: Array  # of the curve, up to a constant, shape (CELLS,)
    mean: Array  # log loss, shape (CELLS, budgets)
    variance: Array  # of the mean log loss over so many new seeds, likewise


class Reach(NamedTuple):
    """What the mixture says of them."""

    log_loss: Array  # shape (budgets,)
    sd: Array


def local_cells(means: Means, within: float, r: Array, seeds: float) -> Cells:
    """Continue a curve in every cell: universal kriging on a straight line.

    The evidence is the restricted likelihood, in which alpha and beta cost their degrees of freedom.
    Source: Rasmussen & Williams 2006, section 2.7, eq. 2.42 and 2.45.

    Args:
        means: mean log losses of at least `FEWEST` budgets.
        within: their sum of squares within budgets; where there is one seed each, theirs and the budgets'
            own scatter cannot be told apart, and tau is both.
        r: budgets at or above the first one, shape (n,).
        seeds: behind each mean to be predicted.

    Raises:
        ValueError: too few budgets.
    """
    if len(means.r) < FEWEST:
        raise ValueError(f"a local curve needs {FEWEST} budgets, there are {len(means.r)}")
    first = np.log2(means.r[0])
    x, to = np.log2(means.r) - first, np.log2(r) - first
    spare = means.seeds.sum() - len(means.r)
    seed_variance = within / spare if spare else 0.0  # of one seed's log loss
    T, at = _line(x), _line(to)

    V = _shared(x, x) + np.eye(len(x)) * _TAU[:, None, None] ** 2 + np.diag(seed_variance / means.seeds)
    inverse = np.linalg.inv(V)
    information = T.T @ inverse @ T
    spread = np.linalg.inv(information)
    line = (spread @ (T.T @ inverse @ means.y)[..., None])[..., 0]
    rest = means.y - line @ T.T
    squares = np.einsum("ki,kij,kj->k", rest, inverse, rest)
    log_evidence = -0.5 * (squares + np.linalg.slogdet(V)[1] + np.linalg.slogdet(information)[1])

    shared = _shared(x, to)
    own = np.stack([_shared(to[i : i + 1], to[i : i + 1])[:, 0, 0] for i in range(len(to))], axis=1)
    W = inverse @ shared
    mean = line @ at.T + np.einsum("kij,ki->kj", W, rest)
    U = at.T - T.T @ W
    variance = own - np.einsum("kij,kij->kj", W, shared) + np.einsum("kij,kil,klj->kj", U, spread, U)
    return Cells(log_evidence, mean, np.maximum(variance, 0.0) + _TAU[:, None] ** 2 + seed_variance / seeds)


def mix(cells: Cells, prior: Array) -> Reach:
    """Return the mixture's mean and standard deviation under a prior of the cells; leading axes broadcast."""
    weight = np.log(prior) + cells.log_evidence
    weight = np.exp(weight - weight.max(axis=-1, keepdims=True))
    weight = (weight / weight.sum(axis=-1, keepdims=True))[..., None, :]
    centre = weight @ cells.mean
    variance = weight @ (cells.variance + (cells.mean - centre) ** 2)
    return Reach(centre[..., 0, :], np.sqrt(variance[..., 0, :]))


def flat() -> Array:
    """Return the prior that has seen no curve."""
    return np.full(CELLS, 1 / CELLS)


def learn(log_evidence: Array, flat_curves: float) -> Array:
    """Return the prior under which curves like these are likeliest, by expectation maximisation.

    Args:
        log_evidence: of every curve and cell, shape (curves, CELLS).
        flat_curves: the flat prior counts as so many curves: no cell is ruled out for a curve of another
            kind.
    """
    evidence = np.exp(log_evidence - log_evidence.max(axis=1, keepdims=True))
    prior = flat()
    for _ in range(200):
        share = evidence * prior
        share /= share.sum(axis=1, keepdims=True)
        prior = (share.sum(axis=0) + flat_curves / CELLS) / (len(share) + flat_curves)
    return prior


def _line(x: Array) -> Array:
    return np.stack([np.ones_like(x), x], axis=1)


def _shared(x: Array, z: Array) -> Array:
    """Return cov(f(x), f(z)) in every cell, shape (CELLS, len(x), len(z))."""
    a = -np.log(_PHI)[:, None, None]
    ends = _integrated(np.array([1.0, 2.0]), np.array([1.0, 2.0]), a)
    unit = ends[:, 1, 1] - 4 * ends[:, 0, 1] + 4 * ends[:, 0, 0]  # variance of f(0) − 2 f(1) + f(2)
    return (_S**2 / unit)[:, None, None] * _integrated(x, z, a)


def _integrated(x: Array, z: Array, a: Array) -> Array:
    """Return the covariance of the double integrals from 0 of a process with covariance exp(−a |u − v|).

    `∫∫ (x − u)(z − v) exp(−a |u − v|) dv du` over 0 … x and 0 … z, in closed form (derived here).
    """
    low, high = np.minimum(x[:, None], z), np.maximum(x[:, None], z)
    straight = (low**2 * high - low**3 / 3) / a
    start = (high / a + 1 / a**2) * (low / a - (1 - np.exp(-a * low)) / a**2)
    end = (np.exp(-a * (high - low)) - np.exp(-a * high) * (1 + a * low)) / a**4
    return np.asarray(straight - start + end)
