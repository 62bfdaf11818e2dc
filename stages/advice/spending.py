"""What a given sum buys: the largest extension that it affords, and the best of all affordable purchases."""

from collections.abc import Iterable
from typing import NamedTuple, get_args

from stages.advice import Config
from stages.advice.costs import Unit, asked, extension
from stages.advice.purchases import Extension, Group, Purchase, extended, standing
from stages.errors import BadInput
from stages.grid import Cut

_MOST = 2**40  # steps along an axis: calls that cost nothing would never end


class Spending(NamedTuple):
    """The advice for one sum."""

    amount: float
    unit: Unit
    affordable: list[Purchase]  # the largest gains first; those that the data cannot tell after them
    best: Purchase | None  # None where no affordable purchase has an interval that shows a gain
    left: float | None  # of the amount, after the best


def amount(usd: float | None, million_tokens: float | None) -> tuple[float, Unit] | None:
    """Return the sum that is to be spent, and its unit; None where none is named.

    Raises:
        BadInput: a sum that is not above 0, or both.
    """
    for option, value in (("--spend", usd), ("--spend-tokens", million_tokens)):
        if value is not None and not 0 < value < float("inf"):
            raise BadInput(f"{option} {value:g}: not a sum above 0")
    if usd is not None and million_tokens is not None:
        raise BadInput("--spend, --spend-tokens: two sums; name one of them")
    if usd is not None:
        return usd, "usd"
    return None if million_tokens is None else (million_tokens, "million_tokens")


def spend(
    groups: Iterable[Group], others: Iterable[Purchase], amount: float, unit: Unit, config: Config
) -> Spending:
    """Choose by expected gain: a sum that is to be spent is not saved by a better ratio.

    Args:
        groups: whose responses and questions can be extended.
        others: whole cuts of other teachers, protocols and densities.
        amount: to spend, in `unit`, above 0.
        unit: of the amount.
        config: settings.
    """
    extensions = [largest(of, kind, amount, unit, config) for of in groups for kind in get_args(Extension)]
    rows = [row for row in extensions if row] + list(others)
    costs = [row.cost.of(unit) for row in rows]
    affordable = [row for row, cost in zip(rows, costs, strict=True) if cost is not None and cost <= amount]
    affordable.sort(key=lambda row: (standing(row), row.change or 0.0))
    best = affordable[0] if affordable and standing(affordable[0]) == 0 else None
    cost = best.cost.of(unit) if best else None
    return Spending(amount, unit, affordable, best, None if cost is None else amount - cost)


def largest(of: Group, kind: Extension, amount: float, unit: Unit, config: Config) -> Purchase | None:
    """Return the largest extension of a kind that the amount affords; None where it affords none.

    Questions end at the largest multiple of the source in the settings: farther the curve says nothing.
    """
    share, budget = of.held.cut
    Q = of.rates.questions

    def cut(steps: int) -> Cut:
        return (
            Cut(share, budget + steps) if kind == "responses" else Cut((asked(share, Q) + steps) / Q, budget)
        )

    def affords(steps: int) -> bool:
        if kind == "questions" and cut(steps).share > max(1.0, *config.questions):
            return False
        cost = extension(of.rates, of.held.cut, cut(steps), config, of.panel.domain).of(unit)
        return cost is not None and cost <= amount

    low, high = 0, 1
    while affords(high) and high < _MOST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if affords(middle) else (low, middle)
    return extended(of, cut(low), config) if low else None
