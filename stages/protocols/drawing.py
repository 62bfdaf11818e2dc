"""A protocol's calls in rounds: what is made of other replies waits for them, the rest is sent at once."""

from collections.abc import Callable, Sequence
from itertools import groupby

from stages.protocols.interface import Protocol
from stages.records import PoolQuestion
from stages.teacher.client import Outcome, Request

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
    protocol: Protocol, questions: Sequence[PoolQuestion], budget: int, seed: int, ask: Ask
) -> list[list[Outcome]]:
    """Make every call of a pool; return each question's outcomes, in rollout order.

    Args:
        protocol: whose calls they are.
        questions: of the pool.
        budget: calls per question.
        seed: of the sampling.
        ask: sends requests.
    """
    made: list[dict[int, Outcome]] = [{} for _ in questions]
    for rollouts in rounds(protocol, budget):
        places = [(rollout, i) for rollout in rollouts for i in range(len(questions))]
        requests = []
        for rollout, i in places:
            replies = [made[i][earlier].reply for earlier in protocol.needs(rollout)]
            call = protocol.call(questions[i], rollout, replies)
            requests.append(Request(call.prompt, rollout=rollout, seed=seed))
        for (rollout, i), outcome in zip(places, ask(requests), strict=True):
            made[i][rollout] = outcome
    return [[outcomes[rollout] for rollout in range(budget)] for outcomes in made]
