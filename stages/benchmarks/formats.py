"""The official formats of the knowledge benchmarks: one function each, from a file's bytes to items.

A fault raises `BadInput` with the file, the record and what was expected there. Item ids are the official
ones; where a benchmark has none, the record's place in its file.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Any

from stages.errors import BadInput
from stages.grading import ranges
from stages.records import BenchmarkItem


def webquestions(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """Berant et al. 2013: an array of {qId, qText, answers}; or {url, question, answers}, as the original
    release and the Hugging Face copy have it, as an array or as JSON lines."""
    items = []
    for place, (where, row) in enumerate(objects(file_name, content)):
        question = row.get("qText", row.get("question"))
        identity = row.get("qId", f"{place:05d}")
        items.append(checked("webquestions", where, identity, question, row.get("answers"), "qText, answers"))
    return items


def natural_questions(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """NQ-open (Lee et al. 2019): JSON lines of {question, answer: [...]}; the item id is the line's place."""
    rows = enumerate(objects(file_name, content))
    return [
        checked(
            "natural_questions", where, f"{i:05d}", row.get("question"), row.get("answer"), "question, answer"
        )
        for i, (where, row) in rows
    ]


def triviaqa(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """TriviaQA (Joshi et al. 2017): the official {"Data": [{QuestionId, Question, Answer: {Value, Aliases,
    NormalizedAliases, HumanAnswers}}]}; or JSON lines of {id, question, golden_answers}.

    Every form that the official script accepts is an answer: aliases, normalised aliases, human answers.
    """
    document = _document(file_name, content) if content.lstrip().startswith(b"{") else None
    if not isinstance(document, dict) or "Data" not in document:
        rows = enumerate(objects(file_name, content))
        wanted = "id, question, golden_answers"
        return [
            checked(
                "triviaqa",
                where,
                row.get("id", f"{i:05d}"),
                row.get("question"),
                row.get("golden_answers"),
                wanted,
            )
            for i, (where, row) in rows
        ]
    items = []
    for place, (where, row) in enumerate(_each(file_name, document["Data"])):
        answer = row.get("Answer")
        forms = None
        if isinstance(answer, dict):
            lists = (answer.get(k) or [] for k in ("Aliases", "HumanAnswers", "NormalizedAliases"))
            forms = [answer.get("Value"), *(form for forms in lists for form in forms)]
        identity = row.get("QuestionId", f"{place:05d}")
        items.append(
            checked("triviaqa", where, identity, row.get("Question"), forms, "Question, Answer.Value")
        )
    return items


def simpleqa(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """SimpleQA (Wei et al. 2024): csv of metadata, problem, answer; the item id is the row's place."""
    rows = enumerate(_csv_rows(file_name, content, ("problem", "answer")))
    return [
        checked("simpleqa", where, f"{i:05d}", row["problem"], [row["answer"]], "problem, answer")
        for i, (where, row) in rows
    ]


def simpleqa_verified(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """SimpleQA Verified (Haas et al. 2025): csv of original_index, problem, answer and more.

    An answer with an acceptable range becomes two: the reference alone, then the official text, of which
    `grading.ranges` reads the bounds.
    """
    items = []
    for where, row in _csv_rows(file_name, content, ("original_index", "problem", "answer")):
        try:
            bounded = ranges.parse(row["answer"]) is not None
        except ValueError as error:
            raise BadInput(f"{where}: {error}; correct the row") from error
        answers = [ranges.split(row["answer"])[0], row["answer"]] if bounded else [row["answer"]]
        wanted = "original_index, problem, answer"
        items.append(
            checked("simpleqa_verified", where, row["original_index"], row["problem"], answers, wanted)
        )
    return items


def entityquestions(file_name: str, content: bytes) -> list[BenchmarkItem]:
    """EntityQuestions (Sciavolino et al. 2021): one file P<relation>.<split>.json per relation, an array (or
    JSON lines) of {question, answers}; the item id is the relation and the place in its file, "P36-00012"."""
    relation = re.match(r"P\d+(?=\.)", PurePath(file_name).name)
    if not relation:
        raise BadInput(
            f"{file_name}: expected a relation's file named like P36.test.json; rename or remove it"
        )
    rows = enumerate(objects(file_name, content))
    return [
        checked(
            "entityquestions",
            where,
            f"{relation[0]}-{i:05d}",
            row.get("question"),
            row.get("answers"),
            "question, answers",
        )
        for i, (where, row) in rows
    ]


def checked(
    benchmark: str, where: str, identity: Any, question: Any, answers: Any, expected: str, unit: str = ""
) -> BenchmarkItem:
    """Return one item; `expected` names the official columns for the fault's line.

    Raises:
        BadInput: no question, answer or id.
    """
    if not isinstance(question, str) or not question.strip():
        raise BadInput(f"{where}: no question; expected {expected} as in the official {benchmark} file")
    if not isinstance(answers, list) or not all(isinstance(answer, str) for answer in answers):
        raise BadInput(f"{where}: answers are no list of texts; expected {expected} as in {benchmark}")
    accepted = list(dict.fromkeys(answer.strip() for answer in answers if answer.strip()))
    if not accepted:
        raise BadInput(f"{where}: no answer; a {benchmark} item needs at least one, remove or complete it")
    if not isinstance(identity, str | int) or not str(identity).strip():
        raise BadInput(f"{where}: no usable id; expected {expected} as in the official {benchmark} file")
    return BenchmarkItem(
        benchmark=benchmark, item_id=str(identity), question=question.strip(), answers=accepted, unit=unit
    )


def objects(file_name: str, content: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (where, object) from a JSON array or from JSON lines."""
    if content.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"["):
        yield from _each(file_name, _document(file_name, content))
        return
    # Not str.splitlines(): it breaks at U+2028 and others, which JSON strings may hold.
    for number, line in enumerate(_text(file_name, content).split("\n"), start=1):
        if line.strip():
            where = f"{file_name}, line {number}"
            try:
                yield where, _object(where, json.loads(line))
            except ValueError as error:
                raise BadInput(f"{where}: not JSON: {error}; expected one object a line") from error


def _each(file_name: str, records: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if not isinstance(records, list):
        raise BadInput(f"{file_name}: expected an array of records; fetch the official file again")
    for number, record in enumerate(records, start=1):
        where = f"{file_name}, record {number}"
        yield where, _object(where, record)


def _object(where: str, record: Any) -> dict[str, Any]:
    if not isinstance(record, dict):
        raise BadInput(f"{where}: expected an object, not {json.dumps(record)[:40]}")
    return record


def _document(file_name: str, content: bytes) -> Any:
    try:
        return json.loads(_text(file_name, content))
    except ValueError as error:
        # Lines of JSON are no document; the caller reads them one by one.
        if str(error).startswith("Extra data"):
            return None
        raise BadInput(f"{file_name}: not JSON: {error}; fetch the official file again") from error


def _csv_rows(file_name: str, content: bytes, columns: Iterable[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (where, row) from a csv with a header that names at least `columns`."""
    reader = csv.DictReader(io.StringIO(_text(file_name, content), newline=""), strict=True)
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise BadInput(
                f"{file_name}, line 1: no column '{missing[0]}'; fetch the official csv file again"
            )
        for number, row in enumerate(reader, start=1):
            where = f"{file_name}, record {number} (line {reader.line_num})"
            if None in row or None in row.values():
                raise BadInput(f"{where}: not as many fields as the header has; fetch the file again")
            yield where, row
    except csv.Error as error:
        raise BadInput(
            f"{file_name}, line {reader.line_num}: not csv: {error}; fetch the file again"
        ) from error


def _text(file_name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{file_name}: not UTF-8 at byte {error.start}; fetch the official file again"
        ) from error
