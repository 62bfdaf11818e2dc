"""Solving problems whose solution is known: rightly, or with a slip that a draw decides."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from stages.problems import annotated, arithmetic, catalog, slips, variations
from stages.problems.family import Instance
from stages.problems.variations import varied
from stages.records import SeedProblem
from stages.teacher.competence import stable_hash, uniform

__all__ = ["Book", "Worked", "slipped", "varied", "worked"]

_LINES = 6  # of a solution that is told
_DRAWING = re.compile(r"\[asy\].*?\[/asy\]", re.DOTALL)
_SENTENCE = re.compile(r"\n+|(?<=[.?!$])\s+(?=[A-Z])")


class Worked(NamedTuple):
    """A solution as it is told."""

    steps: tuple[str, ...]
    answer: str  # with its unit in plain text


class Book:
    """The problems that a solver knows: given ones, all embedded ones, and any of them with one more step.

    Args:
        problems: given ones.
    """

    def __init__(self, problems: Sequence[SeedProblem]) -> None:
        self._given = {catalog.plain(problem.question): problem for problem in problems}

    def find(self, text: str) -> SeedProblem | None:
        """Return the problem that a question asks; None where it is not known."""
        text = catalog.plain(text)
        found = self._known(text)
        if found is None and (ending := variations.split(text)) is not None:
            before, sign, n = ending
            problem = self._known(before)
            return problem and variations.extended(problem, text, sign, n)
        return found

    def _known(self, text: str) -> SeedProblem | None:
        if text in self._given:
            return self._given[text]
        one = catalog.find(text)
        return None if one is None else catalog.problem(catalog.Asked(text, one))


def worked(problem: SeedProblem) -> Worked:
    """Return the true solution and the reference answer."""
    one = _instance(problem)
    if one is not None:
        steps, answer = one.written(one.values())
        return Worked(steps, _with_unit(answer, problem.unit))
    return Worked(_told(problem), _with_unit(problem.answer, problem.unit))


def slipped(problem: SeedProblem, *draw: object) -> Worked:
    """Return a solution with one slip, carried through to a wrong answer.

    In physics a third of the slips are small errors of the last value (6–25 %). A number is wrong by more
    than 0.5 %, in physics by more than 5.5 %: at the default tolerance no slip passes for right.

    Args:
        problem: what is solved.
        draw: decides where and how; anything whose text is stable. Equal draws slip equally.
    """
    draw = (problem.question, *draw)
    one = _instance(problem)
    if one is not None:
        steps, answer = _slipped_instance(one, *draw)
    elif annotated.values(problem.solution.split("\n")):
        steps, answer = _slipped_annotated(problem, *draw)
    else:
        steps, answer = _slipped_answer(problem, *draw)
    return Worked(steps, _with_unit(answer, problem.unit))


def _instance(problem: SeedProblem) -> Instance | None:
    """Return the embedded problem that this one is; None where its reference is another."""
    one = catalog.find(problem.question)
    return one if one is not None and one.truth == problem.answer else None


def _slipped_instance(one: Instance, *draw: object) -> tuple[tuple[str, ...], str]:
    true = one.values()
    truth, physics = one.truth, bool(one.family.unit)
    if physics and uniform(*draw, "rounding") < slips.ROUNDING:
        return one.written([*true[:-1], slips.rounded_badly(true[-1], *draw)])
    start = stable_hash(*draw, "step")
    for turn in range(len(true)):
        place = (start + turn) % len(true)
        for wrong in slips.wrong_values(true[place], *draw, physics=physics):
            try:
                values = one.values((place, wrong))
            except ValueError:
                continue
            steps, answer = one.written(values)
            if _is_wrong(answer, truth, physics):
                return steps, answer
    raise AssertionError(f"{one.family.name}: a last value that cannot be wrong")


def _is_wrong(answer: str, truth: str, physics: bool) -> bool:
    """Say whether an answer is wrong: a number as `slips.differs` has it, an expression in any part."""
    said, right = arithmetic.number(answer), arithmetic.number(truth)
    return answer != truth if said is None or right is None else slips.differs(said, right, physics)


def _slipped_annotated(problem: SeedProblem, *draw: object) -> tuple[tuple[str, ...], str]:
    lines = problem.solution.split("\n")
    made, physics = annotated.values(lines), problem.domain == "physics"
    start = stable_hash(*draw, "step")
    for turn in range(len(made)):
        place = (start + turn) % len(made)
        wrong = next(slips.wrong_values(made[place], *draw, physics=physics))
        said, answer = annotated.slipped(lines, place, wrong, problem.answer)
        if _is_wrong(answer, problem.answer, physics):
            return tuple(line for line in said if line), answer
    return _slipped_answer(problem, *draw)


def _slipped_answer(problem: SeedProblem, *draw: object) -> tuple[tuple[str, ...], str]:
    """Slip at the answer itself, where no step can be computed again."""
    answer = _wrong(problem, *draw)
    steps = _told(problem)
    right = re.compile(rf"(?<![\w.]){re.escape(problem.answer)}(?![\w.]*\w)")
    return (*steps[:-1], right.sub(lambda _: answer, steps[-1])), answer


def _wrong(problem: SeedProblem, *draw: object) -> str:
    value = arithmetic.number(problem.answer)
    physics = problem.domain == "physics"
    if value is None:
        # Not the base of 52_8 or the unit of 864 inches^2: graders overlook them.
        numbers = list(re.finditer(r"(?<![_^\d])(?<![_^]\{)\d{1,15}", problem.answer))
        if not numbers:
            return f"-{problem.answer}" if re.fullmatch(r"\\?\w+", problem.answer) else "0"
        at = numbers[stable_hash(*draw, "place") % len(numbers)]
        wrong = abs(int(at[0])) + 1 + stable_hash(*draw, "size") % 3
        return f"{problem.answer[: at.start()]}{wrong}{problem.answer[at.end() :]}"
    if physics and value and uniform(*draw, "rounding") < slips.ROUNDING:
        return arithmetic.significant(slips.rounded_badly(value, *draw), 3)
    return _like(next(slips.wrong_values(value, *draw, physics=physics)), problem.answer)


def _like(value: Fraction, answer: str) -> str:
    if "frac" in answer:
        return arithmetic.latex(value)
    return arithmetic.significant(value, 12)


def _told(problem: SeedProblem) -> tuple[str, ...]:
    """Return the lines of the source's solution: all of a GSM8K solution, else its last sentences."""
    if "<<" in problem.solution:
        return tuple(said for line in problem.solution.split("\n") if (said := annotated.bare(line)))
    sentences = [catalog.plain(part) for part in _SENTENCE.split(_DRAWING.sub("", problem.solution))]
    told = [sentence for sentence in sentences if re.search(r"\w", sentence)]
    return tuple(told[-_LINES:]) or (f"The answer is {_with_unit(problem.answer, problem.unit)}.",)


def _with_unit(answer: str, unit: str) -> str:
    r"""Return an answer and its unit in plain text: `$\mathrm{kJ} \mathrm{mol}^{-1}$` is "kJ mol^-1"."""
    said = unit if unit == "$" else re.sub(r"\\(?:mathrm|text|rm)\b|(?<!\\)[${}]", "", unit)
    said = catalog.plain(re.sub(r"\\[,;: ]|~", " ", said).replace(r"\$", "$"))
    return f"{answer} {said}".strip()
