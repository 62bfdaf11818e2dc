"""The figures behind the findings, as tables for the eye."""

from collections.abc import Mapping
from typing import Any

from stages.findings import baselines
from stages.findings.agreement import LEVELS, STRONG
from stages.findings.tables import Findings
from stages.tables.figures import number, p_value, whole, with_interval
from stages.tables.grids import Grid

Row = dict[str, Any]
Rows = Mapping[str, list[Row]]


def largest(found: Findings, rows: list[Row]) -> list[Row]:
    """Return the rows at the largest data size."""
    return [row for row in rows if row["tokens"] == found.tokens]


def optima(rows: Rows, shown: str) -> Grid:
    """Return each student's best density at each data size."""
    return Grid(
        title="Best density",
        head=(
            "student",
            "tokens",
            f"best, dex [{shown}]",
            "held",
            f"vertex, dex [{shown}]",
            "p interior",
            "interior",
        ),
        rows=[
            (
                row["student"],
                whole(row["tokens"]),
                with_interval(row["best"], row["low"], row["high"], ".2f"),
                number(row["best_share"], ".2f"),
                with_interval(row["vertex"], row["vertex_low"], row["vertex_high"], ".2f"),
                p_value(row["interior_p"]),
                "yes" if row["interior"] else "no",
            )
            for row in rows["optimum"]
        ],
        note=(
            "Least mean eval loss; held: share of resamples in which it stays the best. Vertex: of the "
            "parabola through the losses, where it opens upwards. p: both ends of the range lose to a target "
            "inside it, one-sided, times the targets inside (Bonferroni); interior: p < 0.05 and "
            "the interval "
            "holds no end."
        ),
    )


def agreements(rows: Rows, shown: str) -> Grid:
    """Return the agreement of each group of raters."""
    return Grid(
        title="Agreement of the rankings",
        head=("ranked", "raters", "count", f"W [{shown}]", "p", "consistency"),
        rows=[
            (
                f"{row['targets']} {row['scope']}"
                if row["scope"] == LEVELS
                else f"all {row['targets']} targets",
                row["group"],
                str(row["raters"]),
                with_interval(row["W"], row["low"], row["high"], ".2f"),
                p_value(row["p"]),
                number(row["consistency"], ".2f"),
            )
            for row in rows["agreement"]
        ],
        note=(
            "Kendall's W of the targets ranked by eval loss, 0 (none) to 1; p permutes each ranking by "
            "itself. Consistency: W of one rater's own resampled rankings, mean over raters. Raters "
            "answer the same "
            f"benchmark items. Asked of the first row: p < 0.05, W ≥ {STRONG}; p of the other rows is not "
            "adjusted."
        ),
        texts=2,
    )


def comparisons(found: Findings, rows: Rows, shown: str) -> Grid:
    """Return every student against every baseline over all benchmarks."""
    kept = [row for row in largest(found, rows["baselines"]) if row["benchmark"] is None]
    return Grid(
        title="Steered minus unsteered, all benchmarks",
        head=("student", "baseline", "compared on", "density", *_differences(shown)),
        rows=[
            (
                row["student"],
                row["baseline"],
                "other half" if row["choice"] == baselines.HELD_OUT else "same items",
                number(row["density"], "g"),
                *_figures(row),
            )
            for row in kept
        ],
        note=(
            "Density chosen by the eval loss on half of the items and compared on the other half; or chosen "
            "and compared on the same items, which favours it. Below zero the steered pool has the "
            "lower loss. "
            "Equal sample budgets and training tokens; Holm over the baselines of a student."
        ),
        texts=3,
    )


def comparisons_by_benchmark(found: Findings, rows: Rows, shown: str) -> Grid:
    """Return the headline student against every baseline, benchmark by benchmark."""
    kept = [
        row
        for row in largest(found, rows["baselines"])
        if (row["student"], row["choice"]) == (found.headline, baselines.HELD_OUT) and row["benchmark"]
    ]
    return Grid(
        title=f"Steered minus unsteered, benchmark by benchmark: {found.headline}",
        head=("baseline", "benchmark", "items", *_differences(shown)),
        rows=[(row["baseline"], row["benchmark"], whole(row["items"]), *_figures(row)) for row in kept],
        note="On the half of the items that did not choose the density; Holm over all rows.",
        texts=2,
    )


def _differences(shown: str) -> tuple[str, ...]:
    return (f"loss difference [{shown}]", "p (Holm)", f"exact match difference [{shown}]", "p (Holm)")


def _figures(row: Row) -> tuple[str, ...]:
    texts = []
    for measure in baselines.MEASURES:
        value, low, high = (row[f"{measure}_{name}"] for name in ("difference", "low", "high"))
        texts += [with_interval(value, low, high, "+.3f"), p_value(row[f"{measure}_p_holm"])]
    return tuple(texts)


def expansions(found: Findings, rows: Rows, shown: str) -> Grid:
    """Return every student's boundary expansion at every target."""
    kept = [row for row in largest(found, rows["expansion"]) if row["benchmark"] is None]
    return Grid(
        title="Boundary expansion",
        head=("student", "target", "gained", "lost", f"net [{shown}]", "p (Holm)"),
        rows=[
            (
                row["student"],
                row["target"],
                number(row["gained"], ".1f"),
                number(row["lost"], ".1f"),
                with_interval(row["net"], row["net_low"], row["net_high"], "+.1f"),
                p_value(row["mcnemar_p_holm"]),
            )
            for row in kept
        ],
        note=(
            f"Of {whole(kept[0]['items'])} items, those that the base model missed and the student answers, "
            "and the reverse, mean over training seeds; p of the majority over seeds (McNemar), Holm over a "
            "student's targets."
        ),
        texts=2,
    )
