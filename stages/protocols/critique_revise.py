"""Critique and revise: the teacher comments on its own draw, then revises it in the light of the comment."""

from collections.abc import Sequence

from stages.protocols.chains import Chain
from stages.protocols.interface import Call
from stages.records import PoolQuestion
from stages.teacher import prompts


class CritiqueRevise(Chain):
    """Chains of three calls: draw, critique, revise. The revised answer is verified and kept.

    As critique-guided distillation draws its targets (arXiv 2505.11628). The revision is asked for
    even where the critique finds the draw sound, so that a question's calls do not depend on what was said.
    Where the draw or the critique is malformed there is nothing to revise: the chain's remaining calls draw
    anew, and a draw that was never revised stands.
    """

    name = ledger = "critique_revise"
    steps = ("answer", "critique", "revise")
    length = 3

    def call(self, question: PoolQuestion, rollout: int, made: Sequence[prompts.Reply | None]) -> Call:
        """Return a draw, its critique, or its revision."""
        match made:
            case [prompts.Answer() as drawn]:
                prompt = prompts.critique(question.question, question.domain, drawn.answer, drawn.rationale)
                return Call("critique", prompt, question)
            case [prompts.Answer() as drawn, prompts.Critique() as critique]:
                prompt = prompts.revise(
                    question.question, question.domain, drawn.answer, drawn.rationale, critique.comment
                )
                return Call("revise", prompt, question)
            case _:
                return super().call(question, rollout, made)
