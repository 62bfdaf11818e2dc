"""`respond` and `assemble` end to end: every protocol on the small world with the real teacher client."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from small_world import lands, settle

from stages import assemble, files, protocols, respond
from stages.records import PoolQuestion, Response, TrainingExample

LEDGERS = [name for name, protocol in protocols.PROTOCOLS.items() if protocol.ledger == name]
RESPOND = (
    "--pool pool.parquet --articles articles --budget 6 --protocol {0} --out {0}.parquet --metrics {0}.json"
)
ASSEMBLE = (
    "--responses {1}.parquet --target random --protocol {0} --cut 1x4 --out sets/{0}.parquet "
    "--card sets/{0}.md"
)
TOKENS = " --matched tokens --reference rejection_sampling.parquet"
WEAK = {"weak": {"embedded": {"a": 0.3, "b": 3.0}}}


def run(verb: Any, options: str) -> Result:
    return CliRunner().invoke(verb.main, options.split())


def pool() -> list[PoolQuestion]:
    """Return twelve questions about capitals."""
    return [
        PoolQuestion(
            strategy="random",
            density=None,
            question_id=f"q{rank}",
            rank=rank,
            round=0,
            question=f"What is the capital of {land.title}?",
            answer=next(fact.value for fact in land.facts if fact.name == "capital"),
            answer_aliases=[],
            title=land.title,
            page_id=land.page_id,
            revision_id=land.revision_id,
            log10_density=None,
            acceptance=1.0,
            group=0,
        )
        for rank, land in enumerate(lands(12))
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw every ledger and cut every protocol's training set once."""
    folder = tmp_path_factory.mktemp("protocols")
    settle(folder, teachers=WEAK)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SEEDBED_STORE", raising=False)
        files.write_parquet(Path("pool.parquet"), pool(), PoolQuestion)
        for name in LEDGERS:
            result = run(respond, RESPOND.format(name))
            assert result.exit_code == 0, result.output
        for name, protocol in protocols.PROTOCOLS.items():
            result = run(assemble, ASSEMBLE.format(name, protocol.ledger))
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def here(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(built)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    return built


@pytest.mark.parametrize("name", LEDGERS)
def test_every_question_gets_exactly_as_many_calls_as_the_budget_says(here: Path, name: str) -> None:
    rows = files.read_parquet(here / f"{name}.parquet", Response)
    assert [(r.question_id, r.rollout) for r in rows] == [(f"q{q}", i) for q in range(12) for i in range(6)]
    assert {r.step for r in rows} == set(protocols.parse(name).steps)
    assert {r.protocol for r in rows} == {name}
    told = json.loads((here / f"{name}.json").read_text())
    assert sum(told["reasons"].values()) == told["draws"] == len(rows)
    assert 0 < told["covered"] <= told["questions"] == 12
    assert told["prompt_tokens"] == sum(r.prompt_tokens for r in rows)
    assert told["cost_usd"] == pytest.approx(sum(r.cost_usd or 0.0 for r in rows))


@pytest.mark.parametrize("name", protocols.PROTOCOLS)
def test_every_protocol_makes_a_training_set_that_names_it(here: Path, name: str) -> None:
    rows = files.read_parquet(here / "sets" / f"{name}.parquet", TrainingExample)
    assert {(r.protocol, r.matched, r.teacher) for r in rows} == {(name, "samples", "teacher")}
    head = yaml.safe_load((here / "sets" / f"{name}.md").read_text().split("---")[1])["seedbed"]
    assert (head["protocol"], head["sample_budget"], head["examples"]) == (name, 48, len(rows))


def test_a_looser_tolerance_is_a_ledger_of_its_own_that_costs_nothing(here: Path) -> None:
    result = run(respond, RESPOND.format("rejection_sampling_0.2"))
    assert "72 from the store, 0 calls" in result.output
    rows = files.read_parquet(here / "rejection_sampling_0.2.parquet", Response)
    plain = files.read_parquet(here / "rejection_sampling.parquet", Response)
    assert rows == [row.model_copy(update={"protocol": "rejection_sampling_0.2"}) for row in plain]


def test_matched_tokens_spend_no_more_than_the_plain_ledger_within_the_cut(here: Path) -> None:
    result = run(assemble, ASSEMBLE.format("self_refine", "self_refine").replace("1x4", "1x3") + TOKENS)
    assert result.exit_code == 0, result.output
    head = yaml.safe_load((here / "sets" / "self_refine.md").read_text().split("---")[1])["seedbed"]
    spent = head["teacher_prompt_tokens"] + head["teacher_completion_tokens"]
    plain = files.read_parquet(here / "rejection_sampling.parquet", Response)
    limit = sum(row.prompt_tokens + row.completion_tokens for row in plain if row.rollout < 3)
    assert limit - 500 < spent <= limit
    assert head["matched"] == "tokens"
    assert head["sample_budget"] < 36


def test_several_cuts_of_one_ledger_are_those_of_several_runs(here: Path) -> None:
    one = ASSEMBLE.format("rejection_sampling", "rejection_sampling")
    result = run(assemble, f"{one} --cut 0.5x2 --out half.parquet --card half.md")
    assert result.output.count("kept") == 2
    before = (here / "half.parquet").read_bytes(), (here / "half.md").read_bytes()
    run(assemble, f"{one.split(' --cut')[0]} --cut 0.5x2 --out half.parquet --card half.md")
    assert ((here / "half.parquet").read_bytes(), (here / "half.md").read_bytes()) == before


def test_another_teacher_is_named_in_ledger_and_card(here: Path) -> None:
    options = RESPOND.format("rejection_sampling").replace(
        "--out rejection_sampling", "--teacher weak --out weak"
    )
    assert run(respond, options.replace("rejection_sampling.json", "weak.json")).exit_code == 0
    weak = files.read_parquet(here / "weak.parquet", Response)
    strong = files.read_parquet(here / "rejection_sampling.parquet", Response)
    assert {row.teacher for row in weak} == {"weak"}
    assert sum(row.accepted for row in weak) < sum(row.accepted for row in strong)
    cut = ASSEMBLE.format("rejection_sampling", "weak")
    assert "drawn from teacher 'weak', not 'teacher'; pass --teacher weak" in run(assemble, cut).output
    cut = cut.replace("sets/rejection_sampling", "weak-set")
    assert run(assemble, f"{cut} --teacher weak").exit_code == 0
    assert "teacher: weak" in (here / "weak-set.md").read_text()


PLAIN = ASSEMBLE.format("rejection_sampling", "rejection_sampling")


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        (respond, RESPOND.format("self_refined"), "did you mean 'self_refine'?"),
        (
            respond,
            RESPOND.format("majority_vote"),
            "run `respond --protocol rejection_sampling`, then `assemble",
        ),
        (respond, RESPOND.format("self_refine") + " --teacher week", "did you mean 'weak'?"),
        (
            respond,
            RESPOND.format("self_refine").replace("--articles articles", ""),
            "teacher needs --articles",
        ),
        (assemble, f"{PLAIN} --cut 0.5x2", "--cut is given 2 times, --out 1, --card 1; give one"),
        (assemble, f"{PLAIN} --matched tokens", "--matched tokens and --reference go together"),
        (assemble, f"{PLAIN} --reference rejection_sampling.parquet", "and --reference go together"),
        (assemble, f"{PLAIN} --teacher weak", "drawn from teacher 'teacher', not 'weak'"),
        (
            assemble,
            ASSEMBLE.format("majority_vote", "self_refine"),
            "majority_vote cuts one of rejection_sampl",
        ),
        (
            assemble,
            ASSEMBLE.format("rejection_sampling", "rejection_sampling").replace("1x4", "1x64"),
            "run `respond` with budget 64",
        ),
        (
            assemble,
            ASSEMBLE.format("self_refine", "self_refine")
            + TOKENS.replace("rejection_sampling", "self_refine"),
            "a ledger of self_refine; rejection_sampling cuts",
        ),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(here: Path, verb: Any, options: str, said: str) -> None:
    before = {p: p.stat().st_mtime_ns for p in here.rglob("*") if p.suffix in (".parquet", ".json", ".md")}
    result = run(verb, options)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert {p: p.stat().st_mtime_ns for p in here.rglob("*") if p in before} == before
