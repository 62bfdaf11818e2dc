"""Forecasts joined from several: the one the product gives, and the ones it was chosen among.

All join log predictions with weights that are not negative and sum to one. Which to trust is a matter of
back-tests (`stages.laws.backtest`); the table in studies/laws holds those that lost, too.
"""

from collections.abc import Callable

import numpy as np

from stages.laws.curves import Array

LINE = "last_two"
NAME = "combination"


def joined(line: Array, local: Array) -> Array:
    """Return the product's combination: half the line through the last two points, half the local curve.

    Both in log loss. The local curve is itself a mixture, weighted by how well each of its cells has
    foretold the curve's own points, one step at a time; the line steadies it. Weights learnt on the published
    curves do not carry over from one data set to another; halves do.
    """
    return 0.5 * (line + local)


def average(predicted: Array, observed: Array) -> Array:
    """Return equal weights.

    Args:
        predicted: log losses, shape (cases, members).
        observed: log losses, shape (cases,).
    """
    return np.full(predicted.shape[1], 1 / predicted.shape[1])


def inverse_error(predicted: Array, observed: Array) -> Array:
    """Return weights in proportion to one over each member's mean absolute log error; see `average`."""
    weight = 1 / np.abs(predicted - observed[:, None]).mean(axis=0)
    return np.asarray(weight / weight.sum())


def stacked(predicted: Array, observed: Array) -> Array:
    """Return the weights with the least mean absolute log error, a linear programme; see `average`."""
    from scipy.optimize import linprog

    cases, members = predicted.shape
    # Minimise the sum of u where −u ≤ predicted w − observed ≤ u.
    cost = np.append(np.zeros(members), np.ones(cases))
    slack = np.eye(cases)
    above, below = np.hstack([predicted, -slack]), np.hstack([-predicted, -slack])
    total = np.append(np.ones(members), np.zeros(cases))[None]
    found = linprog(
        cost, np.vstack([above, below]), np.append(observed, -observed), total, [1.0], method="highs"
    )
    return np.asarray(found.x[:members])


def own_errors(predicted: Array, past_squares: Array) -> Array:
    """Return predictions weighted by one over each member's mean squared error on the same curve so far.

    Args:
        predicted: log losses, shape (cases, members).
        past_squares: mean squared log errors of the members' one-step forecasts within the curve below, NaN
            where there was none, likewise; such a member counts as the worst of its case.
    """
    worst = np.nanmax(past_squares, axis=1, keepdims=True)
    weight = 1 / (np.where(np.isnan(past_squares), worst, past_squares) + 1e-8)
    return np.asarray((predicted * weight).sum(axis=1) / weight.sum(axis=1))


# Weights learnt for each horizon on other curves.
LEARNT: dict[str, Callable[[Array, Array], Array]] = {
    "average": average,
    "inverse_error": inverse_error,
    "stacked": stacked,
}
