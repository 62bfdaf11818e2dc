"""The claims of arXiv 2607.01727, and the rules by which each is judged; they were fixed before any result.

Every claim is *supported*, *not supported* or *undecided*. Tests are at `findings.ALPHA`; where a claim says
"all", each of its parts must pass by itself (an intersection–union test needs no adjustment); what speaks
against it is adjusted over its parts (Holm). m is the margin, a share of the eval loss (`weigh.margin`).

**law**: the rectified law predicts the held-out budget on every curve (teacher × student × domain × question
share). Its four parameters are fitted below. *Supported* if the measured mean over seeds lies in the law's
prediction interval on at least `COVERED` of the curves and the median |relative error| is at most `ERROR`.
*Not supported* if the exact binomial upper bound of the covered share is below `COVERED`, or the lower bound
of the share of curves with |relative error| above `ERROR` is above one half. A curve whose fit is refused
counts as not covered and as an error above `ERROR`. Curves of one domain share questions and items and are
not independent: the bounds are then too narrow.

**sources**: more responses to a fixed source (FSS) and more questions (SE) are as good at small N, and SE is
better at large N. Of each domain, over all teacher–student pairs (`pooling.pooled`). *Supported* if in
every domain the mean difference lies within ±m at the smallest matched N (two one-sided tests) and SE's loss
is lower at the largest. *Not supported* if in some domain the difference lies beyond ±m at the smallest, or
SE's gain at the largest is below m while it is not shown to be above 0.

**protocols**: no protocol beats plain rejection sampling at equal N, nor at equal teacher tokens. *Supported*
if every protocol's gain in every domain is below m. *Not supported* if some protocol's loss is lower, Holm
over the table. Cells that meet in neither N nor teacher tokens are not judged.

**mixed**: in the mixed source more questions at one response beat each fixed question set at every matched N,
over all pairs. *Supported* if the loss of more questions is lower in every comparison. *Not supported* if in
some comparison their gain is below m while it is not shown to be above 0.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.findings import ALPHA, NOT_SUPPORTED, SUPPORTED, UNDECIDED
from stages.scaling import crossing, forecasts
from stages.tables import paired
from stages.tables.figures import number, p_value, percent, whole, with_interval

Row = dict[str, Any]

CLAIMS = {
    "law": "The rectified law predicts the held-out budget on every curve",
    "sources": "FSS and SE are alike at small N, and SE is better at large N",
    "protocols": "No protocol beats plain rejection sampling at equal N or teacher tokens",
    "mixed": "In the mixed source more questions beat each fixed question set",
}
COVERED = 0.85  # share of the curves
ERROR = 0.05  # share of the measured loss


class Finding(NamedTuple):
    """What is said of one claim, and the figure that it hangs on."""

    verdict: str
    reason: str  # one sentence or two with the numbers
    statistic: str  # in words; empty where there is none
    estimate: float | None
    low: float | None
    high: float | None
    test: str
    p: float | None


def _without(reason: str) -> Finding:
    return Finding(UNDECIDED, reason, "", None, None, None, "", None)


def law(errors: Sequence[Row]) -> Finding:
    """Judge the law; the rule is the module's.

    Args:
        errors: rows of the table `law_errors`.
    """
    from scipy.stats import binomtest

    own = forecasts.rectified(errors)
    n = len(own)
    covered = sum(row["covered"] is True for row in own)
    off = [abs(row["relative_error"]) for row in own if row["relative_error"] is not None]
    far = n - sum(error <= ERROR for error in off)
    low, high = forecasts.bounds(covered, n)
    median = float(np.median(off + [np.inf] * (n - len(off))))
    told = "no forecast on most curves" if np.isinf(median) else f"median error {percent(median, '.1f')}"
    refused = f", {n - len(off)} without a forecast" if len(off) < n else ""
    seeds = [row["seeds"] for row in own]
    alone = " One training seed: the measured mean has no spread." if set(seeds) == {1} else ""
    reason = (
        f"The interval holds the measured loss on {covered} of {n} curves "
        f"[{percent(low, '.0f')}, {percent(high, '.0f')}]; {told}, the largest "
        f"{percent(max(off, default=None), '.1f')}{refused}.{alone}"
    )
    if high < COVERED or forecasts.bounds(far, n)[0] > 0.5:
        verdict = NOT_SUPPORTED
    else:
        verdict = SUPPORTED if covered >= COVERED * n and median <= ERROR else UNDECIDED
    p = float(binomtest(covered, n, COVERED, alternative="less").pvalue)
    test = f"exact binomial, below {COVERED:.2f}"
    return Finding(verdict, reason, "share of curves inside the interval", covered / n, low, high, test, p)


def sources(pooled: Sequence[Row], crossings: Sequence[Row]) -> Finding:
    """Judge more responses against more questions; the rule is the module's.

    Args:
        pooled: rows of the table `pooled` of this claim.
        crossings: rows of the table `crossing`.
    """
    domains = dict.fromkeys(row["domain"] for row in pooled)
    if not domains:
        return _without("No two cuts have equal N.")
    ends = {d: sorted((r for r in pooled if r["domain"] == d), key=_N) for d in domains}
    smallest, largest = [rows[0] for rows in ends.values()], [rows[-1] for rows in ends.values()]
    if any(row["p_equal"] is None or row["p_better"] is None for row in (*smallest, *largest)):
        return _without("One training seed, or no scatter to judge a difference by.")
    against = paired.holm([*(r["p_apart"] for r in smallest), *(_short(r) for r in largest)])
    alike, better = [r["p_equal"] < ALPHA for r in smallest], [r["p_better"] < ALPHA for r in largest]
    least = min(largest, key=lambda row: row["difference"] / row["margin"])
    verdict = _verdict(all(alike) and all(better), against)
    reason = (
        f"Alike within the margin at the smallest N in {sum(alike)} of {len(domains)} domains, SE better at "
        f"the largest in {sum(better)}; the least: {_said(least)}. {_crossed(crossings)}"
    )
    return _pooled_finding(verdict, reason, least, f"eval loss, FSS − SE, {least['domain']}, largest N")


def _crossed(crossings: Sequence[Row]) -> str:
    said = []
    for row in crossings:
        if row["teacher"] is None:
            at = f" at N = {crossing.told(row)}" if row["status"] == crossing.CROSSES else ""
            said.append(f"{row['domain']} {row['status']}{at}")
    return f"FSS against SE as N grows: {'; '.join(said)}."


def protocols(pooled: Sequence[Row], audit: Sequence[Row]) -> Finding:
    """Judge the protocols; the rule is the module's.

    Args:
        pooled: rows of the table `pooled` of this claim.
        audit: rows of the table `protocols`.
    """
    judged = [row for row in audit if row["held_equal"] != "responses"]
    if not judged:
        return _without("No protocol was tried.")
    if any(row["loss_p_holm"] is None for row in judged) or any(row["p_short"] is None for row in pooled):
        return _without("One training seed, or no scatter to judge a difference by.")
    winners = [r for r in judged if r["loss_p_holm"] < ALPHA and r["loss_difference"] < 0]
    short = [row["p_short"] < ALPHA for row in pooled]
    best = min(winners or judged, key=lambda row: row["loss_difference"] / row["plain_loss"])
    verdict = NOT_SUPPORTED if winners else SUPPORTED if all(short) else UNDECIDED
    figures = best["loss_difference"], best["loss_low"], best["loss_high"]
    reason = (
        f"{len(winners)} of {len(judged)} comparisons won by a protocol; in {sum(short)} its gain is below "
        f"the margin. The best: {best['protocol']} in {best['domain']} at equal {_what(best)}, eval loss "
        f"{with_interval(*figures, '+.3f')}, adjusted p {p_value(best['loss_p_holm'])}."
    )
    return Finding(
        verdict,
        reason,
        f"eval loss, {best['protocol']} − plain, {best['domain']}",
        *figures,
        "paired over items × seeds, Holm",
        best["loss_p_holm"],
    )


def _what(row: Row) -> str:
    return "N" if row["held_equal"] == "samples" else "teacher tokens"


def mixed(pooled: Sequence[Row]) -> Finding:
    """Judge the allocation in the mixed source; the rule is the module's.

    Args:
        pooled: rows of the table `pooled` of this claim.
    """
    if not pooled:
        return _without("No cell of the mixed source.")
    if any(row["p_better"] is None or row["p_short"] is None for row in pooled):
        return _without("One training seed, or no scatter to judge a difference by.")
    better = [row["p_better"] < ALPHA for row in pooled]
    verdict = _verdict(all(better), paired.holm([_short(row) for row in pooled]))
    least = min(pooled, key=lambda row: row["difference"] / row["margin"])
    reason = (
        f"More questions are better in {sum(better)} of {len(pooled)} comparisons; the least: {_said(least)}."
    )
    return _pooled_finding(verdict, reason, least, f"eval loss, {least['first']} − {least['second']}")


def _verdict(supported: bool, against: Sequence[float | None]) -> str:
    if supported:
        return SUPPORTED
    return NOT_SUPPORTED if any(p is not None and p < ALPHA for p in against) else UNDECIDED


def _short(row: Row) -> float:
    """Return the p that a gain is below the margin; 1 where a gain is shown, however small."""
    return 1.0 if row["p_better"] < ALPHA else float(row["p_short"])


def _N(row: Row) -> int:
    return int(row["sample_budget"])


def _said(row: Row) -> str:
    figures = with_interval(row["difference"], row["low"], row["high"], "+.3f")
    where = "" if row["domain"] == "mixed" else f"{row['domain']}, "
    return (
        f"{where}{row['first']} − {row['second']} at N = {whole(row['sample_budget'])}: {figures}, margin "
        f"{number(row['margin'])}"
    )


def _pooled_finding(verdict: str, reason: str, row: Row, statistic: str) -> Finding:
    figures = (row["difference"], row["low"], row["high"])
    return Finding(verdict, reason, statistic, *figures, "one-sided, paired, above 0", row["p_better"])
