"""Seed problems in the formats of GSM8K, MATH and SciBench: from a file's bytes to rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

from stages.benchmarks.formats import objects
from stages.errors import BadInput
from stages.problems.catalog import seed_problem
from stages.records import SeedProblem


class Format(NamedTuple):
    """One format: what tells it, and how a record of it is read."""

    fields: tuple[str, ...]  # that every record has, as texts
    read: Callable[[dict[str, Any]], SeedProblem | None]  # None: the fields are there but hold no problem
    expected: str  # for the line of a fault


def _gsm8k(row: dict[str, Any]) -> SeedProblem | None:
    solution, mark, answer = row["answer"].rpartition("####")
    return _checked("mathematics", row["question"], answer if mark else "", solution=solution)


def _math(row: dict[str, Any]) -> SeedProblem | None:
    return _checked("mathematics", row["problem"], row["answer"], solution=row["solution"])


def _scibench(row: dict[str, Any]) -> SeedProblem | None:
    question, answer, unit = row["problem_text"], row["answer_number"], row["unit"]
    return _checked("physics", question, answer, unit=unit, solution=row.get("solution", ""))


FORMATS = {
    "gsm8k": Format(("question", "answer"), _gsm8k, "question and answer, the result after '####'"),
    "math500": Format(("problem", "solution", "answer"), _math, "problem, solution and answer"),
    "scibench": Format(
        ("problem_text", "answer_number", "unit"), _scibench, "problem_text, answer_number and unit"
    ),
}


def parse(file_name: str, content: bytes) -> list[SeedProblem]:
    """Read the problems of one file; its first record tells which format all of them have.

    Args:
        file_name: for the lines of faults.
        content: a JSON array of records, or JSON lines.

    Raises:
        BadInput: not JSON, no record, a format that is none of `FORMATS`, or a record that has not the
            format of the first one.
    """
    problems: list[SeedProblem] = []
    chosen: Format | None = None
    for where, row in objects(file_name, content):
        if chosen is None:
            chosen = next((one for one in FORMATS.values() if _has(row, one)), None)
        if chosen is None:
            known = "; or ".join(one.expected for one in FORMATS.values())
            raise BadInput(f"{where}: no seed problem; expected the texts {known}")
        found = chosen.read(row) if _has(row, chosen) else None
        if found is None:
            raise BadInput(f"{where}: expected the texts {chosen.expected}, as in the file's first record")
        problems.append(found)
    if not problems:
        raise BadInput(f"{file_name}: no problem in it; add one a line, or remove the file")
    return problems


def _checked(domain: str, question: str, answer: str, *, unit: str = "", solution: str) -> SeedProblem | None:
    question, answer = question.strip(), answer.strip()
    if not question or not answer:
        return None
    return seed_problem(domain, question, answer, unit=unit.strip(), solution=solution.strip())


def _has(row: dict[str, Any], chosen: Format) -> bool:
    return all(isinstance(row.get(name), str) for name in chosen.fields)
