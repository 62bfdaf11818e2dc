"""Steering by density against strategies that steer nothing, at equal samples and training tokens.

Rule. The density is chosen on one half of the benchmark items, by the least eval loss, and compared on the
other half: chosen and compared on the same items it would win by luck (that comparison is tabled as well,
under `choice = "same_items"`). Tests are `tables.paired.difference` over items × seeds. Of one student, data
size and measure the totals over all benchmarks are one family, adjusted (Holm) over the baselines; all
baselines × all benchmarks are the other. The claim is judged by the eval loss in total of the headline
student at the largest data size: *supported* if it is better than every baseline with adjusted p < .05, *not
supported* if it is worse than some baseline with adjusted p < .05, otherwise undecided.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.findings import ALPHA, BASELINES, NOT_SUPPORTED, SUPPORTED, UNDECIDED
from stages.findings.resampling import bootstrap, first_half, quantiles
from stages.findings.study import Panel
from stages.tables import paired
from stages.tables.figures import number, p_value

Array = NDArray[np.float64]
Row = dict[str, Any]

HELD_OUT, SAME_ITEMS = "held_out", "same_items"
MEASURES = ("loss", "exact_match")


def against_baselines(panel: Panel, counts: Array, level: float, seed: int) -> list[Row]:
    """Return rows of the table `baselines`: chosen density minus each baseline, in total and per benchmark.

    Args:
        panel: one student.
        counts: of `resampling.item_counts`, for the plain bootstrap beside the interval.
        level: of the intervals.
        seed: of the bootstrap's seeds.
    """
    half = first_half(panel.items)
    whole = np.ones(len(panel.items), bool)
    benchmarks = np.array([benchmark for benchmark, _ in panel.items])
    parts: dict[str | None, NDArray[np.bool_]] = {None: whole}
    parts |= {str(name): benchmarks == name for name in dict.fromkeys(benchmarks)}
    rows = []
    for b, tokens in enumerate(panel.tokens):
        for choice, used, compared in ((HELD_OUT, half, ~half), (SAME_ITEMS, whole, whole)):
            chosen = best_level(panel, b, used)
            family = []
            for t, target in enumerate(panel.targets):
                if target.strategy not in BASELINES:
                    continue
                for benchmark, part in parts.items():
                    row: Row = {"student": panel.student, "tokens": tokens, "choice": choice}
                    row |= {"density": panel.targets[chosen].density, "baseline": target.strategy}
                    row |= {"benchmark": benchmark, "items": int((part & compared).sum())}
                    row |= _differences(panel, b, (chosen, t), part & compared, counts, level, seed)
                    family.append(row)
            _adjust([row for row in family if row["benchmark"] is None])
            _adjust([row for row in family if row["benchmark"] is not None])
            rows += family
    return rows


def _adjust(family: list[Row]) -> None:
    for measure in MEASURES:
        adjusted = paired.holm([row[f"{measure}_p"] for row in family])
        for row, p in zip(family, adjusted, strict=True):
            row[f"{measure}_p_holm"] = p


def best_level(panel: Panel, b: int, items: NDArray[np.bool_]) -> int:
    """Return the place of the level of density with the least mean eval loss on some items."""
    places = panel.levels
    losses = panel.loss[places, b][..., items].sum(axis=(-1, -2))
    return places[int(losses.argmin())]


def _differences(
    panel: Panel,
    b: int,
    pair: tuple[int, int],
    items: NDArray[np.bool_],
    counts: Array,
    level: float,
    seed: int,
) -> Row:
    """Return both measures' difference, first of the pair minus second, with intervals and p."""
    one, other = pair
    measured = {
        "loss": (panel.loss, panel.weight[items]),  # nats per answer token
        "exact_match": (panel.correct, np.ones(int(items.sum()))),  # share of items
    }
    row: Row = {}
    for measure, (values, weight) in measured.items():
        figures = ("difference", "low", "high", "p", "bootstrap_low", "bootstrap_high")
        if not items.any():
            row |= {f"{measure}_{figure}": None for figure in figures}
            continue
        D = (values[one, b] - values[other, b])[:, items]
        found: tuple[float | None, ...] = paired.difference(D, weight, level)
        plain: tuple[float | None, float | None] = (None, None)
        if found[-1] is not None:
            plain = quantiles(bootstrap(D, weight, counts[:, items], seed), level)
        row |= {f"{measure}_{figure}": x for figure, x in zip(figures, (*found, *plain), strict=True)}
    return row


def totals(rows: Sequence[Row], student: str, tokens: int, choice: str = HELD_OUT) -> list[Row]:
    """Return one student's comparisons over all benchmarks, a row per baseline."""
    place = (student, tokens, choice, None)
    return [r for r in rows if (r["student"], r["tokens"], r["choice"], r["benchmark"]) == place]


def verdict(rows: Sequence[Row], students: Sequence[str], headline: str, tokens: int) -> tuple[str, str]:
    """Return the verdict on steering against the baselines and one sentence; the rule is the module's.

    Args:
        rows: of the table `baselines`.
        students: their names.
        headline: the student that the claim is judged by.
        tokens: the largest data size.
    """
    judged = totals(rows, headline, tokens)
    if not judged:
        return UNDECIDED, "No baseline was trained."
    if any(row["loss_p_holm"] is None for row in judged):
        return UNDECIDED, "One training seed, too few items or no scatter to judge a difference by."
    wins = [s for s in students if all(map(_better, totals(rows, s, tokens)))]
    also = f"{len(wins)} of {len(students)} students beat every baseline"
    worse = [row for row in judged if row["loss_p_holm"] < ALPHA and row["loss_difference"] > 0]
    least = max(worse or judged, key=lambda row: row["loss_difference"])
    said = (
        f"{headline} at {number(least['density'], 'g')} dex against {least['baseline']}: eval loss "
        f"differs by {number(least['loss_difference'], '+.3f')} [{number(least['loss_low'], '+.3f')}, "
        f"{number(least['loss_high'], '+.3f')}], adjusted p {p_value(least['loss_p_holm'])}; {also}."
    )
    if all(map(_better, judged)):
        return SUPPORTED, f"Better than all {len(judged)} baselines; the closest: {said}"
    if worse:
        return NOT_SUPPORTED, f"Worse than {len(worse)} of {len(judged)} baselines: {said}"
    better = sum(map(_better, judged))
    return UNDECIDED, f"Better than {better} of {len(judged)} baselines; the closest: {said}"


def _better(row: Row) -> bool:
    p = row["loss_p_holm"]
    return p is not None and p < ALPHA and row["loss_difference"] < 0
