"""Quality selection (after DEITA, arXiv 2312.15685): the draws that the teacher rates best are kept."""

import statistics
from collections.abc import Sequence

from stages.protocols.chains import Chain
from stages.protocols.interface import Call, by_question
from stages.records import PoolQuestion, Response
from stages.teacher import prompts


class QualitySelection(Chain):
    """Chains of two calls: draw, rate. Accepted draws rated at or above their question's median are kept.

    DEITA scores a pool of examples and takes the best; here the threshold is each question's own, so that no
    question is lost. A draw without a rating (the cut ends before it, or it is malformed) stays and has no
    part in the median: nothing was said against it. A malformed draw is not rated; the call draws anew. The
    median moves with every rating, so a smaller budget's examples are no prefix of a larger one's.
    """

    name = ledger = "quality_selection"
    steps = ("answer", "rate")
    length = 2

    def call(self, question: PoolQuestion, rollout: int, made: Sequence[prompts.Reply | None]) -> Call:
        """Return a draw, or the rating of the draw before."""
        if made and isinstance(drawn := made[0], prompts.Answer):
            prompt = prompts.rating(question.question, question.domain, drawn.answer, drawn.rationale)
            return Call("rate", prompt, question)
        return super().call(question, rollout, made)

    def reasons(self, drawn: Sequence[Response]) -> list[str]:
        """Return the rows' own verdicts, but "low_rating" for an accepted draw rated below the median."""
        reasons = [row.reason for row in drawn]
        for places in by_question(drawn):
            scores = {self.needs(drawn[i].rollout): drawn[i].score for i in places}
            rated = {
                i: score
                for i in places
                if drawn[i].accepted and (score := scores.get((drawn[i].rollout,))) is not None
            }
            median = statistics.median(rated.values()) if rated else 0.0
            for i, score in rated.items():
                if score < median:
                    reasons[i] = "low_rating"
        return reasons
