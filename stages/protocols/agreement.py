"""Whether two of the teacher's answers are the same answer, where there is no reference."""

from stages.grading.verification import accepts


def agree(domain: str, answer: str, other: str) -> bool:
    """Say whether two answers agree by their domain's grader; each states its own unit."""
    return answer == other or accepts(domain, answer, other)
