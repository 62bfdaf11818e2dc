"""The teacher's one client: draws replies, each paid for once, in order, from any backend."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from stages.records import Article, SeedProblem
from stages.teacher import planning
from stages.teacher.dispatch import Run
from stages.teacher.outcomes import Outcome, Request, Tally, tally
from stages.teacher.settings import Config, Price, named
from stages.teacher.store import ResponseStore

__all__ = ["Config", "Outcome", "Price", "Request", "Tally", "draw", "each", "named", "tally"]


def draw(
    requests: Iterable[Request],
    config: Config,
    store: ResponseStore,
    articles: Sequence[Article] | None = None,
    problems: Sequence[SeedProblem] = (),
    progress: Callable[[int, int], None] | None = None,
) -> list[Outcome]:
    """Draw a reply to each request and return them in input order; see `each`."""
    outcomes: list[Outcome] = []
    each(requests, outcomes.append, config, store, articles, problems, progress)
    return outcomes


def each(
    requests: Iterable[Request],
    keep: Callable[[Outcome], None],
    config: Config,
    store: ResponseStore,
    articles: Sequence[Article] | None = None,
    problems: Sequence[SeedProblem] = (),
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Draw a reply to each request, from the store where it is there, and hand them on in input order.

    A reply counts once it is committed to the store. A malformed one gets one repair attempt. The same
    request twice is drawn once. Memory does not grow with the number of requests.

    Args:
        requests: read as they are needed; a long generator is fine.
        keep: called with each outcome, in input order.
        config: which teacher, and how.
        store: where replies are looked up and kept.
        articles: what the simulator has read; only for backend embedded.
        problems: what the simulator can solve; only for backend embedded.
        progress: called with (outcomes so far, requests in all, 0 where not known).

    Raises:
        BadInput: no API key; the teacher cannot be reached or does not speak the protocol; `max_cost` is
            reached, or set without a price; more than `max_malformed` of at least 20 outcomes are malformed
            (in mid-run only where the excess is beyond three standard deviations, so that an early streak
            stops nothing). What was handed on is stored.
        Unbought: a plan is made (`planning.looking`), and the store lacks some of the requests.
    """
    run = Run(config, store, articles, problems, progress, keep)
    if planning.is_looking():
        run.look(requests)
    else:
        asyncio.run(run.all(requests))
