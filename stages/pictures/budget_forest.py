"""Differences with their intervals: matched budgets, protocols, and the laws' errors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stages.findings import ALPHA
from stages.pictures import budget_panels as panels
from stages.pictures.budget_panels import Row, mark, of
from stages.pictures.law import LINES
from stages.pictures.svg import COLOURS, GREY, INK, draw
from stages.scaling.forecasts import COMBINATION, RECTIFIED
from stages.tables.figures import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_EQUAL = {  # what a protocol has in common with plain sampling: name, colour, marker
    "samples": ("equal N", COLOURS[1], "o"),
    "tokens": ("equal teacher tokens", COLOURS[5], "s"),
    "responses": ("equal responses per question, not tested", GREY, "D"),
}
_LINEAR = 0.01  # relative errors below this are drawn on a linear scale


def matched(rows: Sequence[Row], cells: Sequence[Row]) -> str:
    """Draw FSS − SE against N for every pair and domain, a marker for each kind of pairing.

    Args:
        rows: of the table `matched`.
        cells: of the table `cells`, whose order the pairs have.
    """
    pairs, names = panels.pairs(cells, rows), panels.domains(rows)
    kinds = panels.distinct(rows, "fss_share", "se_share")

    def paint(figure: "Figure") -> None:
        axes = panels.panels(figure, [panels.pair(*p) for p in pairs], names, sharex=True, sharey=True)
        for row, (teacher, student) in zip(axes, pairs, strict=True):
            for ax, domain in zip(row, names, strict=True):
                mine = of(rows, teacher=teacher, student=student, domain=domain)
                for i, (fewer, more) in enumerate(kinds):
                    for one in of(mine, fss_share=fewer, se_share=more):
                        x = one["sample_budget"] * panels.beside(i, len(kinds), 0.16)
                        _interval(ax, one, x, panels.MARKERS[i % 6])
                panels.octaves(ax, [r["sample_budget"] for r in rows])
                panels.zero(ax)
                ax.tick_params(axis="y", labelsize=9)
        low, high = axes[0, 0].get_ylim()
        reach = 1.05 * max(-low, high)
        for ax in axes.flat:
            ax.set_ylim(-reach, reach)
            ax.axhspan(0, reach, color=panels.QUESTIONS, alpha=0.1, linewidth=0)
            ax.axhspan(-reach, 0, color=panels.RESPONSES, alpha=0.12, linewidth=0)
        figure.supxlabel("sample budget N (responses in all, logarithmic)", fontsize=11)
        figure.supylabel("eval loss, FSS − SE (nats per answer token)", fontsize=11)
        handles = [
            panels.swatch(
                f"{_asked(fewer, more / fewer)} against {_asked(more, 1)}", marker=panels.MARKERS[i % 6]
            )
            for i, (fewer, more) in enumerate(kinds)
        ]
        handles += [
            panels.shade("more questions (SE) better", panels.QUESTIONS),
            panels.shade("more responses (FSS) better", panels.RESPONSES, 0.18),
            panels.swatch("hollow: not told apart (Holm)", marker="o", markerfacecolor="none"),
        ]
        panels.legend(figure, handles, across=3)

    title = "Difference of eval loss, more responses minus more questions, at equal sample budgets"
    return draw("matched", title, (11, 1.4 + 2.2 * len(pairs)), paint)


def _asked(share: float, times: float) -> str:
    return f"{'' if share == 1 else f'{share:g} '}Q · {'' if times == 1 else f'{times:g} '}r"


def _interval(ax: Any, row: Row, x: float, marker: str) -> None:
    value = row["loss_difference"]
    clear = row["loss_p_holm"] is not None and row["loss_p_holm"] < ALPHA
    ends = panels.bars([row["loss_low"]], [value], [row["loss_high"]])
    ax.errorbar([x], [value], yerr=ends, **mark(INK, marker, filled=clear, size=4.5))


def protocols(rows: Sequence[Row], margins: Mapping[str, float]) -> str:
    """Draw every protocol's difference to plain rejection sampling, a panel per domain.

    Args:
        rows: of the table `protocols`.
        margins: by domain, nats per answer token: smaller differences count as none.
    """
    names = panels.domains(rows)
    labels = [name for (name,) in panels.distinct(rows, "protocol")]
    kinds = [kind for kind in _EQUAL if of(rows, held_equal=kind)]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, max(len(names), 1), squeeze=False, sharey=True)[0]
        for ax, domain in zip(axes, names, strict=False):
            if domain in margins:
                ax.axvspan(-margins[domain], margins[domain], color=GREY, alpha=0.15, linewidth=0)
            for i, kind in enumerate(kinds):
                mine = of(rows, domain=domain, held_equal=kind)
                _, colour, marker = _EQUAL[kind]
                ax.errorbar(
                    value := [row["loss_difference"] for row in mine],
                    [labels.index(row["protocol"]) + 0.24 * (i - (len(kinds) - 1) / 2) for row in mine],
                    xerr=panels.bars(
                        [row["loss_low"] for row in mine], value, [row["loss_high"] for row in mine]
                    ),
                    **mark(colour, marker) | {"elinewidth": 1.5},
                )
            panels.zero(ax, across=False)
            ax.set_title(domain)
            ax.set_yticks(range(len(labels)), [name.replace("_", " ") for name in labels])
            ax.tick_params(axis="y", length=0)
            ax.locator_params(axis="x", nbins=4)
        if labels:
            axes[0].set_ylim(len(labels) - 0.5, -0.5)
        figure.supxlabel(
            "eval loss, protocol − plain (nats per answer token); left of 0 the protocol is better",
            fontsize=11,
        )
        handles = [panels.swatch(_EQUAL[k][0], color=_EQUAL[k][1], marker=_EQUAL[k][2]) for k in kinds]
        panels.legend(figure, [*handles, *([panels.shade("counts as no difference")] if margins else [])])

    title = "Difference of eval loss between every protocol and plain rejection sampling, per domain"
    return draw("protocols", title, (11, 1.3 + 0.5 * len(labels)), paint)


def law_errors(rows: Sequence[Row], laws: Sequence[Row], budget: int) -> str:
    """Draw every law's relative error at the held-out budget, a dot per curve, the best law first.

    Args:
        rows: of the table `law_errors`.
        laws: of the table `laws`, by median absolute error.
        budget: held out.
    """
    from matplotlib.ticker import FixedLocator, NullLocator

    order = [row["law"] for row in laws]
    known = [row for row in rows if row["relative_error"] is not None]
    reach = 1.25 * max((abs(row["relative_error"]) for row in known), default=_LINEAR)
    size = max((len(of(known, law=law)) for law in order), default=1)

    def paint(figure: "Figure") -> None:
        ax = figure.subplots()
        for y, (law, summary) in enumerate(zip(order, laws, strict=True)):
            mine = of(known, law=law)
            for i, row in enumerate(mine):
                style = mark(_colour(law), "o" if row["covered"] is not None else "x", row["covered"] is True)
                place = y + 0.62 * ((i + 0.5) / size - 0.5)
                ax.plot([row["relative_error"]], [place], **{k: style[k] for k in _DOT})
            median = summary["median_error"]
            refused = summary["curves"] - summary["forecasts"]
            said = percent(median, ".1f") + (f", {refused} refused" if refused else "")
            ax.text(1.02, y, said, transform=ax.get_yaxis_transform(), va="center", fontsize=10)
        ax.text(1.02, -0.75, "median |error|", transform=ax.get_yaxis_transform(), va="center", fontsize=10)
        panels.zero(ax, across=False)
        ax.set_xscale("symlog", linthresh=_LINEAR, linscale=0.8)
        ax.set_xlim(-reach, reach)
        steps = [s for s in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0) if s <= reach]
        ticks = [-s for s in reversed(steps)] + [0.0, *steps]
        ax.xaxis.set_major_locator(FixedLocator(ticks))
        ax.xaxis.set_minor_locator(NullLocator())
        ax.set_xticks(ticks, [percent(t, "+g") if t else "0" for t in ticks])
        ax.set_yticks(range(len(order)), [law.replace("_", " ") for law in order])
        ax.set_ylim(len(order) - 0.4, -1.0)
        ax.tick_params(axis="y", length=0)
        ax.set_xlabel("(predicted − measured) / measured, logarithmic beyond ±1 %")
        look: dict[str, Any] = {"marker": "o"}
        handles = [
            panels.swatch("inside the interval", **look),
            panels.swatch("outside", **look, markerfacecolor="none"),
        ]
        if any(row["covered"] is None for row in known):
            handles.append(panels.swatch("without an interval", marker="x"))
        panels.legend(figure, handles)

    title = f"Relative error of every law at the held-out budget {budget}, a dot per curve"
    return draw("law-errors", title, (11, 1.2 + 0.52 * len(order)), paint)


_DOT = ("linestyle", "marker", "markersize", "markerfacecolor", "markeredgecolor", "color")


def _colour(law: str) -> str:
    return LINES[law][0] if law in (RECTIFIED, COMBINATION) else GREY
