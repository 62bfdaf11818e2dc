"""New problems from given ones: another instance of a family, or one more step at the end."""

import re
from fractions import Fraction

from stages.problems import arithmetic, catalog
from stages.records import SeedProblem
from stages.teacher.competence import stable_hash

_EXTRA = (
    ("Now multiply this result by {n}. What do you get?", "*"),
    ("What is the sum of this result and {n}?", "+"),
    ("What are {n} times this result?", "*"),
    ("Then {n} is added to the result. What is it now?", "+"),
)
_READ = [
    (re.compile("(.+) " + re.escape(wording).replace(r"\{n\}", r"(\d{1,2})"), re.DOTALL), sign)
    for wording, sign in _EXTRA
]


def varied(problem: SeedProblem, *draw: object) -> SeedProblem | None:
    """Return a new problem of the same kind with its true answer.

    Args:
        problem: an embedded one gives another instance of its family in a wording of the source; any other
            one with a number for its answer gets one more step.
        draw: decides which; anything whose text is stable.

    Returns:
        The problem; None where the answer is no number.
    """
    draw = (problem.question, *draw)
    known = catalog.find(problem.question)
    if known is not None:
        others = [other for other in catalog.instances(known.family) if other is not known]
        chosen = others[stable_hash(*draw, "instance") % len(others)]
        return catalog.problem(catalog.ask(chosen, *draw))
    chance = stable_hash(*draw, "extra")
    wording, sign = _EXTRA[chance % len(_EXTRA)]
    n = 2 + (chance >> 8) % (8 if sign == "*" else 18)
    return extended(problem, f"{catalog.plain(problem.question)} {wording.format(n=n)}", sign, n)


def split(question: str) -> tuple[str, str, int] | None:
    """Return (question before it, sign, number) of the extra step that a question ends in; None without."""
    for pattern, sign in _READ:
        if found := pattern.fullmatch(question):
            return found[1], sign, int(found[2])
    return None


def extended(problem: SeedProblem, question: str, sign: str, n: int) -> SeedProblem | None:
    """Return the problem that `question` asks: `problem` with one more step, as `split` found it.

    Returns:
        The problem; None where the answer of `problem` is no number.
    """
    value = arithmetic.number(problem.answer)
    if value is None:
        return None
    result = value * n if sign == "*" else value + n
    answer = arithmetic.latex(result) if "frac" in problem.answer else _exact(result)
    operand = _exact(value)
    note = f"{operand} {sign} {n} = <<{operand}{sign}{n}={_exact(result)}>>{_exact(result)}"
    before = problem.solution if "<<" in problem.solution else f"The first result is {problem.answer}."
    solution = f"{before}\nThen {note}."
    return catalog.seed_problem(problem.domain, question, answer, unit=problem.unit, solution=solution)


def _exact(value: Fraction) -> str:
    written = arithmetic.decimal(value)
    return written if Fraction(written) == value else f"{value.numerator}/{value.denominator}"
