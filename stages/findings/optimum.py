"""The best density: where the eval loss is least, and whether that is inside the range that was tried.

Rule. Of one student at one data size, one-sided paired tests (`tables.paired.difference`) ask of each end of
the tried range whether some target inside it is better; p is multiplied by the number of targets inside,
which pays for looking for the best of them (Bonferroni). The optimum is *interior* if both ends lose (the
larger p counts: an intersection–union test) and the interval of the best target's place excludes both. It is
*at an end* if one end is better than every target inside (the largest p counts). The study supports an
interior optimum if it is interior in every student at the largest data size; it does not support one if some
student's is at an end, adjusted (Holm) for two ends of every student; otherwise it is undecided.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.findings import ALPHA, NOT_SUPPORTED, SUPPORTED, UNDECIDED
from stages.findings.resampling import quantiles
from stages.findings.study import Panel
from stages.tables import paired
from stages.tables.figures import number, p_value

Array = NDArray[np.float64]
Row = dict[str, Any]


def optimum(panel: Panel, resampled: Array | None, level: float) -> tuple[list[Row], list[Row]]:
    """Return where a student's eval loss is least, a row per token budget; and how sure that place is.

    The vertex is that of the parabola through the losses of all levels, by least squares, where it opens
    upwards.

    Args:
        panel: one student, scored at three or more levels of density.
        resampled: of `resampling.eval_losses`.
        level: of the intervals.

    Returns:
        Rows of the tables `optimum` and `best_share`.
    """
    places = panel.levels
    dex = np.array([panel.targets[i].density for i in places], float)
    found, shares = [], []
    for b, tokens in enumerate(panel.tokens):
        losses = panel.eval_loss[places, b]
        draws = None if resampled is None else resampled[:, places, b]
        best = int(losses.argmin())
        row: Row = {"student": panel.student, "tokens": tokens, "best": dex[best], "best_loss": losses[best]}
        row |= {"lowest_loss": losses[0], "highest_loss": losses[-1]}
        row |= {"low": None, "high": None, "best_share": None}
        row |= dict(
            zip(("vertex", "vertex_low", "vertex_high"), _vertex(dex, losses, draws, level), strict=True)
        )
        held: list[float | None] = [None] * len(dex)
        if draws is not None:
            where = draws.argmin(axis=1)
            row["low"], row["high"] = (float(dex[round(x)]) for x in _ends(where, level))
            held = [float(x) for x in np.bincount(where, minlength=len(dex)) / len(where)]
            row["best_share"] = held[best]
        row |= _tests(panel, places, b)
        row["interior"] = (
            row["interior_p"] is not None
            and row["interior_p"] < ALPHA
            and dex[0] < row["low"]
            and row["high"] < dex[-1]
        )
        found.append(row)
        shares += [
            {
                "student": panel.student,
                "density": float(density),
                "tokens": tokens,
                "eval_loss": loss,
                "share": share,
            }
            for density, loss, share in zip(dex, losses, held, strict=True)
        ]
    return found, shares


def _ends(where: NDArray[np.int64], level: float) -> tuple[float, float]:
    """Return the places that cut off less than half of 1 − level on each side."""
    ordered = np.sort(where)
    cut = int(np.floor((1 - level) / 2 * len(ordered)))
    return float(ordered[cut]), float(ordered[len(ordered) - 1 - cut])


def _vertex(
    dex: Array, losses: Array, draws: Array | None, level: float
) -> tuple[float | None, float | None, float | None]:
    """Return the parabola's lowest point, dex, and its interval where so many resamples open upwards."""
    centre = dex.mean()

    def lowest(rows: Array) -> Array:
        curvature, slope, _ = np.polyfit(dex - centre, rows.T, 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(curvature > 0, centre - slope / (2 * curvature), np.nan))

    point = float(lowest(losses[None])[0])
    if draws is None or np.isnan(point):
        return None if np.isnan(point) else point, None, None
    many = lowest(draws)
    if np.isnan(many).mean() > 1 - level:
        return point, None, None
    return point, *quantiles(many[~np.isnan(many)], level)


def _tests(panel: Panel, places: list[int], b: int) -> Row:
    """Return the p-values of the rule: each end against the targets inside, and the reverse."""
    inside, (first, last) = places[1:-1], (places[0], places[-1])

    def worse(one: int, other: int) -> float | None:
        """Return the one-sided p of `one` having the higher loss."""
        found = paired.difference(panel.loss[one, b] - panel.loss[other, b], panel.weight)
        if found.p is None:
            return None
        return found.p / 2 if found.estimate > 0 else 1 - found.p / 2

    ends = {end: [worse(end, i) for i in inside] for end in (first, last)}
    known = {end: [p for p in tests if p is not None] for end, tests in ends.items()}
    if any(len(tests) < len(inside) for tests in known.values()):
        return dict.fromkeys(("lowest_p", "highest_p", "interior_p", "lowest_best_p", "highest_best_p"))
    lowest, highest = (min(1.0, len(inside) * min(known[end])) for end in (first, last))
    return {
        "lowest_p": lowest,  # some target inside is better than the lowest
        "highest_p": highest,
        "interior_p": max(lowest, highest),
        "lowest_best_p": max(1 - p for p in known[first]),  # the lowest is better than every target inside
        "highest_best_p": max(1 - p for p in known[last]),
    }


def verdict(rows: Sequence[Row]) -> tuple[str, str]:
    """Return the verdict on an interior optimum and one sentence; the rule is the module's.

    Args:
        rows: of the table `optimum` at the largest token budget, one per student.
    """
    if any(row["interior_p"] is None for row in rows):
        return UNDECIDED, "A student has one training seed, or no scatter to judge a difference by."
    inner = [row for row in rows if row["interior"]]
    if len(inner) == len(rows):
        worst = max(row["interior_p"] for row in rows)
        places = ", ".join(f"{row['student']} {number(row['best'], 'g')}" for row in rows)
        return SUPPORTED, (
            f"The best density is inside the tried range for all {len(rows)} students ({places} dex); "
            f"the largest p is {p_value(worst)}."
        )
    ends = [(row, name) for row in rows for name in ("lowest", "highest")]
    adjusted = paired.holm([row[f"{name}_best_p"] for row, name in ends])
    at_end = [
        (row, name, p) for (row, name), p in zip(ends, adjusted, strict=True) if p is not None and p < ALPHA
    ]
    if at_end:
        row, name, p = min(at_end, key=lambda found: found[2])
        return NOT_SUPPORTED, (
            f"For {row['student']} the {name} density tried is better than every target inside the range "
            f"(adjusted p {p_value(p)}); so for {len({r['student'] for r, _, _ in at_end})} "
            f"of {len(rows)} students."
        )
    least = max(rows, key=lambda row: row["interior_p"])
    return UNDECIDED, (
        f"The optimum is inside the tried range for {len(inner)} of {len(rows)} students; for "
        f"{least['student']} the best is {number(least['best'], 'g')} dex [{number(least['low'], 'g')}, "
        f"{number(least['high'], 'g')}] and p {p_value(least['interior_p'])}."
    )
