"""What is asked of a teacher, what came of it, and what that adds up to."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from stages.teacher import prompts, wire
from stages.teacher.settings import Price
from stages.teacher.store import Row


class Request(NamedTuple):
    """One draw: a prompt, which of its rollouts, and how it is sampled (None: as the config says)."""

    prompt: prompts.Prompt
    rollout: int = 0
    temperature: float | None = None
    seed: int = 0


class Outcome(NamedTuple):
    """What came of one request.

    Tokens and cost are those of the whole draw, repair included, whenever it was paid; `calls` and `paid_usd`
    are what this run added.
    """

    key: str  # of the request whose reply this is: the repair's where there was one
    reply: prompts.Reply | None  # None where it is malformed
    reason: str  # "ok" or the fault's name, see wire.FAULTS
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    cached: bool  # nothing was sent: all of it was in the store
    repaired: bool  # a second reply was asked for
    calls: int
    paid_usd: float | None


class Tally(NamedTuple):
    """What a list of outcomes adds up to."""

    draws: int
    cached: int
    calls: int
    repaired: int
    reasons: dict[str, int]  # outcomes per reason, sorted by name
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None  # of all draws, whenever paid
    paid_usd: float | None  # by this run

    def __str__(self) -> str:
        """Say it in one line."""
        line = f"{self.draws:,} draws: {self.cached:,} from the store, {self.calls:,} calls"
        line += f", {self.repaired:,} repaired" if self.repaired else ""
        bad = [f"{n:,} {reason}" for reason, n in self.reasons.items() if reason != wire.OK]
        line += f", malformed: {', '.join(bad)}" if bad else ""
        return line + (f", {self.paid_usd:.2f} USD paid" if self.paid_usd else "")


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Add up outcomes, for a verb's one line and the ledger's totals."""
    outcomes = list(outcomes)
    return Tally(
        draws=len(outcomes),
        cached=sum(o.cached for o in outcomes),
        calls=sum(o.calls for o in outcomes),
        repaired=sum(o.repaired for o in outcomes),
        reasons=dict(sorted(Counter(o.reason for o in outcomes).items())),
        prompt_tokens=sum(o.prompt_tokens for o in outcomes),
        completion_tokens=sum(o.completion_tokens for o in outcomes),
        cost_usd=total([o.cost_usd for o in outcomes]),
        paid_usd=total([o.paid_usd for o in outcomes]),
    )


def cost(row: Row, price: Price) -> float | None:
    """Return the price of one response in USD; None where a price is not known."""
    return amount(row.prompt_tokens, row.completion_tokens, price)


def amount(prompt_tokens: float, completion_tokens: float, price: Price) -> float | None:
    """Return the price of some tokens in USD; None where a price is not known."""
    if price.input is None or price.output is None:
        return None
    return (prompt_tokens * price.input + completion_tokens * price.output) / 1e6


def total(costs: Iterable[float | None]) -> float | None:
    """Return the sum, None if a part of it is not known."""
    costs = list(costs)
    known = [value for value in costs if value is not None]
    return sum(known) if len(known) == len(costs) else None
