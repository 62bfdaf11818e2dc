"""What a run would buy, before it buys anything: which requests the store lacks, and what they will cost.

While `looking`, `client.each` counts the requests that the store cannot answer instead of sending them, and
stops there; where it can answer all, the run goes on to what it would ask next, but writes nothing.
"""

import math
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

from stages import files
from stages.teacher.outcomes import amount
from stages.teacher.settings import Config, Price
from stages.teacher.store import Measured

LEVEL = 0.9  # of every interval
CHARACTERS = 4.0  # of a token, where nothing was measured


class Look(NamedTuple):
    """The requests of one stage that the store lacks."""

    config: Config
    model: str  # as in the store
    task: str  # wire name of what they ask for
    requests: int  # of this kind that were looked up, those in the store among them
    missing: int  # distinct
    characters: int  # of the missing requests' messages


class Unbought(BaseException):
    """A run came to requests that the store lacks; no fault, and nothing below may catch it."""


_LOOKS: ContextVar[list[Look] | None] = ContextVar("looks", default=None)


@contextmanager
def looking() -> Iterator[list[Look]]:
    """Count instead of buying; yield the list that is filled. Nothing is written inside."""
    looks: list[Look] = []
    token = _LOOKS.set(looks)
    try:
        with files.unwritable():
            yield looks
    finally:
        _LOOKS.reset(token)


def is_looking() -> bool:
    """Return whether requests are to be counted, not sent."""
    return _LOOKS.get() is not None


class Tally:
    """Counts the requests of a run as they are looked up; 8 bytes are kept of each that is missing.

    Two keys that share 8 bytes count as one: among ten million that happens once in 370,000 times.
    """

    def __init__(self, config: Config, model: str) -> None:
        self._config, self._model = config, model
        self._kinds: dict[str, tuple[array[int], list[int]]] = {}

    def note(self, task: str, key: str, characters: int | None) -> None:
        """Count a request.

        Args:
            task: what it asks for.
            key: in the store.
            characters: of its messages; None if the store has it.
        """
        keys, sums = self._kinds.setdefault(task, (array("Q"), [0, 0]))
        sums[0] += 1
        if characters is not None:
            keys.append(int(key[:16], 16))
            sums[1] += characters

    def close(self) -> None:
        """Add what was counted to the list.

        Raises:
            Unbought: something is missing.
        """
        looks = _LOOKS.get()
        assert looks is not None
        missing = 0
        for task, (keys, (requests, characters)) in self._kinds.items():
            distinct = _distinct(keys)
            share = distinct / len(keys) if keys else 0.0
            looks.append(Look(self._config, self._model, task, requests, distinct, round(characters * share)))
            missing += distinct
        if missing:
            raise Unbought


def _distinct(keys: "array[int]") -> int:
    """Count distinct keys; they are sorted where they are, for a copy would double the memory."""
    sorted_ = np.frombuffer(keys, np.uint64)
    sorted_.sort()
    parts = range(0, max(len(sorted_) - 1, 0), 2**16)
    changes = (
        sorted_[i + 1 : i + 2**16 + 1] != sorted_[i : i + 2**16][: len(sorted_) - 1 - i] for i in parts
    )
    return sum(int(np.count_nonzero(change)) for change in changes) + bool(len(sorted_))


class Estimate(NamedTuple):
    """A figure with its interval; None where it is not known."""

    value: float | None
    low: float | None
    high: float | None


class Bill(NamedTuple):
    """What the missing requests of one kind will take."""

    calls: int  # malformed replies are asked for once more, and add to it
    measured: int  # replies of this kind in the store, from which the tokens are foretold
    prompt_tokens: Estimate
    completion_tokens: Estimate
    usd: Estimate
    seconds: float | None  # at the settings' pace


def bill(look: Look, measured: Measured) -> Bill:
    """Foretell tokens, cost and time of one kind of request (defined here).

    The replies to come are taken to be like those of the same model and kind in the store: n of them sum to
    n m, with variance n s² for themselves and n² s² / k for the mean of the k that were measured. Where none
    was, a prompt is counted as a token for every four characters, a reply as anything up to `max_tokens`.

    Args:
        look: what is missing.
        measured: tokens and latency of the replies of the same model and kind in the store.
    """
    n, config = look.missing, look.config
    prompt = _sum(n, measured.replies, measured.prompt_mean, measured.prompt_variance)
    completion = _sum(n, measured.replies, measured.completion_mean, measured.completion_variance)
    if not measured.replies:
        tokens = look.characters / CHARACTERS
        prompt = Estimate(tokens, tokens, tokens)
        completion = Estimate(None, 0.0, float(n * config.max_tokens))
    if not n:
        prompt = completion = Estimate(0.0, 0.0, 0.0)
    return Bill(
        n,
        measured.replies,
        prompt,
        completion,
        _cost(prompt, completion, config.price),
        _time(look, measured),
    )


def _sum(n: int, k: int, mean: float, variance: float) -> Estimate:
    from scipy.stats import norm, t

    if not k:
        return Estimate(None, None, None)
    quantile = float(t.ppf((1 + LEVEL) / 2, k - 1)) if k > 1 else float(norm.ppf((1 + LEVEL) / 2))
    half = quantile * math.sqrt(n * variance * (1 + n / k))
    return Estimate(n * mean, max(0.0, n * mean - half), n * mean + half)


def _cost(prompt: Estimate, completion: Estimate, price: Price) -> Estimate:
    """Return the cost; its ends are those of both sums at once, and so rather too far apart."""
    ends = [
        None if a is None or b is None else amount(a, b, price)
        for a, b in zip(prompt, completion, strict=True)
    ]
    return Estimate(*ends)


def _time(look: Look, measured: Measured) -> float | None:
    config, n = look.config, look.missing
    waits = [n / config.requests_per_minute * 60] if config.requests_per_minute else []
    if config.tokens_per_minute and measured.replies:
        claimed = n * (measured.prompt_mean + config.max_tokens)
        waits.append(claimed / config.tokens_per_minute * 60)
    if measured.replies:
        # The simulator answers in this process, one request after the other.
        at_once = 1 if config.backend == "embedded" else config.concurrency
        waits.append(n * measured.latency_mean / at_once)
    return max(waits) if waits else None


def total(estimates: list[Estimate]) -> Estimate:
    """Return the sum of estimates; its ends are those of all at once. None where a part is not known."""
    columns = zip(*estimates, strict=True) if estimates else ([0.0], [0.0], [0.0])
    sums = [None if None in column else math.fsum(x for x in column if x is not None) for column in columns]
    return Estimate(*sums)
