"""The verbs from `ask` to `assemble`, run one after another on a small world with the real teacher client."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from small_world import settle

from stages import annotate, ask, assemble, files, respond, synthesize
from stages.records import Knowledge, PoolQuestion, RejectedQuestion, Response, SeedQuestion, TrainingExample

ASK = "--articles articles --out questions --metrics ask.json"
ANNOTATE = (
    "--questions questions/questions.parquet --articles articles --out knowledge --metrics annotate.json"
)
SYNTHESIZE = (
    "--questions questions/questions.parquet --knowledge knowledge --articles articles --target 3.5 "
    "--out pool.parquet --synthesis synthesis --metrics pool.json"
)
RESPOND = "--pool pool.parquet --articles articles --budget {} --out ledger.parquet --metrics respond.json"
ASSEMBLE = "--responses ledger.parquet --target 3.5 --cut {0} --out {0}.parquet --card {0}.md"


def run(verb: object, options: str) -> Result:
    return CliRunner().invoke(verb.main, options.split())  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the five verbs once; the folder holds what they wrote."""
    folder = tmp_path_factory.mktemp("build")
    settle(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SEEDBED_STORE", raising=False)
        steps = [(ask, ASK), (annotate, ANNOTATE), (synthesize, SYNTHESIZE), (respond, RESPOND.format(4))]
        steps += [(assemble, ASSEMBLE.format(cut)) for cut in ("1x1", "1x2", "1x4", "0.25x4", "0.5x2")]
        for verb, options in steps:
            result = run(verb, options)
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def here(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(built)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    return built


def test_questions_are_kept_or_rejected_by_name(here: Path) -> None:
    kept = files.read_parquet(here / "questions" / "questions.parquet", SeedQuestion)
    rejected = files.read_parquet(here / "questions" / "rejected.parquet", RejectedQuestion)
    counts = json.loads((here / "ask.json").read_text())
    assert counts["kept"] == len(kept) >= 60
    assert counts["written"] == len(kept) + len(rejected)
    assert sum(counts["rejected"].values()) == len(rejected)


def test_every_annotated_question_has_three_to_five_points(here: Path) -> None:
    rows = files.read_parquet(here / "knowledge" / "questions.parquet", Knowledge)
    assert rows
    assert all(3 <= len(row.points) <= 5 for row in rows)
    told = json.loads((here / "annotate.json").read_text())
    assert told["neighbour_recall"] == 1.0
    estimated = told["intrinsic_dimension"]
    assert all(estimated[name]["value"] > 0 for name in ("levina_bickel", "two_nn"))


def test_the_ledger_has_every_draw_of_every_question(here: Path) -> None:
    pool = files.read_parquet(here / "pool.parquet", PoolQuestion)
    ledger = files.read_parquet(here / "ledger.parquet", Response)
    assert len(pool) == 40
    assert {(r.question_id, r.rollout) for r in ledger} == {
        (q.question_id, i) for q in pool for i in range(4)
    }
    assert {r.accepted for r in ledger} == {True, False}
    assert all(r.cost_usd is not None and r.cost_usd > 0 for r in ledger)


def test_built_training_sets_are_prefixes_of_larger_ones(here: Path) -> None:
    one, two, four = (files.read_parquet(here / f"1x{b}.parquet", TrainingExample) for b in (1, 2, 4))
    for small, large in ((one, two), (two, four)):
        assert [(r.prompt, r.completion) for r in small] == [
            (r.prompt, r.completion) for r in large[: len(small)]
        ]
    assert len(one) < len(two) < len(four)


def test_built_question_shares_are_nested(here: Path) -> None:
    quarter, half, whole = (
        {r.question_id for r in files.read_parquet(here / f"{cut}.parquet", TrainingExample)}
        for cut in ("0.25x4", "0.5x2", "1x4")
    )
    assert quarter & half <= half <= whole
    assert quarter <= whole
    heads = {
        c: yaml.safe_load((here / f"{c}.md").read_text().split("---")[1])["seedbed"]
        for c in ("0.25x4", "0.5x2")
    }
    assert heads["0.25x4"]["sample_budget"] == heads["0.5x2"]["sample_budget"] == 40


def test_a_second_run_pays_nothing_and_writes_the_same_bytes(here: Path) -> None:
    before = (here / "ledger.parquet").read_bytes()
    result = run(respond, RESPOND.format(4))
    assert "160 from the store, 0 calls" in result.output
    assert (here / "ledger.parquet").read_bytes() == before


def test_a_larger_budget_pays_only_for_the_rollouts_above_the_old_one(here: Path) -> None:
    old = files.read_parquet(here / "ledger.parquet", Response)
    result = run(respond, RESPOND.format(6).replace("ledger", "longer"))
    assert "160 from the store" in result.output
    longer = files.read_parquet(here / "longer.parquet", Response)
    assert [row for row in longer if row.rollout < 4] == old


@pytest.mark.parametrize(
    ("verb", "options", "said"),
    [
        (respond, RESPOND.format(0), "budget '0': not a positive whole number"),
        (respond, RESPOND.format("many"), "budget 'many': not a positive whole number"),
        (
            synthesize,
            SYNTHESIZE.replace("3.5", "nan"),
            "target 'nan': neither a finite number of dex nor one of",
        ),
        (
            synthesize,
            SYNTHESIZE.replace("3.5", "dense"),
            "target 'dense': neither a finite number of dex nor",
        ),
        (synthesize, SYNTHESIZE.replace("3.5", "99"), "it carries up to"),
        (
            synthesize,
            SYNTHESIZE.replace("3.5", "groups"),
            "target groups: no table; set `synthesize.densities`",
        ),
        (
            synthesize,
            SYNTHESIZE.replace("questions/questions", "questions/rejected"),
            "columns are not those of",
        ),
        (
            synthesize,
            SYNTHESIZE.replace("knowledge knowledge", "knowledge questions"),
            "columns are not those of",
        ),
        (assemble, ASSEMBLE.format("1x64"), "run `respond` with budget 64"),
        (assemble, ASSEMBLE.format("2x4"), "share 2 is not above 0 and at most 1"),
        (annotate, ANNOTATE.replace("questions/questions", "questions/rejected"), "columns are not those of"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(
    here: Path, verb: object, options: str, said: str
) -> None:
    before = {p: p.stat().st_mtime_ns for p in here.rglob("*") if p.suffix in (".parquet", ".json", ".md")}
    result = run(verb, options)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert {p: p.stat().st_mtime_ns for p in before} == before
