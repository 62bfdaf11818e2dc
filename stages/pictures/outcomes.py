"""What the pools taught: eval loss against model size, and over data size and target."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stages.grid import Target
from stages.pictures.palette import End, label_ends, looks
from stages.pictures.svg import draw
from stages.tables.figures import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = dict[str, Any]
LOSS = "eval loss (nats per answer token)"
_DODGE = 0.72  # of the space between two students that their targets are spread over


class Students(NamedTuple):
    """The students in the order they are drawn: the sizes of one architecture, then the others."""

    sizes: list[str]  # of the architecture with the most students, by size
    others: list[str]
    parameters: dict[str, int]
    architecture: dict[str, str]

    @property
    def all(self) -> list[str]:
        """Return every student, the sizes first."""
        return [*self.sizes, *self.others]


def students(rows: Sequence[Row], settings: Mapping[str, Any]) -> Students:
    """Return the students of the table, with what their settings say of their architecture.

    A student that is not made here is an architecture of its own.

    Args:
        rows: by_target.
        settings: the section `students` of params.yaml.
    """
    parameters = {row["student"]: row["parameters"] for row in rows}
    made = {name: (settings.get(name) or {}).get("make") or {} for name in parameters}
    architecture = {name: make.get("architecture", name) for name, make in made.items()}
    kinds = list(architecture.values())
    most = max(kinds, key=kinds.count)
    order = sorted(parameters, key=lambda name: (parameters[name], name))
    return Students(
        [n for n in order if architecture[n] == most],
        [n for n in order if architecture[n] != most],
        parameters,
        architecture,
    )


def _places(count: int) -> Any:
    return (np.arange(count) - (count - 1) / 2) * _DODGE / max(count, 1)


def loss_by_size(rows: Sequence[Row], found: Students, tokens: int) -> str:
    """Draw eval loss against model size at one data size: a line per target, other architectures beside it.

    Args:
        rows: by_target.
        found: the students.
        tokens: training tokens.
    """
    at = [row for row in rows if row["tokens"] == tokens]
    shown = looks(Target.parse(row["target"]) for row in at)
    seeds = max((row["seeds"] for row in at), default=0)

    def paint(figure: "Figure") -> None:
        ratio = [2.2, max(len(found.others), 0.5)]
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=ratio)
        ends = _sizes(left, at, found, shown)
        left.set_title(f"Sizes of {found.architecture[found.sizes[0]]}")
        left.set_xlabel("parameters (logarithmic)")
        left.set_ylabel(LOSS)
        label_ends(left, ends)
        _beside(right, at, found.others, found, shown)
        right.set_title("Other architectures")
        if not found.others:
            right.set_axis_off()

    title = f"Eval loss after {whole(tokens)} training tokens against model size, ± std over {seeds} seeds"
    return draw("loss-by-size", title, (11, 5.2), paint)


def _sizes(
    ax: Any, rows: Sequence[Row], found: Students, shown: Mapping[Target, Any], brief: bool = False
) -> list[End]:
    """Draw the lines of the sizes; return where they end."""
    ends = []
    shifts = 1 + 0.03 * _places(len(shown)) / _DODGE
    for (target, look), shift in zip(shown.items(), shifts, strict=True):
        mine = {row["student"]: row for row in rows if row["target"] == str(target)}
        line = [mine[name] for name in found.sizes if name in mine]
        if not line:
            continue
        x = [row["parameters"] * shift for row in line]
        y = [row["eval_loss"] for row in line]
        ax.errorbar(
            x, y, yerr=[row["eval_loss_std"] or 0.0 for row in line], label=look.label, **_look(look, brief)
        )
        ends.append(End(x[-1], y[-1], look.label, look.colour))
    ax.set_xscale("log")
    sizes = [found.parameters[name] for name in found.sizes]
    ax.set_xticks(sizes, [_short(n) for n in sizes])
    ax.minorticks_off()
    return ends


def _short(n: int) -> str:
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return str(n)


def _look(look: Any, brief: bool) -> dict[str, Any]:
    return {
        "color": look.colour,
        "linestyle": look.line,
        "marker": look.marker,
        "markersize": 4 if brief else 5.5,
        "linewidth": 1.2 if brief else 1.6,
        "elinewidth": 1,
        "capsize": 0 if brief else 2,
    }


def _beside(
    ax: Any,
    rows: Sequence[Row],
    names: Sequence[str],
    found: Students,
    shown: Mapping[Target, Any],
    brief: bool = False,
) -> None:
    if not names:
        return
    for (target, look), place in zip(shown.items(), _places(len(shown)), strict=True):
        for i, name in enumerate(names):
            mine = [r for r in rows if r["student"] == name and r["target"] == str(target)]
            style = _look(look, brief) | {"linestyle": "none"}
            ax.errorbar(
                [i + place for _ in mine],
                [r["eval_loss"] for r in mine],
                yerr=[r["eval_loss_std"] or 0.0 for r in mine],
                **style,
            )
    if brief:
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor", fontsize=8.5)
        ax.tick_params(labelleft=False)
    else:
        ax.set_xticks(range(len(names)), [f"{n}\n{_short(found.parameters[n])} parameters" for n in names])
    ax.set_xlim(-0.5, len(names) - 0.5)
    ax.grid(False, axis="x")


def loss_by_benchmark(rows: Sequence[Row], found: Students, tokens: int) -> str:
    """Draw eval loss against model size at one data size, as `loss_by_size` does, for each benchmark.

    Args:
        rows: by_benchmark.
        found: the students.
        tokens: training tokens.
    """
    at = [row for row in rows if row["tokens"] == tokens]
    shown = looks(Target.parse(row["target"]) for row in at)
    benchmarks = sorted({row["benchmark"] for row in at})
    across = 3
    down = -(-len(benchmarks) // across)

    def paint(figure: "Figure") -> None:
        ratios = [2.0, max(0.55 * len(found.others), 0.01)] * across
        axes = figure.subplots(down, 2 * across, squeeze=False, width_ratios=ratios)
        places = axes.reshape(-1, 2)
        for (left, right), name in zip(places, benchmarks, strict=False):
            mine = [row for row in at if row["benchmark"] == name]
            _sizes(left, mine, found, shown, brief=True)
            left.set_title(f"{name} ({whole(mine[0]['items'])} items)", fontsize=10.5)
            right.sharey(left)
            _beside(right, mine, found.others, found, shown, brief=True)
            if not found.others:
                right.set_axis_off()
        for pair in places[len(benchmarks) :]:
            for ax in pair:
                ax.set_axis_off()
        for left, _ in places[: len(benchmarks)][-across:]:
            left.set_xlabel("parameters (logarithmic)", fontsize=10)
        for row in axes:
            row[0].set_ylabel("eval loss (nats per token)")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 8), fontsize=10)

    title = f"Eval loss per benchmark after {whole(tokens)} training tokens, per student and target"
    return draw("loss-by-benchmark", title, (11, 0.8 + 3.0 * down), paint)


def heatmap(rows: Sequence[Row], found: Students) -> str:
    """Draw eval loss over data size and target, a panel per student; the lowest of each data size is framed.

    The colours run from each student's lowest loss to its highest.

    Args:
        rows: by_target.
        found: the students.
    """
    shown = list(looks(Target.parse(row["target"]) for row in rows).items())
    sizes = sorted({row["tokens"] for row in rows})
    names = found.all

    def paint(figure: "Figure") -> None:
        across = min(len(names), 3)
        down = -(-len(names) // across)
        axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
        for ax, name in zip(axes.flat, names, strict=False):
            _cells(ax, {(r["target"], r["tokens"]): r for r in rows if r["student"] == name}, shown, sizes)
            ax.set_title(name)
            ax.set_xticks(range(len(sizes)), [_short(n) for n in sizes])
            ax.set_yticks(range(len(shown)), [look.label for _, look in shown])
            ax.tick_params(length=0, labelbottom=True)
            ax.set_xlabel("training tokens")
        for ax in list(axes.flat)[len(names) :]:
            ax.set_axis_off()

    title = "Eval loss over data size and target, per student; framed: the lowest of each data size"
    down = -(-len(names) // min(len(names), 3))
    return draw("heatmap", title, (11, down * (0.9 + 0.36 * len(shown))), paint)


def _cells(ax: Any, cells: Mapping[Any, Row], shown: Sequence[Any], sizes: Sequence[int]) -> None:
    import matplotlib
    from matplotlib.patches import Rectangle

    values = np.full((len(shown), len(sizes)), np.nan)
    for i, (target, _) in enumerate(shown):
        for j, tokens in enumerate(sizes):
            row = cells.get((str(target), tokens))
            values[i, j] = np.nan if row is None else row["eval_loss"]
    low, high = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (0.0, 1.0)
    ramp = matplotlib.colormaps["viridis_r"]
    ax.imshow(
        values, cmap=ramp, vmin=low, vmax=high if high > low else low + 1, aspect="auto", interpolation="none"
    )
    for i, (target, _) in enumerate(shown):
        for j, tokens in enumerate(sizes):
            row = cells.get((str(target), tokens))
            if row is None:
                continue
            share = (values[i, j] - low) / (high - low) if high > low else 0.0
            std = (
                "" if row["eval_loss_std"] is None else f" ±{format(row['eval_loss_std'], '.2f').lstrip('0')}"
            )
            on = "#fefefe" if share > 0.45 else "#101418"
            text = f"{row['eval_loss']:.2f}{std}"
            ax.text(j, i, text, ha="center", va="center", fontsize=9, color=on)
    for j in range(len(sizes)):
        if np.isfinite(values[:, j]).any():
            best = (j - 0.47, int(np.nanargmin(values[:, j])) - 0.46)
            ax.add_patch(Rectangle(best, 0.94, 0.92, fill=False, edgecolor="#d55e00", linewidth=2.4))
    ax.grid(False)
    ax.spines[:].set_visible(False)
