"""The embedded benchmarks in the official file formats, under the official names."""

import csv
import io
import json
from collections.abc import Mapping, Sequence

from stages.world.fields import FIELDS
from stages.world.questions import Asked

_SOURCE = "seedbed embedded world (a simulator)"
README = """# Embedded benchmarks

Written by `python -m stages.world` from the fact tables in `stages/world/tables`; do not edit.

These are the questions of a **simulator**: they ask about the small embedded world, in the file formats of
the six official benchmarks, so that the same loaders read both. Their scores say how well a student learned
this world. They are no scores on WebQuestions, Natural Questions, TriviaQA, SimpleQA, SimpleQA Verified or
EntityQuestions, and none of those sets' contents are here.

| file | items | format |
|---|---|---|
"""


def files(asked: Mapping[str, Sequence[Asked]]) -> dict[str, bytes]:
    """Return relative path → contents for the six benchmarks and their README.

    Args:
        asked: benchmark → its items.
    """
    written: dict[str, bytes] = {
        "webquestions/test.json": _json(
            [
                {"qId": f"wqs{i:06d}", "answers": list(a.answers), "qText": a.question}
                for i, a in enumerate(asked["webquestions"])
            ]
        ),
        "natural_questions/NQ-open.dev.jsonl": _lines(
            [{"question": a.question, "answer": list(a.answers)} for a in asked["natural_questions"]]
        ),
        "triviaqa/triviaqa_unfiltered_dev.jsonl": _lines(
            [
                {"id": f"dev_{i}", "question": a.question, "golden_answers": list(a.answers)}
                for i, a in enumerate(asked["triviaqa"])
            ]
        ),
        "simpleqa/simple_qa_test_set.csv": _csv(
            ("metadata", "problem", "answer"),
            [(str(_metadata(a)), a.question, a.answers[0]) for a in asked["simpleqa"]],
        ),
        "simpleqa_verified/simpleqa_verified.csv": _csv(
            (
                "original_index",
                "problem",
                "answer",
                "topic",
                "answer_type",
                "multi_step",
                "requires_reasoning",
                "urls",
            ),
            [
                (
                    str(i),
                    a.question,
                    a.answers[0],
                    FIELDS[a.entry.field].topic,
                    "Other",
                    "False",
                    "False",
                    _SOURCE,
                )
                for i, a in enumerate(asked["simpleqa_verified"])
            ],
        ),
    }
    relations = sorted({a.relation for a in asked["entityquestions"]}, key=lambda relation: int(relation[1:]))
    for relation in relations:
        rows = [a for a in asked["entityquestions"] if a.relation == relation]
        text = json.dumps(
            [{"question": a.question, "answers": list(a.answers)} for a in rows], indent=4, ensure_ascii=False
        )
        written[f"entityquestions/{relation}.test.json"] = text.encode()
    formats = {
        "webquestions/test.json": "JSON array of qId, answers, qText",
        "natural_questions/NQ-open.dev.jsonl": "JSON lines of question, answer",
        "triviaqa/triviaqa_unfiltered_dev.jsonl": "JSON lines of id, question, golden_answers",
        "simpleqa/simple_qa_test_set.csv": "csv of metadata, problem, answer",
        "simpleqa_verified/simpleqa_verified.csv": "csv of original_index, problem, answer, …",
    }
    table = [f"| `{p}` | {len(asked[p.split('/')[0]])} | {f} |" for p, f in formats.items()]
    count = len(asked["entityquestions"])
    table.append(
        f"| `entityquestions/P*.test.json` | {count} | JSON arrays of question, answers, one a relation |"
    )
    return written | {"README.md": (README + "\n".join(table) + "\n").encode()}


def _metadata(asked: Asked) -> dict[str, object]:
    topic = FIELDS[asked.entry.field].topic
    return {"topic": topic, "answer_type": "Other", "urls": [], "source": _SOURCE}


def _json(rows: Sequence[object]) -> bytes:
    return ("[\n" + ",\n".join(" " + json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n").encode()


def _lines(rows: Sequence[object]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([header, *rows])
    return out.getvalue().encode()
