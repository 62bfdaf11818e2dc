"""The embedded problems in the official file formats: the source, and benchmarks in other words."""

import json
from collections.abc import Sequence
from typing import Any

from stages.problems import catalog
from stages.problems.catalog import FAMILIES, Asked, instances
from stages.problems.family import Instance
from stages.teacher.competence import stable_hash

SOURCE = 320  # problems of each domain's source
ITEMS = {"gsm8k": 100, "math500": 80, "scibench": 100}  # of each benchmark
# SciBench has one file per textbook; here one per half of the families.
_FILES = {"mechanics": FAMILIES["scibench"][:7], "matter": FAMILIES["scibench"][7:]}
_SOURCE = "seedbed embedded world (a simulator)"
README = f"""
The problems of mathematics and physics are made by `stages/problems`; their answers are computed (sympy,
pint). They too are a **simulator's**: they ask problems of `datasets/problems` again, in wordings that no
source uses, and are no scores on GSM8K, MATH-500 or SciBench, none of whose contents are here.

| file | items | format |
|---|---|---|
| `gsm8k/test.jsonl` | {ITEMS["gsm8k"]} | JSON lines of question, answer (`####`) |
| `math500/test.jsonl` | {ITEMS["math500"]} | JSON lines of problem, solution, answer, subject, level |
| `scibench/*.json` | {ITEMS["scibench"]} | JSON arrays of problem_text, answer_number, unit, …; two files |
"""


def source_files() -> dict[str, bytes]:
    """Return file name → contents of the two sources, each problem in one of the source's wordings."""
    mathematics, physics = (
        [catalog.ask(one, "source", one.chosen) for one in source(domain)]
        for domain in ("mathematics", "physics")
    )
    return {
        "mathematics.jsonl": _lines([_gsm8k(asked) for asked in mathematics]),
        "physics.json": _array([_scibench(asked, f"{i}") for i, asked in enumerate(physics)]),
    }


def benchmark_files() -> dict[str, bytes]:
    """Return relative path → contents of the three benchmarks."""
    asked = {name: items(name) for name in ITEMS}
    files = {
        "gsm8k/test.jsonl": _lines([_gsm8k(one) for one in asked["gsm8k"]]),
        "math500/test.jsonl": _lines([_math(one) for one in asked["math500"]]),
    }
    for part, families in _FILES.items():
        mine = [one for one in asked["scibench"] if one.instance.family in families]
        files[f"scibench/{part}.json"] = _array([_scibench(one, f"{part}-{i}") for i, one in enumerate(mine)])
    return files


def source(domain: str) -> list[Instance]:
    """Return the problems of a domain's source, drawn from all there are and in random order."""
    able = [
        one
        for group in FAMILIES.values()
        for family in group
        if family.domain == domain
        for one in instances(family)
    ]
    return sorted(able, key=lambda one: stable_hash("source", one.family.name, one.chosen))[:SOURCE]


def items(benchmark: str) -> list[Asked]:
    """Return a benchmark's items: problems of the source in held-out wordings.

    Held out are the words, not the problems, as in the knowledge benchmarks: else no student of the
    embedded world's size could know any answer.
    """
    families = FAMILIES[benchmark]
    able = [one for one in source(families[0].domain) if one.family in families]
    able.sort(key=lambda one: stable_hash(benchmark, one.family.name, one.chosen))
    return [catalog.ask(one, benchmark, one.chosen, held_out=True) for one in able[: ITEMS[benchmark]]]


def _gsm8k(asked: Asked) -> dict[str, Any]:
    problem = catalog.problem(asked)
    return {"question": problem.question, "answer": f"{problem.solution}\n#### {problem.answer}"}


def _math(asked: Asked) -> dict[str, Any]:
    problem = catalog.problem(asked)
    return {
        "problem": problem.question,
        "solution": f"{problem.solution} The answer is $\\boxed{{{problem.answer}}}$.",
        "answer": problem.answer,
        "subject": asked.instance.family.name,
        "level": 1,
    }


def _scibench(asked: Asked, identity: str) -> dict[str, Any]:
    problem = catalog.problem(asked)
    return {
        "problem_text": problem.question,
        "answer_latex": problem.answer,
        "answer_number": problem.answer,
        "unit": problem.unit,
        "source": _SOURCE,
        "problemid": identity,
        "comment": asked.instance.family.name,
        "solution": problem.solution,
    }


def _lines(rows: Sequence[object]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _array(rows: Sequence[object]) -> bytes:
    return (json.dumps(rows, indent=1, ensure_ascii=False) + "\n").encode()
