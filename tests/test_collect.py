"""Collecting fixed sources: what is rejected and why, how they are drawn, and how they are mixed."""

import json
from collections import Counter
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from stages import collect, files
from stages.errors import BadInput
from stages.problems import official_files, source
from stages.problems.catalog import seed_problem
from stages.records import BenchmarkItem, PoolQuestion, SeedQuestion

CONFIG = source.Config(questions=8, near_duplicate=0.8, decontaminate={"ngram": 8, "overlap": 0.8})
BENCHMARKS = {"folder": "benchmarks", "domains": ["mathematics", "physics"]}
BENCHMARKED = "A farmer has 12 cows and sells 5 of them at the market. How many cows stay?"


def problem(question: str, answer: str, unit: str = "", domain: str = "mathematics"):  # type: ignore[no-untyped-def]
    return seed_problem(domain, question, answer, unit=unit, solution="")


def seed_question(number: int) -> SeedQuestion:
    return SeedQuestion(
        question_id=f"q{number}",
        page_id=number,
        revision_id=7,
        title=f"Land {number}",
        question=f"What is the capital of Land {number}?",
        answer=f"City {number}",
        answer_aliases=[f"Town {number}"],
        evidence="",
        request_key="",
    )


def pool(domain: str, size: int) -> list[PoolQuestion]:
    if domain == "knowledge":
        return source.of_questions([seed_question(i) for i in range(size)], size, seed=1)
    rows = [problem(f"What is {i} + 0?", str(i), domain=domain) for i in range(size)]
    return source.of_problems(rows, domain, size, seed=1)


def test_every_rejected_problem_has_the_reason_that_was_planted():
    first = problem("Ann has 31 pens and buys 11 more pens in a shop. How many pens has she now?", "42")
    rows = [
        first,
        problem(first.question.replace(" pens and", "  pens and"), "43"),
        problem("Ann has 31 pens and buys 11 more pens in a shop. How many pens has she then?", "42"),
        problem("Ann has 30 pens and buys 12 more pens in a shop. How many pens has she now?", "42"),
        problem("What force is that?", "3", "N", "physics"),
        problem("What is the first of all?", r"\badcommand"),
        problem("Old Tom said: a farmer has 12 cows and sells 5 of them. What remains here?", "7"),
        problem("A farmer has 12 cows, sells 5 at the market; how many cows stay?", "7"),
    ]
    items = [BenchmarkItem(benchmark="gsm8k", item_id="0", question=BENCHMARKED, answers=["7"])]
    kept, reasons = source.sift(rows, "mathematics", items, CONFIG)
    assert {row.question for row in kept} >= {first.question, rows[3].question}
    assert reasons == Counter(
        {
            "duplicate": 1,
            "near_duplicate": 1,
            "other_domain": 1,
            "reference_not_accepted": 0,
            "contaminated_ngram": 1,
            "contaminated_answer": 1,
        }
    )
    assert len(kept) + reasons.total() == len(rows)


def test_a_reference_that_its_own_grader_refuses_is_rejected(monkeypatch):
    monkeypatch.setattr(source.verification, "accepts", lambda domain, answer, *_, **__: answer != "7")
    kept, reasons = source.sift([problem("a?", "7"), problem("b?", "8")], "mathematics", [], CONFIG)
    assert [row.answer for row in kept] == ["8"] and reasons["reference_not_accepted"] == 1


def test_a_source_is_a_random_order_of_its_problems_and_a_larger_one_begins_with_it():
    rows = [problem(f"What is {i} + 0?", str(i)) for i in range(40)]
    small = source.of_problems(rows, "mathematics", 8, seed=3)
    large = source.of_problems(rows, "mathematics", 40, seed=3)
    assert small == large[:8] and [row.rank for row in large] == list(range(40))
    assert [row.answer for row in large] != [str(i) for i in range(40)]
    assert source.of_problems(rows, "mathematics", 8, seed=4) != small
    assert {(row.strategy, row.domain, row.density, row.acceptance, row.title) for row in large} == {
        ("mathematics", "mathematics", None, 1.0, "")
    }
    with pytest.raises(BadInput, match="physics: 40 questions are left of 44"):
        source.of_problems(rows, "physics", 44, seed=3)


def test_questions_of_knowledge_keep_their_article_and_aliases():
    (row,) = [row for row in pool("knowledge", 8) if row.question_id == "q5"]
    assert (row.strategy, row.title, row.page_id, row.revision_id) == ("knowledge", "Land 5", 5, 7)
    assert (row.answer, row.answer_aliases, row.unit) == ("City 5", ["Town 5"], "")


@pytest.mark.parametrize("size", [8, 40])
def test_every_share_of_a_mixed_source_holds_equally_much_of_each_domain(size):
    pools = [pool(domain, size) for domain in ("knowledge", "mathematics", "physics")]
    rows = source.mixed(pools, seed=0)
    assert [row.rank for row in rows] == list(range(3 * size)) and {row.strategy for row in rows} == {"mixed"}
    for end in range(1, len(rows) + 1):
        parts = Counter(row.domain for row in rows[:end])
        assert max(parts.values()) - min(parts[name] for name in ("knowledge", "mathematics", "physics")) <= 1
    quarter = {row.question_id for row in rows[: 3 * size // 4]}
    assert quarter == {row.question_id for one in pools for row in one[: size // 4]}
    assert len({tuple(row.domain for row in rows[i : i + 3]) for i in range(0, len(rows), 3)}) > 2


def test_pools_that_do_not_mix_are_refused():
    one, two = pool("mathematics", 8), pool("physics", 12)
    for pools, said in (([one], "mix one pool"), ([one, one], "mix one pool"), ([one, two], r"\[8, 12\]")):
        with pytest.raises(BadInput, match=said):
            source.mixed(pools, seed=0)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {"seed": 0, "collect": CONFIG.model_dump(), "benchmarks": BENCHMARKS}
    Path("params.yaml").write_text(yaml.safe_dump(settings))
    for folder, contents in (
        ("problems", official_files.source_files()),
        ("benchmarks", official_files.benchmark_files()),
    ):
        for name, content in contents.items():
            files.write_text(Path(folder) / name, content.decode())
    files.write_parquet(Path("questions.parquet"), [seed_question(i) for i in range(9)], SeedQuestion)
    return tmp_path


def run(domain: str, *options: str) -> Result:
    told = ("--domain", domain, *options, "--out", f"{domain}.parquet", "--metrics", f"{domain}.json")
    return CliRunner().invoke(collect.main, told)


def test_the_verb_collects_each_domain_and_mixes_them(here):
    problems = {"mathematics": "problems/mathematics.jsonl", "physics": "problems"}
    assert run("knowledge", "--questions", "questions.parquet").exit_code == 0
    for domain, path in problems.items():
        result = run(domain, "--problems", path)
        assert result.exit_code == 0 and result.output.count("\n") == 1, result.output
    result = run("mixed", *(f"--pool={name}.parquet" for name in ("knowledge", *problems)))
    assert result.exit_code == 0, result.output
    rows = files.read_parquet(here / "mixed.parquet", PoolQuestion)
    assert Counter(row.domain for row in rows) == {"knowledge": 8, "mathematics": 8, "physics": 8}
    counts = json.loads((here / "physics.json").read_text())
    assert (counts["read"], counts["questions"], counts["rejected"]["other_domain"]) == (640, 8, 320)
    assert sum(counts["rejected"].values()) == 320


def test_the_verb_refuses_in_one_line(here):
    text = Path("params.yaml").read_text()
    for domain, said in (("chemistry", "none of knowledge"), ("physics", "give --problems")):
        result = run(domain)
        assert result.exit_code == 1 and said in result.output and result.output.count("\n") == 1
    Path("params.yaml").write_text(text.replace("questions: 8", "questions: 10"))
    result = run("physics", "--problems", "problems")
    assert result.exit_code == 1 and "collect.questions" in result.output and "multiple of 4" in result.output
    Path("params.yaml").write_text(text.replace("questions: 8", "questions: 400"))
    result = run("physics", "--problems", "problems")
    assert "physics: 320 questions are left of 400" in result.output
