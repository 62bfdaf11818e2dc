"""What a run's numbers do not support, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from stages.tables import forecasts, headline
from stages.tables.figures import number, percent

Rows = list[dict[str, Any]]


def limits(tables: Mapping[str, Rows], laws: dict[str, Any], budget: int) -> list[str]:
    """Return one sentence or two for each conclusion that a reader might draw and should not.

    Args:
        tables: rows of the published tables, by name.
        laws: the document `laws.json`.
        budget: the highest response budget.
    """
    cells = tables["cells"]
    found = [*_always(cells)]
    for student, density in _curves(cells, budget):
        found += _forecast(tables, laws, student, density, budget)
    found += _pairs(tables["matched_budget"], "few questions asked often from many asked less often")
    found += _pairs(tables["matched_density"], "the sparser from the denser pool")
    found += [
        f"{miss} It is in no comparison." for miss in headline.unmatched(cells, tables["matched_budget"])
    ]
    return [*found, *_gains(cells, budget)]


def _curves(cells: Rows, budget: int) -> list[tuple[str, float]]:
    return [(r["student"], r["density"]) for r in cells if r["density"] is not None and _top(r, budget)]


def _top(row: dict[str, Any], budget: int) -> bool:
    return bool((row["share"], row["budget"]) == (1, budget))


def _always(cells: Rows) -> Iterator[str]:
    yield (
        "Each cell has one training set. Intervals and tests cover its training seeds and the benchmark "
        "items; how another draw of questions or of teacher responses would have come out is in none of them."
    )
    fewest = min((row["seeds"] for row in cells if row["density"] is not None), default=0)
    if fewest == 1:
        yield "One training seed: no standard deviation over seeds, no interval or test for a difference."
    elif fewest < 5:
        yield (
            f"A standard deviation over {fewest} seeds is itself uncertain by about "
            f"{percent(1 / (2 * (fewest - 1)) ** 0.5, '.0f')}."
        )
    densities = len({row["density"] for row in cells if row["density"] is not None})
    if densities < 3:
        yield f"{densities} densities can show a difference, not an optimum: that takes at least three."


def _forecast(
    tables: Mapping[str, Rows], laws: dict[str, Any], student: str, density: float, budget: int
) -> Iterator[str]:
    where = f"{student} at density {density}"
    entry = forecasts.entry(laws, student, density, budget)
    told, name, level = entry["prediction"], entry["law"], f"{100 * laws['level']:g} %"
    if told["loss"] is None:
        yield f"{where}: the {name} law gives no forecast ({entry['status']}: {entry['message']})."
        return
    if entry["status"] != "ok":
        yield (
            f"{where}: the {name} law's parameters are not to be read ({entry['status']}: "
            f"{entry['message']}); its forecast is judged apart."
        )
    if told["covered"] is False:
        yield (
            f"{where}: the measured loss {number(told['observed'])} lies outside the {name} law's {level} "
            f"interval [{number(told['low'])}, {number(told['high'])}]: the law is wrong here, or its "
            "interval too narrow."
        )
    yield from _uninformative(tables["cells"], told, where, level, budget, (student, density))
    errors = {
        e["law"]: abs(e["prediction"]["relative_error"])
        for e in forecasts.rivals(laws, student, density)
        if e["prediction"]["relative_error"] is not None
    }
    best = min(errors, key=lambda law: errors[law])
    if best != name:
        yield (
            f"{where}: {best} came nearer ({percent(errors[best], '.1f')} off) than {name} "
            f"({percent(errors[name], '.1f')} off). One held-out point does not rank laws."
        )


def _uninformative(
    cells: Rows, told: dict[str, Any], where: str, level: str, budget: int, curve: tuple[str, float]
) -> Iterator[str]:
    """Say so where the interval holds the last fitted loss: it does not even tell that more budget helps."""
    if told["low"] is None or told["high"] is None:
        yield f"{where}: the forecast's {level} interval has no end on one side or both."
        return
    before = [
        row
        for row in cells
        if (row["student"], row["density"]) == curve and row["share"] == 1 and row["budget"] < budget
    ]
    if before and told["high"] >= before[-1]["loss_mean"]:
        yield (
            f"{where}: the forecast's {level} interval reaches up to {number(told['high'])}, which is no "
            f"gain over the {number(before[-1]['loss_mean'])} already measured at budget "
            f"{before[-1]['budget']}."
        )


def _pairs(pairs: Rows, what: str) -> Iterator[str]:
    for measure, name in (("loss", "eval loss"), ("accuracy", "exact match")):
        tested = [row[f"{measure}_p_holm"] for row in pairs]
        open_ones = sum(1 for p in tested if p is None or p >= 0.05)
        if open_ones:
            yield (
                f"Matched pairs: {name} does not tell {what} in {open_ones} of {len(tested)} "
                f"{'pair' if len(tested) == 1 else 'pairs'} (adjusted p ≥ 0.05 or no test). "
                "That is no evidence that they are equal."
            )


def _gains(cells: Rows, budget: int) -> Iterator[str]:
    for row in cells:
        if row["density"] is not None and _top(row, budget) and row["mcnemar_p"] >= 0.05:
            yield (
                f"{row['student']} at density {row['density']}: {row['gained_majority']} benchmark items "
                f"gained and {row['lost_majority']} lost against the base model at budget {budget} may be "
                f"chance (McNemar p = {row['mcnemar_p']:.2g})."
            )
