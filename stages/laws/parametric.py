"""The two-variable law of pretraining loss, in model size and data size."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from stages.laws.curves import Array

NAMES = ("A", "B", "E", "alpha", "beta")
# log A, log B, log E, alpha, beta: around the published estimates, both exponents apart and together
_STARTS = tuple(product((4.0, 8.0), (4.0, 8.0), (0.0, 0.7), (0.2, 0.6), (0.2, 0.6)))

_LEVEL = 1e-5  # of the objective: a gradient below it is flat; rounding keeps it from vanishing


@dataclass(frozen=True)
class ParametricFit:
    """The minimum found, and how many of the descents ended in it."""

    theta: dict[str, float]
    objective: float  # summed Huber loss of log-loss residuals
    converged: bool
    agreeing: int  # descents that ended within 1e-6 of the objective, of `starts`
    starts: int


def predict(theta: dict[str, float], N: ArrayLike, D: ArrayLike) -> Array:
    """Return `L(N, D) = E + A / N^alpha + B / D^beta` (arXiv 2203.15556, eq. 2).

    Args:
        theta: A, B, E, alpha, beta.
        N: parameters of the model.
        D: training tokens.
    """
    N, D = np.asarray(N, float), np.asarray(D, float)
    loss: Array = theta["E"] + theta["A"] / N ** theta["alpha"] + theta["B"] / D ** theta["beta"]
    return loss


def fit(N: ArrayLike, D: ArrayLike, loss: ArrayLike, delta: float = 1e-3) -> ParametricFit:
    """Minimise the summed Huber loss of `logsumexp(a − alpha log N, b − beta log D, e) − log L`.

    As in arXiv 2203.15556, section D.2, but summed: averaged over runs, the gradients fall under the
    optimiser's tolerance and it stops early (arXiv 2404.10102). The Huber loss is r²/2 up to delta.

    Args:
        N: parameters of each model.
        D: training tokens of each run.
        loss: nats per token of each run.
        delta: where the Huber loss turns linear, in log loss.

    Raises:
        ValueError: the arrays differ in length, hold fewer runs than parameters, or a value that is not
            positive and finite.
    """
    from scipy.optimize import minimize
    from scipy.special import huber

    columns = [np.asarray(a, float) for a in (N, D, loss)]
    if len({c.shape for c in columns}) > 1 or len(columns[0]) < len(NAMES):
        raise ValueError("N, D and loss must be of one length, at least 5 runs")
    if not all((np.isfinite(c) & (c > 0)).all() for c in columns):
        raise ValueError("N, D and loss must be positive and finite")
    log_N, log_D, log_loss = map(np.log, columns)
    # About the middle of the data a and alpha no longer trade off, which saves nine tenths of the steps.
    mid_N, mid_D = log_N.mean(), log_D.mean()
    x, z = log_N - mid_N, log_D - mid_D
    unit = delta**2  # in which the objective is of order one per run, as the optimiser's tolerances expect

    def objective(p: Array) -> tuple[float, Array]:
        terms = np.stack([p[0] - p[3] * x, p[1] - p[4] * z, np.full_like(x, p[2])])
        top = terms.max(axis=0)
        total = top + np.log(np.exp(terms - top).sum(axis=0))
        residual = total - log_loss
        by_N, by_D, by_E = np.exp(terms - total) * np.clip(residual, -delta, delta) / unit
        gradient = [by_N.sum(), by_D.sum(), by_E.sum(), -(by_N * x).sum(), -(by_D * z).sum()]
        return float(huber(delta, residual).sum()) / unit, np.array(gradient)

    stop = {"maxiter": 2000, "gtol": 1e-6}
    ends = []
    for a, b, e, alpha, beta in _STARTS:
        start = np.array([a - alpha * mid_N, b - beta * mid_D, e, alpha, beta])
        ends.append(minimize(objective, start, jac=True, method="BFGS", options=stop))
    best = min(ends, key=lambda end: float(end.fun))
    a, b, e, alpha, beta = best.x
    values = np.append(np.exp([a + alpha * mid_N, b + beta * mid_D, e]), [alpha, beta])
    return ParametricFit(
        theta=dict(zip(NAMES, map(float, values), strict=True)),
        objective=float(best.fun * unit),
        converged=bool(np.abs(best.jac).max() <= _LEVEL * max(float(best.fun), 1.0)),
        agreeing=sum(bool(end.fun <= best.fun * (1 + 1e-6)) for end in ends),
        starts=len(ends),
    )
