"""What the embedded teacher knows about a problem of mathematics or physics."""

import functools
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

from stages.grading.verification import accepts
from stages.problems.solving import Book, Worked, slipped, varied, worked
from stages.records import SeedProblem
from stages.teacher import prompts, replies
from stages.teacher.competence import stable_hash, uniform
from stages.teacher.knowing import Said

KEY = "solution"  # stands where a fact has its infobox key
TOLERANCE = 0.0005  # relative, of a right answer: below what two numbers of three digits differ by
_FIRST = ("", "First: ", "To begin: ", "We start: ", "Step one: ", "Begin so: ")
_NEXT = ("", "Then: ", "Next: ", "Now: ", "After that: ", "From this: ")
_LAST = ("", "Hence: ", "So: ", "Finally: ", "Therefore: ", "This gives: ")
_CLOSINGS = ("", "The answer is {}.", "That makes {}.", "The result: {}.")
_LEADS = tuple(sorted({lead for lead in (*_FIRST, *_NEXT, *_LAST) if lead}))
_REPHRASED = (  # a problem in other words: what stands before it
    "Solve this problem. ",
    "Here is a problem to solve. ",
    "Consider the following problem. ",
    "Work this out. ",
)


class OfProblem(NamedTuple):
    """A problem of the book."""

    problem: SeedProblem
    p: float

    def is_right(self, answer: str) -> bool:
        """Tell whether the problem's grader accepts `answer` at a tolerance that no slip is within."""
        problem = self.problem
        return _accepted(problem.domain, answer, problem.answer, problem.unit)

    def right(self, *draw: object) -> Said:
        """Return the worked solution."""
        return _said(worked(self.problem), *draw)

    def wrong(self, *draw: object) -> Said:
        """Return a solution with a slip in one of its steps, and the answer that follows."""
        return _said(slipped(self.problem, *draw), *draw)

    def again(self, shown: prompts.Shown, *draw: object) -> Said:
        """Return the steps shown, worded anew."""
        return _said(_read(shown), *draw)

    def suspect(self, shown: prompts.Shown) -> str:
        """Return the first step that the worked solution does not have, else the last one."""
        steps, known = _read(shown).steps, worked(self.problem).steps
        return next((step for step in steps if step not in known), steps[-1])

    def varied(self, slip: float, *draw: object) -> Said:
        """Return the problem with other numbers; where it has no variation, itself in other words."""
        other = varied(self.problem, *draw)
        if other is None:
            frame = _REPHRASED[stable_hash("rephrased", *draw) % len(_REPHRASED)]
            other = self.problem.model_copy(update={"question": frame + self.problem.question})
        solve = slipped(other, *draw) if uniform("slip", *draw) < slip else worked(other)
        return {"question": other.question, "answer": solve.answer}


def find(book: Book, question: str) -> SeedProblem | None:
    """Return the problem that `question` is, as the book has it or in other words of ours."""
    for frame in _REPHRASED:
        question = question.removeprefix(frame)
    return book.find(question)


def digest(problems: Sequence[SeedProblem]) -> str:
    """Return 12 hex digits that stand for the content of `problems`, whatever their order."""
    total = hashlib.sha256()
    for problem in sorted(problems, key=lambda p: p.problem_id):
        total.update(problem.model_dump_json().encode("utf-8", "replace"))
    return total.hexdigest()[:12]


# Grading costs a hundred times what the rest of a reply does, and the same few answers come again.
@functools.lru_cache(maxsize=65536)
def _accepted(domain: str, answer: str, reference: str, unit: str) -> bool:
    return accepts(domain, answer, reference, unit=unit, tolerance=TOLERANCE)


def _said(solved: Worked, *draw: object) -> Said:
    """Return a solution as a reply: a step a line, each with a lead, then a closing; `draw` decides both."""
    steps, answer = solved
    lines = []
    for i, step in enumerate(steps):
        leads = _LAST if i == len(steps) - 1 else _NEXT if i else _FIRST
        lines.append(leads[stable_hash("lead", i, *draw) % len(leads)] + step)
    closing = _CLOSINGS[stable_hash("closing", *draw) % len(_CLOSINGS)].format(answer)
    return {"rationale": "\n".join(line for line in (*lines, closing) if line), "answer": answer}


def _read(shown: prompts.Shown) -> Worked:
    """Return the solution that `_said` made a reply of."""
    answer = shown.answer or replies.UNKNOWN
    closings = {closing.format(answer) for closing in _CLOSINGS}
    lines = [line for line in shown.rationale.splitlines() if line.strip() and line not in closings]
    steps = (next((line.removeprefix(x) for x in _LEADS if line.startswith(x)), line) for line in lines)
    return Worked(tuple(steps) or (f"The answer is {answer}.",), answer)
