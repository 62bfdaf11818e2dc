"""The advice as a whole: from measured cells to ranked purchases and the back-test."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from stages.advice import Config, backtest, costs, purchases, spending
from stages.advice.backtest import Factor, Pair, Panel, Told
from stages.advice.costs import Rates, Unit
from stages.advice.purchases import Audited, Group, Purchase
from stages.errors import BadInput
from stages.grid import Cut


class Offer(NamedTuple):
    """A panel with what its teacher's calls take."""

    panel: Panel
    rates: Rates


class Advice(NamedTuple):
    """All that is advised, and how such advice did."""

    level: float  # of every interval
    unit: Unit  # of the costs that the ranking divides by
    groups: list[Group]
    purchases: list[Purchase]  # in order of their rank
    factors: list[Factor]
    told: list[Told]  # the back-test's trials
    pairs: list[Pair]


def advise(
    offers: Sequence[Offer], audits: Iterable[Audited], config: Config, level: float, held: Cut | None = None
) -> Advice:
    """Rank what may be bought next, and back-test the ranking.

    Args:
        offers: one per teacher, student and domain.
        audits: measured differences of protocols and densities.
        config: settings.
        level: of the intervals.
        held: cut to start from, where it was measured; None is each panel's with the largest sample budget.

    Raises:
        BadInput: no panel has a cell at `held`.
    """
    seen = backtest.trials(offer.panel for offer in offers)
    factors = backtest.factors(seen)
    here = [o for o in offers if held is None or held in {cell.cut for cell in o.panel.cells}]
    if not here:
        raise BadInput(f"--held {held}: not measured; name a cut of the table of cells")
    groups = [purchases.group(offer.panel, offer.rates, factors, level, held) for offer in here]
    rows = [row for of in groups for row in purchases.candidates(of, config)]
    rows += _other_teachers(groups)
    started = {of.panel[:3]: of.held.cut for of in groups}
    rows += [purchases.audited(a, started.get((a.teacher, a.student, a.domain), a.cut)) for a in audits]
    unit = costs.currency(offer.rates.price for offer in offers)
    told, pairs = backtest.told(seen, level), backtest.pairs(seen, level)
    return Advice(level, unit, groups, purchases.ranked(rows, unit), factors, told, pairs)


def _other_teachers(groups: Sequence[Group]) -> list[Purchase]:
    """Return the held cuts of every group's rivals: same student and domain, another teacher."""
    found = []
    for of in groups:
        for other in groups:
            alike = of.panel[1:3] == other.panel[1:3] and of.panel.teacher != other.panel.teacher
            row = purchases.another_teacher(of, other) if alike else None
            found += [row] if row else []
    return found


def only(advice: Advice, wanted: Mapping[str, str | None]) -> Advice:
    """Return the advice on one teacher, student or domain, ranked among itself; the back-test stays whole.

    Args:
        advice: on all.
        wanted: by the name of a purchase's field; None is any.

    Raises:
        BadInput: there is no such; the line names what there is.
    """
    groups, rows = advice.groups, advice.purchases
    for name, value in wanted.items():
        known = dict.fromkeys(getattr(row, name) for row in rows)
        if value is not None and value not in known:
            raise BadInput(f"--{name} {value}: not measured; choose one of {', '.join(known)}")
        rows = [row for row in rows if value in (None, getattr(row, name))]
        groups = [of for of in groups if value in (None, getattr(of.panel, name))]
    return advice._replace(groups=groups, purchases=purchases.ranked(rows, advice.unit))


def spend(advice: Advice, amount: float, unit: Unit, config: Config) -> spending.Spending:
    """Return what a sum buys.

    Raises:
        BadInput: no price is known, and the sum is in USD.
    """
    if unit == "usd" and not any(of.rates.price.known for of in advice.groups):
        names = ", ".join(dict.fromkeys(of.panel.teacher for of in advice.groups))
        raise BadInput(
            f"--spend {amount:g}: no price of {names} is known; set it in params.yaml, or name a "
            "sum of tokens with --spend-tokens"
        )
    whole = [row for row in advice.purchases if row.kind not in ("responses", "questions")]
    return spending.spend(advice.groups, whole, amount, unit, config)
