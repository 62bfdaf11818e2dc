"""What the verification of synthesized questions found, and how often it was right."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from stages.grid import Target
from stages.pictures.feedback import Making
from stages.pictures.palette import label, ordered
from stages.pictures.svg import COLOURS, GREY, PAPER, draw
from stages.tables.figures import ABSENT, number, whole, with_interval
from stages.tables.grids import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The categories of `synthesis.TAXONOMY`, in its order, with a colour for each.
_COLOURS = {
    "question_error": COLOURS[0],
    "answer_error": COLOURS[1],
    "knowledge_point_error": COLOURS[2],
    "logic_error": COLOURS[3],
    "duplicate": COLOURS[4],
    "contaminated": GREY,
    "format_mismatch": COLOURS[5],
}
CATEGORIES = tuple(_COLOURS)
_NARROW = 0.03  # share of the axis below which a count does not fit into its piece
# Text on a colour that is the same on every paper: white on the dark ones.
_DARK, _ON_DARK, _ON_LIGHT = (COLOURS[0], COLOURS[1]), "#fefefe", "#101418"


def counts(made: Making) -> dict[str, int]:
    """Return how many written questions fell into each category of error that occurred."""
    found: Mapping[str, int] = made.trace.get("taxonomy", {})
    return {c: found[c] for c in CATEGORIES if found.get(c)}


def bars(made: Mapping[Target, Making]) -> str:
    """Draw each target's rejected questions, stacked by category of error and labelled with their counts.

    Args:
        made: how each pool was made.
    """
    shown = ordered(made)
    found = {target: counts(made[target]) for target in shown}
    categories = [c for c in CATEGORIES if any(c in f for f in found.values())]
    written = {t: made[t].trace.get("written", 0) for t in shown}
    longest = max((sum(found[t].values()) / (written[t] or 1) for t in shown), default=0.0) or 1.0

    def paint(figure: "Figure") -> None:
        from matplotlib.ticker import PercentFormatter

        ax = figure.subplots()
        for row, target in enumerate(shown):
            start, total = 0.0, written[target] or 1
            for category in categories:
                n = found[target].get(category, 0)
                if not n:
                    continue
                colour = _COLOURS[category]
                share = n / total
                ax.barh(row, share, left=start, height=0.66, color=colour, edgecolor=PAPER, linewidth=0.8)
                if share >= _NARROW * longest:
                    on = _ON_DARK if colour in _DARK else _ON_LIGHT
                    ax.text(start + share / 2, row, whole(n), ha="center", va="center", fontsize=9, color=on)
                start += share
            said = f"{whole(sum(found[target].values()))} of {whole(written[target])} written"
            ax.text(start + longest * 0.01, row, said, va="center")
        for category in categories:
            ax.bar(0, 0, color=_COLOURS[category], label=category.replace("_", " "))
        ax.set_yticks(range(len(shown)), [label(target) for target in shown])
        ax.set_ylim(len(shown) - 0.5, -0.5)  # downwards, with room for a target without a bar
        ax.set_xlim(0, 1.32 * longest)
        ax.grid(False, axis="y")
        ax.xaxis.set_major_formatter(PercentFormatter(1, 0))
        ax.set_xlabel("share of the synthesized questions that were rejected; numbers: how many")
        if categories:
            figure.legend(loc="outside upper left", ncols=min(len(categories), 6), fontsize=10)

    title = "Rejected questions by category of error, per target"
    return draw("taxonomy", title, (11, 1.4 + 0.42 * len(shown)), paint)


def counts_grid(made: Mapping[Target, Making]) -> Grid:
    """Return how many written questions fell into each category of error."""
    shown = ordered(made)
    found = {target: counts(made[target]) for target in shown}
    rows = []
    for target in shown:
        written, rejected = made[target].trace.get("written"), sum(found[target].values())
        said = [whole(found[target].get(category, 0)) for category in CATEGORIES]
        rows.append((label(target), whole(written), whole(rejected), *said))
    return Grid(
        "Errors of the synthesized questions",
        ("target", "written", "rejected", *(category.replace("_", " ") for category in CATEGORIES)),
        rows,
        "Questions by the category of the error that they were rejected for.",
    )


def rounds_grid(made: Mapping[Target, Making]) -> Grid:
    """Return the counts of every round, by category."""
    rows = []
    for target in ordered(made):
        found: dict[int, Counter[str]] = {}
        for row in made[target].trace.get("taxonomy_by_round", ()):
            found.setdefault(row["round"], Counter())[row["category"]] += row["count"]
        for round, counted in sorted(found.items()):
            said = [whole(counted[category]) for category in ("valid", *CATEGORIES)]
            rows.append((label(target), str(round), whole(sum(counted.values())), *said))
    return Grid(
        "Errors of every round",
        ("target", "round", "written", "verified", *(category.replace("_", " ") for category in CATEGORIES)),
        rows,
        "Questions written in the round, by the category of the error that they were rejected for.",
    )


def verifier_grid(made: Mapping[Target, Making]) -> Grid | None:
    """Return how often the verification was right, against the simulator's truth; None if not known."""
    audits = {t: audit for t in ordered(made) if (audit := made[t].trace.get("audit"))}
    if not audits:
        return None
    rows = []
    for target, audit in audits.items():
        for scope, said in (("detailed", "teacher"), ("all", "all checks")):
            part = audit.get(scope)
            if part is None:
                continue
            four = ("true_positive", "false_positive", "false_negative", "true_negative")
            rows.append(
                (
                    label(target),
                    said,
                    whole(part["samples"]),
                    *(whole(part[name]) for name in four),
                    *(_share(part[name]) for name in ("precision", "recall", "base_rate", "same_category")),
                )
            )
    levels = {audit["level"] for audit in audits.values()}
    shown = ", ".join(f"{100 * level:g} %" for level in sorted(levels))
    head = ("target", "verifier", "judged", "caught", "false alarms", "missed", "sound kept")
    return Grid(
        "The verifier against the simulator's truth",
        (*head, "precision", "recall", "true error rate", "right category"),
        rows,
        "A positive is a question with an error: precision is the share of rejected questions that are "
        "wrong, recall the share of wrong questions that are rejected, right category the share of caught "
        f"errors that were named rightly. teacher: its evaluation of what passed the free checks. {shown} "
        "Wilson intervals in brackets.",
        texts=2,
    )


def _share(value: dict[str, Any] | None) -> str:
    return ABSENT if value is None else with_interval(value["value"], value["low"], value["high"], ".2f")


def dimension_grid(annotated: dict[str, Any]) -> Grid:
    """Return the intrinsic dimension of the knowledge points beside the dimension that was set."""
    ways = {"levina_bickel": "maximum likelihood (Levina and Bickel)", "two_nn": "TwoNN (Facco et al.)"}
    found = annotated.get("intrinsic_dimension") or {}
    rows = [
        (
            said,
            f"{number(e['value'], '.2f')} ± {number(e['se'], '.2f')}",
            whole(annotated.get("distinct")),
            whole(annotated.get("dimensions")),
        )
        for way, said in ways.items()
        if (e := found.get(way)) and e["value"] is not None
    ]
    warning = annotated.get("warning")
    return Grid(
        "Intrinsic dimension of the knowledge points",
        ("estimator", "dimension ± standard error", "points", "dimension set"),
        rows,
        f"Warning: {warning}."
        if warning
        else "The dimension set is that of the density; it is within a factor of 1.5 of an estimate.",
    )
