"""Solutions with calculator annotations, as GSM8K writes them: `48/2 = <<48/2=24>>24 clips`."""

import re
from collections.abc import Sequence
from fractions import Fraction

from stages.problems import arithmetic

_NOTE = re.compile(r"<<([^<>=]*)=([^<>]*)>>")
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?|(?<![\w.,])\.\d+")


def values(lines: Sequence[str]) -> list[Fraction]:
    """Return what the annotations compute, in order; those that give no number are none."""
    found = (arithmetic.number(note[2]) for line in lines for note in _NOTE.finditer(line))
    return [value for value in found if value is not None]


def bare(line: str) -> str:
    """Return a line without its annotations."""
    return " ".join(_NOTE.sub("", line).split())


def slipped(lines: Sequence[str], slip: int, wrong: Fraction, answer: str) -> tuple[list[str], str]:
    """Give one computation a wrong value, and carry it through all that follows.

    What follows is known by its numbers: a later formula that holds a changed value is computed again, and
    a changed value is replaced wherever it is said.

    Args:
        lines: of the solution, annotated.
        slip: place of the computation among `values`.
        wrong: what it gives.
        answer: the reference.

    Returns:
        (lines without annotations, answer).
    """
    changed: dict[Fraction, Fraction] = {}
    said, place = [], -1
    for line in lines:
        parts, at = [], 0
        for note in _NOTE.finditer(line):
            parts.append(_replaced(line[at : note.start()], changed))
            at = note.end()
            value = arithmetic.number(note[2])
            if value is None:
                continue
            place += 1
            if place == slip:
                changed[value] = wrong
            elif place > slip and (again := _again(note[1], changed)) is not None:
                changed[value] = again
        parts.append(_replaced(line[at:], changed))
        said.append(" ".join("".join(parts).split()))
    return said, _replaced(answer, changed)


def _again(formula: str, changed: dict[Fraction, Fraction]) -> Fraction | None:
    """Return the value of a formula with changed numbers; None where nothing of it changed."""
    # The brackets keep a negative number one operand.
    anew = _replaced(formula, changed, "({})")
    if anew == formula:
        return None
    try:
        return arithmetic.evaluate(anew.replace(",", ""))
    except ValueError:
        return None


def _replaced(text: str, changed: dict[Fraction, Fraction], form: str = "{}") -> str:
    def anew(found: re.Match[str]) -> str:
        value = arithmetic.number(found[0])
        return form.format(arithmetic.decimal(changed[value])) if value in changed else found[0]

    return _NUMBER.sub(anew, text) if changed else text
