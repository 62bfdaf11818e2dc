"""`respond` on problems of mathematics and physics, which need no article."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from small_world import settle

from stages import assemble, files, protocols, respond
from stages.problems import catalog
from stages.problems.catalog import instances
from stages.records import PoolQuestion, Response, SeedProblem, TrainingExample

RESPOND = (
    "--pool {0}.parquet --problems {0}.jsonl --budget 5 --protocol {1} --out {1}.parquet --metrics m.json"
)
ASSEMBLE = "--responses {0}.parquet --target {1} --protocol {2} --cut 1x5 --out set.parquet --card set.md"


def problems(group: str) -> list[SeedProblem]:
    """Return four problems of each of two embedded families."""
    chosen = [one for family in catalog.FAMILIES[group][:2] for one in instances(family)[:4]]
    return [catalog.problem(catalog.ask(one)) for one in chosen]


def write(domain: str, group: str) -> None:
    """Write a pool and its problems in their official format."""
    source = problems(group)
    names = {
        "scibench": ("problem_text", "answer_number", "unit"),
        "math500": ("problem", "answer", "solution"),
    }
    fields = {"problem_text": "question", "problem": "question", "answer_number": "answer"}
    lines = [json.dumps({n: getattr(p, fields.get(n, n)) for n in names[group]}) for p in source]
    Path(f"{domain}.jsonl").write_text("\n".join(lines))
    rows = [
        PoolQuestion(
            strategy=domain,
            density=None,
            domain=domain,
            question_id=p.problem_id,
            rank=rank,
            round=0,
            question=p.question,
            answer=p.answer,
            answer_aliases=[],
            unit=p.unit,
            title="",
            page_id=0,
            revision_id=0,
            log10_density=None,
            acceptance=1.0,
            group=0,
        )
        for rank, p in enumerate(source)
    ]
    files.write_parquet(Path(f"{domain}.parquet"), rows, PoolQuestion)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settle(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    write("physics", "scibench")
    write("mathematics", "math500")
    return tmp_path


def run(verb: object, options: str) -> Result:
    return CliRunner().invoke(verb.main, options.split())  # type: ignore[attr-defined]


@pytest.mark.parametrize("domain", ["mathematics", "physics"])
def test_problems_are_answered_graded_and_given_a_second_opinion(here: Path, domain: str) -> None:
    result = run(respond, RESPOND.format(domain, "rejection_sampling"))
    assert result.exit_code == 0, result.output
    rows = files.read_parquet(here / "rejection_sampling.parquet", Response)
    assert {row.domain for row in rows} == {domain}
    assert {row.reason for row in rows} >= {"accepted", "wrong_answer"}
    told = json.loads((here / "m.json").read_text())["disagreement"]
    graded = sum(not row.reason.startswith("format_") for row in rows)
    assert told["graded"] == graded
    assert 0 <= told["disagreed"] <= graded
    assert told["rate"] == pytest.approx(told["disagreed"] / graded, abs=1e-6)


@pytest.mark.parametrize("domain", ["mathematics", "physics"])
def test_votes_on_problems_need_no_reference(here: Path, domain: str) -> None:
    run(respond, RESPOND.format(domain, "rejection_sampling"))
    result = run(assemble, ASSEMBLE.format("rejection_sampling", domain, "majority_vote"))
    assert result.exit_code == 0, result.output
    kept = files.read_parquet(here / "set.parquet", TrainingExample)
    assert {row.question_id for row in kept} == {
        p.question_id for p in files.read_parquet(here / f"{domain}.parquet", PoolQuestion)
    }


@pytest.mark.parametrize("domain", ["mathematics", "physics"])
def test_new_problems_are_checked_against_the_proposed_answer(here: Path, domain: str) -> None:
    result = run(respond, RESPOND.format(domain, "question_synthesis"))
    assert result.exit_code == 0, result.output
    result = run(assemble, ASSEMBLE.format("question_synthesis", domain, "question_synthesis"))
    assert result.exit_code == 0, result.output
    kept = files.read_parquet(here / "set.parquet", TrainingExample)
    new = {row.question_id.endswith("+1"): row.prompt[0].content for row in kept}
    assert set(new) == {True, False}
    assert new[True] not in {p.question for p in files.read_parquet(here / f"{domain}.parquet", PoolQuestion)}


@pytest.mark.parametrize("name", ["self_refine", "critique_revise", "quality_selection"])
def test_chains_work_on_problems(here: Path, name: str) -> None:
    result = run(respond, RESPOND.format("physics", name))
    assert result.exit_code == 0, result.output
    rows = files.read_parquet(here / f"{name}.parquet", Response)
    assert {row.step for row in rows} == set(protocols.parse(name).steps)
    assert {row.accepted for row in rows} == {True, False}


def test_problems_without_their_file_are_refused(here: Path) -> None:
    result = run(respond, RESPOND.format("physics", "self_refine").replace("--problems physics.jsonl ", ""))
    assert result.exit_code == 1
    assert (
        "physics.parquet: holds questions of physics; the embedded teacher needs --problems" in result.output
    )
    assert result.output.count("\n") == 1
