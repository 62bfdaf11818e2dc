"""The official formats of the benchmarks of mathematics and physics, as `formats` has those of knowledge."""

from pathlib import PurePath

from stages.benchmarks.formats import checked, objects
from stages.errors import BadInput
from stages.grading import quantities
from stages.records import BenchmarkItem


def gsm8k(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """GSM8K (Cobbe et al. 2021): JSON lines of {question, answer}; the reference follows "####".

    The item id is the line's place.
    """
    items = []
    for place, (where, row) in enumerate(objects(file_name, content)):
        worked = row.get("answer")
        if not isinstance(worked, str) or "####" not in worked:
            raise BadInput(f"{where}: no '####' before the answer; expected question, answer as in gsm8k")
        reference = worked.rpartition("####")[2].replace(",", "")
        identity, question = f"{place:05d}", row.get("question")
        items.append(checked("gsm8k", where, identity, question, [reference], "question, answer"))
    return items


def math500(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """MATH-500 (Lightman et al. 2023, of Hendrycks et al. 2021): JSON lines of {problem, solution, answer,
    subject, level}; the item id is unique_id, or the line's place."""
    expected = "problem, answer"
    return [
        checked(
            "math500",
            where,
            row.get("unique_id", f"{place:05d}"),
            row.get("problem"),
            [row.get("answer")],
            expected,
        )
        for place, (where, row) in enumerate(objects(file_name, content))
    ]


def scibench(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """SciBench (Wang et al. 2024): one file per textbook, an array of {problem_text, answer_number, unit,
    problemid}. The item id is the file's and the problem's, "atkins/e1.17(a)(a)"; where a file has one
    twice, the later gets its place: "quan/2.13#17"."""
    book, seen = PurePath(file_name).stem, set()
    expected = "problem_text, answer_number, unit, problemid"
    items = []
    for place, (where, row) in enumerate(objects(file_name, content)):
        problem, number, unit = (row.get(name) for name in ("problemid", "answer_number", "unit"))
        if not isinstance(problem, str) or not problem.strip():
            raise BadInput(f"{where}: no problemid; expected {expected} as in the official scibench file")
        if not isinstance(unit, str):
            raise BadInput(f"{where}: no unit; expected {expected}, the unit empty where there is none")
        if not isinstance(number, str) or quantities.parse(f"{number.strip()} {unit.strip()}") is None:
            raise BadInput(f"{where}: answer_number is no number; expected {expected}; correct it")
        identity = f"{book}/{problem.strip()}"
        if identity in seen:
            identity += f"#{place}"
        seen.add(identity)
        question = row.get("problem_text")
        items.append(checked("scibench", where, identity, question, [number], expected, unit.strip()))
    return items
