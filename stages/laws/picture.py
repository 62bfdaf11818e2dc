"""Pictures of the back-tests: errors by horizon, and how often intervals held what they should."""

from typing import TYPE_CHECKING, Any

from stages.laws import combination
from stages.laws.backtest import Rows
from stages.laws.published import LAWS, LEVEL, PROFILED
from stages.pictures.svg import COLOURS, GREY, INK, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = {
    "rectified": COLOURS[0],
    "rectified_tied": COLOURS[5],
    "power": COLOURS[1],
    "exponential": COLOURS[2],
    combination.LINE: GREY,
    combination.NAME: INK,
}
_KINDS = {"calibrated": "-", "profile": (0, (4, 2)), "bootstrap": (0, (1, 1.5))}
_SPLIT = "other_families"


def errors(rows: Rows) -> str:
    """Draw the mean error of every law against the horizon, one panel for each data set."""
    mine = [r for r in rows if r["split"] == _SPLIT and r["dataset"] != "all"]
    datasets = list(dict.fromkeys(r["dataset"] for r in mine))

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, len(datasets), squeeze=False, sharey=True)[0]
        for ax, dataset in zip(axes, datasets, strict=True):
            for name, colour in _COLOURS.items():
                told = [r for r in mine if (r["dataset"], r["forecast"]) == (dataset, name)]
                width = 2.5 if name == combination.NAME else 1.5
                ax.plot(
                    [r["times"] for r in told],
                    [100 * r["mean"] for r in told],
                    color=colour,
                    linewidth=width,
                    marker="o",
                    markersize=4,
                    label=name,
                )
            _horizons(ax, sorted({r["times"] for r in mine}))
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
            ax.set_title(dataset)
        axes[0].set_ylabel("mean absolute relative error, %")
        axes[-1].legend(loc="upper left", bbox_to_anchor=(1.02, 1))

    return draw("errors", "Mean error of every law against how far ahead it looks", (11, 4), paint)


def coverage(rows: Rows) -> str:
    """Draw the coverage of every kind of interval against the horizon, one panel for each number of sizes."""
    whole = rows[-1]["dataset"]  # the last group of curves is all of them
    told = [r for r in rows if r["dataset"] == whole and r["split"] in (_SPLIT, "none")]
    mine = [r for r in told if r["fitted"] is not None]
    sizes = [n for n in PROFILED if any(r["fitted"] == n for r in mine)]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, max(len(sizes), 1), squeeze=False, sharey=True)[0]
        for ax, fitted in zip(axes, sizes, strict=False):
            ax.axhspan(LEVEL - 0.05, LEVEL + 0.05, color=GREY, alpha=0.2, linewidth=0)
            for law in (*LAWS, combination.NAME):
                for kind, dashes in _KINDS.items():
                    own = [r for r in mine if (r["law"], r["kind"], r["fitted"]) == (law, kind, fitted)]
                    ax.plot(
                        [r["times"] for r in own],
                        [r["coverage"] for r in own],
                        color=_COLOURS[law],
                        linestyle=dashes,
                        marker="o",
                        markersize=3.5,
                        label=law if kind == "calibrated" else None,
                    )
            _horizons(ax, sorted({r["times"] for r in mine}))
            ax.set_ylim(-0.02, 1.02)
            ax.set_title(f"fitted to {fitted} sizes")
        for kind, dashes in _KINDS.items():
            axes[-1].plot([], [], color=INK, linestyle=dashes, label=kind)
        axes[0].set_ylabel(f"share of curves inside the {100 * LEVEL:g} % interval")
        axes[-1].legend(loc="upper left", bbox_to_anchor=(1.02, 1))

    return draw("coverage", "Coverage of calibrated, profile and bootstrap intervals", (11, 4.4), paint)


def _horizons(ax: Any, times: list[int]) -> None:
    ax.set_xscale("log", base=2)
    ax.set_xticks(times, [f"{t}×" for t in times])
    ax.minorticks_off()
    ax.set_xlabel("times the largest fitted size")
