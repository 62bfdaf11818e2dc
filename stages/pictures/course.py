"""The course of training: loss, learning rate and test accuracy against steps, per target."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stages.grid import Target
from stages.pictures.palette import End, label_ends, looks
from stages.pictures.svg import draw
from stages.records import TrainingLog
from stages.tables.figures import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MEASURES = ("loss", "learning_rate", "accuracy")


class Course(NamedTuple):
    """One measure against steps, over training seeds."""

    steps: list[int]
    mean: list[float]
    std: list[float]  # 0 where one seed has the step


def course(rows: Sequence[TrainingLog], measure: str, tokens: int | None) -> Course:
    """Return the mean and standard deviation over seeds at every step that has the measure.

    Args:
        rows: of one student and target.
        measure: one of `MEASURES`.
        tokens: budget of training tokens; None where the number of steps was given.
    """
    values: dict[int, list[float]] = defaultdict(list)
    for row in rows:
        value = getattr(row, measure)
        if row.tokens_budget == tokens and value is not None:
            values[row.step].append(value)
    steps = sorted(values)
    spreads = [float(np.std(values[s], ddof=1)) if len(values[s]) > 1 else 0.0 for s in steps]
    return Course(steps, [float(np.mean(values[s])) for s in steps], spreads)


def picture(student: str, logs: Mapping[Target, Sequence[TrainingLog]], tokens: int, items: str) -> str:
    """Draw one student's training at one data size: the mean over seeds, with a band of ± std.

    Args:
        student: its name.
        logs: of its runs, by target.
        tokens: budget of training tokens.
        items: what the test accuracy is measured on.
    """
    shown = looks(logs)
    titles = {
        "loss": ("Training loss", "loss (nats per completion token)"),
        "learning_rate": ("Learning rate", "learning rate"),
        "accuracy": ("Test accuracy", f"exact match, {items}"),
    }

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, 3, width_ratios=[1, 0.8, 1])
        for ax, measure in zip(axes, MEASURES, strict=True):
            ends = []
            for target, look in shown.items():
                found = course(logs[target], measure, tokens)
                if not found.steps:
                    continue
                mean, std = np.array(found.mean), np.array(found.std)
                ax.plot(found.steps, mean, color=look.colour, linestyle=look.line, linewidth=1.5)
                if std.any():
                    ax.fill_between(
                        found.steps, mean - std, mean + std, color=look.colour, alpha=0.13, linewidth=0
                    )
                ends.append(End(found.steps[-1], float(mean[-1]), look.label, look.colour))
            ax.set_title(titles[measure][0])
            ax.set_ylabel(titles[measure][1])
            ax.set_xlabel("optimiser steps")
            if measure == "loss":
                ax.set_yscale("log")
                _plain(ax)
            if measure == "accuracy":
                label_ends(ax, ends)
        figure.suptitle(f"{student}, {whole(tokens)} training tokens", x=0.01, ha="left", fontsize=12)

    title = (
        f"Training of {student} on {whole(tokens)} tokens: loss, learning rate and test accuracy per target"
    )
    return draw(f"training-{student}", title, (11, 4.0), paint)


def _plain(ax: Any) -> None:
    """Label a logarithmic axis with plain numbers."""
    from matplotlib.ticker import LogLocator, ScalarFormatter

    for axis in (ax.yaxis,):
        axis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
        axis.set_major_formatter(ScalarFormatter())
        axis.set_minor_locator(LogLocator(subs=()))
