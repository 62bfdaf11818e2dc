"""Self-refine (arXiv 2303.17651): the teacher improves its own draw once."""

from collections.abc import Sequence

from stages.protocols.chains import Chain
from stages.protocols.interface import Call
from stages.records import PoolQuestion
from stages.teacher import prompts


class SelfRefine(Chain):
    """Chains of two calls: draw, refine. The refined answer is verified and kept.

    The teacher is not told whether its draw was right, so refining can spoil it. Feedback and refinement,
    two calls in the paper, are one here; with a call for the feedback it is `critique_revise`. A draw that is
    malformed cannot be refined: the second call draws anew.
    """

    name = ledger = "self_refine"
    steps = ("answer", "refine")
    length = 2

    def call(self, question: PoolQuestion, rollout: int, made: Sequence[prompts.Reply | None]) -> Call:
        """Return a draw, or the refinement of the draw before."""
        if made and isinstance(drawn := made[0], prompts.Answer):
            prompt = prompts.refine(question.question, question.domain, drawn.answer, drawn.rationale)
            return Call("refine", prompt, question)
        return super().call(question, rollout, made)
