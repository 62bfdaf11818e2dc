"""What every protocol is: a schedule of teacher calls about a question, verdicts, and a selection."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import NamedTuple

from stages.grid import PLAIN, Cut
from stages.records import Message, PoolQuestion, Response, TrainingExample
from stages.teacher import prompts

TOLERANCE = 0.05  # relative, of a number against its reference: SciBench's (arXiv 2307.10635)
REWORKED = ("refine", "revise")  # steps whose answer takes the place of the one it was made of


class Call(NamedTuple):
    """One call of a schedule."""

    step: str  # see `Response.step`
    prompt: prompts.Prompt
    question: PoolQuestion  # that it is about: the pool's, or one that the protocol proposed


class Protocol:
    """One way to spend r teacher calls on a question: as it stands here, r draws.

    Every call counts, whatever it asks for: it is one rollout and one row of the ledger. Its verdict depends
    on its own and earlier rollouts alone, so that a larger budget only adds rows. What is trained on is
    decided within a cut (`reasons`), where a protocol may also weigh a question's rows against each other;
    such a protocol's training sets are no prefixes of larger ones.

    Attributes:
        name: as in every row's column.
        ledger: name of the protocol whose ledger it cuts: its own, or plain rejection sampling's.
        steps: that its ledger may hold.
        nested: a smaller budget's examples are the first of a larger one's.
        tolerance: relative, of numeric answers in physics.
        stops: accepted responses with which a question's calls end before the budget does; None: never.
    """

    name: str
    ledger: str
    steps: tuple[str, ...] = ("answer",)
    nested: bool = True
    tolerance: float = TOLERANCE
    stops: int | None = None

    def needs(self, rollout: int) -> tuple[int, ...]:
        """Return the earlier rollouts of the same question whose replies a call is made of."""
        return ()

    def call(self, question: PoolQuestion, rollout: int, made: Sequence[prompts.Reply | None]) -> Call:
        """Return what a rollout asks.

        Args:
            question: of the pool.
            rollout: from 0.
            made: the replies to `needs(rollout)`, in that order; None where one is malformed. A call that
                has nothing to be made of draws an answer anew instead, so that every question gets exactly
                as many calls as the budget says.
        """
        return Call("answer", prompts.respond(question.question, question.domain), question)

    def reasons(self, drawn: Sequence[Response]) -> list[str]:
        """Return what becomes of each row within a cut: "accepted", or the name of the rejection.

        Args:
            drawn: the rows that the cut pays for.
        """
        return [row.reason for row in drawn]

    def select(
        self,
        drawn: Sequence[Response],
        cut: Cut,
        completion: Callable[[str, str], str],
        matched: str = PLAIN.matched,
    ) -> list[TrainingExample]:
        """Return the training examples of a cut, in the order of `drawn`.

        Args:
            drawn: the rows that the cut pays for.
            cut: written into the examples.
            completion: makes the student's completion from (answer, rationale).
            matched: written into the examples.
        """
        return [
            TrainingExample(
                strategy=row.strategy,
                density=row.density,
                teacher=row.teacher,
                share=cut.share,
                budget=cut.budget,
                protocol=self.name,
                matched=matched,
                question_id=row.question_id,
                rollout=row.rollout,
                prompt=[Message(role="user", content=prompt)],
                completion=[Message(role="assistant", content=completion(row.answer, row.rationale))],
            )
            for row, reason in zip(drawn, self.reasons(drawn), strict=True)
            if (prompt := self.student_prompt(row, reason)) is not None
        ]

    def student_prompt(self, row: Response, reason: str) -> str | None:
        """Return what the student is asked in a row's example; None where the row becomes no example."""
        return row.question if reason == "accepted" else None


def by_question(drawn: Sequence[Response]) -> list[list[int]]:
    """Return each question's places in `drawn`, in their order there."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(drawn):
        places[row.question_id].append(place)
    return list(places.values())
