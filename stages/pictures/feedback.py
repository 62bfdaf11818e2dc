"""How each pool was made: its rounds of feedback, drawn towards the target, and why they stopped."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.grid import Target
from stages.pictures.palette import End, label, label_ends, looks, ordered
from stages.pictures.svg import INK, draw
from stages.records import FeedbackRound, KnowledgePoint, SynthesizedQuestion
from stages.tables.figures import ABSENT, number, whole
from stages.tables.grids import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STOPS = {
    "tolerance": "within tolerance",
    "round_limit": "round limit",
    "call_limit": "call limit",
    "cost_limit": "cost limit",
    "exhausted": "source exhausted",
    "filled": "pool filled",
}


class Making(NamedTuple):
    """Everything that `synthesize` wrote about one pool, beside its questions."""

    trace: dict[str, Any]  # the pool's metrics
    rounds: list[FeedbackRound]
    samples: list[SynthesizedQuestion]  # kept or not
    points: list[KnowledgePoint]  # of every question of the pool


def stopped(made: Making) -> str:
    """Return in words why the feedback ended."""
    return STOPS.get(made.trace.get("stopped", ""), ABSENT)


def to_read(config: Mapping[str, Any]) -> str:
    """Return how to read the picture of the convergence.

    Args:
        config: the section `synthesize` of params.yaml.
    """
    return (
        f"To stop within tolerance takes both: a Wasserstein-1 distance of at most {config['tolerance']:g} "
        f"dex (left, dashed) and a mean within {config['level_tolerance']:g} dex of the target (right, "
        "shaded). A ring ends a line that met its target or filled its pool, a cross one that a limit ended."
    )


def convergence(made: Mapping[Target, Making], config: Mapping[str, Any]) -> str:
    """Draw the distance to the target and the pool's density against the round of feedback.

    Args:
        made: how each pool was made.
        config: the section `synthesize` of params.yaml: the tolerances at which the feedback stops, dex.
    """
    shown = looks(made)
    tolerance, level_tolerance = config["tolerance"], config["level_tolerance"]

    def paint(figure: "Figure") -> None:
        left, right = figure.subplots(1, 2)
        _lines(left, made, "wasserstein")
        left.axhline(tolerance, color=INK, linewidth=1.2, linestyle=(0, (4, 3)))
        left.set_yscale("log")
        left.set_title("Distance to the target")
        left.set_ylabel("Wasserstein-1 distance (dex, logarithmic)")
        _lines(right, made, "log10_density")
        for target, look in shown.items():
            if target.density is not None:
                near = (target.density - level_tolerance, target.density + level_tolerance)
                right.axhspan(*near, color=look.colour, alpha=0.3, linewidth=0)
        right.set_title("Density of the pool")
        right.set_ylabel("mean log10 k-NN density (dex)")
        for ax, column in ((left, "wasserstein"), (right, "log10_density")):
            ax.set_xlabel("round of feedback (0: the source alone)")
            ax.xaxis.get_major_locator().set_params(integer=True)
            ax.margins(x=0.03, y=0.1)
            ends = _ends(made, column, brief=ax is left)
            if ax is left:
                _plain(ax)
                ends.append(End(ax.get_xlim()[1], tolerance, f"tolerance {tolerance:g}", INK))
            label_ends(ax, ends)

    title = (
        "Distance to the target and density of the pool against the round of feedback, with why it stopped"
    )
    return draw("convergence", title, (11, 4.8), paint)


def _values(made: Making, column: str) -> list[tuple[int, float]]:
    return [(r.round, y) for r in made.rounds if (y := getattr(r, column)) is not None]


def _lines(ax: Any, made: Mapping[Target, Making], column: str) -> None:
    for target, look in looks(made).items():
        values = _values(made[target], column)
        if not values:
            continue
        x, y = zip(*values, strict=True)
        ax.plot(x, y, color=look.colour, linestyle=look.line, linewidth=1.6, marker=look.marker, markersize=4)
        # A ring where the target was met or the pool filled, a cross where a limit ended it.
        met = stopped(made[target]) in (STOPS["tolerance"], STOPS["filled"])
        ax.plot(
            x[-1:],
            y[-1:],
            color=look.colour,
            marker="o" if met else "X",
            markersize=10,
            markerfacecolor="none" if met else look.colour,
            markeredgewidth=1.6,
            linestyle="none",
        )


def _ends(made: Mapping[Target, Making], column: str, brief: bool) -> list[End]:
    ends = []
    for target, look in looks(made).items():
        values = _values(made[target], column)
        if values:
            text = look.label if brief else f"{look.label}: {stopped(made[target])}"
            ends.append(End(*values[-1], text, look.colour))
    return ends


def stops_grid(made: Mapping[Target, Making]) -> Grid:
    """Return why each pool's feedback stopped, and what it took."""
    rows = []
    for target in ordered(made):
        m = made[target]
        t = m.trace
        reachable = f"{number(t.get('lowest'), '.2f')} … {number(t.get('highest'), '.2f')}"
        kept = sum(s.in_pool for s in m.samples)
        rows.append(
            (
                label(target),
                stopped(m),
                number(t.get("reached"), ".3f"),
                reachable,
                number(t.get("wasserstein"), ".3f"),
                whole(t.get("rounds")),
                whole(t.get("calls")),
                number(t.get("cost_usd"), ".2f"),
                whole(t.get("written")),
                whole(t.get("accepted")),
                f"{whole(kept)} of {whole(t.get('questions'))}",
                number(t.get("effective_sample_size"), ".0f"),
            )
        )
    head = ("target", "stopped", "reached", "reachable", "W1", "rounds", "calls", "USD")
    return Grid(
        "Why the feedback stopped",
        (*head, "written", "verified", "new", "ESS"),
        rows,
        "reached: mean log10 density of the pool, dex; reachable: that of the sparsest and of the densest "
        "pool of this size from the same candidates, source and synthesized. W1: Wasserstein-1 distance of "
        "the pool's log densities from the target's, dex. calls: requests to the teacher. "
        "written, verified: synthesized questions; new: those in the pool. ESS: effective sample size "
        "(Σw)²/Σw² of the acceptance weights; near 1, the pool is the densest or sparsest part of its "
        "candidates. A dash where there is no such figure, such as the price of a token.",
        texts=2,
    )


def rounds_grid(made: Mapping[Target, Making]) -> Grid:
    """Return every round's figures."""
    rows = [
        (
            label(target) if r.round == made[target].rounds[0].round else "",
            str(r.round),
            whole(r.candidates),
            whole(r.points),
            f"{sum(g.deficit > 0 for g in r.groups)} of {len(r.groups)}",
            whole(sum(max(g.deficit, 0.0) for g in r.groups)),
            whole(r.calls),
            whole(r.written),
            whole(r.accepted),
            number(r.log10_density, ".3f"),
            number(r.wasserstein, ".3f"),
            number(r.effective_sample_size, ".0f"),
            _rejected(r),
        )
        for target in ordered(made)
        for r in made[target].rounds
    ]
    head = ("target", "round", "candidates", "points", "groups short", "points short")
    made_of = ("calls", "written", "verified")
    return Grid(
        "Every round of feedback",
        (*head, *made_of, "density (dex)", "W1 (dex)", "effective sample", "rejected, by reason"),
        rows,
        "candidates: questions to sample from; points: their distinct knowledge points; groups short: those "
        "that hold fewer points than the target asks for, and by how many points in all.",
    )


def _plain(ax: Any) -> None:
    """Label a logarithmic axis with plain numbers."""
    from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter

    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def _rejected(r: FeedbackRound) -> str:
    counted: Sequence[Any] = sorted(r.rejected, key=lambda c: (-c.count, c.reason))
    return ", ".join(f"{c.reason.replace('_', ' ')} {whole(c.count)}" for c in counted) or ABSENT


def warnings(made: Mapping[Target, Making]) -> list[str]:
    """Return what `synthesize` warned of, a sentence for each pool."""
    return [
        f"{label(target)}: {made[target].trace['warning']}"
        for target in ordered(made)
        if made[target].trace.get("warning")
    ]
