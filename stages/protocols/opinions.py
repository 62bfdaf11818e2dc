"""Second opinions: how often another grader disagrees with the verdicts of a ledger."""

from collections.abc import Sequence

from stages.protocols.interface import Protocol
from stages.records import PoolQuestion, Response


def disagreement(
    rows: Sequence[Response], questions: Sequence[PoolQuestion], protocol: Protocol
) -> dict[str, float]:
    """Return how many answers to problems were graded, and what share the second grader judges otherwise.

    Mathematics and physics alone, whose graders are known to err. Answers to questions that a protocol
    proposed have no reference and are left out.

    Args:
        rows: of the ledger.
        questions: of its pool.
        protocol: that drew it; its tolerance holds for both graders.

    Returns:
        "graded", "disagreed" (answers) and "rate" (disagreed / graded); nothing where none was graded.
    """
    from stages.grading import mathematics, quantities

    asked = {question.question_id: question for question in questions}
    graded = disagreed = 0
    for row in rows:
        question = asked[row.question_id]
        if row.reason not in ("accepted", "duplicate", "wrong_answer") or row.question != question.question:
            continue
        forms = (question.answer, *question.answer_aliases)
        if question.domain == "mathematics":
            right = any(mathematics.second_opinion(row.answer, form) for form in forms)
        elif question.domain == "physics":
            right = any(
                quantities.second_opinion(row.answer, form, question.unit, protocol.tolerance)
                for form in forms
            )
        else:
            continue
        graded += 1
        disagreed += right == (row.reason == "wrong_answer")
    if not graded:
        return {}
    return {"graded": graded, "disagreed": disagreed, "rate": round(disagreed / graded, 6)}
