"""The advice: its back-test as a picture, and the ranking read back from advice.json."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.advice import text
from stages.advice.costs import Cost
from stages.advice.purchases import Purchase
from stages.grid import SOURCES, Cut
from stages.pictures import budget_panels as panels
from stages.pictures.budget_panels import Row, mark, of
from stages.pictures.svg import INK, draw
from stages.tables.grids import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EXTREME = 0.02  # share of the marks at either end that may lie beyond the frame
_FIELDS = ("kind", "name", "change", "low", "high", "level", "back_tested", "verdict", "reason", "rank")


def back_test(outcomes: Sequence[Row], level: float) -> str:
    """Draw predicted against observed changes of the loss, each axis apart.

    Args:
        outcomes: of the back-test, as advice.json has them.
        level: of the intervals.
    """
    names = panels.domains(outcomes, SOURCES)
    kinds = {
        "More responses": (panels.RESPONSES, of(outcomes, axis="responses")),
        "More questions": (panels.QUESTIONS, of(outcomes, axis="questions")),
        "New questions": (panels.QUESTIONS, of(outcomes, axis="new_questions")),
    }
    low, high = _reach(outcomes)

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, 3, sharex=True, sharey=True)
        for ax, (title, (colour, rows)) in zip(axes, kinds.items(), strict=True):
            ax.plot([low, high], [low, high], color=INK, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
            for i, domain in enumerate(names):
                for covered in (True, False):
                    mine = of(rows, domain=domain, covered=covered)
                    x = [row["predicted"] for row in mine]
                    ends = panels.bars([row["low"] for row in mine], x, [row["high"] for row in mine])
                    y = [row["observed"] for row in mine]
                    look = mark(colour, panels.MARKERS[i % 6], covered, 5) | {"capsize": 0, "zorder": 3}
                    look |= {"elinewidth": 0.7, "ecolor": (colour, 0.3)}
                    ax.errorbar(x, y, xerr=ends, **look)
            inside = sum(row["covered"] for row in rows)
            ax.set_title(f"{title}: {inside} of {len(rows)} inside")
            beyond = sum(not low <= row["predicted"] <= high for row in rows)
            if beyond:
                panels.say(ax, f"{beyond} beyond the frame", "lower right")
            ax.set_xlabel("predicted change of the loss (nats per answer token)")
            ax.set_xlim(low, high)
            ax.set_ylim(low, high)
        axes[0].set_ylabel("observed change (nats per answer token)")
        handles = [panels.swatch(name, marker=panels.MARKERS[i % 6]) for i, name in enumerate(names)]
        handles += [
            panels.swatch(
                f"hollow: outside the {100 * level:g} % interval", marker="o", markerfacecolor="none"
            ),
            panels.swatch("predicted = observed", linestyle=(0, (4, 3))),
        ]
        panels.legend(figure, handles, across=6)

    title = "Back-test of the advice: predicted against observed changes of the eval loss"
    return draw("advice-backtest", title, (14, 5.6), paint)


def _reach(outcomes: Sequence[Row]) -> tuple[float, float]:
    """Return the frame of both axes: every observed change, and the predicted ones but for extremes."""
    observed = [row["observed"] for row in outcomes] or [0.0]
    predicted = np.quantile([row["predicted"] for row in outcomes] or [0.0], [_EXTREME, 1 - _EXTREME])
    low, high = min(0.0, *observed, *predicted), max(0.0, *observed, *predicted)
    room = 0.06 * (high - low) or 1.0
    return float(low - room), float(high + room)


def ranking(document: Mapping[str, Any]) -> Grid:
    """Return the table of purchases, the best first.

    Args:
        document: advice.json.
    """
    rows = [read_back(row) for row in document["purchases"]]
    return text.purchases("Next purchases", rows, document["unit"], document["level"])


def read_back(row: Mapping[str, Any]) -> Purchase:
    """Return a purchase from its row in advice.json."""
    return Purchase(
        **{name: row[name] for name in ("teacher", "student", "domain", *_FIELDS, "rank_in_group")},
        held=Cut(row["held_share"], row["held_budget"]),
        bought=Cut(row["share"], row["budget"]),
        cost=Cost(row["calls"], row["prompt_tokens"], row["completion_tokens"], row["cost_usd"]),
    )


def grids(document: Mapping[str, Any]) -> list[Grid]:
    """Return the ranking and the back-test's tables."""
    told = dict(document)
    return [ranking(document), text.trials(told), text.choices(told), text.laws(told)]
