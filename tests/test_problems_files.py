"""Seed problems from files: three formats, their faults, and the embedded ones as they are checked in."""

import json
from pathlib import Path

import pytest

from stages.errors import BadInput
from stages.problems import official_files, reading
from stages.problems.formats import parse
from stages.problems.solving import Book, slipped, worked
from stages.problems.source import Compared
from stages.questions.decontaminate import Contamination
from stages.records import BenchmarkItem

DATASETS = Path(__file__).parents[1] / "datasets"
SHARED = Path(__file__).parents[2] / "shared" / "data"
GSM8K = {"question": "How many?", "answer": "1+1 = <<1+1=2>>2\n#### 2"}
MATH = {"problem": "What is $x$?", "solution": r"It is $\boxed{3}$.", "answer": "3", "level": 1}
SCIBENCH = {
    "problem_text": " What speed? ",
    "answer_number": " 2.5",
    "unit": " $\\mathrm{m/s}$",
    "source": "x",
}


def lines(*rows: dict) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_three_formats_are_known_by_their_fields():
    (easy,) = parse("a.jsonl", lines(GSM8K))
    assert (easy.domain, easy.answer, easy.unit) == ("mathematics", "2", "")
    assert easy.solution == "1+1 = <<1+1=2>>2"
    (hard,) = parse("b.jsonl", lines(MATH))
    assert (hard.domain, hard.answer, hard.solution) == ("mathematics", "3", MATH["solution"])
    one, two = parse(
        "c.json", json.dumps([SCIBENCH, SCIBENCH | {"unit": "", "solution": "Divide."}]).encode()
    )
    assert (one.domain, one.question, one.answer, one.unit) == (
        "physics",
        "What speed?",
        "2.5",
        "$\\mathrm{m/s}$",
    )
    assert (one.solution, two.solution, two.unit) == ("", "Divide.", "")
    assert len({easy.problem_id, hard.problem_id, one.problem_id, two.problem_id}) == 4


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lines(GSM8K, MATH), "x.jsonl, line 2: expected the texts question and answer"),
        (lines(GSM8K, GSM8K | {"answer": "no mark"}), "x.jsonl, line 2: expected the texts question"),
        (lines(MATH | {"answer": " "}), "x.jsonl, line 1: expected the texts problem"),
        (lines({"title": "Ann"}), "x.jsonl, line 1: no seed problem"),
        (b"[1]", "x.jsonl, record 1: expected an object"),
        (lines(GSM8K) + b"\n{oops", "x.jsonl, line 2: not JSON"),
        (b"[{]", "x.jsonl: not JSON"),
        (b"\xff\xfe", "x.jsonl: not UTF-8"),
        (b" \n", "x.jsonl: no problem in it"),
    ],
)
def test_a_file_that_is_no_source_is_refused_with_its_place(content, said):
    with pytest.raises(BadInput) as refused:
        parse("x.jsonl", content)
    assert refused.value.message.startswith(said) and "\n" not in refused.value.message


def test_a_folder_is_read_with_its_sub_folders_in_name_order(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.json").write_bytes(json.dumps([SCIBENCH]).encode())
    (tmp_path / "a.jsonl").write_bytes(lines(GSM8K))
    (tmp_path / "notes.txt").write_text("no problem")
    assert [problem.answer for problem in reading.read(tmp_path)] == ["2", "2.5"]
    assert len(reading.read(tmp_path / "a.jsonl")) == 1
    (tmp_path / "empty").mkdir()
    for missing in (tmp_path / "empty", tmp_path / "absent.json"):
        with pytest.raises(BadInput, match=str(missing)):
            reading.read(missing)


def test_the_checked_in_files_are_what_the_generator_writes():
    for folder, written in (
        ("problems", official_files.source_files()),
        ("benchmarks", official_files.benchmark_files()),
    ):
        for name, content in written.items():
            said = f"run `python -m stages.world` and check in {name}"
            assert (DATASETS / folder / name).read_bytes() == content, said


def test_the_checked_in_sources_are_embedded_problems_with_their_truth():
    problems = reading.read(DATASETS / "problems")
    assert len(problems) == 2 * official_files.SOURCE
    assert len({problem.problem_id for problem in problems}) == len(problems)
    book = Book([])
    assert all(book.find(problem.question) == problem for problem in problems)


def test_benchmarks_ask_problems_of_the_source_in_words_that_decontamination_lets_pass():
    """Else no student could learn what the benchmarks ask; held out are the wordings, not the problems."""
    asked = {name: official_files.items(name) for name in official_files.ITEMS}
    assert {name: len(items) for name, items in asked.items()} == official_files.ITEMS
    sources = [one for domain in ("mathematics", "physics") for one in official_files.source(domain)]
    items = [
        BenchmarkItem(benchmark=name, item_id=str(i), question=one.question, answers=[one.instance.truth])
        for name, group in asked.items()
        for i, one in enumerate(group)
    ]
    assert {id(one.instance) for group in asked.values() for one in group} <= {id(one) for one in sources}
    known = Contamination(items, ngram=8, overlap=0.8)
    for one in sources:
        for wording in one.family.source:
            row = Compared("", one.phrase(wording), one.truth)
            assert known.reason(row) is None, row.question


@pytest.mark.skipif(not SHARED.exists(), reason="the real files are not here")
@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("seeds/gsm8k_train_1000.jsonl", 1000),
        ("benchmarks/gsm8k", 1319),
        ("benchmarks/math500", 500),
        ("benchmarks/scibench", 692),
    ],
)
def test_real_files_are_read_completely_and_solved_rightly_and_wrongly(path, count):
    problems = reading.read(SHARED / path)
    assert len(problems) == count
    for problem in problems:
        told, wrong = worked(problem), slipped(problem, 1)
        assert told.answer.startswith(problem.answer) and told.steps
        assert wrong.answer != told.answer and wrong.steps
        assert not any("<<" in step for step in (*told.steps, *wrong.steps))
