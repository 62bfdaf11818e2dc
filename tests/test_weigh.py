"""The verb `weigh` on a planted study: what it writes, and one line for each thing that is wrong."""

import json
import shutil
from pathlib import Path

import planted_budgets as planted
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from stages import files, weigh
from stages.grid import Cut
from stages.scaling import PUBLISHED, text
from stages.scaling.places import Place

ROOT = Path(__file__).parents[1]
UNMATCHED = ("question_synthesis", "1x9", "1x4")
VARIANTS = (("strong_cool", "physics", "rejection_sampling"), ("strong", "physics", "rejection_sampling_0.2"))
FLAGS = [
    *("--cells", "metrics/cells", "--responses", "datasets/responses", "--models", "models/students"),
    *("--teacher", "strong", "--domain", "physics", "--share", "0.5", "--share", "1"),
    *(f"--budget={budget}" for budget in planted.BUDGETS),
    *("--protocol", "majority_vote", "--protocol", "self_refine", "--protocol-cut", "1x8"),
    *("--unmatched", *UNMATCHED),
    *(f"--mixed-cut={cut}" for cut in planted.MIXED),
    *(flag for variant in VARIANTS for flag in ("--variant", *variant)),
    *("--laws", "metrics/laws.json", "--curves", "metrics/curves.csv", "--tables", "metrics/tables"),
    *("--headline", "metrics/findings.md", "--out", "metrics/findings.json"),
]
PLAN = planted.plan(
    teachers=("strong",),
    domains=("physics",),
    shares=(0.5, 1.0),
    protocols=("majority_vote", "self_refine"),
    protocol_cut=Cut(1.0, 8),
    unmatched=((UNMATCHED[0], Cut(1.0, 9), Cut(1.0, 4)),),
    mixed_cuts=planted.MIXED,
    variants=VARIANTS,
)
CELL = "strong-qwen-physics-1x4"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study")
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings |= {"students": {"qwen": {}, "llama": {}}, "budget": planted.BUDGET, "weigh": {"margin": 0.05}}
    settings |= {"teachers": {"strong": {}, "strong_cool": {"temperature": 0.5}}, "fit": {"level": 0.9}}
    settings["train"] |= {"seeds": list(planted.SEEDS)}
    files.write_text(root / "params.yaml", yaml.safe_dump(settings, sort_keys=False))
    cells = root / "metrics" / "cells"
    cells.mkdir(parents=True)
    for student in PLAN.students:
        pq.write_table(planted.scores(None, student, 2.0), cells / f"{student}-base.parquet")
    for place in PLAN.places:
        loss = planted.crossing_at(16)(place)
        pq.write_table(planted.scores(place, place.student, loss), cells / f"{place.name}.parquet")
        files.write_json(root / "models" / "students" / place.name / "training.json", planted.training(place))
    planted.write_ledgers(root / "datasets" / "responses", PLAN)
    return root


@pytest.fixture
def root(written, tmp_path, monkeypatch) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*flags: str) -> Result:
    return CliRunner().invoke(weigh.main, list(flags) or FLAGS)


def refusal(*flags: str) -> str:
    result = run(*flags)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    assert result.output.count("\n") == 1
    assert not Path("metrics/tables").exists() and not Path("metrics/findings.json").exists()
    return result.output


def change(column: str, value: object, rows: slice = slice(None)) -> None:
    """Put a value into some rows of one column of the cell `CELL`."""
    path = Path("metrics/cells") / f"{CELL}.parquet"
    table = pq.read_table(path)
    values = table[column].to_pylist()
    for i in range(*rows.indices(len(values))):
        values[i] = value
    field = table.schema.field(column)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)


def test_weigh_writes_laws_tables_and_findings(root):
    result = run()
    assert result.exit_code == 0, result.output
    assert result.output.startswith(f"metrics/findings.json: {len(PLAN.places)} cells, law ")
    laws = json.loads(Path("metrics/laws.json").read_text())
    assert {(e["student"], e["share"]) for e in laws["laws"]} == {
        (s, h) for s in PLAN.students for h in (0.5, 1.0)
    }
    assert {e["law"] for e in laws["laws"]} >= {
        "rectified",
        "rectified_tied",
        "coverage",
        "combination",
        "last_two",
    }
    assert laws["coverage"][0]["truth"] == {"a": 0.7, "b": 0.9, "pi": 0.05}
    assert {(e["teacher"], e["protocol"]) for e in laws["variants"]["coverage"]} == {
        ("strong", "rejection_sampling"),
        ("strong_cool", "rejection_sampling"),
        ("strong", "rejection_sampling_0.2"),
    }
    assert Path("metrics/curves.csv").read_text().startswith("teacher,student,domain,share,law,budget")
    tables = {name: pq.read_table(f"metrics/tables/{name}.parquet") for name in PUBLISHED}
    assert all(Path(f"metrics/tables/{name}.csv").exists() for name in PUBLISHED)
    varied = [(r["temperature"], r["tolerance"], r["a"] is None) for r in tables["variants"].to_pylist()]
    assert [v[:2] for v in varied] == [(1.0, 0.05), (0.5, 0.05), (1.0, 0.2)]
    summary = json.loads(Path("metrics/findings.json").read_text())
    assert summary["simulator"] and set(summary["sources"]["domains"]) == {"physics"}
    markdown = Path("metrics/findings.md").read_text()
    assert markdown.startswith("The teacher is a simulator") and "**Findings**" in markdown
    found = text.read_back(summary, tables)
    assert found.sources.verdict == summary["sources"]["verdict"]


def test_the_same_study_gives_the_same_bytes(root):
    assert run().exit_code == 0
    names = ["laws.json", "curves.csv", "findings.md", "findings.json", "tables/pooled.csv"]
    first = [Path("metrics", name).read_bytes() for name in names]
    assert run().exit_code == 0
    assert [Path("metrics", name).read_bytes() for name in names] == first


def test_a_cell_outside_the_grid_is_not_looked_at(root):
    Path("metrics/cells/weak-qwen-physics-1x4.parquet").write_bytes(b"a ghost")
    assert run().exit_code == 0
    assert set(pq.read_table("metrics/tables/cells.parquet")["teacher"].to_pylist()) == {
        "strong",
        "strong_cool",
    }


def test_missing_and_damaged_inputs_are_refused_by_name(root):
    change("answer_loss", float("nan"), slice(1))
    assert f"{CELL}: loss nan over" in refusal()
    change("answer_loss", 1.0)
    change("budget", 8)
    assert f"{CELL}: its rows are of budget 8, not 4" in refusal()
    Path(f"metrics/cells/{CELL}.parquet").unlink()
    assert f"{CELL}.parquet: missing; run `dvc repro score`" in refusal()


def test_a_training_of_another_cell_is_refused(root):
    other = planted.training(Place("strong", "qwen", "physics", Cut(1.0, 8)))
    files.write_json(Path("models/students") / CELL / "training.json", other)
    assert f"{CELL}: its training is of budget 8, not 4" in refusal()


def test_a_ledger_with_a_rollout_twice_is_refused(root):
    path = Path("datasets/responses/strong-physics.parquet")
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    assert "ledger strong-physics: question q00 has a rollout twice" in refusal()


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ([f for f in FLAGS if f != "--budget=16"], "no 1x16 to hold the laws against"),
        ([*FLAGS, "--budget=32"], "the laws need two below `budget` 16 and none above"),
        ([*FLAGS, "--protocol-cut", "0.25x8"], "cut 0.25x8: no plain cell of it"),
        ([*FLAGS, "--protocol", "majority"], "protocol 'majority': unknown; did you mean 'majority_vote'?"),
        ([*FLAGS, "--teacher", "stronk"], "setting 'teachers.stronk' is missing"),
    ],
)
def test_a_grid_that_cannot_be_studied_is_refused(root, flags, says):
    assert says in refusal(*flags)
