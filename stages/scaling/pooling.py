"""Means over a study's teacher–student pairs: what the claims are judged by.

Each teacher–student pair is trained by itself, so that runs (pair × training seed) are the replicates, all
on the same items. That pairs differ counts as scatter of the runs: for the mean of just these pairs the tests
are then conservative.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.grid import Cut
from stages.scaling import crossing
from stages.scaling.comparing import per_token
from stages.scaling.places import RESPONSES, Place, nested
from stages.scaling.study import Study
from stages.tables import paired

Array = NDArray[np.float64]
Row = dict[str, Any]


class Contrast(NamedTuple):
    """A mean difference over the teacher–student pairs of a study, and what is asked of it."""

    claim: str
    domain: str
    sample_budget: int
    first: str  # in words
    second: str
    left: tuple[tuple[Place, ...], ...]  # by pair; the mean over an inner tuple is one arm
    right: tuple[tuple[Place, ...], ...]


def contrasts(study: Study) -> list[Contrast]:
    """Return what is asked of the means over all teacher–student pairs."""
    plan = study.plan
    found = [one for domain in plan.domains for one in _sources(study, domain, plan.pairs)]
    for fixed, more in plan.allocations:
        left, right = (tuple((Place(*pair, "mixed", cut),) for pair in plan.pairs) for cut in (fixed, more))
        N = study.bills[right[0][0]].sample_budget
        found.append(Contrast("mixed", "mixed", N, str(fixed), str(more), left, right))
    for one in plan.audited:
        if one.matched != RESPONSES:
            name, N = f"{one.place.protocol}, equal {one.matched}", study.bills[one.place].sample_budget
            sides = ((one.plain,),), ((one.place,),)
            found.append(Contrast("protocols", one.place.domain, N, "plain", name, *sides))
    return found


def _sources(study: Study, domain: str, pairs: Sequence[tuple[str, str]]) -> list[Contrast]:
    """Return fewer questions against more questions of one domain, a contrast per N, ascending."""
    meetings: dict[int, list[tuple[Cut, Cut]]] = {}
    for fewer, more in nested(study.plan.cuts):
        N = study.bills[Place(*pairs[0], domain, more)].sample_budget
        meetings.setdefault(N, []).append((fewer, more))
    return [
        Contrast(
            "sources",
            domain,
            N,
            "FSS",
            "SE",
            left=tuple(tuple(Place(*pair, domain, fewer) for fewer, _ in cuts) for pair in pairs),
            right=tuple(tuple(Place(*pair, domain, more) for _, more in cuts) for pair in pairs),
        )
        for N, cuts in sorted(meetings.items())
    ]


def lines(study: Study) -> list[Row]:
    """Return the crossing of every teacher–student pair and domain, and of each domain over all pairs."""
    rows, every = [], study.plan.pairs
    for domain in study.plan.domains:
        for pairs in (*([pair] for pair in every), every):
            met = _sources(study, domain, pairs)
            if len(met) < 2:
                continue
            differences = {c.sample_budget: stacked(study, c, per_doubling=True) for c in met}
            found = crossing.crossing(differences, len(study.seeds))
            teacher, student = (None, None) if pairs is every else pairs[0]
            rows.append({"teacher": teacher, "student": student, "domain": domain, **found})
    return rows


def stacked(study: Study, contrast: Contrast, per_doubling: bool = False) -> Array:
    """Return first minus second in nats per answer token, runs × items; the runs are all pairs' seeds.

    Args:
        study: results.
        contrast: what is compared.
        per_doubling: divide by the doublings of the questions from the first to the second.
    """

    def difference(a: Place, b: Place) -> Array:
        return per_token(study.arms[a], study.arms[b]) / (
            np.log2(b.cut.share / a.cut.share) if per_doubling else 1.0
        )

    return np.concatenate(
        [
            np.mean([difference(a, b) for a, b in zip(*pair, strict=True)], axis=0)
            for pair in zip(contrast.left, contrast.right, strict=True)
        ]
    )


def pooled(study: Study, contrast: Contrast, margin: float) -> Row:
    """Return a contrast's mean over the pairs, and four one-sided questions asked of it.

    With m = `margin` × the second arm's eval loss:

        p_equal   the mean lies within ±m (two one-sided tests)
        p_apart   it lies beyond m or −m (Bonferroni)
        p_better  it is above 0: the second arm's loss is lower
        p_short   it is below m: whatever the second arm gains is less than m

    Args:
        study: results; with one training seed there is no interval and no p.
        contrast: what is compared.
        margin: as a share.
    """
    D = stacked(study, contrast)
    level = np.mean([_loss(study.arms[place]) for pair in contrast.right for place in pair])
    m = margin * float(level)
    row: Row = {
        **{name: getattr(contrast, name) for name in Contrast._fields[:5]},
        "pairs": len(contrast.left),
        "difference": float(D.mean()),
        "margin": m,
    }
    names = ("low", "high", "p_equal", "p_apart", "p_better", "p_short")
    at_zero, at_low, at_high = (tails(D, threshold) for threshold in (0.0, -m, m))
    if len(study.seeds) < 2 or at_zero is None or at_low is None or at_high is None:
        return row | dict.fromkeys(names)
    found = paired.difference(D, np.ones(D.shape[1]))
    equal = max(at_low.above, at_high.below)
    apart = min(1.0, 2 * min(at_low.below, at_high.above))
    figures = (found.low, found.high, equal, apart, at_zero.above, at_high.below)
    return row | dict(zip(names, figures, strict=True))


class Tails(NamedTuple):
    """One-sided p of a mean against a threshold."""

    above: float  # that it is above
    below: float


def tails(D: Array, threshold: float) -> Tails | None:
    """Return both one-sided p of the mean of some differences; None where nothing scatters.

    Args:
        D: differences, runs × items.
        threshold: in the same unit.
    """
    found = paired.difference(D - threshold, np.ones(D.shape[1]))
    if found.p is None:
        return None
    likely, unlikely = 1 - found.p / 2, found.p / 2
    return Tails(unlikely, likely) if found.estimate > 0 else Tails(likely, unlikely)


def _loss(arm: paired.Arm) -> float:
    return float(arm.loss.sum() / (len(arm.seeds) * arm.tokens.sum()))
