"""Where more questions begin to beat more responses, read off the differences at every sample budget.

At each N the differences FSS − SE of all pairs of cuts that meet there are averaged, item by item and seed by
seed, each per doubling of the questions (defined here): pairs at one N differ in how many more questions SE
has. Between two budgets the difference is interpolated in log2 N. At any N that is a fixed linear combination
of measured differences, so that `tables.paired.difference` gives it an interval over items and training
seeds. The crossing is where SE comes ahead for good, up to the largest N; its interval ends where FSS ceases
to be better, and where SE begins to be, beyond doubt: the budgets whose own interval holds 0. Intervals are
pointwise. A domain's differences are called

    always      SE is better at every N that was tried
    crosses     SE is better at the largest N, not at every smaller one
    never       FSS is better at every N that was tried
    reverses    FSS is better at the largest N, not at every smaller one
    undecided   neither is better at the largest N, or one training seed
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.tables import paired
from stages.tables.figures import whole

Array = NDArray[np.float64]
Row = dict[str, Any]

ALWAYS, CROSSES, NEVER, REVERSES, UNDECIDED = "always", "crosses", "never", "reverses", "undecided"


def crossing(differences: Mapping[int, Array], seeds: int) -> Row:
    """Return the crossing, in N, with its interval.

    Args:
        differences: by N, FSS − SE in nats per answer token and doubling of the questions, runs × items; two
            budgets or more.
        seeds: training seeds; with one there is no interval.

    Returns:
        "budgets", how many; "slope", that of the least-squares line against log2 N, with "slope_low",
        "slope_high" and "slope_p"; "status"; "crossing", null where SE is ahead at every N or not at the
        largest; "low", below which FSS is better, null at none; "high", above which SE is, null where it is
        at every N or not at the largest.
    """
    N = sorted(differences)
    x = np.log2(np.array(N, float))
    D = np.stack([differences[n] for n in N])
    away = (x - x.mean()) / np.square(x - x.mean()).sum()
    slope = _difference(np.tensordot(away, D, 1), seeds)
    met = [_difference(d, seeds) for d in D]

    def at(value: float) -> paired.Difference:
        k = min(int(np.searchsorted(x, value, side="right")), len(x) - 1)
        part = (value - x[k - 1]) / (x[k] - x[k - 1])
        return _difference((1 - part) * D[k - 1] + part * D[k], seeds)

    row: Row = {"budgets": len(N), "slope": slope.estimate, "slope_low": slope.low, "slope_high": slope.high}
    row |= {"slope_p": slope.p, "status": _status(met), "low": None}
    row["crossing"] = _rise(lambda v: at(v).estimate, x, [d.estimate for d in met])
    row["high"] = _rise(lambda v: at(v).low, x, [d.low for d in met])
    if met[0].high is not None and met[0].high < 0:
        below = [i for i, d in enumerate(met) if d.high is not None and d.high >= 0]
        row["low"] = _zero(lambda v: at(v).high, x[below[0] - 1], x[below[0]]) if below else float(N[-1])
    return row


def told(row: Mapping[str, Any]) -> str:
    """Return a crossing with its interval for the eye; an open end lies below the smallest N."""
    if row["status"] != CROSSES:
        return whole(row["crossing"])
    return f"{whole(row['crossing'])} [{whole(row['low'])}, {whole(row['high'])}]"


def _difference(D: Array, seeds: int) -> paired.Difference:
    if seeds < 2:
        return paired.Difference(float(D.mean()), None, None, None)
    return paired.difference(D, np.ones(D.shape[1]))


def _status(met: list[paired.Difference]) -> str:
    better = [1 if (d.low or 0.0) > 0 else -1 if (d.high or 0.0) < 0 else 0 for d in met]
    if better[-1] > 0:
        return ALWAYS if min(better) > 0 else CROSSES
    if better[-1] < 0:
        return NEVER if max(better) < 0 else REVERSES
    return UNDECIDED


def _rise(end: Callable[[float], float | None], x: Array, values: list[float | None]) -> float | None:
    """Return N where a value rises above 0 for good; None where it is above throughout, or not at last."""
    above = [value is not None and value > 0 for value in values]
    if not above[-1] or all(above):
        return None
    last = max(i for i, ahead in enumerate(above) if not ahead)
    return None if values[last] is None else _zero(end, x[last], x[last + 1])


def _zero(value: Callable[[float], float | None], low: float, high: float) -> float:
    from scipy.optimize import brentq

    return float(2 ** brentq(lambda v: value(v) or 0.0, low, high, xtol=1e-6))
