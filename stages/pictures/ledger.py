"""What became of every question and every draw: verdicts by reason, and coverage against the budget."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.pictures.svg import COLOURS, GREY, INK, draw
from stages.records import Response
from stages.tables.figures import whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
_LEVEL_Z = 1.96  # of the 95 % intervals
_KEPT = ("kept", "annotated", "accepted")


class Verdicts(NamedTuple):
    """One stage's counts: what was kept, under its name, and what was not, by reason."""

    stage: str
    counts: dict[str, int]


class Coverage(NamedTuple):
    """The share of one pool's questions that have an accepted response, by budget."""

    density: float
    questions: int
    share: Array  # at budgets 1, 2, … R


def verdicts(stage: str, kept: str, count: int, rejected: dict[str, int]) -> Verdicts:
    """Return a stage's counts, what was kept first, then the reasons from the most frequent down."""
    return Verdicts(
        stage, {kept: count, **dict(sorted(rejected.items(), key=lambda item: (-item[1], item[0])))}
    )


def drawn(density: float, ledger: Sequence[Response]) -> Verdicts:
    """Return the verdicts on one density's draws."""
    reasons = Counter(row.reason for row in ledger)
    accepted = reasons.pop("accepted", 0)
    return verdicts(f"respond, density {density}", "accepted", accepted, dict(reasons))


def coverage(density: float, ledger: Sequence[Response]) -> Coverage:
    """Return the share of questions with an accepted response among the first r draws, r = 1 … R."""
    last = max((row.rollout for row in ledger), default=-1) + 1
    first: dict[str, int] = {}
    for row in ledger:
        found = row.rollout if row.accepted else last
        first[row.question_id] = min(first.get(row.question_id, last), found)
    at = np.array(list(first.values()))
    share = np.array([(at < r).mean() for r in range(1, last + 1)])
    return Coverage(density, len(first), share)


def coverage_law(parameters: Mapping[str, Any]) -> Callable[[Array], Array] | None:
    """Return the coverage law `1 − F(r)`; None where it has no parameters.

    `F(r) = pi + (1 − pi) B(a, b + r) / B(a, b)`.

    Args:
        parameters: of an entry of laws.json, by name.
    """
    from scipy.special import betaln

    found = {name: e["estimate"] for name, e in parameters.items()}
    if None in found.values() or not {"a", "b", "pi"} <= set(found):
        return None
    a, b, pi = (found[name] for name in ("a", "b", "pi"))
    return lambda r: np.asarray((1 - pi) * (1 - np.exp(betaln(a, b + r) - betaln(a, b))))


def wilson(share: Array, n: int) -> tuple[Array, Array]:
    """Return Wilson's 95 % interval (1927) of a share of n questions."""
    z2 = _LEVEL_Z**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _LEVEL_Z / (1 + z2 / n) * np.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return centre - half, centre + half


def verdicts_picture(stages: Sequence[Verdicts]) -> str:
    """Draw each stage's counts as bars, what was kept apart from the reasons for rejection."""
    heights = [len(stage.counts) for stage in stages]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(len(stages), 1, squeeze=False, height_ratios=[h + 1 for h in heights])[:, 0]
        for ax, stage in zip(axes, stages, strict=True):
            total = sum(stage.counts.values())
            names = [name.replace("_", " ") for name in stage.counts]
            shares = [100 * count / max(total, 1) for count in stage.counts.values()]
            colours = [COLOURS[0] if name in _KEPT else COLOURS[1] for name in stage.counts]
            bars = ax.barh(names, shares, color=colours, height=0.72)
            labels = [f"{whole(n)} ({s:.1f} %)" for n, s in zip(stage.counts.values(), shares, strict=True)]
            ax.bar_label(bars, labels, padding=5, color=INK, fontsize=10)
            ax.set_title(f"{stage.stage}: {whole(total)}")
            ax.set_xlim(0, 118)
            ax.set_xticks(range(0, 101, 20))
            ax.invert_yaxis()
            ax.grid(axis="y", visible=False)
            ax.tick_params(axis="y", length=0)
        axes[-1].set_xlabel("share of the stage's total (%)")

    title = "Counts kept and rejected, by reason, at each stage that judges"
    return draw("verdicts", title, (11, 0.33 * sum(heights) + 0.75 * len(stages) + 0.4), paint)


def coverage_picture(
    pools: Sequence[Coverage],
    budget: int,
    truth: Callable[[int], float] | None,
    fitted: dict[float, Callable[[Array], Array]],
) -> str:
    """Draw coverage against budget, with its interval, the simulator's true curve and the fitted law.

    Args:
        pools: measured.
        budget: the highest response budget.
        truth: the expected share at a budget, where the teacher is a simulator.
        fitted: the coverage law of a density, where the ledger identifies one.
    """

    def paint(figure: "Figure") -> None:
        ax = figure.subplots()
        r = np.arange(1, budget + 1)
        ax.set_xscale("log", base=2)
        if truth:
            ax.plot(
                r,
                [100 * truth(int(x)) for x in r],
                color=INK,
                linewidth=1.8,
                label="simulator's truth, expected",
            )
        for i, pool in enumerate(pools):
            colour = COLOURS[i % len(COLOURS)]
            low, high = wilson(pool.share, pool.questions)
            measured = np.arange(1, len(pool.share) + 1)
            ax.fill_between(measured, 100 * low, 100 * high, color=colour, alpha=0.15, linewidth=0)
            label = f"density {pool.density} ({whole(pool.questions)} questions)"
            ax.plot(
                measured,
                100 * pool.share,
                color=colour,
                marker="o",
                markersize=4.5,
                linewidth=1.2,
                label=label,
            )
            if pool.density in fitted:
                at = 100 * fitted[pool.density](r.astype(float))
                ax.plot(r, at, color=colour, linestyle=(0, (4, 2)), label="coverage law fitted to it")
        ax.fill_between([], [], [], color=GREY, alpha=0.3, label="95 % interval over questions")
        ticks = [2**i for i in range(budget.bit_length()) if 2**i <= budget]
        ticks = ticks if budget in ticks else [*ticks, budget]
        ax.set_xticks(ticks, [str(x) for x in ticks])
        ax.minorticks_off()
        ax.set_xlabel("response budget r (responses per question, logarithmic)")
        ax.set_ylabel("questions with an accepted response (%)")
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))

    title = "Share of questions with at least one accepted response, against the response budget"
    return draw("coverage", title, (11, 4.6), paint)
