"""The requests behind the records, made again: so that their keys need no columns."""

from collections.abc import Sequence
from typing import NamedTuple

from stages.protocols.interface import Protocol
from stages.records import Article, PoolQuestion, Response, SeedQuestion
from stages.teacher import prompts, wire


class Teacher(NamedTuple):
    """As whom, and how, a request was sent."""

    model: str  # as in the key: the simulator's is its full id
    temperature: float
    max_tokens: int
    seed: int

    def key(self, prompt: prompts.Prompt, rollout: int = 0, temperature: float | None = None) -> str:
        """Return the key of the first reply to a request."""
        warmth = self.temperature if temperature is None else temperature
        sampling = wire.Sampling(float(warmth), self.max_tokens, self.seed, rollout)
        return wire.request_key(self.model, prompt.messages, prompt.reply, sampling)


def call(
    protocol: Protocol, question: PoolQuestion, rollout: int, earlier: Sequence[Response]
) -> prompts.Prompt:
    """Return the prompt of a ledger's call.

    Args:
        protocol: of the ledger.
        question: of the pool.
        rollout: of the call.
        earlier: the ledger's rows of `protocol.needs(rollout)`, in that order.
    """
    made = []
    for row in earlier:
        before = [other for other in earlier if other.rollout in protocol.needs(row.rollout)]
        made.append(_heard(row, call(protocol, question, row.rollout, before).reply))
    return protocol.call(question, rollout, made).prompt


def seed_question(article: Article, count: int) -> prompts.Prompt:
    """Return the prompt that had `count` seed questions written about an article."""
    return prompts.seed_questions(article, count)


def annotation(question: SeedQuestion, article: Article) -> prompts.Prompt:
    """Return the prompt that had a seed question annotated."""
    return prompts.knowledge(question.question, question.answer, article)


def _heard(row: Response, reply: type[prompts.Reply]) -> prompts.Reply | None:
    """Return the reply that a ledger's row tells of, None where it was malformed: `judging` the other way."""
    if row.reason.startswith("format_"):
        return None
    said: dict[str, object] = {"answer": row.answer, "rationale": row.rationale}
    if issubclass(reply, prompts.Critique):
        said = {"sound": row.answer == "sound", "comment": row.rationale}
    elif issubclass(reply, prompts.Rating):
        said = {"score": row.score}
    elif issubclass(reply, prompts.Variation):
        said = {"question": row.rationale, "answer": row.answer}
    return reply.model_construct(**said)  # type: ignore[arg-type]
