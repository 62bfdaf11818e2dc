"""Negative-aware training (arXiv 2402.11651): wrong answers are trained on too, as what they are."""

from collections.abc import Sequence

from stages.protocols import rejection_sampling
from stages.protocols.interface import Protocol
from stages.records import Response

# Short, so that it fits beside a tiny student's longest question. The paper marks prompts of both kinds; here
# an accept's stays as it is tested.
SUFFIX = "Be wrong."


class NegativeAware(Protocol):
    """r independent draws per question: accepts as they are, wrong answers under a prompt that asks for one.

    Malformed draws and repeats of a text are not used. A smaller budget's examples are a prefix of a larger
    one's. It cuts plain rejection sampling's ledger.
    """

    name = "negative_aware"
    ledger = rejection_sampling.NAME

    def reasons(self, drawn: Sequence[Response]) -> list[str]:
        """Return the rows' own verdicts, but "duplicate" for a wrong answer whose text was there before."""
        reasons = []
        said: set[tuple[str, str, str]] = set()
        for row in drawn:
            text = (row.question_id, row.answer, row.rationale)
            wrong = row.reason == "wrong_answer"
            reasons.append("duplicate" if wrong and text in said else row.reason)
            if wrong:
                said.add(text)
        return reasons

    def student_prompt(self, row: Response, reason: str) -> str | None:
        """Return the question, with `SUFFIX` where the row answers it wrongly."""
        return (
            f"{row.question}\n{SUFFIX}" if reason == "wrong_answer" else super().student_prompt(row, reason)
        )
