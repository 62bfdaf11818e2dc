"""What the embedded teacher answers from, and which of its replies belongs to which task."""

from collections.abc import Callable
from typing import Any, NamedTuple

from stages.problems.solving import Book
from stages.teacher import (
    knowing,
    knowing_problems,
    prompts,
    replies,
    replies_combination,
    replies_protocols,
    replies_synthesis,
)
from stages.teacher.competence import Embedded
from stages.teacher.corpus import Corpus

_WRITTEN = {"seed_questions": replies.seed_questions, "knowledge": replies.knowledge}
_SYNTHESIS = {
    "expansion": replies_synthesis.expansion,
    "combination": replies_combination.combination,
    "verdict": replies_synthesis.verdict,
}
TASKS = frozenset({"answer", *_WRITTEN, *_SYNTHESIS, *replies_protocols.TASKS})  # with a schema of their own


class Mind(NamedTuple):
    """All that decides what is said, but the request."""

    corpus: Corpus
    book: Book
    competence: Callable[
        [str, str], float
    ]  # p by (title, key of the infobox), or (id, `knowing_problems.KEY`)
    embedded: Embedded

    def known(self, question: str) -> knowing.Known:
        """Return what is known about a question: one of the problems, else a fact of an article."""
        problem = knowing_problems.find(self.book, question)
        if problem:
            p = self.competence(problem.problem_id, knowing_problems.KEY)
            return knowing_problems.OfProblem(problem, p)
        found = self.corpus.find(question)
        if found:
            p = self.competence(self.corpus.articles[found.article].title, found.fact.name)
            return knowing.OfFact(self.corpus, found.article, found.fact, question, p)
        return knowing.Nothing(question)

    def reply(
        self, task: str | None, user: str, temperature: float, talk: int, seed: int, i: int
    ) -> dict[str, Any]:
        """Return the fields of one reply; a request that is none of `TASKS` is a question to answer.

        Args:
            task: name of the reply's schema.
            user: what is asked.
            temperature: 0 … 2; at 0 the reply is the same whatever the seed.
            talk: stands for the conversation.
            seed: of the request.
            i: position among its choices.
        """
        draw = (talk, seed + i) if temperature else (talk,)
        if task in _WRITTEN:
            return _WRITTEN[task](self.corpus, user, seed + i)
        if task in _SYNTHESIS:
            return _SYNTHESIS[task](self.corpus, user, self.embedded, *draw)
        if task in replies_protocols.TASKS:
            shown = prompts.Shown(user) if task == "solution" else prompts.read_shown(user)
            known = self.known(shown.question)
            return replies_protocols.TASKS[task](known, shown, self.embedded, temperature, *draw)
        return replies.answer(self.corpus, self.competence, user, temperature, talk, seed, i)
