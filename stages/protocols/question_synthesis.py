"""Question synthesis: the teacher proposes a new question from each seed question and answers both."""

from collections.abc import Callable, Sequence

from stages.grid import PLAIN, Cut
from stages.protocols.interface import Call, Protocol
from stages.records import PoolQuestion, Response, TrainingExample
from stages.teacher import prompts


class QuestionSynthesis(Protocol):
    """One call proposes a question; then odd rollouts draw for the seed question, even ones for the new one.

    The new question has no reference. A draw for it is accepted where it agrees with the answer that came
    with the proposal: the teacher's consistency, not the truth. A proposal that is malformed or repeats its
    seed question yields nothing, and all further draws go to the seed question. Examples of the new question
    carry the seed question's id followed by `+1`. A smaller budget's examples are a prefix of a larger one's.

    At matched budget every call counts, the proposal too. To read it at fixed responses per question, compare
    budget r = 2k + 1 here (k responses to each of two questions) with plain rejection sampling at budget k:
    then the synthesised questions are the only difference, and the sample budgets are not equal.
    """

    name = ledger = "question_synthesis"
    steps = ("propose", "answer")

    def needs(self, rollout: int) -> tuple[int, ...]:
        """Return the proposal's rollout for a draw that may be for the new question."""
        return (0,) if rollout and rollout % 2 == 0 else ()

    def call(self, question: PoolQuestion, rollout: int, made: Sequence[prompts.Reply | None]) -> Call:
        """Return the proposal, or a draw for the seed or the new question."""
        if rollout == 0:
            prompt = prompts.variation(question.question, question.domain, question.answer)
            return Call("propose", prompt, question)
        proposal = made[0] if made else None
        if isinstance(proposal, prompts.Variation) and _plain(proposal.question) != _plain(question.question):
            changes = {
                "question": proposal.question,
                "answer": proposal.answer,
                "answer_aliases": [],
                "unit": "",  # the proposed answer states its own
            }
            question = question.model_copy(update=changes)
        return super().call(question, rollout, made)

    def select(
        self,
        drawn: Sequence[Response],
        cut: Cut,
        completion: Callable[[str, str], str],
        matched: str = PLAIN.matched,
    ) -> list[TrainingExample]:
        """Return the examples of both questions, the new one's under an id of its own."""
        seeds = {row.question_id: row.question for row in drawn if row.step == "propose"}
        return [
            row
            if row.prompt[0].content == seeds[row.question_id]
            else row.model_copy(update={"question_id": f"{row.question_id}+1"})
            for row in super().select(drawn, cut, completion, matched)
        ]


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
