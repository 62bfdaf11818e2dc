"""Other benchmark items and other training seeds: what the same study would have measured."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stages.findings.study import Panel

Array = NDArray[np.float64]


def item_counts(items: int, resamples: int, seed: int) -> Array:
    """Return resamples × items: how often each item is drawn, n out of n with replacement."""
    rng = np.random.default_rng([seed, 1])
    return rng.multinomial(items, np.full(items, 1 / items), size=resamples).astype(float)


def eval_losses(panel: Panel, counts: Array, seed: int) -> Array | None:
    """Return resamples × targets × token budgets: eval losses over resampled items and training seeds.

    Paired: within a resample every target and budget has the same items and the same seeds. Items are drawn
    with replacement. Seeds are not, since S resampled seeds show only (S−1)/S of their variance and S = 3 is
    few (see `tables.paired`): to the mean over items comes

        Σ_s g_s (L_s − L̄) / √(S (S−1)) · √((S−1) / χ²(S−1)),   g_s ~ N(0, 1),

    L_s the eval losses with seed s. Any difference of targets then scatters as its own s/√S times a Student t
    with S − 1 degrees of freedom: the generalised interval of `paired.difference`, for all targets at once.

    Args:
        panel: one student.
        counts: of `item_counts`; the same for every student, who all answer the same items.
        seed: of the random choices, to which the student's name is added: students share no training seed.

    Returns:
        None where there is one training seed, whose scatter is unknown.
    """
    T, B, S, n = panel.loss.shape
    if S < 2:
        return None
    rng = np.random.default_rng([seed, 2, stable_number(panel.student)])
    over_items = counts @ panel.loss.mean(axis=2).reshape(T * B, n).T / (counts @ panel.weight)[:, None]
    by_seed = panel.loss.sum(axis=-1) / panel.weight.sum()
    away = (by_seed - by_seed.mean(axis=-1, keepdims=True)).reshape(T * B, S)
    g = rng.normal(size=(len(counts), S)) / np.sqrt(S * rng.chisquare(S - 1, size=(len(counts), 1)))
    losses: Array = (over_items + g @ away.T).reshape(len(counts), T, B)
    return losses


def bootstrap(D: Array, w: Array, counts: Array, seed: int) -> Array:
    """Return the plain paired bootstrap of `Σ D_si / (S Σ w_i)` over items and seeds.

    Shown beside `paired.difference` as the field's usual interval; it is too narrow with few seeds.

    Args:
        D: differences, S × n.
        w: weights, n.
        counts: resamples × n, columns of `item_counts`.
        seed: of the random choices.
    """
    S = len(D)
    rng = np.random.default_rng([seed, 3])
    seeds = rng.multinomial(S, np.full(S, 1 / S), size=len(counts)) / S
    total = counts @ w
    drawn = total > 0
    values: Array = ((counts[drawn] @ D.T) * seeds[drawn]).sum(axis=1) / total[drawn]
    return values


def quantiles(values: Array, level: float) -> tuple[float, float]:
    """Return the ends of the central interval that holds `level` of the values."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def first_half(items: Sequence[tuple[str, str]]) -> NDArray[np.bool_]:
    """Return which items are in the first half, by a hash of benchmark and id: the same in every study."""
    return np.array([stable_number("/".join(item)) % 2 == 0 for item in items], bool)


def stable_number(text: str) -> int:
    """Return 32 bits of the text's SHA-256."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
