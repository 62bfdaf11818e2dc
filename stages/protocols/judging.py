"""Verdicts: the ledger rows of a question's calls, accepts and rejects alike."""

from collections.abc import Sequence

from stages.grading import verification
from stages.grid import PLAIN
from stages.protocols.interface import REWORKED, Call, Protocol
from stages.records import PoolQuestion, Response
from stages.teacher import prompts
from stages.teacher.client import Outcome


class Case:
    """One question's calls so far, in rollout order, and the ledger's row of each.

    A verdict depends on its own and earlier rollouts alone. An answer is accepted where the grader of its
    domain finds it equal to the reference or one of its aliases, else it is a "wrong_answer". An accepted one
    whose text repeats an earlier accepted one to the same question is rejected as "duplicate": it would add
    no training example, only weight. An answer that was refined or revised since does not count as earlier.
    Other steps' replies are "not_an_answer"; malformed ones "format_" and the fault's name.

    Args:
        protocol: whose schedule the calls follow.
        question: of the pool.
        teacher: name written into the rows.
    """

    __slots__ = (
        *("protocol", "question", "teacher", "outcomes", "rows", "accepted"),
        *("_standing", "_verified"),
    )

    def __init__(self, protocol: Protocol, question: PoolQuestion, teacher: str = PLAIN.teacher) -> None:
        self.protocol, self.question, self.teacher = protocol, question, teacher
        self.outcomes: list[Outcome] = []
        self.rows: list[Response] = []
        self.accepted = 0  # rows
        # Accepted ones that stand: rollout → question, answer, rationale.
        self._standing: dict[int, tuple[str, str, str]] = {}
        self._verified: dict[tuple[str, str], bool] = {}  # question, answer → whether it was found right

    def add(self, outcome: Outcome) -> None:
        """Judge what came of the next rollout."""
        rollout, question = len(self.rows), self.question
        needs = self.protocol.needs(rollout)
        call = self.protocol.call(question, rollout, [self.outcomes[i].reply for i in needs])
        answer, rationale, score = _said(outcome.reply)
        reason = self._verdict(rollout, call, outcome)
        self.outcomes.append(outcome)
        self.accepted += reason == "accepted"
        self.rows.append(
            Response(
                strategy=question.strategy,
                density=question.density,
                domain=question.domain,
                teacher=self.teacher,
                protocol=self.protocol.name,
                question_id=question.question_id,
                rank=question.rank,
                rollout=rollout,
                step=call.step,
                question=call.question.question,
                answer=answer,
                rationale=rationale,
                score=score,
                accepted=reason == "accepted",
                reason=reason,
                prompt_tokens=outcome.prompt_tokens,
                completion_tokens=outcome.completion_tokens,
                cost_usd=outcome.cost_usd,
                request_key=outcome.key,
            )
        )

    def _verdict(self, rollout: int, call: Call, outcome: Outcome) -> str:
        """Return "accepted" or the name of the rejection; note what stands."""
        reply, asked = outcome.reply, call.question
        if reply is None:
            return f"format_{outcome.reason}"
        if not isinstance(reply, prompts.Answer):
            return "not_an_answer"
        for i in self.protocol.needs(rollout) if call.step in REWORKED else ():
            self._standing.pop(i, None)
        key = (asked.question, reply.answer)
        if key not in self._verified:
            self._verified[key] = _right(reply.answer, asked, self.protocol.tolerance)
        if not self._verified[key]:
            return "wrong_answer"
        text = (*key, reply.rationale)
        if text in self._standing.values():
            return "duplicate"
        self._standing[rollout] = text
        return "accepted"


def judge(
    protocol: Protocol, question: PoolQuestion, outcomes: Sequence[Outcome], teacher: str = PLAIN.teacher
) -> list[Response]:
    """Return the ledger rows of one question whose calls are all made, see `Case`.

    Args:
        protocol: whose schedule the calls follow.
        question: of the pool.
        outcomes: its calls, in rollout order from 0.
        teacher: name written into the rows.
    """
    case = Case(protocol, question, teacher)
    for outcome in outcomes:
        case.add(outcome)
    return case.rows


def _right(answer: str, asked: PoolQuestion, tolerance: float) -> bool:
    return verification.accepts(
        asked.domain, answer, asked.answer, asked.answer_aliases, asked.unit, tolerance
    )


def _said(reply: prompts.Reply | None) -> tuple[str, str, float | None]:
    """Return (answer, rationale, score) of a reply, as the ledger keeps them."""
    match reply:
        case prompts.Answer():
            return reply.answer, reply.rationale, None
        case prompts.Critique():
            return "sound" if reply.sound else "unsound", reply.comment, None
        case prompts.Rating():
            return "", "", float(reply.score)
        case prompts.Variation():
            return reply.answer, reply.question, None
        case _:
            return "", "", None
