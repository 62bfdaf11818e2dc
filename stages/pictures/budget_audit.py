"""What a fixed source gave: coverage against budget, and shifts of the responses between budgets."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.pictures import budget_panels as panels
from stages.pictures import ledger
from stages.pictures.budget_panels import Row, mark, of
from stages.pictures.svg import GREY, INK, draw
from stages.shift import FEATURES
from stages.tables.figures import ABSENT, number, p_value, whole, with_interval
from stages.tables.grids import Grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NULLS = {"composition": "Composition: all responses", "within": "Within questions"}
_STEPS = ((0.001, "#08519c"), (0.01, "#3182bd"), (0.05, "#6baed6"), (1.01, "#d5dbe1"))  # p below, colour
_PARAMETERS = ("a", "b", "pi")


def coverage(covered: Sequence[Row], entries: Sequence[Mapping[str, Any]], budget: int, level: float) -> str:
    """Draw the covered share against the budget, at every question share, a panel per teacher and domain.

    Args:
        covered: rows of the table `coverage`.
        entries: of the coverage law, fitted below the top budget; see `fitted_below`.
        budget: held out.
        level: of the intervals.
    """
    teachers = [teacher for (teacher,) in panels.distinct(covered, "teacher")]
    names = panels.domains(covered)
    shares = sorted({row["share"] for row in covered})
    known = any(entry["truth"] for entry in entries)

    def paint(figure: "Figure") -> None:
        axes = panels.panels(figure, teachers, names, sharex=True, sharey=True)
        for row, teacher in zip(axes, teachers, strict=True):
            for ax, domain in zip(row, names, strict=True):
                for i, share in enumerate(shares):
                    mine = of(covered, teacher=teacher, domain=domain, share=share)
                    _measured(ax, mine, i, len(shares), budget)
                laws = [e for e in entries if (e["teacher"], e["domain"]) == (teacher, domain)]
                _curves(ax, [e for e in laws if e["share"] == shares[-1]], budget)
                panels.octaves(ax, [r["budget"] for r in covered])
                ax.tick_params(axis="y", labelsize=9)
        figure.supxlabel(panels.BUDGET, fontsize=11)
        figure.supylabel("questions with an accepted response (%)", fontsize=11)
        handles = [
            panels.swatch(
                panels.share_name(share), color=panels.share_colour(share), marker=panels.MARKERS[i % 6]
            )
            for i, share in enumerate(shares)
        ]
        line: dict[str, Any] = {"linewidth": 1.6}
        fitted = f"coverage law, fitted below {budget}"
        look = {"color": panels.share_colour(shares[-1]), "linestyle": "-"} if shares else {}
        handles.append(panels.swatch(fitted, **line, **look))
        if known:
            handles.append(panels.swatch("the simulator's truth, expected", linestyle=":", **line))
        handles.append(panels.swatch(f"hollow: at {budget}, held out", marker="o", markerfacecolor="none"))
        panels.legend(figure, handles, across=3)

    title = f"Share of questions with an accepted response against budget, {100 * level:g} % Wilson intervals"
    return draw("coverage", title, (11, 1.4 + 2.5 * len(teachers)), paint)


def _measured(ax: Any, rows: list[Row], i: int, count: int, budget: int) -> None:
    for row in rows:
        share, ends = 100 * row["covered_share"], ([row[f"covered_{end}"]] for end in ("low", "high"))
        low, high = ([100 * value for value in end] for end in ends)
        look = mark(panels.share_colour(row["share"]), panels.MARKERS[i % 6], row["budget"] < budget, 5)
        x = row["budget"] * panels.beside(i, count, 0.14)
        ax.errorbar([x], [share], yerr=panels.bars(low, [share], high), zorder=3, **look)


def _curves(ax: Any, entries: Sequence[Mapping[str, Any]], budget: int) -> None:
    r = 2 ** np.linspace(0, np.log2(budget), 60)
    for entry in entries:
        law = ledger.coverage_law(entry["parameters"])
        if law:
            ax.plot(r, 100 * law(r), color=panels.share_colour(entry["share"]), linewidth=1.6, zorder=2)
        truth = entry["truth"] and ledger.coverage_law(
            {name: {"estimate": entry["truth"][name]} for name in _PARAMETERS}
        )
        if truth:
            ax.plot(r, 100 * truth(r), color=INK, linestyle=":", linewidth=1.6, zorder=2)


def fitted_below(laws: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the coverage law's entries that know only the draws below the held-out budget.

    Args:
        laws: the document laws.json.
    """
    found = [dict(entry) for entry in laws["coverage"]]
    return [entry for entry in found if entry["draws"] < laws["budget"]]


def laws_grid(entries: Sequence[Mapping[str, Any]], budget: int, level: float) -> Grid:
    """Return the coverage law of every ledger and share, beside the truth where it is known."""
    known = any(entry["truth"] for entry in entries)
    rows = []
    for e in entries:
        found = [e["parameters"].get(name, {}) for name in _PARAMETERS]
        told = [with_interval(x.get("estimate"), x.get("low"), x.get("high"), ".2f") for x in found]
        truth = [number(e["truth"][name], "g") if e["truth"] else ABSENT for name in _PARAMETERS]
        unsolved = e["unsolved"]
        rows.append(
            (
                e["teacher"],
                e["domain"],
                f"{e['share']:g}",
                e["status"].replace("_", " "),
                *told,
                *([" / ".join(truth)] if known else []),
                number(unsolved["predicted"]),
                number(unsolved["observed"]),
            )
        )
    return Grid(
        "The coverage law of each ledger, before any student was trained",
        (
            *("teacher", "domain", "share", "status", "a", "b", "π"),
            *(["true a / b / π"] if known else []),
            *(f"unsolved at {budget}: predicted", "observed"),
        ),
        rows,
        "Per-question success is Beta(a, b), but for a share π that is never solved; fitted by maximum "
        f"likelihood to the accept counts below budget {budget}, with {100 * level:g} % profile intervals.",
        texts=4,
    )


def coverage_grid(covered: Sequence[Row], level: float) -> Grid:
    """Return the table of measured coverage."""
    return Grid(
        "Coverage, measured",
        (
            *("teacher", "domain", "share", "budget", "questions", f"covered [{100 * level:g} %]"),
            *("distinct responses", "repeated", "per covered question", "distinct answers"),
        ),
        [
            (
                row["teacher"],
                row["domain"],
                f"{row['share']:g}",
                str(row["budget"]),
                whole(row["questions"]),
                with_interval(row["covered_share"], row["covered_low"], row["covered_high"]),
                whole(row["distinct_responses"]),
                whole(row["repeated_responses"]),
                number(row["per_covered_question"], ".2f"),
                number(row["answers_per_covered_question"], ".2f"),
            )
            for row in covered
        ],
        "Covered: share of the questions with an accepted response, Wilson intervals. Responses are distinct "
        "by their text within a question; repetitions are rejected. The last two: accepted responses and "
        "their distinct answers, mean over covered questions.",
        texts=2,
    )


def shifts(tests: Sequence[Row]) -> str:
    """Draw the adjusted p of every test for a shift: rows teacher × domain × feature, columns doublings.

    Args:
        tests: rows of the table `shift`.
    """
    sources = panels.distinct(tests, "teacher", "domain")
    features = [name for name in FEATURES if of(tests, feature=name)]
    doublings = sorted(panels.distinct(tests, "early_budget", "late_budget"))
    labels = [(source, feature) for source in sources for feature in features]

    def paint(figure: "Figure") -> None:
        axes = figure.subplots(1, 2, sharey=True)
        for ax, (null, title) in zip(axes, _NULLS.items(), strict=True):
            for row in tests:
                y = labels.index(((row["teacher"], row["domain"]), row["feature"]))
                x = doublings.index((row["early_budget"], row["late_budget"]))
                _cell(ax, x, y + 0.35 * (y // len(features)), row[f"p_{null}_holm"])
            ax.set_title(title)
            ax.set_xticks(range(len(doublings)), [f"{early} → {late}" for early, late in doublings])
            ax.set_xlim(-0.5, len(doublings) - 0.5)
            ax.set_xlabel("doubling of the response budget")
            ax.grid(False)
            ax.tick_params(length=0)
            ax.spines[:].set_visible(False)
        places = [i + 0.35 * (i // max(len(features), 1)) for i in range(len(labels))]
        names = [f"{teacher}, {domain}: {feature.replace('_', ' ')}" for (teacher, domain), feature in labels]
        axes[0].set_yticks(places, names, fontsize=9.5)
        axes[0].set_ylim(max(places, default=0) + 0.5, -0.5)
        below = [f"adjusted p < {step:g}" for step, _ in _STEPS[:-1]] + [f"{_STEPS[-2][0]:g} or more"]
        handles = [panels.shade(said, step[1], 1.0) for said, step in zip(below, _STEPS, strict=True)]
        panels.legend(figure, handles)

    title = "Holm-adjusted p of the tests of early against late responses, at every doubling of the budget"
    return draw("shifts", title, (11, 1.5 + 0.27 * len(labels)), paint)


def _cell(ax: Any, x: int, y: float, p: float | None) -> None:
    from matplotlib.patches import Rectangle

    if p is None:
        ax.text(x, y, "no test", ha="center", va="center", fontsize=8, color=GREY)
        return
    i, colour = next((i, colour) for i, (step, colour) in enumerate(_STEPS) if p < step)
    ax.add_patch(Rectangle((x - 0.48, y - 0.47), 0.96, 0.94, facecolor=colour, linewidth=0))
    ink = "#fefefe" if i < 2 else "#101418"  # a cell's own colours are the same on dark paper
    ax.text(x, y, p_value(p).lstrip("0"), ha="center", va="center", fontsize=8.5, color=ink)


def shift_grid(tests: Sequence[Row]) -> Grid:
    """Return the table of tests."""
    units = {"length": (".1f", " words"), "answer_type": (".2f", ""), "embedding": (".3f", "")}
    return Grid(
        "Early against late responses",
        (
            *("teacher", "domain", "feature", "draws", "early", "late", "effect"),
            *("p composition", "adjusted", "p within questions", "adjusted"),
        ),
        [
            (
                row["teacher"],
                row["domain"],
                row["feature"].replace("_", " "),
                f"{row['early_budget']} → {row['late_budget']}",
                whole(row["early"]),
                whole(row["late"]),
                number(row["effect"], units[row["feature"]][0]) + units[row["feature"]][1],
                *(p_value(row[f"p_{null}{end}"]) for null in _NULLS for end in ("", "_holm")),
            )
            for row in tests
        ],
        "Accepted responses among the first draws and among as many drawn next. Effect: words more on "
        "average, share of answers of another kind, distance of the embeddings (MMD). Permutation tests; "
        "adjusted over all rows (Holm).",
        texts=4,
    )
