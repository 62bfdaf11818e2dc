"""Loss against response budget: the students measured, the laws fitted below the highest budget."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.pictures.svg import COLOURS, GREY, INK, PAPER, draw
from stages.tables import forecasts
from stages.tables.figures import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Rows = list[dict[str, Any]]

# A law keeps its colour and dashes in every picture; the headline law is drawn solid and strong.
LINES: dict[str, tuple[str, Any]] = {
    "rectified": (COLOURS[0], "-"),
    "rectified_tied": (COLOURS[5], (0, (6, 2))),
    "power": (COLOURS[1], (0, (4, 1.5, 1, 1.5))),
    "exponential": (COLOURS[2], (0, (1.2, 1.2))),
    "last_two": (GREY, (0, (3, 3))),
    "coverage": (COLOURS[3], (0, (8, 2, 1, 2, 1, 2))),
    "combination": (COLOURS[4], (0, (5, 1.5))),
}
_OBSERVED = "observed"
_BESIDE = 0.05  # octaves of budget between the marks of two seeds


class CurvePoint(NamedTuple):
    """One budget of one law's curve."""

    student: str
    density: float
    law: str
    budget: float
    loss: float  # nats per answer token
    low: float | None
    high: float | None


def read_curves(text: str) -> list[CurvePoint]:
    """Read `curves.csv`."""
    return [
        CurvePoint(
            row["student"],
            float(row["density"]),
            row["law"],
            float(row["budget"]),
            float(row["loss"]),
            float(row["low"]) if row["low"] else None,
            float(row["high"]) if row["high"] else None,
        )
        for row in csv.DictReader(io.StringIO(text))
    ]


def law_picture(
    density: float, seeds: Rows, curves: Sequence[CurvePoint], laws: dict[str, Any], budget: int
) -> str:
    """Draw one density's students: every training seed, their means, every law, the held-out budget.

    Args:
        density: dex.
        seeds: rows of the table `seeds`.
        curves: of every student and density.
        laws: the document `laws.json`.
        budget: the held-out budget.
    """
    here = [row for row in seeds if row["density"] == density and row["share"] == 1]
    students = list(dict.fromkeys(row["student"] for row in here))

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(len(students), 1, squeeze=False)[:, 0]
        for ax, student in zip(axes, students, strict=True):
            mine = [row for row in here if row["student"] == student]
            lines = [c for c in curves if (c.student, c.density) == (student, density) and c.law != _OBSERVED]
            _panel(ax, mine, lines, forecasts.rivals(laws, student, density), laws["level"], budget)
            ax.set_title(f"{student}, density {density} dex")

    title = f"Eval loss against response budget at density {density}, with the laws fitted below {budget}"
    return draw(f"law-{density}", title, (11, 5.2 * len(students)), paint)


def _panel(
    ax: "Axes", seeds: Rows, curves: list[CurvePoint], entries: Rows, level: float, budget: int
) -> None:
    budgets = sorted({row["budget"] for row in seeds})
    right = 2 * budget
    ax.set_xscale("log", base=2)
    if len(budgets) > 1:
        ax.axvspan((budgets[-2] * budget) ** 0.5, right, color=GREY, alpha=0.12, linewidth=0)
        ax.annotate(
            "held out of every fit",
            (1, 1),
            xycoords="axes fraction",
            xytext=(-6, -6),
            textcoords="offset points",
            ha="right",
            va="top",
            style="italic",
        )
    for entry in sorted(entries, key=lambda e: e["law"] != forecasts.HEADLINE_LAW):
        _line(ax, entry, [c for c in curves if c.law == entry["law"]], level, right)
    below = [row for row in seeds if row["budget"] < budget]
    held = [row for row in seeds if row["budget"] == budget]
    dots = {"linestyle": "none", "marker": "o", "markersize": 4.5, "color": INK}
    _dots(ax, below, dots | {"zorder": 4, "label": "training seed"})
    _dots(ax, held, dots | {"zorder": 7, "markerfacecolor": PAPER})
    mean: dict[str, Any] = {
        "linestyle": "none",
        "marker": "_",
        "markersize": 20,
        "markeredgewidth": 2.2,
        "zorder": 5,
    }
    means = [(r, _mean(seeds, r)) for r in budgets if r < budget]
    if means:
        ax.plot(*zip(*means, strict=True), color=INK, label="mean over seeds", **mean)
    if held:
        star: dict[str, Any] = {
            "linestyle": "none",
            "marker": "*",
            "markersize": 19,
            "color": COLOURS[4],
            "zorder": 6,
        }
        label = f"mean measured at {budget}"
        ax.plot([budget], [_mean(seeds, budget)], markeredgecolor=INK, label=label, **star)
    ax.set_xticks(budgets, [str(r) for r in budgets])
    ax.minorticks_off()
    ax.set_xlim(budgets[0] / 1.25, right)
    ax.set_ylim(*_range(seeds, entries))
    ax.set_xlabel("response budget r (responses per question, logarithmic)")
    ax.set_ylabel("eval loss (nats per answer token)")
    handles, labels = ax.get_legend_handles_labels()
    beside: dict[str, Any] = {"loc": "center left", "bbox_to_anchor": (1.01, 0.5), "alignment": "left"}
    ax.legend(handles, labels, title=f"law: error at {budget}", **beside)


def _line(ax: "Axes", entry: dict[str, Any], points: list[CurvePoint], level: float, right: float) -> None:
    """Draw one law; a refused one has its place in the legend and no line."""
    law = entry["law"]
    colour, dashes = LINES.get(law, (GREY, ":"))
    strong = law == forecasts.HEADLINE_LAW
    error = entry["prediction"]["relative_error"]
    label = f"{law}: {percent(error) if error is not None else entry['status']}"
    shown = [p for p in points if p.budget <= right]
    r = [p.budget for p in shown]
    look: dict[str, Any] = {
        "color": colour,
        "linestyle": dashes if shown else "none",
        "linewidth": 2.6 if strong else 1.6,
    }
    ax.plot(r, [p.loss for p in shown], **look, label=label, zorder=3 if strong else 2)
    if strong and shown and all(p.low is not None and p.high is not None for p in shown):
        low, high = [p.low or 0.0 for p in shown], [p.high or 0.0 for p in shown]
        ax.fill_between(
            r, low, high, color=colour, alpha=0.16, linewidth=0, label=f"its {100 * level:g} % interval"
        )


def _dots(ax: "Axes", rows: Rows, look: dict[str, Any]) -> None:
    """Draw each training seed a little beside the others, so that equal losses do not hide each other."""
    seeds = sorted({row["seed"] for row in rows})
    beside = {seed: 2 ** (_BESIDE * (i - (len(seeds) - 1) / 2)) for i, seed in enumerate(seeds)}
    if rows:
        ax.plot([row["budget"] * beside[row["seed"]] for row in rows], [row["loss"] for row in rows], **look)


def _mean(rows: Rows, budget: int) -> float:
    losses = [row["loss"] for row in rows if row["budget"] == budget]
    return float(sum(losses) / len(losses))


def _range(seeds: Rows, entries: Rows) -> tuple[float, float]:
    """Return what to show: every loss, and forecasts and the headline interval as far as they leave room."""
    losses = [row["loss"] for row in seeds]
    low, high = min(losses), max(losses)
    span = max(high - low, 0.02 * high)
    told = [e["prediction"]["loss"] for e in entries]
    told += [
        e["prediction"][end] for e in entries if e["law"] == forecasts.HEADLINE_LAW for end in ("low", "high")
    ]
    near = [t for t in told if t is not None and low - 0.6 * span <= t <= high + 0.3 * span]
    return max(min([low, *near]) - 0.08 * span, 0.0), max([high, *near]) + 0.12 * span
