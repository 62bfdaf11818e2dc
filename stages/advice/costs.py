"""What purchases take: teacher calls, tokens and their price."""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from stages.advice import Config
from stages.grid import Cut

Unit = Literal["usd", "million_tokens"]
_MILLION = 1e6


class Price(NamedTuple):
    """What a teacher charges, in USD per million tokens; None where it is not known."""

    input: float | None
    output: float | None

    @property
    def known(self) -> bool:
        """Return whether both are known."""
        return self.input is not None and self.output is not None


class Rates(NamedTuple):
    """What one teacher charges, and what its calls on one domain take by the ledger."""

    questions: int  # of the full source
    prompt_tokens: float  # per call, mean
    completion_tokens: float
    price: Price


class Cost(NamedTuple):
    """What a purchase takes beyond what is held; None where it is not known, never 0 for it."""

    calls: int | None
    prompt_tokens: float | None
    completion_tokens: float | None
    usd: float | None

    def of(self, unit: Unit) -> float | None:
        """Return the cost in USD or in million tokens, prompt and completion together."""
        if unit == "usd":
            return self.usd
        if self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return (self.prompt_tokens + self.completion_tokens) / _MILLION


def whole(calls: int, prompt_tokens: float, completion_tokens: float, price: Price) -> Cost:
    """Return the cost of so many calls with all their tokens."""
    usd = None
    if price.input is not None and price.output is not None:
        usd = (prompt_tokens * price.input + completion_tokens * price.output) / _MILLION
    return Cost(calls, prompt_tokens, completion_tokens, usd)


def currency(prices: Iterable[Price]) -> Unit:
    """Return the unit in which every teacher's cost is known: USD, or tokens where a price is missing."""
    return "usd" if all(price.known for price in prices) else "million_tokens"


def asked(share: float, questions: int) -> int:
    """Return how many questions a share of the source is, rounded up as a training set's cut is."""
    return math.ceil(share * questions - 1e-9)


def extension(rates: Rates, held: Cut | None, bought: Cut, config: Config, domain: str) -> Cost:
    """Return what it takes to get from one cut to another that holds it, or to all of it from nothing.

    Questions of the source are written already. Each one beyond it must be asked for and verified, which
    costs what the settings say; where they say nothing, the cost is unknown.
    """
    Q = rates.questions
    before = asked(held.share, Q) if held else 0
    after = asked(bought.share, Q)
    calls = after * bought.budget - (before * held.budget if held else 0)
    new = max(after - max(before, Q), 0)
    writing = config.writing.get(domain)
    if new and writing is None:
        return Cost(calls, None, None, None)
    prompt = calls * rates.prompt_tokens + (new * writing.prompt_tokens if writing else 0.0)
    completion = calls * rates.completion_tokens + (new * writing.completion_tokens if writing else 0.0)
    return whole(calls, prompt, completion, rates.price)
