"""Eval loss against budget: the laws, the mixed source, other temperatures and thresholds."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stages.pictures import budget_panels as panels
from stages.pictures.budget_panels import Row, mark, of
from stages.pictures.law import LINES
from stages.pictures.svg import GREY, INK, draw
from stages.scaling.forecasts import COMBINATION, RECTIFIED
from stages.tables.figures import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NUMBERS = ("share", "budget", "loss", "low", "high")


def read(text: str) -> list[Row]:
    """Read `curves.csv` of a study; what is empty is None."""
    return [
        {k: (float(v) if v else None) if k in _NUMBERS else v for k, v in row.items()}
        for row in csv.DictReader(io.StringIO(text))
    ]


def laws(
    cells: Sequence[Row], curves: Sequence[Row], errors: Sequence[Row], budget: int, level: float
) -> str:
    """Draw every pair and domain at all questions: measured losses, and two laws fitted below the top budget.

    Args:
        cells: rows of the table `cells`.
        curves: rows of curves.csv.
        errors: rows of the table `law_errors`.
        budget: held out.
        level: of the intervals.
    """
    pairs, names = panels.pairs(cells, errors), panels.domains(errors)
    grid = of(panels.plain(cells), share=1.0)

    def paint(figure: "Figure") -> None:
        axes = panels.panels(figure, [panels.pair(*p) for p in pairs], names, sharex=True)
        for row, (teacher, student) in zip(axes, pairs, strict=True):
            for ax, domain in zip(row, names, strict=True):
                where = {"teacher": teacher, "student": student, "domain": domain}
                here = where | {"share": 1.0}
                _laws_panel(ax, of(grid, **where), of(curves, **here), of(errors, **here), budget)
        _labels(figure, axes)
        colour, dashes = LINES[RECTIFIED]
        look: dict[str, Any] = {"linestyle": "none", "marker": "o"}
        handles = [
            panels.swatch("measured, mean ± std over seeds", **look),
            panels.swatch(f"measured at {budget}, held out", **look, markerfacecolor="none"),
            panels.swatch("rectified law", color=colour, linestyle=dashes, linewidth=2),
            panels.shade(f"its calibrated {100 * level:g} % interval", colour, 0.2),
            panels.swatch(
                COMBINATION, color=LINES[COMBINATION][0], linestyle=LINES[COMBINATION][1], linewidth=2
            ),
            panels.shade("held out of every fit"),
        ]
        panels.legend(figure, handles, across=3)

    title = f"Eval loss against response budget by pair and domain, with the laws fitted below {budget}"
    return draw("laws", title, (11, 1.3 + 2.35 * len(pairs)), paint)


def _laws_panel(ax: Any, cells: list[Row], curves: list[Row], errors: list[Row], budget: int) -> None:
    cells = sorted(cells, key=lambda row: int(row["budget"]))
    budgets = [row["budget"] for row in cells]
    panels.octaves(ax, budgets)
    right = budget * 2**0.5
    below = [r for r in budgets if r < budget]
    if below:
        ax.axvspan((below[-1] * budget) ** 0.5, right, color=GREY, alpha=0.15, linewidth=0)
    seen = [row["loss_mean"] + side * (row["loss_std"] or 0.0) for row in cells for side in (-1, 1)]
    told = []
    for law in (RECTIFIED, COMBINATION):
        line = sorted(of(curves, law=law), key=lambda p: float(p["budget"]))
        line = [p for p in line if p["budget"] <= right]
        colour, dashes = LINES[law]
        ax.plot(
            [p["budget"] for p in line],
            [p["loss"] for p in line],
            color=colour,
            linestyle=dashes,
            linewidth=2,
        )
        # Up to the largest fitted budget the interval is another: one of the fit, not calibrated.
        ahead = [p for p in line if below and p["budget"] > below[-1] and law == RECTIFIED]
        band = [p for p in ahead if None not in (p["low"], p["high"])]
        ends = [[p[end] for p in band] for end in ("low", "high")]
        ax.fill_between([p["budget"] for p in band], *ends, color=colour, alpha=0.2, linewidth=0)
        for row in of(errors, law=law):
            off = row["status"] if row["relative_error"] is None else percent(row["relative_error"])
            told.append(f"{law} {off}")
            seen += [
                row[end] for end in ("predicted", "low", "high") if row[end] is not None and law == RECTIFIED
            ]
    for row in cells:
        std = row["loss_std"] or 0.0
        look = mark(INK, "o", filled=row["budget"] < budget)
        ax.errorbar([row["budget"]], [row["loss_mean"]], yerr=[std], zorder=4, **look)
    panels.say(ax, "\n".join(told))
    ax.set_xlim(min(budgets, default=1) / 1.25, right)
    _room(ax, cells, seen)


def _room(ax: Any, cells: Sequence[Row], seen: Sequence[float]) -> None:
    """Show every measured loss, and what was foretold as far as it leaves room, with a line of text above."""
    losses = [row["loss_mean"] for row in cells]
    if not losses:
        return
    span = max(max(losses) - min(losses), 0.02 * max(losses))
    near = [x for x in seen if min(losses) - 0.5 * span <= x <= max(losses) + 0.3 * span]
    low, high = min([*losses, *near]), max([*losses, *near])
    ax.set_ylim(low - 0.08 * (high - low), high + 0.12 * (high - low))


def _labels(figure: Any, axes: Any, x: str = panels.BUDGET) -> None:
    figure.supylabel(panels.LOSS, fontsize=11)
    figure.supxlabel(x, fontsize=11)
    for ax in axes.flat:
        ax.tick_params(axis="y", labelsize=9)


def mixed(cells: Sequence[Row]) -> str:
    """Draw the mixed source per pair: more questions asked once, each fixed question set asked more often.

    Args:
        cells: rows of the table `cells`.
    """
    grid = of(panels.plain(cells), domain="mixed")
    pairs = panels.distinct(grid, "teacher", "student")
    fixed = sorted({row["share"] for row in grid if row["budget"] > 1})
    series: list[tuple[str, str, str, Any, dict[str, Any]]] = [
        ("more questions, r = 1", panels.QUESTIONS, "o", "-", {"budget": 1})
    ]
    for i, share in enumerate(fixed):
        label = f"{panels.share_name(share)}, r raised"
        look = (panels.share_colour(share), panels.MARKERS[1 + i % 5], panels.DASHES[1 + i % 3])
        series.append((label, *look, {"share": share}))

    def paint(figure: "Figure") -> None:
        across = 2 if len(pairs) > 1 else 1
        down = -(-len(pairs) // across)
        axes = figure.subplots(down, across, squeeze=False, sharex=True)
        handles: list[Any] = []
        for ax, (teacher, student) in zip(axes.flat, pairs, strict=False):
            mine = of(grid, teacher=teacher, student=student)
            for i, (label, colour, marker, dashes, where) in enumerate(series):
                line = sorted(of(mine, **where), key=lambda row: int(row["sample_budget"]))
                handles.append(
                    ax.errorbar(
                        [row["sample_budget"] * panels.beside(i, len(series), 0.05) for row in line],
                        [row["loss_mean"] for row in line],
                        yerr=[row["loss_std"] or 0.0 for row in line],
                        label=label,
                        **mark(colour, marker) | {"linestyle": dashes, "linewidth": 1.6},
                    )
                )
            panels.octaves(ax, [row["sample_budget"] for row in grid])
            ax.tick_params(labelbottom=True)
            ax.set_title(panels.pair(teacher, student), fontsize=10.5)
        for ax in list(axes.flat)[len(pairs) :]:
            ax.set_axis_off()
        _labels(figure, axes, "sample budget N (responses in all, logarithmic)")
        panels.legend(figure, handles, across=3)

    title = "Mixed source: eval loss against sample budget, more questions against fixed question sets"
    return draw("mixed", title, (11, 1.1 + 2.7 * max(-(-len(pairs) // 2), 1)), paint)


def variants(cells: Sequence[Row], varied: Sequence[Row]) -> str:
    """Draw the losses of ledgers drawn at other temperatures, and of those judged by other thresholds.

    Args:
        cells: rows of the table `cells`.
        varied: rows of the table `variants`; the first of each domain is not varied.
    """
    boxes: list[tuple[str, str, list[Row], Row]] = []
    for (domain,) in panels.distinct(varied, "domain"):
        first, *others = of(varied, domain=domain)
        for what in ("temperature", "tolerance"):
            rows = [row for row in others if row[what] != first[what]]
            if rows:
                boxes.append((domain, what, sorted([first, *rows], key=lambda r: float(r[what])), first))

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, max(len(boxes), 1), squeeze=False, sharey=True)
        for ax, (domain, what, rows, first) in zip(axes.flat, boxes, strict=False):
            for i, row in enumerate(rows):
                label = f"{what} {row[what]:g}" + (" (as in the study)" if row is first else "")
                colour, marker, dashes = _variant(row[what], first[what])
                line = _line(cells, row, [r for r in rows if r is not first])
                ax.errorbar(
                    [point["budget"] * panels.beside(i, len(rows), 0.05) for point in line],
                    [point["loss_mean"] for point in line],
                    yerr=[point["loss_std"] or 0.0 for point in line],
                    label=label,
                    **mark(colour, marker) | {"linestyle": dashes, "linewidth": 1.6},
                )
            panels.octaves(ax, [cell["budget"] for row in rows for cell in _line(cells, row, rows)])
            ax.set_title(
                f"{domain}: {'sampling' if what == 'temperature' else 'accepted relative'} {what}",
                fontsize=10.5,
            )
            ax.legend(fontsize=9.5)
        _labels(figure, axes)

    title = "Eval loss against response budget at other temperatures and acceptance thresholds"
    return draw("variants", title, (11, 4.0), paint)


def _variant(value: float, plain: float) -> tuple[str, str, Any]:
    """Return colour, marker and dashes: ink as in the study, a brown below it, grey above."""
    if value == plain:
        return INK, "o", "-"
    return ("#a0741c", "v", (0, (5, 1.5))) if value < plain else (GREY, "^", (0, (1.2, 1.2)))


def _line(cells: Sequence[Row], row: Row, varied: Sequence[Row]) -> list[Row]:
    """Return one ledger's cells at all questions, of the student that the variants have."""
    keys = ("teacher", "domain", "protocol")
    has = {
        c["student"]
        for v in varied
        for c in of(cells, **{k: v[k] for k in keys}, share=1.0, matched="samples")
    }
    student = next((c["student"] for c in cells if c["student"] in has), None)
    mine = of(cells, **{k: row[k] for k in keys}, student=student, share=1.0, matched="samples")
    return sorted(mine, key=lambda cell: int(cell["budget"]))
