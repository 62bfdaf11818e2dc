"""Stability: do students and data sizes rank the targets alike (Kendall's W).

A rater is one student at one data size; it ranks the targets by mean eval loss. Rule, for the levels of
density and all raters: *supported* if the permutation p is below .05, W at least `STRONG` and the interval's
lower end at least `MODERATE`; *not supported* if the interval's upper end is below `STRONG` although raters
are consistent (a rater's own resampled rankings agree with W of at least `STRONG`: otherwise noise hides what
agreement there is); otherwise undecided. All raters answer the same benchmark items, so that p and interval
speak of agreement on these items' kind, not of independent replications.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.findings import ALPHA, NOT_SUPPORTED, SUPPORTED, UNDECIDED
from stages.findings.resampling import stable_number
from stages.findings.study import Panel
from stages.tables.figures import number, p_value

Array = NDArray[np.float64]
Row = dict[str, Any]

STRONG, MODERATE = 0.7, 0.5  # of W
ALL = "all students and data sizes"
LEVELS = "densities"


def ranks(scores: Array) -> Array:
    """Return each row's ranks, 1 for the least, equal values sharing their mean rank."""
    from scipy.stats import rankdata

    return np.asarray(rankdata(scores, axis=-1))


def kendall_w(ranked: Array) -> Array:
    """Return Kendall's coefficient of concordance, corrected for ties.

    With R_i the sum of object i's ranks over m raters, S = Σ (R_i − R̄)² and each rater's own sum of squares
    SS_j = Σ_i (r_ij − r̄)² = (n³ − n − Σ(t³ − t)) / 12, t the sizes of its ties (Kendall 1948),

        W = 12 S / (m² (n³ − n) − m Σ_j Σ (t³ − t)) = S / (m Σ_j SS_j).

    Args:
        ranked: … × m raters × n objects.

    Returns:
        … values in 0 … 1; NaN where every rater ties everything.
    """
    m, n = ranked.shape[-2:]
    middle = (n + 1) / 2
    S = np.square(ranked.sum(axis=-2) - m * middle).sum(axis=-1)
    own = np.square(ranked - middle).sum(axis=(-1, -2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(S / (m * own))


def permutation_p(ranked: Array, permutations: int, rng: np.random.Generator) -> float:
    """Return the share of permutations, each rater's ranking shuffled by itself, with W as large or larger.

    The measured ranking counts as one of them, so that p is valid and never 0 (Phipson and Smyth 2010).

    Args:
        ranked: m raters × n objects.
        permutations: how many to draw.
        rng: of the draws.
    """
    shuffled = rng.permuted(np.broadcast_to(ranked, (permutations, *ranked.shape)), axis=-1)
    as_large = int((kendall_w(shuffled) >= kendall_w(ranked) - 1e-9).sum())
    return (1 + as_large) / (1 + permutations)


def interval(W: float, resampled: Array, level: float) -> tuple[float, float]:
    """Return an interval around W from W of the resampled losses, ranked.

    Resampled rankings carry the noise twice and agree less than the measured ones: their lower quantile is
    the lower end, and the upper end lies as far above W (at most 1).

    Args:
        W: as measured.
        resampled: resamples × m × n, eval losses.
        level: of the interval.
    """
    drawn = kendall_w(ranks(resampled))
    low = min(W, float(np.quantile(drawn[~np.isnan(drawn)], (1 - level) / 2)))
    return low, min(1.0, 2 * W - low)


def agreement(
    panels: Sequence[Panel], resampled: Sequence[Array | None], level: float, permutations: int, seed: int
) -> list[Row]:
    """Return the agreement of several groups of raters, over the levels of density and over all targets.

    Args:
        panels: one per student, of the same targets.
        resampled: of `resampling.eval_losses`, one per panel.
        level: of the intervals.
        permutations: of the rankings.
        seed: of the permutations.

    Returns:
        Rows of the table `agreement`; `consistency` is the mean W of each rater's own resampled rankings.
    """
    measured = np.array([panel.eval_loss for panel in panels])  # students × targets × budgets
    known = [draws for draws in resampled if draws is not None]
    draws = np.array(known) if len(known) == len(panels) else None  # students × resamples × targets × budgets
    found = []
    everything = list(range(len(panels[0].targets)))
    scopes = {LEVELS: panels[0].levels, "all targets": everything}
    if scopes[LEVELS] == everything:
        del scopes["all targets"]
    for scope, targets in scopes.items():
        for group, raters in _groups(panels):
            scores = np.array([measured[s, targets, b] for s, b in raters])
            ranked = ranks(scores)
            W = float(kendall_w(ranked))
            row: Row = {"scope": scope, "group": group, "raters": len(raters), "targets": len(targets)}
            row |= dict.fromkeys(("W", "low", "high", "p", "consistency"))
            if not np.isnan(W):
                rng = np.random.default_rng([seed, 4, stable_number(f"{scope}/{group}")])
                row |= {"W": W, "p": permutation_p(ranked, permutations, rng)}
            if not np.isnan(W) and draws is not None:
                many = np.array([draws[s][:, targets, b] for s, b in raters])  # raters × resamples × targets
                row["low"], row["high"] = interval(W, many.transpose(1, 0, 2), level)
                row["consistency"] = float(np.nanmean(kendall_w(ranks(many))))
            found.append(row)
    return found


def _groups(panels: Sequence[Panel]) -> Iterator[tuple[str, list[tuple[int, int]]]]:
    """Yield the groups of two or more raters, each rater (student, budget) by its place."""
    students, budgets = range(len(panels)), range(len(panels[0].tokens))
    last, largest = budgets[-1], panels[0].tokens[-1]
    yield ALL, [(s, b) for s in students for b in budgets]
    if len(students) > 1:
        yield f"all students at {largest} tokens", [(s, last) for s in students]
    for family in dict.fromkeys(panel.family for panel in panels):
        sizes = [s for s in students if panels[s].family == family]
        if 1 < len(sizes) < len(students):
            yield f"sizes of {family} at {largest} tokens", [(s, last) for s in sizes]
    if len(budgets) > 1:
        for s in students:
            yield f"data sizes of {panels[s].student}", [(s, b) for b in budgets]


def verdict(rows: Sequence[Row]) -> tuple[str, str]:
    """Return the verdict on a stable ranking and one sentence; the rule is the module's."""
    row = next(r for r in rows if (r["scope"], r["group"]) == (LEVELS, ALL))
    if row["low"] is None or row["raters"] < 2:
        return (
            UNDECIDED,
            "One rater, one training seed or nothing but ties: there is no agreement to measure.",
        )
    said = (
        f"W = {number(row['W'], '.2f')} [{number(row['low'], '.2f')}, {number(row['high'], '.2f')}] over "
        f"{row['raters']} raters and {row['targets']} densities, p {p_value(row['p'])}"
    )
    if row["p"] < ALPHA and row["W"] >= STRONG and row["low"] >= MODERATE:
        return SUPPORTED, f"{said}."
    own = f"resampled, a rater agrees with itself at W = {number(row['consistency'], '.2f')}"
    if row["high"] < STRONG and row["consistency"] >= STRONG:
        return NOT_SUPPORTED, f"{said}, below {STRONG}, although {own}."
    return UNDECIDED, f"{said}; {own} (asked: W ≥ {STRONG}, lower end ≥ {MODERATE}, p < {ALPHA})."
