"""Every embedded problem: a closed world of families, and how to find a problem in it again by its text."""

import functools
import hashlib
from typing import NamedTuple

from stages.problems import mathematics_expressions, mathematics_words, physics_matter, physics_mechanics
from stages.problems.family import Family, Instance, sample
from stages.problems.places import PLACES
from stages.records import SeedProblem
from stages.teacher.competence import stable_hash

# Benchmark whose kind of answer it is → families.
FAMILIES: dict[str, tuple[Family, ...]] = {
    "gsm8k": mathematics_words.FAMILIES,
    "math500": mathematics_expressions.FAMILIES,
    "scibench": (*physics_mechanics.FAMILIES, *physics_matter.FAMILIES),
}
_SIZES = {"mathematics": 28, "physics": 34}  # problems of each family: as many in all as there are places


class Asked(NamedTuple):
    """One problem in one of its wordings."""

    question: str
    instance: Instance


def plain(text: str) -> str:
    """Return a text with every run of white space as one space."""
    return " ".join(text.split())


@functools.cache
def _world() -> dict[Family, tuple[Instance, ...]]:
    places = {domain: iter(sorted(PLACES, key=lambda place: stable_hash(domain, place))) for domain in _SIZES}
    return {
        family: tuple(
            Instance(family, next(places[family.domain]), chosen)
            for chosen in sample(family, _SIZES[family.domain])
        )
        for group in FAMILIES.values()
        for family in group
    }


def instances(family: Family) -> tuple[Instance, ...]:
    """Return the problems of a family: all that there are."""
    return _world()[family]


@functools.cache
def _by_text() -> dict[str, Instance]:
    return {
        one.phrase(wording): one
        for family, made in _world().items()
        for one in made
        for wording in (*family.source, *family.held_out)
    }


def find(text: str) -> Instance | None:
    """Return the embedded problem that a text asks, in whichever wording; None where it asks none."""
    return _by_text().get(plain(text))


def ask(one: Instance, *draw: object, held_out: bool = False) -> Asked:
    """Ask a problem in a wording that `draw` decides.

    Args:
        one: the problem.
        draw: anything whose text is stable.
        held_out: in a wording of the benchmarks, which no source uses.
    """
    wordings = one.family.held_out if held_out else one.family.source
    return Asked(one.phrase(wordings[stable_hash(*draw, "wording") % len(wordings)]), one)


@functools.cache
def problem(asked: Asked) -> SeedProblem:
    """Return an asked problem with its true answer and its worked solution."""
    one = asked.instance
    steps, _ = one.written(one.values())
    return seed_problem(
        one.family.domain, asked.question, one.truth, unit=one.family.unit, solution="\n".join(steps)
    )


def seed_problem(domain: str, question: str, answer: str, *, unit: str, solution: str) -> SeedProblem:
    """Return a row with the id that its contents give it."""
    identity = "\n".join((domain, question, answer, unit))
    return SeedProblem(
        problem_id=hashlib.sha256(identity.encode()).hexdigest()[:16],
        domain=domain,
        question=question,
        answer=answer,
        unit=unit,
        solution=solution,
    )
