"""The fixed source of a domain: checked problems or seed questions, drawn at random and ranked."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from pydantic import Field

from stages.errors import BadInput
from stages.grading import verification
from stages.params import Section
from stages.problems.catalog import plain
from stages.problems.solving import worked
from stages.questions import Decontaminate
from stages.questions.decontaminate import contaminated
from stages.questions.dedupe import duplicates
from stages.records import BenchmarkItem, PoolQuestion, SeedProblem, SeedQuestion

T = TypeVar("T")
# Counted even where there is none, as the questions' rejections are.
REASONS = (
    "contaminated_answer",
    "contaminated_ngram",
    "duplicate",
    "near_duplicate",
    "other_domain",
    "reference_not_accepted",
)


class Config(Section):
    """The section `collect` of params.yaml."""

    questions: int = Field(ge=4, multiple_of=4)  # of a source; shares of a quarter then meet at equal N
    near_duplicate: float = Field(gt=0, le=1)  # Jaccard, character 5-grams, at equal numbers and answer
    decontaminate: Decontaminate


class Compared(NamedTuple):
    """A problem as the checks of questions read one; of no page."""

    question_id: str
    question: str
    answer: str
    page_id: int = 0
    answer_aliases: list[str] = []  # noqa: RUF012  # a tuple's default, never changed
    evidence: str = ""


def sift(
    problems: Sequence[SeedProblem],
    domain: str,
    items: Sequence[BenchmarkItem],
    config: Config,
) -> tuple[list[SeedProblem], Counter[str]]:
    """Keep the problems that can be asked and graded, each once and in no benchmark.

    Near duplicates have the same numbers and the same answer: word problems that differ in a number alone
    share most of their letters, and are different problems.

    Args:
        problems: in order of precedence.
        domain: other ones are rejected.
        items: of the domain's benchmarks.
        config: thresholds.

    Returns:
        The kept problems, and how many were rejected by reason: the first check that each failed.
    """
    reasons: Counter[str] = Counter(dict.fromkeys(REASONS, 0))
    kept: dict[str, SeedProblem] = {}
    for problem in problems:
        if problem.domain != domain:
            reasons["other_domain"] += 1
        elif plain(problem.question) in kept:
            reasons["duplicate"] += 1
        elif not _gradable(problem):
            reasons["reference_not_accepted"] += 1
        else:
            kept[plain(problem.question)] = problem
    rows = list(kept.values())
    alike = duplicates([_numbered(row) for row in rows], config.near_duplicate)
    asked = [Compared(row.problem_id, row.question, row.answer) for row in rows]
    limits = config.decontaminate
    found = contaminated(asked, items, limits.ngram, limits.overlap) | alike
    reasons.update(found.values())
    return [row for row in rows if row.problem_id not in found], reasons


def of_problems(problems: Sequence[SeedProblem], domain: str, size: int, seed: int) -> list[PoolQuestion]:
    """Draw a source of `size` problems.

    Raises:
        BadInput: there are fewer.
    """
    return [
        _row(
            domain,
            rank,
            question_id=problem.problem_id,
            question=problem.question,
            answer=problem.answer,
            unit=problem.unit,
        )
        for rank, problem in enumerate(_drawn(problems, domain, size, seed))
    ]


def of_questions(questions: Sequence[SeedQuestion], size: int, seed: int) -> list[PoolQuestion]:
    """Draw a source of `size` seed questions of knowledge.

    Raises:
        BadInput: there are fewer.
    """
    taken = ("question_id", "question", "answer", "answer_aliases", "title", "page_id", "revision_id")
    return [
        _row("knowledge", rank, **{name: getattr(row, name) for name in taken})
        for rank, row in enumerate(_drawn(questions, "knowledge", size, seed))
    ]


def mixed(pools: Sequence[Sequence[PoolQuestion]], seed: int) -> list[PoolQuestion]:
    """Merge the sources of several domains so that any share of the whole holds as much of each (± 1).

    Of each rank there is one question of every domain, the domains in random order: the first quarter of
    the mixed source is made of the first quarters of the others.

    Args:
        pools: one of each domain.
        seed: of the order.

    Raises:
        BadInput: fewer than two, two of one domain, or of unequal size.
    """
    domains = [pool[0].domain if pool else "none" for pool in pools]
    if len(pools) < 2 or len(set(domains)) < len(domains):
        raise BadInput(f"pools of {', '.join(domains) or 'nothing'}: mix one pool of each of several domains")
    sizes = {len(pool) for pool in pools}
    if len(sizes) > 1:
        raise BadInput(f"pools of {sorted(sizes)} questions: give them the same size to mix them")
    rng = np.random.default_rng(seed)
    ordered = [sorted(pool, key=lambda row: row.rank) for pool in pools]
    rows = [rank[i] for rank in zip(*ordered, strict=True) for i in rng.permutation(len(pools))]
    return [row.model_copy(update={"strategy": "mixed", "rank": rank}) for rank, row in enumerate(rows)]


def _row(domain: str, rank: int, **columns: object) -> PoolQuestion:
    fixed = {"strategy": domain, "density": None, "domain": domain, "rank": rank, "round": 0, "group": 0}
    unplaced: dict[str, object] = {"log10_density": None, "acceptance": 1.0, "answer_aliases": []}
    nowhere = {"title": "", "page_id": 0, "revision_id": 0}
    return PoolQuestion.model_validate(fixed | unplaced | nowhere | columns)


def _drawn(rows: Sequence[T], domain: str, size: int, seed: int) -> list[T]:
    if len(rows) < size:
        raise BadInput(
            f"{domain}: {len(rows)} questions are left of {size} that a source shall have; "
            "set `collect.questions` or give more"
        )
    return [rows[i] for i in np.random.default_rng(seed).permutation(len(rows))[:size]]


def _gradable(problem: SeedProblem) -> bool:
    """Say whether the domain's grader takes the reference for right, as a solver would state it."""
    return verification.accepts(problem.domain, worked(problem).answer, problem.answer, unit=problem.unit)


def _numbered(problem: SeedProblem) -> Compared:
    numbers = " ".join(re.findall(r"\d+", problem.question))
    return Compared(problem.problem_id, problem.question, f"{problem.answer} {numbers}")
