"""The figures behind the findings, as tables for the eye."""

from collections.abc import Mapping
from typing import Any

from stages.findings import ALPHA
from stages.scaling.crossing import told
from stages.tables.figures import (
    ABSENT,
    mean_and_std,
    number,
    p_value,
    percent,
    whole,
    with_interval,
)
from stages.tables.grids import Grid

Row = dict[str, Any]
Rows = Mapping[str, list[Row]]


def grids(rows: Rows, budget: int) -> list[Grid]:
    """Return a table for each part of the study that has rows.

    Args:
        rows: of the published tables.
        budget: held out.
    """
    made = [
        sources(rows),
        crossings(rows),
        laws(rows, budget),
        forecasts(rows, budget),
        protocols(rows),
        mixed(rows),
        variants(rows, budget),
        costs(rows),
    ]
    return [grid for grid in made if grid.rows]


def sources(rows: Rows) -> Grid:
    """Return FSS − SE per domain and N, over all teacher–student pairs."""
    return Grid(
        title="More responses (FSS) against more questions (SE) at equal N",
        head=("domain", "N", "FSS − SE [95 %]", "margin", "p alike", "p SE better", "ahead"),
        rows=[
            (
                row["domain"],
                whole(row["sample_budget"]),
                with_interval(row["difference"], row["low"], row["high"], "+.3f"),
                number(row["margin"]),
                p_value(row["p_equal"]),
                p_value(row["p_better"]),
                _ahead(
                    [r for r in rows["matched"] if all(r[n] == row[n] for n in ("domain", "sample_budget"))]
                ),
            )
            for row in rows["pooled"]
            if row["claim"] == "sources"
        ],
        note=(
            "Eval loss in nats per answer token, mean over all teacher–student pairs and all cuts that meet "
            "at N. Alike: within the margin, two one-sided tests; these p are not adjusted. Ahead: single "
            "pairs of cells in which SE / FSS has the lower loss, p < 0.05 (Holm over all of them)."
        ),
    )


def _ahead(pairs: list[Row]) -> str:
    told = [row["loss_difference"] for row in pairs if (row["loss_p_holm"] or 1.0) < ALPHA]
    return f"{sum(d > 0 for d in told)} / {sum(d < 0 for d in told)} of {len(pairs)}"


def crossings(rows: Rows) -> Grid:
    """Return where SE begins to beat FSS."""
    return Grid(
        title="Where more questions begin to beat more responses",
        head=("domain", "teacher", "student", "status", "crossing, N [95 %]", "slope per doubling [95 %]"),
        rows=[
            (
                row["domain"],
                row["teacher"] or "all",
                row["student"] or "all",
                row["status"],
                told(row),
                with_interval(row["slope"], row["slope_low"], row["slope_high"], "+.3f"),
            )
            for row in rows["crossing"]
        ],
        note=(
            "Eval loss, FSS − SE per doubling of the questions, interpolated in log2 N. Always: SE is better "
            "at every N; crosses: at the largest N, from the upper end of the interval on (an open end lies "
            "below the smallest N); never: FSS is better at every N; reverses: at the largest N; undecided: "
            "neither at the largest, or one training seed. Intervals are pointwise."
        ),
        texts=4,
    )


def laws(rows: Rows, budget: int) -> Grid:
    """Return every law's errors over all curves."""
    return Grid(
        title=f"Laws at the held-out budget {budget}",
        head=("law", "curves", "forecasts", "median error", "largest", "inside [95 %]"),
        rows=[
            (
                row["law"],
                str(row["curves"]),
                str(row["forecasts"]),
                percent(row["median_error"], ".1f"),
                percent(row["max_error"], ".1f"),
                f"{row['covered']} of {row['curves']}: "
                + with_interval(row["covered_share"], row["covered_low"], row["covered_high"], ".2f"),
            )
            for row in rows["laws"]
        ],
        note=(
            f"Fitted below budget {budget}, on every teacher, student, domain and question share; error = "
            "|predicted − measured| / measured. Inside: the prediction interval holds the measured mean; "
            "exact binomial interval of all curves, refused ones among them."
        ),
    )


def forecasts(rows: Rows, budget: int) -> Grid:
    """Return the rectified law's forecast of every curve."""
    return Grid(
        title=f"The rectified law at budget {budget}, curve by curve",
        head=("domain", "teacher", "student", "share", "measured", "predicted [interval]", "error"),
        rows=[
            (
                row["domain"],
                row["teacher"],
                row["student"],
                f"{row['share']:g}",
                mean_and_std(row["observed"], row["observed_std"]),
                f"none: {row['status']}"
                if row["predicted"] is None
                else with_interval(row["predicted"], row["low"], row["high"]),
                percent(row["relative_error"]) + ("*" if row["covered"] is False else ""),
            )
            for row in rows["law_errors"]
            if row["law"] == "rectified"
        ],
        note="Eval loss ± one standard deviation over training seeds, if several; * outside the interval.",
        texts=3,
    )


def protocols(rows: Rows) -> Grid:
    """Return every protocol against plain rejection sampling."""
    return Grid(
        title="Protocols against plain rejection sampling",
        head=("protocol", "equal", "domain", "N", "teacher tokens", "examples", "accepted", *_DIFFERENCES),
        rows=[
            (
                row["protocol"],
                row["held_equal"],
                row["domain"],
                _both(row["sample_budget"], row["plain_sample_budget"]),
                _both(row["teacher_tokens"], row["plain_teacher_tokens"]),
                _both(row["examples"], row["plain_examples"]),
                percent(row["acceptance"], ".0f"),
                *_differences(row),
            )
            for row in rows["protocols"]
        ],
        note=(
            "Differences are protocol − plain; of two figures the second is plain sampling's. N counts every "
            "call. Equal responses per question have unequal N: listed, not tested. p adjusted for all rows "
            "(Holm)."
        ),
        texts=3,
    )


def _both(ours: int, plain: int) -> str:
    return whole(ours) if ours == plain else f"{whole(ours)} / {whole(plain)}"


def mixed(rows: Rows) -> Grid:
    """Return more questions against each fixed question set of the mixed source."""
    every = [
        (
            *("all", "all", whole(row["sample_budget"]), row["first"], row["second"]),
            with_interval(row["difference"], row["low"], row["high"], "+.3f"),
            *(ABSENT, ABSENT, ABSENT),
        )
        for row in rows["pooled"]
        if row["claim"] == "mixed"
    ]
    of_pair = [
        (
            row["teacher"],
            row["student"],
            whole(row["sample_budget"]),
            f"{row['fixed_share']:g}x{row['fixed_budget']}",
            f"{row['more_share']:g}x{row['more_budget']}",
            *_differences(row),
        )
        for row in rows["mixed"]
    ]
    return Grid(
        title="The mixed source: a fixed question set asked more often against more questions asked once",
        head=("teacher", "student", "N", "fixed", "more", *_DIFFERENCES),
        rows=every + of_pair,
        note="Differences are fixed − more, over the items of all domains; p adjusted for all rows (Holm).",
        texts=2,
    )


def variants(rows: Rows, budget: int) -> Grid:
    """Return the laws under other temperatures and thresholds."""
    shapes, errors = ("a", "b", "pi"), ("rectified", "combination")
    return Grid(
        title="The law under other temperatures and acceptance thresholds",
        head=(
            "teacher",
            "protocol",
            "temperature",
            "tolerance",
            *errors,
            *shapes,
            "unsolved",
        ),
        rows=[
            (
                row["teacher"],
                row["protocol"],
                number(row["temperature"], "g"),
                number(row["tolerance"], "g"),
                *(percent(row[f"{name}_error"]) for name in errors),
                *(with_interval(row[n], row[f"{n}_low"], row[f"{n}_high"], ".2f") for n in shapes),
                f"{number(row['unsolved_predicted'])} / {number(row['unsolved_observed'])}",
            )
            for row in rows["variants"]
        ],
        note=(
            f"Errors at the held-out budget {budget}; the coverage law's a, b, pi with profile intervals; "
            "the share of questions that it expects unsolved there / that are. The first row is not varied."
        ),
        texts=2,
    )


def costs(rows: Rows) -> Grid:
    """Return what every ledger cost."""
    return Grid(
        title="What the teacher was paid",
        head=("teacher", "domain", "protocol", "calls", "tokens in", "tokens out", "accepted", "USD"),
        rows=[
            (
                row["teacher"],
                row["domain"],
                row["protocol"],
                whole(row["calls"]),
                whole(row["prompt_tokens"]),
                whole(row["completion_tokens"]),
                percent(row["acceptance"], ".0f"),
                number(row["cost_usd"], ".2f"),
            )
            for row in rows["ledgers"]
        ],
        note=f"Every call of every ledger, counted once; USD {ABSENT} where a price is not known.",
        texts=3,
    )


_DIFFERENCES = ("loss difference [95 %]", "p (Holm)", "exact match difference [95 %]", "p (Holm)")


def _differences(row: Row) -> tuple[str, ...]:
    texts = []
    for measure in ("loss", "accuracy"):
        value, low, high, p = (row[f"{measure}_{name}"] for name in ("difference", "low", "high", "p_holm"))
        texts += [with_interval(value, low, high, "+.3f"), p_value(p)]
    return tuple(texts)
