"""A protocol's calls in rounds: what depends on other replies waits for them, the rest is sent at once."""

from collections.abc import Callable, Sequence
from itertools import groupby

from stages.grid import PLAIN
from stages.protocols.interface import Protocol
from stages.protocols.judging import Case
from stages.records import PoolQuestion
from stages.teacher.client import Outcome, Request
from stages.teacher.prompts import Reply

Ask = Callable[[Sequence[Request]], list[Outcome]]  # replies in the requests' order


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
) -> list[Case]:
    """Make every call of a pool and judge it; return each question's case.

    Args:
        protocol: whose calls they are.
        questions: of the pool.
        budget: calls per question; at most so many where the protocol stops before.
        seed: of the sampling.
        ask: sends requests.
        teacher: name written into the rows.
    """
    cases = [Case(protocol, question, teacher) for question in questions]
    if protocol.stops is None:
        _draw_all(protocol, cases, budget, seed, ask)
    else:
        _draw_until(protocol.stops, cases, budget, seed, ask)
    return cases


def _draw_all(protocol: Protocol, cases: Sequence[Case], budget: int, seed: int, ask: Ask) -> None:
    """Make every rollout below the budget, then judge them."""
    made: list[dict[int, Outcome]] = [{} for _ in cases]
    for rollouts in rounds(protocol, budget):
        places = [(rollout, i) for rollout in rollouts for i in range(len(cases))]
        requests = []
        for rollout, i in places:
            replies = [made[i][earlier].reply for earlier in protocol.needs(rollout)]
            requests.append(_request(cases[i], rollout, replies, seed))
        for (rollout, i), outcome in zip(places, ask(requests), strict=True):
            made[i][rollout] = outcome
    for case, outcomes in zip(cases, made, strict=True):
        for rollout in range(budget):
            case.add(outcomes[rollout])


def _draw_until(stops: int, cases: Sequence[Case], budget: int, seed: int, ask: Ask) -> None:
    """Draw until `stops` responses of each question are accepted, or its budget is spent.

    A round asks for as many draws of a question as it lacks accepted ones. Drawing one by one would make
    them all too, whatever comes of them, so that a question's rows end exactly with its last acceptance.
    """
    unfinished = list(cases)
    while unfinished:
        places = sorted(
            (rollout, i)
            for i, case in enumerate(unfinished)
            for rollout in range(len(case.rows), min(len(case.rows) + stops - case.accepted, budget))
        )
        requests = [_request(unfinished[i], rollout, (), seed) for rollout, i in places]
        for (_, i), outcome in zip(places, ask(requests), strict=True):
            unfinished[i].add(outcome)
        unfinished = [case for case in unfinished if case.accepted < stops and len(case.rows) < budget]


def _request(case: Case, rollout: int, made: Sequence[Reply | None], seed: int) -> Request:
    return Request(case.protocol.call(case.question, rollout, made).prompt, rollout=rollout, seed=seed)


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
