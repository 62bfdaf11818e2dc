"""Two students on the same items: is one better, and by how much.

Everything here is paired item by item. What it cannot see is how another draw of questions or of teacher
responses would have come out: each arm has one training set.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.errors import BadInput

LEVEL = 0.95  # of the intervals

Array = NDArray[np.float64]


class Arm(NamedTuple):
    """One cell's results, item by item and training seed by training seed."""

    name: str  # of the cell, for refusals
    sample_budget: int  # N
    seeds: tuple[int, ...]
    items: tuple[tuple[str, str], ...]  # (benchmark, item id)
    correct: Array  # seeds × items, 0 or 1
    loss: Array  # seeds × items, nats summed over the answer's tokens
    tokens: Array  # items


class Difference(NamedTuple):
    """Left minus right; None where there is nothing to judge it by (one seed, one item, no scatter)."""

    estimate: float
    low: float | None
    high: float | None
    p: float | None  # two-sided


class Comparison(NamedTuple):
    """Both measures of one pair of arms."""

    loss: Difference  # nats per answer token
    accuracy: Difference  # share of items


def compare(left: Arm, right: Arm) -> Comparison:
    """Compare two arms with equal sample budgets; see `difference` for the interval and the test.

    Args:
        left: what is compared.
        right: what it is compared with, scored on the same items with the same training seeds.

    Raises:
        BadInput: the arms differ in sample budget, items, answer tokens or training seeds.
    """
    pair = f"{left.name} and {right.name}"
    if left.sample_budget != right.sample_budget:
        raise BadInput(
            f"{pair}: unequal sample budgets: {left.sample_budget} and {right.sample_budget}; "
            "pair cuts with equal questions × responses"
        )
    if left.items != right.items:
        odd = sorted(set(left.items) ^ set(right.items))
        raise BadInput(
            f"{pair}: different items, {len(odd)} of them, first {'/'.join(odd[0])}; score both again"
        )
    if not np.array_equal(left.tokens, right.tokens):
        raise BadInput(f"{pair}: different answer tokens; score both with one tokenizer")
    if left.seeds != right.seeds:
        raise BadInput(f"{pair}: different training seeds, {left.seeds} and {right.seeds}; train both again")
    return Comparison(
        loss=difference(left.loss - right.loss, left.tokens),
        accuracy=difference(left.correct - right.correct, np.ones(len(left.items))),
    )


def difference(D: Array, w: Array, level: float = LEVEL) -> Difference:
    """Estimate a mean difference per unit of weight, over random items and random training seeds.

    The estimate is `R = Σ D_si / (S Σ w_i)`. Linearised, `z_si = (D_si − R w_i) / w̄` is a two-way layout of
    S seeds and n items, both random and crossed (Cornfield and Tukey 1956; Clark 1973). From its mean squares

        Var(R) = (max(θ_item, MS_e) + max(θ_seed, MS_e) − MS_e) / (n S),  θ_k = MS_k f_k / χ²(f_k),

    f_item = n − 1, f_seed = S − 1: a generalised confidence interval (Weerahandi 1993), in which a mean
    square of two degrees of freedom carries all the doubt that it deserves. Interval and p-value average the
    normal tail over the two χ²; nothing is drawn at random.

    With two, three or five seeds the 95 % interval covers the truth in .94 (seeds scatter much) to .99 (seeds
    do not differ) of simulated comparisons. A percentile bootstrap over items and seeds covers .83 with
    three seeds that scatter much: three resampled seeds show two thirds of their variance.

    Args:
        D: differences, S × n, in the measure's unit times the weight's.
        w: weights, n; answer tokens for a loss per token, ones for a plain mean.
        level: of the interval, 0 … 1.
    """
    from scipy.optimize import brentq
    from scipy.special import ndtr

    S, n = D.shape
    R = float(D.sum() / (S * w.sum()))
    if S < 2 or n < 2:
        return Difference(R, None, None, None)
    z = (D - R * w) / w.mean()
    item, seed = z.mean(axis=0), z.mean(axis=1)
    MS_item = S * float(np.square(item).sum()) / (n - 1)
    MS_seed = n * float(np.square(seed).sum()) / (S - 1)
    MS_e = float(np.square(z - item - seed[:, None]).sum()) / ((n - 1) * (S - 1))
    if MS_item + MS_seed + MS_e <= 1e-24 * max(R * R, 1e-12):
        return Difference(R, None, None, None)  # all of it is rounding
    items, seeds = _over_chi_squared(n - 1, 12), _over_chi_squared(S - 1, 64)
    of_items = np.maximum(MS_item * items.inverse[:, None], MS_e)
    of_seeds = np.maximum(MS_seed * seeds.inverse, MS_e)
    error = np.sqrt((of_items + of_seeds - MS_e) / (n * S))

    def tail(x: float) -> float:
        return float(items.weight @ ndtr(-x / error) @ seeds.weight)

    beyond = float(error.min())
    while tail(beyond) > (1 - level) / 2:
        beyond *= 2
    half = brentq(lambda x: tail(x) - (1 - level) / 2, 0.0, beyond, xtol=1e-15, rtol=1e-9)
    return Difference(R, R - half, R + half, 2 * tail(abs(R)))


class _Nodes(NamedTuple):
    """An expectation over χ²: f/χ²(f) at some points, and the weight of each."""

    inverse: Array
    weight: Array


@cache
def _over_chi_squared(freedom: int, n: int) -> _Nodes:
    """Return n Gauss–Legendre points in the fourth root of the probability: close where f/χ² is large."""
    from scipy.stats import chi2

    x, weight = np.polynomial.legendre.leggauss(n)
    v = (x + 1) / 2
    return _Nodes(freedom / chi2.ppf(v**4, freedom), weight * 2 * v**3)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Return Holm's step-down adjustment over one family of tests; a test without p stays without.

    Of m tests the i-th smallest p becomes max over j ≤ i of min(1, (m − j + 1)·p_j) (Holm 1979). Written out
    since statsmodels collects the whole heap's garbage in every call, 0.07 s each among many tables.
    """
    places = [i for i, p in enumerate(p_values) if p is not None]
    known = np.array([p_values[i] for i in places], float)
    order = np.argsort(known, kind="stable")
    stepped = np.maximum.accumulate(np.arange(len(known), 0, -1) * known[order])
    adjusted = list(p_values)
    for i, p in zip(order, stepped, strict=True):
        adjusted[places[i]] = min(1.0, float(p))
    return adjusted


def mcnemar(gained: int, lost: int) -> float:
    """Return McNemar's exact two-sided p of items that changed sides; 1 where none did."""
    from statsmodels.stats.contingency_tables import mcnemar as test

    return float(test([[0, gained], [lost, 0]], exact=True).pvalue) if gained + lost else 1.0
