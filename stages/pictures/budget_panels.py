"""Small multiples of a study of budgets: panels by pair and domain, and the colours they have in common."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from stages.grid import DOMAINS, PLAIN
from stages.pictures.svg import COLOURS, GREY, INK, PAPER
from stages.tables.figures import whole

Row = dict[str, Any]

LOSS = "eval loss (nats per answer token)"
BUDGET = "response budget r (responses per question, logarithmic)"
RESPONSES, QUESTIONS = COLOURS[3], COLOURS[2]  # more responses (FSS), more questions (SE)
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1, 1.5)))
_FEWEST, _ALL = (0xC0, 0xA4, 0xE6), (0x78, 0x50, 0xC2)  # purple, light and strong: of ⅛ and of all questions
_DEPTH = 3  # octaves between the two


def share_colour(share: float) -> str:
    """Return the colour of a question share, the same for each in every picture."""
    part = min(max(1 + math.log2(share) / _DEPTH, 0.0), 1.0)
    mixed = (round(a + part * (b - a)) for a, b in zip(_FEWEST, _ALL, strict=True))
    return "#" + "".join(f"{value:02x}" for value in mixed)


def distinct(rows: Iterable[Row], *names: str) -> list[tuple[Any, ...]]:
    """Return the distinct values of some columns, in the rows' order."""
    return list(dict.fromkeys(tuple(row[name] for name in names) for row in rows))


def domains(rows: Iterable[Row], known: Sequence[str] = DOMAINS) -> list[str]:
    """Return the domains of the rows in their common order, of those known; the mixed source is no domain."""
    found = {row["domain"] for row in rows}
    return [domain for domain in known if domain in found]


def plain(cells: Iterable[Row]) -> list[Row]:
    """Return the cells of plain rejection sampling."""
    return [r for r in cells if r["protocol"] == PLAIN.protocol and r["matched"] == PLAIN.matched]


def pairs(cells: Iterable[Row], rows: Iterable[Row]) -> list[tuple[str, str]]:
    """Return the rows' pairs of teacher and student, in the order of the cells."""
    found = set(distinct(rows, "teacher", "student"))
    return [pair for pair in distinct(cells, "teacher", "student") if pair in found]


def of(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    """Return the rows that have these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def panels(figure: Any, rows: Sequence[str], columns: Sequence[str], **shared: Any) -> Any:
    """Return axes, one for each row and column, each with its title.

    Args:
        figure: matplotlib figure.
        rows: names, from the top.
        columns: names, from the left.
        shared: which axes are shared, as `subplots` takes it.
    """
    axes = figure.subplots(len(rows), len(columns), squeeze=False, **shared)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            axes[i, j].set_title(f"{column}: {row}", fontsize=10)
    return axes


def pair(teacher: str, student: str) -> str:
    """Return a teacher–student pair for the eye."""
    return f"{teacher} → {student}"


def share_name(share: float) -> str:
    """Return a question share for the eye."""
    return "all questions" if share == 1 else f"{share:g} of the questions"


def octaves(ax: Any, values: Iterable[int]) -> None:
    """Make an axis' x logarithmic, with ticks at these values."""
    ticks = sorted(set(values))
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [whole(tick) for tick in ticks], fontsize=9)
    ax.minorticks_off()


def beside(i: int, count: int, step: float = 0.09) -> float:
    """Return by what factor to shift the i-th of several marks at one x, so that none hides another."""
    return float(2 ** (step * (i - (count - 1) / 2)))


def bars(low: Sequence[float | None], value: Sequence[float], high: Sequence[float | None]) -> Any:
    """Return the lengths of error bars, 2 × n; an open end has none."""
    # Rounding puts the end of an interval of 0 % a hair above 0.
    down = [0.0 if end is None else max(v - end, 0.0) for end, v in zip(low, value, strict=True)]
    up = [0.0 if end is None else max(end - v, 0.0) for end, v in zip(high, value, strict=True)]
    return [down, up]


def mark(colour: str, marker: str, filled: bool = True, size: float = 5.5) -> dict[str, Any]:
    """Return the look of a mark with its error bar and no line."""
    face = colour if filled else PAPER
    look: dict[str, Any] = {"linestyle": "none", "marker": marker, "markersize": size, "capsize": 2}
    return look | {"color": colour, "markerfacecolor": face, "markeredgecolor": colour, "elinewidth": 1}


def zero(ax: Any, across: bool = True) -> None:
    """Draw the line of no difference."""
    (ax.axhline if across else ax.axvline)(0, color=INK, linewidth=1, zorder=1)


def say(ax: Any, text: str, corner: str = "upper right", **look: Any) -> None:
    """Write into a corner of the axes."""
    up, right = corner.split()
    x, y = (0.98 if right == "right" else 0.02), (0.97 if up == "upper" else 0.03)
    place = {"ha": right, "va": "top" if up == "upper" else "bottom", "transform": ax.transAxes}
    ax.text(x, y, text, **({"fontsize": 8.5, "color": INK, "zorder": 6} | place | look))


def legend(figure: Any, handles: Sequence[Any], across: int = 4) -> None:
    """Put one legend above all panels, of the handles with a label, each label once."""
    named = {h.get_label(): h for h in handles}
    names = [name for name in named if not str(name).startswith("_")]
    found = [named[name] for name in names]
    figure.legend(found, names, loc="outside upper center", ncols=min(len(names), across), fontsize=9.5)


def swatch(label: str, **look: Any) -> Any:
    """Return a legend's handle that is drawn nowhere."""
    from matplotlib.lines import Line2D

    style: dict[str, Any] = {"color": INK, "linestyle": "none"} | look
    return Line2D([], [], label=label, **style)


def shade(label: str, colour: str = GREY, alpha: float = 0.15) -> Any:
    """Return a legend's handle of a shaded region."""
    from matplotlib.patches import Patch

    return Patch(color=colour, alpha=alpha, linewidth=0, label=label)
