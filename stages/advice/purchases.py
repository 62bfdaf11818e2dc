"""The next purchases: what each is predicted to change, what it costs, and whether the data can tell."""

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from stages.advice import Config
from stages.advice.backtest import Factor, Panel, axis_of, factor, interval
from stages.advice.costs import Cost, Rates, Unit, extension
from stages.advice.surface import Change, Measured, Surface, fit
from stages.grid import Cut

Extension = Literal["responses", "questions"]
Kind = Literal[Extension, "teacher", "protocol", "density"]
Verdict = Literal["gain", "loss", "undecided"]
Reason = Literal[
    "",
    "interval_contains_0",
    "one_share",  # more questions were never seen to help: only one share was measured
    "below_zero",  # the straight line predicts a gain larger than the loss that is left
    "one_training_seed",
    "too_few_cells",
    "no_coverage_law",
    "cost_unknown",  # the gain is clear, what it takes is not known in the ranking's unit
    "other_cut",  # measured against another cut than the one that is held
]


class Purchase(NamedTuple):
    """One row of the advice: what `bought` would change of the measured loss of `held`."""

    teacher: str
    student: str
    domain: str
    kind: Kind
    held: Cut
    bought: Cut  # after the purchase; a share above 1 is of new questions
    name: str | None  # of the other teacher, protocol or density
    change: float | None  # nats per answer token; negative is a gain
    low: float | None
    high: float | None
    level: float  # of the interval
    back_tested: bool  # the back-test reached as far, or the change was measured itself
    cost: Cost
    verdict: Verdict
    reason: Reason
    rank: int | None = None  # among all purchases; None unless it is a gain of known cost
    rank_in_group: int | None = None  # within one teacher, student and domain

    @property
    def group(self) -> tuple[str, str, str]:
        """Return whose purchase it is."""
        return self.teacher, self.student, self.domain

    def gain_per(self, unit: Unit) -> tuple[float | None, float | None, float | None]:
        """Return the gain per unit of cost and its interval; None where the cost is unknown or nothing."""
        cost = self.cost.of(unit)
        if not cost or self.change is None:
            return None, None, None
        low, high = (None if end is None else -end / cost for end in (self.high, self.low))
        return -self.change / cost, low, high


class Audited(NamedTuple):
    """A measured difference at one cut, with its interval: another protocol, or another density."""

    teacher: str
    student: str
    domain: str
    kind: Kind
    name: str  # of what would be bought
    cut: Cut
    difference: float  # loss with it minus loss with what is held, nats per answer token
    low: float | None  # None with one training seed
    high: float | None
    level: float  # of the interval
    cost: Cost


class Group(NamedTuple):
    """One teacher, student and domain: what is held, and what is known of it."""

    panel: Panel
    held: Measured
    surface: Surface
    rates: Rates
    factors: Sequence[Factor]
    level: float


def group(panel: Panel, rates: Rates, factors: Sequence[Factor], level: float, held: Cut | None) -> Group:
    """Return a group; what is held is the cut with the largest sample budget unless it is given.

    Raises:
        KeyError: `held` was not measured.
    """
    cells = {cell.cut: cell for cell in panel.cells}
    largest = max(cells, key=lambda cut: (cut.share * cut.budget, cut.share))
    return Group(panel, cells[held or largest], fit(panel.cells, panel.law()), rates, factors, level)


def candidates(of: Group, config: Config) -> list[Purchase]:
    """Return more responses and more questions, at the multiples of the settings.

    Below the full source questions are bought up to each larger measured share and to all of it, then beyond.
    """
    share, budget = of.held.cut
    steps = sorted({1.0, *(c.cut.share for c in of.panel.cells)})
    shares = [s for s in steps if s > share] + [m for m in sorted(config.questions) if m > max(share, 1)]
    cuts = [Cut(share, round(budget * m)) for m in sorted(config.responses)]
    return [extended(of, cut, config) for cut in [*cuts, *(Cut(s, budget) for s in shares)]]


def extended(of: Group, bought: Cut, config: Config) -> Purchase:
    """Return the purchase of more responses, or of more questions, up to a cut."""
    names, held = of.panel[:3], of.held.cut
    axis = axis_of(held, bought, of.panel.cells)
    kind: Extension = "responses" if axis == "responses" else "questions"
    cost = extension(of.rates, held, bought, config, of.panel.domain)
    change = of.surface.change(held, bought, of.held.loss)
    reason: Reason = ""
    if kind == "questions" and of.surface.shares < 2:
        reason = "one_share"
    elif change is None:
        reason = "" if of.surface.status == "ok" else of.surface.status
    elif change.estimate <= -of.held.loss:  # a straight line would end below a loss of nought
        reason = "below_zero"
    if reason or change is None or axis is None:
        return _purchase(names, kind, held, bought, None, None, None, of.level, False, cost, reason)
    doublings = math.log2(bought.share * bought.budget / (held.share * held.budget))
    past = factor(of.factors, axis, doublings)
    low, high = interval(change, past.factor if past else 1.0, of.level)
    ends = max(low, -of.held.loss), high  # no loss falls below 0
    reached = past is not None and past.reaches(doublings)
    return _purchase(names, kind, held, bought, None, change.estimate, ends, of.level, reached, cost)


def another_teacher(of: Group, other: Group) -> Purchase | None:
    """Return the purchase of the held cut from another teacher, whole; None where it was not measured.

    The change is the difference of the two measured losses, its error the scatter of either cell about its
    own surface (Welch).
    """
    cut = of.held.cut
    there = next((cell for cell in other.panel.cells if cell.cut == cut), None)
    if there is None:
        return None
    cost = extension(other.rates, None, cut, Config(), of.panel.domain)
    estimate, name = there.loss - of.held.loss, other.panel.teacher
    a, b = of.surface, other.surface
    here_scatter, there_scatter = a.scatter(of.held.loss), b.scatter(there.loss)
    if here_scatter is None or there_scatter is None:
        status = a.status if here_scatter is None else b.status
        reason: Reason = "" if status == "ok" else status
        return _purchase(
            of.panel[:3], "teacher", cut, cut, name, estimate, None, of.level, True, cost, reason
        )
    of_a, of_b = here_scatter**2, there_scatter**2
    variance = of_a + of_b
    freedom = variance**2 / (of_a**2 / a.freedom + of_b**2 / b.freedom) if variance else 1.0
    ends = interval(Change(estimate, variance**0.5, freedom), 1.0, of.level)
    return _purchase(of.panel[:3], "teacher", cut, cut, name, estimate, ends, of.level, True, cost)


def audited(found: Audited, held: Cut) -> Purchase:
    """Return the purchase of a cut with another protocol or density, whole, as it was measured.

    Where more is held than the cut at which it was measured, nothing says what it would add to that.
    """
    known = found.low is not None and found.high is not None
    row = _purchase(
        (found.teacher, found.student, found.domain),
        found.kind,
        found.cut,
        found.cut,
        found.name,
        found.difference,
        (found.low, found.high) if found.low is not None and found.high is not None else None,
        found.level,
        True,
        found.cost,
        "" if known else "one_training_seed",
    )
    return row if found.cut == held else row._replace(reason="other_cut")


def _purchase(
    names: tuple[str, str, str],
    kind: Kind,
    held: Cut,
    bought: Cut,
    name: str | None,
    change: float | None,
    ends: tuple[float, float] | None,
    level: float,
    back_tested: bool,
    cost: Cost,
    reason: Reason = "",
) -> Purchase:
    """Put a row together with its verdict."""
    low, high = ends or (None, None)
    verdict: Verdict = "undecided"
    if low is not None and high is not None and low * high > 0:
        verdict = "gain" if high < 0 else "loss"
    if verdict == "undecided" and not reason:
        reason = "interval_contains_0"
    return Purchase(
        *names, kind, held, bought, name, change, low, high, level, back_tested, cost, verdict, reason
    )


def ranked(rows: Iterable[Purchase], unit: Unit) -> list[Purchase]:
    """Rank by expected gain per unit of cost those whose interval shows a gain, and order the rest.

    Gains that cost nothing come first, by size; then gains by their ratio. They are ranked. Without a rank
    follow gains of unknown cost, the undecided by their ratio, what was measured at another cut or not at
    all, and what raises the loss.
    """

    def place(row: Purchase) -> tuple[int, float, float]:
        cost, change = row.cost.of(unit), math.inf if row.change is None else row.change
        ratio = 0.0 if cost is None else -change / cost if cost else math.inf
        return standing(row), -ratio, change

    found: list[Purchase] = []
    within: dict[tuple[str, str, str], int] = {}
    known = [
        row._replace(reason="cost_unknown") if standing(row) == 0 and row.cost.of(unit) is None else row
        for row in rows
    ]
    for row in sorted(known, key=place):
        row = row._replace(rank=None, rank_in_group=None)
        if standing(row) == 0:
            within[row.group] = within.get(row.group, 0) + 1
            row = row._replace(rank=len(found) + 1, rank_in_group=within[row.group])
        found.append(row)
    return found


def standing(row: Purchase) -> int:
    """Return a row's class in the order of the advice; 0 is a gain with nothing against it."""
    if row.reason == "other_cut" or row.change is None:
        return 3
    return {"gain": 1 if row.reason else 0, "undecided": 2, "loss": 4}[row.verdict]
