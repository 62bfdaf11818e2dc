"""Rejection sampling: keep the draws whose final answer is verified against the reference."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from stages import grading
from stages.errors import BadInput
from stages.grid import Cut
from stages.records import Message, PoolQuestion, Response, TrainingExample
from stages.teacher.client import Outcome
from stages.teacher.prompts import Answer

NAME = "rejection_sampling"


def judge(question: PoolQuestion, outcomes: Sequence[Outcome]) -> list[Response]:
    """Return the ledger rows of one question, accepts and rejects alike.

    A draw is accepted where its final answer matches the reference answer or one of its aliases. An
    accepted draw whose text repeats an earlier accepted one of the same question is rejected as
    "duplicate": it would add no training example, only weight. Each verdict depends on this and earlier
    rollouts alone, so that a smaller budget's examples are a prefix of a larger one's.

    Args:
        question: the question asked.
        outcomes: its draws, in rollout order from 0.
    """
    rows: list[Response] = []
    said: set[tuple[str, str]] = set()
    for rollout, outcome in enumerate(outcomes):
        reply = outcome.reply if isinstance(outcome.reply, Answer) else Answer(rationale="-", answer="-")
        if outcome.reply is None:
            reason = f"format_{outcome.reason}"
        elif not grading.matches(reply.answer, question.answer, question.answer_aliases):
            reason = "wrong_answer"
        elif (reply.answer, reply.rationale) in said:
            reason = "duplicate"
        else:
            reason = "accepted"
            said.add((reply.answer, reply.rationale))
        rows.append(
            Response(
                strategy=question.strategy,
                density=question.density,
                question_id=question.question_id,
                rank=question.rank,
                rollout=rollout,
                question=question.question,
                answer=reply.answer if outcome.reply else "",
                rationale=reply.rationale if outcome.reply else "",
                accepted=reason == "accepted",
                reason=reason,
                prompt_tokens=outcome.prompt_tokens,
                completion_tokens=outcome.completion_tokens,
                cost_usd=outcome.cost_usd,
                request_key=outcome.key,
            )
        )
    return rows


def within(ledger: Iterable[Response], cut: Cut) -> list[Response]:
    """Return the draws that a cut pays for, ordered by rollout and then by rank.

    The first quarter of the ranks is Q1, the first half Q2: question shares are nested. In this order the
    draws within budget r come first within any larger budget.

    Args:
        ledger: all draws of one pool; every question has its rollouts from 0.
        cut: share of the questions (rounded up to a whole question) and budget.

    Raises:
        BadInput: the ledger holds fewer draws per question than the cut's budget.
    """
    rows = list(ledger)
    longest = Counter(row.question_id for row in rows).most_common(1)
    if longest and longest[0][1] < cut.budget:
        raise BadInput(
            f"cut {cut}: the ledger has {longest[0][1]} draws per question; "
            f"run `respond` with budget {cut.budget}"
        )
    size = math.ceil(cut.share * (1 + max((row.rank for row in rows), default=-1)))
    drawn = [row for row in rows if row.rollout < cut.budget and row.rank < size]
    return sorted(drawn, key=lambda row: (row.rollout, row.rank))


def select(
    drawn: Iterable[Response], cut: Cut, completion: Callable[[str, str], str]
) -> list[TrainingExample]:
    """Return the accepted draws as training examples, in the order of `drawn`.

    Args:
        drawn: what `within` returned.
        cut: written into the rows.
        completion: makes the student's completion from (answer, rationale).
    """
    return [
        TrainingExample(
            strategy=row.strategy,
            density=row.density,
            share=cut.share,
            budget=cut.budget,
            protocol=NAME,
            question_id=row.question_id,
            rollout=row.rollout,
            prompt=[Message(role="user", content=row.question)],
            completion=[Message(role="assistant", content=completion(row.answer, row.rationale))],
        )
        for row in drawn
        if row.accepted
    ]
