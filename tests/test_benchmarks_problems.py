"""The benchmarks of mathematics and physics: formats, domains, and the official files."""

import json
from collections import Counter
from pathlib import Path

import pytest

from stages import benchmarks, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.grading import exact_match
from stages.grid import DOMAINS

OFFICIAL = Path(__file__).parents[2] / "shared" / "data" / "benchmarks"
PROBLEM = {"problem_text": "How far?", "answer_number": " 1.5", "unit": "$10^3$ m ", "problemid": " 2.13"}
GSM8K = {"question": "How many?", "answer": "1,000 * 2 = <<1000*2=2000>>2,000\n#### 2,000"}
MATH = {"problem": "What is $x$?", "solution": "So $x=1$.", "answer": r"\frac{1}{2}", "subject": "Algebra"}


def lines(*rows: dict[str, object]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def test_a_gsm8k_reference_follows_the_marks_without_commas():
    (item,) = benchmarks.parse("gsm8k", [("test.jsonl", lines(GSM8K))])
    assert (item.item_id, item.question, item.answers, item.unit) == ("00000", "How many?", ["2000"], "")
    assert exact_match("$2,000", item) and not exact_match("200", item) and not exact_match("", item)


def test_a_math500_answer_is_latex_and_its_id_the_official_one_where_there_is_one():
    rows = lines(MATH, MATH | {"unique_id": "test/algebra/1.json"})
    items = benchmarks.parse("math500", [("test.jsonl", rows)])
    assert [item.item_id for item in items] == ["00000", "test/algebra/1.json"]
    assert exact_match("0.5", items[0]) and not exact_match("0.6", items[0])


def test_a_scibench_item_has_its_unit_and_a_repeated_problem_its_place():
    files = [(f"scibench/{name}.json", json.dumps([PROBLEM, PROBLEM]).encode()) for name in ("quan", "stat")]
    items = benchmarks.parse("scibench", files)
    assert [item.item_id for item in items] == ["quan/2.13", "quan/2.13#1", "stat/2.13", "stat/2.13#1"]
    assert (items[0].answers, items[0].unit) == (["1.5"], "$10^3$ m")
    assert exact_match("1.5 km", items[0]) and not exact_match("1.5 m", items[0])


def test_the_worked_problems_of_scibench_are_no_items():
    content = json.dumps([PROBLEM]).encode()
    items = benchmarks.parse("scibench", [("quan.json", content), ("quan_sol.json", content)])
    assert [item.item_id for item in items] == ["quan/2.13"]


@pytest.mark.parametrize(
    ("name", "row", "said"),
    [
        ("gsm8k", GSM8K | {"answer": "2000"}, "line 1: no '####' before the answer"),
        ("gsm8k", GSM8K | {"answer": "2000 ####"}, "line 1: no answer"),
        ("gsm8k", {"answer": "#### 1"}, "line 1: no question"),
        (
            "math500",
            MATH | {"answer": None},
            "line 1: answers are no list of texts; expected problem, answer",
        ),
        ("math500", {"question": "q", "answer": "1"}, "line 1: no question"),
        ("scibench", PROBLEM | {"answer_number": "many"}, "line 1: answer_number is no number"),
        ("scibench", PROBLEM | {"answer_number": 1.5}, "line 1: answer_number is no number"),
        ("scibench", PROBLEM | {"unit": None}, "line 1: no unit"),
        ("scibench", PROBLEM | {"problemid": " "}, "line 1: no problemid"),
    ],
)
def test_a_wrong_record_is_one_line_that_names_it(name, row, said):
    with pytest.raises(BadInput) as caught:
        benchmarks.parse(name, [("given.json", lines(row))])
    line = caught.value.format_message()
    assert line.startswith("given.json") and said in line and "\n" not in line


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in (("gsm8k", lines(GSM8K)), ("math500", lines(MATH)), ("scibench", lines(PROBLEM))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "test.jsonl").write_bytes(content)
    return tmp_path


def test_the_benchmarks_of_the_configured_domains_are_read_or_of_one(folder):
    config = benchmarks.Config(folder=folder, domains=("physics", "mathematics"))
    assert [item.benchmark for item in read(config)] == ["gsm8k", "math500", "scibench"]
    assert [item.benchmark for item in read(config, "mathematics")] == ["gsm8k", "math500"]
    assert [item.benchmark for item in read(config, "physics")] == ["scibench"]


def test_a_domain_that_is_not_configured_or_has_no_folder_is_refused(folder):
    with pytest.raises(BadInput, match=r"no folder named webquestions, .* or take knowledge out of"):
        read(benchmarks.Config(folder=folder, domains=("knowledge", "physics")))
    config = benchmarks.Config(folder=folder, domains=("physics",))
    with pytest.raises(BadInput, match=r"no domain 'mathematics' among physics; add it to `benchmarks\."):
        read(config, "mathematics")


def test_a_domain_that_there_is_not_is_a_fault_of_the_settings(tmp_path):
    class Params(params.Section):
        benchmarks: benchmarks.Config

    where = tmp_path / "params.yaml"
    where.write_text("benchmarks: {folder: x, domains: [chemistry]}")
    with pytest.raises(BadInput, match="no domain 'chemistry'; known are knowledge, mathematics, physics"):
        params.load(Params, where)


def test_each_benchmark_has_a_domain_and_the_six_of_knowledge_come_first():
    assert set(benchmarks.DOMAINS) == set(benchmarks.NAMES)
    assert set(benchmarks.DOMAINS.values()) == set(DOMAINS)
    assert benchmarks.NAMES[:6] == benchmarks.KNOWLEDGE


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official files are not at hand")
def test_the_official_files_load_completely_and_their_own_answers_are_right():
    items = read(benchmarks.Config(folder=OFFICIAL, domains=("mathematics", "physics")))
    assert Counter(item.benchmark for item in items) == {"gsm8k": 1319, "math500": 500, "scibench": 580}
    assert len({(item.benchmark, item.item_id) for item in items}) == len(items)
    assert [item for item in items if not exact_match(f"{item.answers[0]} {item.unit}", item)] == []
