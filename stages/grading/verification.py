"""Verification of an answer by the grader of its question's domain, and how far two graders disagree."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stages.grading import matches, mathematics, quantities
from stages.grid import DOMAINS


def accepts(
    domain: str,
    answer: str,
    reference: str,
    aliases: Sequence[str] = (),
    unit: str = "",
    tolerance: float = 0.05,
) -> bool:
    """Say whether an answer states the reference or one of its aliases.

    Args:
        domain: one of `grid.DOMAINS`.
        answer: the final answer alone.
        reference: the reference answer; of physics the number.
        aliases: other accepted forms.
        unit: of the reference; of physics alone.
        tolerance: relative; of physics alone.

    Raises:
        ValueError: no such domain.
    """
    if domain == "knowledge":
        return matches(answer, reference, aliases)
    if domain == "mathematics":
        return any(mathematics.equal(answer, form) for form in (reference, *aliases))
    if domain == "physics":
        return any(quantities.equal(answer, form, unit, tolerance) for form in (reference, *aliases))
    raise ValueError(f"no domain '{domain}'; known are {', '.join(DOMAINS)}")


class Disagreement(NamedTuple):
    """How two graders judged the same answers: numbers of answers, and the share judged differently."""

    n: int
    both: int  # right for both
    first_only: int
    second_only: int
    neither: int
    rate: float | None  # (first_only + second_only) / n; None of no answer


def disagreements(pairs: Iterable[tuple[bool, bool]]) -> Disagreement:
    """Count the verdicts of two graders.

    Args:
        pairs: (first grader's verdict, second opinion), one per answer.
    """
    counts = Counter((bool(first), bool(second)) for first, second in pairs)
    both, first, second, neither = (
        counts[verdicts] for verdicts in ((True, True), (True, False), (False, True), (False, False))
    )
    n = both + first + second + neither
    return Disagreement(n, both, first, second, neither, (first + second) / n if n else None)
