"""The advice in words: Markdown tables that also read in a terminal."""

from collections.abc import Sequence
from typing import Any

from stages.advice.costs import Unit
from stages.advice.purchases import Purchase
from stages.advice.spending import Spending
from stages.advice.study import Advice
from stages.advice.surface import FORMS, Surface
from stages.tables.figures import ABSENT, number, percent, whole, with_interval
from stages.tables.grids import Grid, markdown

SHOWN = 12  # purchases of a table
SIMULATOR = """\
The teacher is a simulator: these are purchases of its draws, and every gain describes students of this
repository's small world, not a language model as a teacher.
"""
_UNITS: dict[Unit, str] = {"usd": "USD", "million_tokens": "million teacher tokens"}
_REASONS = {
    "": "",
    "interval_contains_0": "cannot tell: the interval contains 0",
    "one_share": "cannot tell: only one question share was measured",
    "below_zero": "cannot tell: more than the loss that is left",
    "one_training_seed": "cannot tell: one training seed",
    "too_few_cells": "cannot tell: too few cells measured",
    "no_coverage_law": "cannot tell: the ledger gives no coverage law",
    "cost_unknown": "not ranked: its cost is unknown",
    "other_cut": "not ranked: measured at another cut",
}


def advice(found: Advice, document: dict[str, Any], simulator: bool) -> str:
    """Return the whole advice as Markdown.

    Args:
        found: the advice.
        document: of it, from `stages.advice.document`.
        simulator: the teacher is the embedded one.
    """
    parts = [SIMULATOR] if simulator else []
    parts += [
        ranking(found),
        markdown(best_of_each(found)),
        markdown(trials(document)),
        markdown(choices(document)),
        markdown(laws(document)),
    ]
    return "\n".join(parts)


def short(found: Advice, bought: Spending | None, simulator: bool) -> str:
    """Return the best purchases alone, or what a sum buys, for a terminal."""
    parts = [SIMULATOR] if simulator else []
    return "\n".join([*parts, spent(bought, found.level) if bought else ranking(found)])


def ranking(found: Advice) -> str:
    """Return the first purchases, and why they are counted in tokens where they are."""
    table = markdown(purchases("Next purchases", found.purchases, found.unit, found.level))
    missing = "A price is missing in params.yaml: costs are in tokens, gains per million of them.\n"
    return table if found.unit == "usd" else f"{missing}\n{table}"


def headline(found: Advice) -> str:
    """Return the advice in one line: the first purchase, or that there is none."""
    ranked = sum(row.rank is not None for row in found.purchases)
    first = found.purchases[0]
    says = f", first {describe(first)} for {' / '.join(first.group)}" if first.rank else ""
    return f"{len(found.purchases)} purchases, {ranked} with a clear gain{says}"


def spent(found: Spending, level: float) -> str:
    """Return what a sum buys: the choice in one sentence, then what it was chosen from."""
    sum_of = f"{found.amount:g} {_UNITS[found.unit]}"
    if found.best:
        change = with_interval(found.best.change, found.best.low, found.best.high)
        says = (
            f"{sum_of}: {describe(found.best)} for {' / '.join(found.best.group)}, {change} nats per answer "
            f"token; {number(found.left, '.4g')} left."
        )
    elif found.affordable:
        says = f"{sum_of}: the data cannot tell whether any affordable purchase lowers the loss."
    else:
        says = f"{sum_of}: buys nothing, every purchase whose cost is known takes more."
    grid = purchases(f"What {sum_of} buys", found.affordable, found.unit, level)
    return f"{says}\n\n{markdown(grid)}" if found.affordable else says


def purchases(title: str, rows: Sequence[Purchase], unit: Unit, level: float) -> Grid:
    """Return the first rows of a list of purchases."""
    shown = [
        (
            ABSENT if row.rank is None else str(row.rank),
            row.teacher,
            row.student,
            row.domain,
            f"{row.held.share:g}x{row.held.budget}",
            describe(row),
            with_interval(row.change, row.low, row.high) + ("" if row.back_tested else "*"),
            whole(row.cost.calls),
            number(row.cost.of(unit), ".3g"),
            number(row.gain_per(unit)[0], ".3g"),
            _REASONS[row.reason] or row.verdict,
        )
        for row in rows[:SHOWN]
    ]
    more = f" {len(rows) - SHOWN} more rows are not shown." if len(rows) > SHOWN else ""
    return Grid(
        title=title,
        head=(
            "rank",
            "teacher",
            "student",
            "domain",
            "held",
            "buy",
            f"change [{100 * level:g} %]",
            "calls",
            _UNITS[unit],
            "gain per unit",
            "verdict",
        ),
        rows=shown,
        note=(
            "Ranked by expected gain per unit of cost where the interval shows a gain; the others follow "
            "without a rank. Change: of the loss as it would be measured, nats per answer token, negative "
            "is a gain. Cost: beyond what is held; another teacher, protocol or density is bought whole. "
            "Questions beyond the source are taken to be like those of the source, and the benchmark to be"
            " as much about them. * farther than any back-test went." + more
        ),
        texts=6,
    )


def describe(row: Purchase) -> str:
    """Return a purchase in a few words."""
    if row.kind == "responses":
        return f"responses to {row.bought.budget}"
    if row.kind == "questions":
        return f"questions to {row.bought.share:.4g} of the source"
    return f"{row.kind} {row.name}"


def best_of_each(found: Advice) -> Grid:
    """Return the first purchase of every teacher, student and domain."""
    rows = []
    for of in found.groups:
        first = next(row for row in found.purchases if row.group == of.panel[:3])
        clear = [row for row in found.purchases if row.group == of.panel[:3] and row.verdict == "gain"]
        rows.append(
            (
                *of.panel[:3],
                *_curve(of.surface),
                number(of.surface.scatter(of.held.loss)),
                f"{len(clear)} of {sum(row.group == of.panel[:3] for row in found.purchases)}",
                _says(first),
            )
        )
    one_seed = any(cell.seeds == 1 for of in found.groups for cell in of.panel.cells)
    alone = " One training seed: its noise is part of σ and not known by itself." if one_seed else ""
    return Grid(
        title="Best purchase of each teacher, student and domain",
        head=("teacher", "student", "domain", "loss", "weight", "E0", "κ", "σ", "gains", "buy"),
        rows=rows,
        note=(
            "The loss is a curve in the covered share C = s·(1 − F(r)) of the source, over question shares s "
            "and budgets r, F the coverage law of the ledger. Of three forms that are weighed by their "
            "likelihoods the heaviest is shown. σ: a cell's scatter at the held loss. E0 and σ in nats per "
            "answer token. Gains: purchases whose interval shows one." + alone
        ),
        texts=4,
    )


def _curve(surface: Surface) -> tuple[str, str, str, str]:
    """Return form, weight, E0 and kappa of the heaviest curve."""
    if not surface.curves:
        return ABSENT, ABSENT, ABSENT, ABSENT
    best = surface.curves[0]
    return FORMS[best.form], percent(best.weight, ".0f"), number(best.E0), number(best.kappa)


def _says(row: Purchase) -> str:
    """Return a purchase if it is a gain, and what there is to say against it."""
    return ", ".join(x for x in (describe(row) if row.verdict == "gain" else "", _REASONS[row.reason]) if x)


def trials(document: dict[str, Any]) -> Grid:
    """Return the back-test's errors."""
    rows = [
        (
            _scope(entry["scope"], document["budget"]),
            entry["axis"].replace("_", " "),
            str(entry["trials"]),
            number(entry["mean_error"]),
            number(entry["median_absolute_error"]),
            _of(entry, "coverage"),
        )
        for entry in document["back_test"]["trials"]
    ]
    return Grid(
        title="Back-test: predicted against observed changes",
        head=("hidden", "bought", "trials", "mean error", "median absolute error", "inside the interval"),
        rows=rows,
        note=(
            "From each held cell everything at its budget or beyond is hidden, the advice given, and the "
            "change then looked up; for new questions every larger share is hidden too. Intervals are "
            "widened only by what was known before. Errors: predicted − observed, nats per answer token. "
            f"Inside: at a level of {100 * document['level']:g} %, with the binomial interval of as many "
            "independent trials."
        ),
        texts=2,
    )


def choices(document: dict[str, Any]) -> Grid:
    """Return how often the better of two purchases at equal N was ranked first."""
    rows = [
        (
            _scope(entry["scope"], document["budget"]),
            str(entry["choices"]),
            _of(entry, "share_right"),
            str(entry["told_apart"]),
            str(entry["right_where_told_apart"]),
            str(entry["questions_best"]),
            number(entry["regret_mean"]),
            number(entry["regret_worst"]),
        )
        for entry in document["back_test"]["choices"]
    ]
    return Grid(
        title="Back-test: more responses or more questions, at equal sample budgets",
        head=(
            "hidden",
            "choices",
            "right",
            "told apart",
            "of these right",
            "questions were best",
            "regret",
            "worst",
        ),
        rows=rows,
        note=(
            "Right: the purchase ranked first had the lower loss as measured. Told apart: the interval of "
            "the predicted difference excludes 0. Regret: loss of the first less that of the better, nats "
            "per answer token, mean over choices."
        ),
    )


def laws(document: dict[str, Any]) -> Grid:
    """Return the surface beside the laws of one share each."""
    rows = [
        (
            entry["law"],
            str(entry["curves"]),
            percent(entry["law_median_error"], ".2f"),
            percent(entry["surface_median_error"], ".2f"),
            f"{entry['surface_closer']} of {entry['curves']}",
        )
        for entry in document["back_test"]["laws"]
    ]
    return Grid(
        title=f"One surface against a law per share, at the held-out budget {document['budget']}",
        head=("law", "curves", "its median error", "the surface's", "surface closer"),
        rows=rows,
        note="Absolute relative errors of the mean loss; all are fitted below the held-out budget.",
    )


def _scope(name: str, budget: int) -> str:
    return f"budget {budget}" if name == "top_budget" else "every budget"


def _of(entry: dict[str, Any], name: str) -> str:
    """Return a share with its binomial interval."""
    value, low, high = (entry[key] for key in (name, f"{name}_low", f"{name}_high"))
    if value is None:
        return ABSENT
    return f"{percent(value, '.0f')} [{100 * low:.0f}, {100 * high:.0f}]"
