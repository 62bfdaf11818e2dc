"""How fast an endpoint is worked: requests in flight, rates, and when to give up."""

import asyncio
import time
from collections import deque

WINDOW = 32  # replies after which the number in flight is set anew
GROWTH = 1 / 16  # by which it grows in a window without overload, and by at least one request
CONGESTED = 0.5  # share of overloaded replies from which a wish to be left alone holds for every request
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 30.0  # between the tries of one request


class Pace:
    """The pace of one endpoint, for use inside one event loop.

    As many requests are in flight as the endpoint bears: a sixteenth more, or one, for each window of
    replies; after overload (429, 503, 529) fewer, by half the share of overloaded replies, smoothed. That is
    the rule of DCTCP (Alizadeh et al. 2010): a few refusals by chance cost little, a wall halves the number.

    Args:
        concurrency: requests in flight, at most.
        requests_per_minute: never exceeded in any minute; None is no limit.
        tokens_per_minute: the same of tokens, as they are claimed beforehand.
        patience: seconds without any reply that can be used after which an outage is given up.
    """

    def __init__(
        self,
        concurrency: int,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        patience: float = 60.0,
    ) -> None:
        self.concurrency, self.patience = concurrency, patience
        self.limit = float(concurrency)
        self.flying = 0
        self.successes = 0
        self.last_success = time.monotonic()
        self._rates = [Rate(n) for n in (requests_per_minute, tokens_per_minute) if n is not None]
        self._counts = [n is not None for n in (requests_per_minute, tokens_per_minute)]
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._quiet_until = 0.0
        self._replies = self._overloaded = 0
        self._share = 0.0

    async def enter(self, tokens: float) -> None:
        """Wait until one more request may be sent.

        Args:
            tokens: that it may take, prompt and reply together.
        """
        while self.flying >= int(self.limit):
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # the turn was given to one that is gone
                    self._wake()
                raise
        self.flying += 1
        try:
            wait = self._quiet_until - time.monotonic()
            amounts = [n for n, counted in zip((1.0, tokens), self._counts, strict=True) if counted]
            wait = max([wait, *(rate.claim(n) for rate, n in zip(self._rates, amounts, strict=True))])
            if wait > 0:
                await asyncio.sleep(wait)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        """Say that a request is no longer in flight."""
        self.flying -= 1
        self._wake()

    def _wake(self) -> None:
        free = int(self.limit) - self.flying
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1

    def succeeded(self) -> None:
        """Note a reply that can be used."""
        self.successes += 1
        self.last_success = time.monotonic()
        self._count(overloaded=False)

    def overloaded(self, retry_after: float | None) -> None:
        """Note a reply that says that it was too much.

        Args:
            retry_after: seconds that the endpoint wants to be left alone.
        """
        self._count(overloaded=True)
        if retry_after and self._share >= CONGESTED:
            self._quiet_until = max(self._quiet_until, time.monotonic() + retry_after)

    def _count(self, overloaded: bool) -> None:
        self._replies += 1
        self._overloaded += overloaded
        window = max(1.0, min(WINDOW, self.limit))
        if self._replies < window:
            return
        share = self._overloaded / self._replies
        self._replies = self._overloaded = 0
        self._share = (self._share + share) / 2
        if share:
            self.limit *= 1 - self._share / 2
        self.limit += max(1.0, self.limit * GROWTH) * (1 - share)
        self.limit = min(max(self.limit, 1.0), float(self.concurrency))
        self._wake()

    def silent_s(self) -> float:
        """Return the seconds since the last reply that could be used, or since the beginning."""
        return time.monotonic() - self.last_success


class Rate:
    """A limit per minute that holds in every minute: one second's worth at once, the rest evenly.

    Args:
        per_minute: above 0.
    """

    def __init__(self, per_minute: float) -> None:
        self._burst = max(per_minute / 60, min(1.0, per_minute))
        self._per_second = (per_minute - self._burst) / 60 or per_minute / 60
        self._left = self._burst
        self._at = time.monotonic()

    def claim(self, amount: float) -> float:
        """Take an amount and return the seconds to wait before it may be used."""
        now = time.monotonic()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
        self._at = now
        self._left -= amount
        return max(0.0, -self._left / self._per_second)
