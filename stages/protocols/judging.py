"""Verdicts: the ledger rows of a question's calls, accepts and rejects alike."""

from collections.abc import Sequence

from stages.grading import verification
from stages.grid import PLAIN
from stages.protocols.interface import REWORKED, Protocol
from stages.records import PoolQuestion, Response
from stages.teacher import prompts
from stages.teacher.client import Outcome


def judge(
    protocol: Protocol, question: PoolQuestion, outcomes: Sequence[Outcome], teacher: str = PLAIN.teacher
) -> list[Response]:
    """Return the ledger rows of one question; each verdict depends on this and earlier rollouts alone.

    An answer is accepted where the grader of its domain finds it equal to the reference or one of its
    aliases, else it is a "wrong_answer". An accepted one whose text repeats an earlier accepted one to the
    same question is rejected as "duplicate": it would add no training example, only weight. An answer that
    was refined or revised since does not count as earlier. Other steps' replies are "not_an_answer";
    malformed ones "format_" and the fault's name.

    Args:
        protocol: whose schedule the calls follow.
        question: of the pool.
        outcomes: its calls, in rollout order from 0.
        teacher: name written into the rows.
    """
    rows: list[Response] = []
    standing: dict[int, tuple[str, str, str]] = {}  # accepted: rollout → question, answer, rationale
    verified: dict[tuple[str, str], bool] = {}  # question, answer → whether it was found right
    for rollout, outcome in enumerate(outcomes):
        needs = protocol.needs(rollout)
        call = protocol.call(question, rollout, [outcomes[i].reply for i in needs])
        asked = call.question
        answer, rationale, score = _said(outcome.reply)
        if outcome.reply is None:
            reason = f"format_{outcome.reason}"
        elif not isinstance(outcome.reply, prompts.Answer):
            reason = "not_an_answer"
        else:
            for i in needs if call.step in REWORKED else ():
                standing.pop(i, None)
            key = (asked.question, answer)
            if key not in verified:
                verified[key] = _right(answer, asked, protocol.tolerance)
            text = (*key, rationale)
            if not verified[key]:
                reason = "wrong_answer"
            elif text in standing.values():
                reason = "duplicate"
            else:
                reason = "accepted"
                standing[rollout] = text
        rows.append(
            Response(
                strategy=question.strategy,
                density=question.density,
                domain=question.domain,
                teacher=teacher,
                protocol=protocol.name,
                question_id=question.question_id,
                rank=question.rank,
                rollout=rollout,
                step=call.step,
                question=asked.question,
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
    return rows


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
