"""The published figures of SimpleQA, with intervals, beside exact match."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.records import Judged
from stages.tables import paired
from stages.tables.figures import significant

LEVEL = paired.LEVEL  # of every interval

Array = NDArray[np.float64]


class Estimate(NamedTuple):
    """A share with its interval; None where there is nothing to judge it by."""

    value: float | None
    low: float | None
    high: float | None


def figures(rows: Sequence[Judged]) -> dict[str, Any]:
    """Return each benchmark's figures over one cell's training seeds (Wei et al. 2024, section 3).

    With N answers, C of them correct and A attempted (correct or incorrect): the shares correct C/N,
    incorrect (A − C)/N, not attempted (N − A)/N; correct given attempted C/A; and F1, the harmonic mean of
    C/N and C/A, which is 2C/(A + N). Answers whose grade was malformed are counted under `ungraded` and in
    nothing else that the judge decides. An undefined share is None where published scripts say 0.

    Args:
        rows: every seed's answers to the same items.
    """
    return {name: _of_one([row for row in rows if row.benchmark == name]) for name in _names(rows)}


def _names(rows: Sequence[Judged]) -> list[str]:
    return list(dict.fromkeys(row.benchmark for row in rows))


def _of_one(rows: Sequence[Judged]) -> dict[str, Any]:
    seeds = sorted({row.seed for row in rows})
    items = sorted({row.item_id for row in rows})
    place = {(row.seed, row.item_id): row for row in rows}
    table = [[place[seed, item] for item in items] for seed in seeds]

    def where(grade: str | None) -> Array:
        return np.array([[row.grade == grade for row in line] for line in table], float)

    correct, incorrect, declined = (where(g) for g in ("CORRECT", "INCORRECT", "NOT_ATTEMPTED"))
    attempted, graded = correct + incorrect, correct + incorrect + declined
    exact = np.array([[row.correct for row in line] for line in table], float)
    shares = {
        "correct": ratio(correct, graded),
        "incorrect": ratio(incorrect, graded),
        "not_attempted": ratio(declined, graded),
        "correct_given_attempted": ratio(correct, attempted),
        "f1": ratio(correct, (attempted + graded) / 2),
        "exact_match": ratio(exact, np.ones_like(exact)),
    }
    return {
        "seeds": len(seeds),
        "items": len(items),
        **{name: _rounded(share) for name, share in shares.items()},
        "correct_and_exact_match": {
            "both": int((correct * exact).sum()),
            "judge_alone": int((correct * (1 - exact)).sum()),
            "exact_match_alone": int(((graded - correct) * exact).sum()),
            "neither": int(((graded - correct) * (1 - exact)).sum()),
        },
        "ungraded": dict(sorted(Counter(row.reason for row in rows if row.grade is None).items())),
    }


def _rounded(share: Estimate) -> dict[str, float | None]:
    return {name: significant(value) for name, value in share._asdict().items()}


def ratio(D: Array, W: Array, level: float = LEVEL) -> Estimate:
    """Estimate the share R = Σ D_si / Σ W_si over random items and random training seeds.

    Linearised, `z_si = (D_si − R W_si) / W̄` has mean 0 and the scatter of R, in the two-way layout of seeds
    and items whose interval `paired.difference` gives; all answers to an item go together there. One seed's
    interval is Student's over its items alone: of this model, not of another training seed's. Where all of D
    is 0, or all of it W, nothing scatters; then the far end is the exact binomial one, of as many trials as
    there are items with any weight (Clopper and Pearson 1934). An interval ends at 0 and 1.

    Args:
        D: seeds × items, what counts.
        W: seeds × items, of how much, D ≤ W.
        level: of the interval, 0 … 1.
    """
    if not W.sum():
        return Estimate(None, None, None)
    R = float(D.sum() / W.sum())
    if not D.any() or np.array_equal(D, W):
        weighed = W.any(axis=0)
        beyond = float(1 - ((1 - level) / 2) ** (1 / weighed.sum())) / float(W[:, weighed].mean())
        return Estimate(R, max(0.0, R - beyond) if R else 0.0, 1.0 if R else min(1.0, beyond))
    z = (D - R * W) / W.mean()
    if len(z) > 1:
        # Around R, where rounding is told from scatter.
        _, low, high, _ = paired.difference(z + R, np.ones(z.shape[1]), level)
    else:
        low, high = _of_items(z[0], R, level)
    if low is None or high is None:
        return Estimate(R, None, None)
    return Estimate(R, max(0.0, low), min(1.0, high))


def _of_items(z: Array, R: float, level: float) -> tuple[float | None, float | None]:
    from scipy.stats import t

    n = len(z)
    if n < 2:
        return None, None
    half = float(t.ppf((1 + level) / 2, n - 1)) * float(z.std(ddof=1)) / n**0.5
    return R - half, R + half
