"""Verification of an answer by the grader of its question's domain."""

from collections.abc import Sequence

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
