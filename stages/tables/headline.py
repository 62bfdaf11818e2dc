"""The headline: what was measured at the held-out budget, what was predicted, what matched arms say."""

import textwrap
from collections.abc import Mapping
from typing import Any

from stages.tables import forecasts
from stages.tables.figures import ABSENT, mean_and_std, number, p_value, percent, whole, with_interval
from stages.tables.grids import Grid, markdown

Rows = list[dict[str, Any]]

SIMULATOR = (
    "The teacher is a simulator: its draws are made from the embedded articles with a planted competence. "
    "Every number here describes this system on that small world, not a language model as a teacher."
)


def headline(tables: Mapping[str, Rows], laws: dict[str, Any], budget: int, simulator: bool) -> str:
    """Return the headline as Markdown; arguments as for `grids`."""
    parts = [markdown(grid) for grid in grids(tables, laws, budget)]
    notice = [f"{textwrap.fill(SIMULATOR, 100)}\n"] if simulator else []
    return "\n".join([*notice, *parts])


def grids(tables: Mapping[str, Rows], laws: dict[str, Any], budget: int) -> list[Grid]:
    """Return the headline tables: held-out budget, rival laws, ladder of budgets, matched budgets.

    Args:
        tables: rows of the published tables, by name.
        laws: the document `laws.json`.
        budget: the highest response budget, which the laws had to predict.

    Raises:
        BadInput: the laws are of another run.
    """
    return [
        held_out(tables["cells"], laws, budget),
        rivals(laws, budget),
        ladder(tables["cells"], budget),
        matched_budget(tables["matched_budget"], tables["cells"]),
    ]


def held_out(cells: Rows, laws: dict[str, Any], budget: int) -> Grid:
    """Return measurement and prediction at the held-out budget, a row per student and density."""
    level = f"{100 * laws['level']:g} %"
    rows = []
    for row in cells:
        if row["density"] is None:
            measured = (
                number(row["loss_mean"]),
                ABSENT,
                ABSENT,
                mean_and_std(row["accuracy_mean"], row["accuracy_std"]),
            )
            rows.append((row["student"], "base", ABSENT, ABSENT, ABSENT, *measured))
        elif (row["share"], row["budget"]) == (1, budget):
            law = forecasts.entry(laws, row["student"], row["density"], budget)
            told = law["prediction"]
            rows.append(
                (
                    row["student"],
                    str(row["density"]),
                    whole(row["sample_budget"]),
                    percent(row["acceptance"], ".1f"),
                    percent(row["covered"] / row["questions"], ".1f"),
                    mean_and_std(row["loss_mean"], row["loss_std"]),
                    f"none: {law['status']}"
                    if told["loss"] is None
                    else with_interval(told["loss"], told["low"], told["high"]),
                    percent(told["relative_error"]),
                    mean_and_std(row["accuracy_mean"], row["accuracy_std"]),
                )
            )
    return Grid(
        title=f"Held-out budget {budget}",
        head=(
            "student",
            "density",
            "N",
            "accepted",
            "covered",
            "loss",
            f"law predicts [{level}]",
            "error",
            "exact match",
        ),
        rows=rows,
        note=(
            "Density in dex; N = questions × responses; covered: questions with an accepted response; loss "
            f"in nats per answer token; ± one standard deviation over {_seeds(cells)}; the rectified law is "
            f"fitted below budget {budget}, error = (predicted − measured) / measured."
        ),
        texts=2,
    )


def rivals(laws: dict[str, Any], budget: int) -> Grid:
    """Return every law's error at the held-out budget, a row per student and density."""
    names = list(dict.fromkeys(entry["law"] for entry in laws["laws"]))
    found = {(e["student"], e["density"], e["law"]): e for e in laws["laws"]}
    rows = []
    for student, density in dict.fromkeys((e["student"], e["density"]) for e in laws["laws"]):
        entries = [found.get((student, density, name)) for name in names]
        rows.append((student, str(density), *(_error(entry) for entry in entries)))
    return Grid(
        title=f"Error at budget {budget}, law by law",
        head=("student", "density", *names),
        rows=rows,
        note="(predicted − measured) / measured; without a forecast, the reason; * outside its interval.",
        texts=2,
    )


def _error(entry: dict[str, Any] | None) -> str:
    if entry is None or entry["prediction"]["relative_error"] is None:
        return entry["status"] if entry else ABSENT
    return percent(entry["prediction"]["relative_error"]) + (
        "*" if entry["prediction"]["covered"] is False else ""
    )


def ladder(cells: Rows, budget: int) -> Grid:
    """Return the loss at every budget with all questions asked, a row per student and density."""
    whole_pools = [row for row in cells if row["share"] == 1]
    budgets = sorted({row["budget"] for row in whole_pools})
    at = {(row["student"], row["density"], row["budget"]): row for row in whole_pools}
    rows = []
    for student, density in dict.fromkeys((row["student"], row["density"]) for row in whole_pools):
        found = [at.get((student, density, r)) for r in budgets]
        losses = [mean_and_std(f["loss_mean"], f["loss_std"]) if f else ABSENT for f in found]
        rows.append((student, str(density), *losses))
    return Grid(
        title="Loss by response budget",
        head=("student", "density", *(f"r = {r}" + (" (held out)" if r == budget else "") for r in budgets)),
        rows=rows,
        note=f"Nats per answer token, mean ± standard deviation over {_seeds(cells)}; share 1.",
        texts=2,
    )


def unmatched(cells: Rows, pairs: Rows) -> list[str]:
    """Say which cuts of a part of the questions meet no cut of all of them at equal N, and by how much."""
    paired = {(row["student"], row["density"], row["fss_share"], row["fss_budget"]) for row in pairs}
    said = []
    for row in cells:
        place = (row["student"], row["density"])
        if row["density"] is None or row["share"] == 1 or (*place, row["share"], row["budget"]) in paired:
            continue
        whole_pools = [c for c in cells if (c["student"], c["density"], c["share"]) == (*place, 1)]
        N = row["sample_budget"]
        near = min(whole_pools, key=lambda c: abs(c["sample_budget"] - N), default=None)
        beside = f"; the nearest is 1x{near['budget']} with {near['sample_budget']}" if near else ""
        cut = f"{row['share']:g}x{row['budget']}"
        said.append(
            f"{row['student']} at density {row['density']}: no cut of equal N for {cut} ({N}){beside}."
        )
    return said


def matched_budget(pairs: Rows, cells: Rows) -> Grid:
    """Return the arms that meet at equal N, a row per student, density and pair; and which cuts do not."""
    notes = (
        [_NOTE.format("FSS − SE")]
        if pairs
        else ["No two cuts of one density have equal N: nothing to compare."]
    )
    return Grid(
        title="Matched budget: fewer questions asked more often (FSS) against more questions (SE)",
        head=("student", "density", "N", "FSS", "SE", *_DIFFERENCES),
        rows=[
            (
                row["student"],
                str(row["density"]),
                whole(row["sample_budget"]),
                f"{row['fss_share']:g}x{row['fss_budget']}",
                f"{row['se_share']:g}x{row['se_budget']}",
                *_differences(row),
            )
            for row in pairs
        ],
        note=" ".join([*notes, *unmatched(cells, pairs)]),
        texts=2,
    )


def matched_density(pairs: Rows) -> Grid:
    """Return pools of two densities at one cut and equal N, a row per student, pair and cut."""
    return Grid(
        title="Matched budget: sparser against denser pool",
        head=("student", "sparse", "dense", "N", "cut", *_DIFFERENCES),
        rows=[
            (
                row["student"],
                str(row["sparse_density"]),
                str(row["dense_density"]),
                whole(row["sample_budget"]),
                f"{row['share']:g}x{row['budget']}",
                *_differences(row),
            )
            for row in pairs
        ],
        note=_NOTE.format("sparse − dense") if pairs else "No two densities have a cut with equal N.",
        texts=3,
    )


_DIFFERENCES = ("loss difference [95 %]", "p (Holm)", "exact match difference [95 %]", "p (Holm)")
_NOTE = (
    "Differences are {}: below zero the first has the lower loss, above zero the higher exact match. "
    "Intervals and tests pair the same benchmark items and training seeds; p is adjusted for all rows (Holm)."
)


def _differences(row: dict[str, Any]) -> tuple[str, ...]:
    texts = []
    for measure in ("loss", "accuracy"):
        value, low, high, p = (row[f"{measure}_{name}"] for name in ("difference", "low", "high", "p_holm"))
        texts += [with_interval(value, low, high, "+.3f"), p_value(p)]
    return tuple(texts)


def _seeds(cells: Rows) -> str:
    counts = sorted({row["seeds"] for row in cells if row["density"] is not None})
    return f"{'–'.join(map(str, counts))} training seed{'' if counts == [1] else 's'}"
