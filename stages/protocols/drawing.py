"""A protocol's calls in rounds: what depends on other replies waits for them, the rest is sent at once."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby

from stages.grid import PLAIN
from stages.protocols.interface import Protocol
from stages.protocols.judging import Case
from stages.records import PoolQuestion
from stages.teacher.client import Outcome, Request

Ask = Callable[["Round"], list[Outcome]]  # replies in the requests' order
_Made = Sequence[dict[int, Outcome]]  # what came of each question's rollouts


def rounds(protocol: Protocol, budget: int) -> list[list[int]]:
    """Return the rollouts below `budget`, each after the rounds that hold what it needs.

    Args:
        protocol: whose schedule it is.
        budget: calls per question.
    """
    depth: list[int] = []
    for rollout in range(budget):
        depth.append(1 + max((depth[i] for i in protocol.needs(rollout)), default=-1))
    ordered = sorted(range(budget), key=lambda rollout: (depth[rollout], rollout))
    return [list(group) for _, group in groupby(ordered, key=depth.__getitem__)]


def draw(
    protocol: Protocol,
    questions: Sequence[PoolQuestion],
    budget: int,
    seed: int,
    ask: Ask,
    teacher: str = PLAIN.teacher,
    together: int = 1,
) -> list[Case]:
    """Make every call of a pool and judge it; return each question's case.

    Args:
        protocol: whose calls they are.
        questions: of the pool.
        budget: calls per question; at most so many where the protocol stops before.
        seed: of the sampling.
        ask: sends requests.
        teacher: name written into the rows.
        together: draws that one request may make.
    """
    cases = [Case(protocol, question, teacher) for question in questions]
    if protocol.stops is None:
        _draw_all(protocol, cases, budget, seed, ask, together)
    else:
        _draw_until(protocol.stops, cases, budget, seed, ask, together)
    return cases


class Round(Iterable[Request]):
    """A round's requests, made as they are read: ten million take no more memory than one.

    Those of `together` consecutive rollouts of a question stand side by side, so that one request can draw
    them all; else a rollout of every question comes before the next.
    """

    def __init__(
        self, cases: Sequence[Case], rollouts: Sequence[Sequence[int]], made: _Made, seed: int, together: int
    ) -> None:
        self._cases, self._rollouts, self._made = cases, rollouts, made
        self._seed, self._together = seed, together

    def __len__(self) -> int:
        return sum(map(len, self._rollouts))

    def places(self) -> Iterator[tuple[int, int]]:
        """Yield each request's question, as its place among the cases, and rollout."""
        first = min((rollouts[0] for rollouts in self._rollouts if rollouts), default=0)
        last = max((rollouts[-1] for rollouts in self._rollouts if rollouts), default=-1)
        for start in range(first, last + 1, self._together):
            for i, rollouts in enumerate(self._rollouts):
                begin, end = (bisect_left(rollouts, x) for x in (start, start + self._together))
                for rollout in rollouts[begin:end]:
                    yield i, rollout

    def __iter__(self) -> Iterator[Request]:
        for i, rollout in self.places():
            case = self._cases[i]
            replies = [self._made[i][earlier].reply for earlier in case.protocol.needs(rollout)]
            prompt = case.protocol.call(case.question, rollout, replies).prompt
            yield Request(prompt, rollout=rollout, seed=self._seed)


def _draw_all(
    protocol: Protocol, cases: Sequence[Case], budget: int, seed: int, ask: Ask, together: int
) -> None:
    """Make every rollout below the budget, then judge them."""
    made: _Made = [{} for _ in cases]
    for rollouts in rounds(protocol, budget):
        asked = Round(cases, [rollouts] * len(cases), made, seed, together)
        for (i, rollout), outcome in zip(asked.places(), ask(asked), strict=True):
            made[i][rollout] = outcome
    for case, outcomes in zip(cases, made, strict=True):
        for rollout in range(budget):
            case.add(outcomes[rollout])


def _draw_until(stops: int, cases: Sequence[Case], budget: int, seed: int, ask: Ask, together: int) -> None:
    """Draw until `stops` responses of each question are accepted, or its budget is spent.

    A round asks for as many draws of a question as it lacks accepted ones. Drawing one by one would make
    them all too, whatever comes of them, so that a question's rows end exactly with its last acceptance.
    """
    unfinished = list(cases)
    while unfinished:
        lacking = [
            range(len(case.rows), min(len(case.rows) + stops - case.accepted, budget)) for case in unfinished
        ]
        asked = Round(unfinished, lacking, [{} for _ in unfinished], seed, together)
        for (i, _), outcome in zip(asked.places(), ask(asked), strict=True):
            unfinished[i].add(outcome)
        unfinished = [case for case in unfinished if case.accepted < stops and len(case.rows) < budget]


class Patience:
    """How many malformed replies a round may bring where rounds ask ever harder questions (defined here).

    The questions that are still asked are those whose replies were not accepted, so a late round's share of
    malformed ones says little of the teacher. What is held to the limit is the share among all replies.

    Args:
        limit: share of all replies, 0 … 1.
    """

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.replies = self.malformed = 0

    def share(self, requests: int) -> float:
        """Return the share of a round's replies, 0 … 1, that may be malformed."""
        allowed = self.limit * (self.replies + requests) - self.malformed
        return min(1.0, max(0.0, allowed / requests))

    def note(self, outcomes: Sequence[Outcome]) -> None:
        """Count a round's replies."""
        self.replies += len(outcomes)
        self.malformed += sum(outcome.reply is None for outcome in outcomes)
