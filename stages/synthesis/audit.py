"""What came of verification: counts of the error taxonomy, and the verifier held against the truth."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stages.records import SynthesizedQuestion
from stages.synthesis import QUALITY, TAXONOMY
from stages.synthesis.verification import VALID

LEVEL = 0.9  # of the intervals


def taxonomy_counts(samples: Sequence[SynthesizedQuestion]) -> list[dict[str, Any]]:
    """Return the counts per round and reason, the accepted among them, in the order of the taxonomy.

    Each row is {"round", "category", "reason", "count"}; the counts of a round add up to its orders. A
    category that nothing fell into has a row too, with an empty reason and count 0: that nothing was
    contaminated is a finding.
    """
    counts = Counter((row.round, row.verdict, row.reason) for row in samples)
    for round in {row.round for row in samples}:
        for missing in set(TAXONOMY) - {row.verdict for row in samples if row.round == round}:
            counts[round, missing, ""] = 0
    order = (VALID, *TAXONOMY)
    keys = sorted(counts, key=lambda key: (key[0], order.index(key[1]), key[2]))
    return [{"round": r, "category": c, "reason": name, "count": counts[r, c, name]} for r, c, name in keys]


def audit(samples: Sequence[SynthesizedQuestion], detailed: bool = True) -> dict[str, Any] | None:
    """Hold the verifier against the truth, in which a faulty sample is the positive class.

    Two views. "detailed": the samples that the teacher's evaluation decided. "all": those that any check
    judged in their knowledge, so that faults which the free checks found count as found. What was rejected
    as a repetition, for its form, or as malformed was not judged faulty or sound, and is left out of both.

    Args:
        samples: of one pool or of several.
        detailed: whether the teacher evaluated what passed the free checks; without it that view is None.

    Returns:
        None where no sample has a truth (any teacher but the embedded one). Else {"level", "detailed", "all",
        "rounds"}; a view is {"samples", "true_positive", "false_positive", "false_negative", "true_negative",
        "precision", "recall", "base_rate", "same_category", "confusion"}: shares 0 … 1 as {"value", "low",
        "high"} with Wilson's score interval, None where nothing was counted; "same_category" is the share of
        true positives named rightly; "confusion" lists {"truth", "verdict", "count"}. "rounds" repeats the
        views by round.
    """
    known = [row for row in samples if row.truth is not None]
    if not known:
        return None
    rounds = [
        {"round": number} | _views([row for row in known if row.round == number], detailed)
        for number in sorted({row.round for row in known})
    ]
    return {"level": LEVEL} | _views(known, detailed) | {"rounds": rounds}


def _views(rows: Sequence[SynthesizedQuestion], detailed: bool) -> dict[str, Any]:
    judged = [row for row in rows if row.verdict == VALID or row.verdict in QUALITY]
    # Ambiguity among the accepted is found by comparing samples, after the evaluation and not by it.
    evaluated = [row for row in judged if row.verdict == VALID or row.reason == f"verdict_{row.verdict}"]
    return {"detailed": _view(evaluated) if detailed else None, "all": _view(judged)}


def _view(rows: Sequence[SynthesizedQuestion]) -> dict[str, Any]:
    cells = Counter((row.truth != VALID, row.verdict != VALID) for row in rows)
    found, missed, alarms = cells[True, True], cells[True, False], cells[False, True]
    confusion = Counter((str(row.truth), row.verdict) for row in rows)
    order = (VALID, *QUALITY)
    return {
        "samples": len(rows),
        "true_positive": found,
        "false_positive": alarms,
        "false_negative": missed,
        "true_negative": cells[False, False],
        "precision": _share(found, found + alarms),
        "recall": _share(found, found + missed),
        "base_rate": _share(found + missed, len(rows)),
        "same_category": _share(sum(confusion[name, name] for name in QUALITY), found),
        "confusion": [
            {"truth": truth, "verdict": verdict, "count": confusion[truth, verdict]}
            for truth in order
            for verdict in order
            if confusion[truth, verdict]
        ],
    }


def _share(count: int, total: int) -> dict[str, float] | None:
    """Return count / total with Wilson's score interval at `LEVEL`; None of nothing."""
    from statsmodels.stats.proportion import proportion_confint

    if not total:
        return None
    low, high = proportion_confint(count, total, alpha=1 - LEVEL, method="wilson")
    # Rounding can leave a bound just outside; the score interval itself is within 0 … 1.
    return {"value": count / total, "low": max(0.0, float(low)), "high": min(1.0, float(high))}
