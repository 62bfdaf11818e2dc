"""The verb `compare`: tables, headline and summary on disk, and one line for each thing that is wrong."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import planted_files
import planted_grid as planted
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from stages import compare, files
from stages.records import ItemScore, Response


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("grid")
    planted_files.write(root)
    return root


@pytest.fixture
def root(written, tmp_path, monkeypatch) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*more: str) -> Result:
    return CliRunner().invoke(compare.main, [*planted_files.COMPARE, *more])


def refusal(result: Result) -> str:
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert result.output.count("\n") == 1
    assert not Path("metrics/tables").exists() and not Path("metrics/summary.json").exists()
    return result.output


def test_tables_headline_and_summary_are_written_and_the_same_each_time(root):
    result = run()
    assert result.exit_code == 0, result.output
    assert result.output == "metrics/tables: 15 cells, 4 pairs of cuts with equal N\n"
    names = {path.name for path in (root / "metrics" / "tables").iterdir()}
    tables = ("cells", "seeds", "density_by_budget", "matched_budget", "matched_density", "benchmarks")
    assert names == {f"{name}.{kind}" for name in tables for kind in ("csv", "parquet")}
    assert pq.read_table(root / "metrics" / "tables" / "cells.parquet").num_rows == 15
    outs = [
        root / "metrics" / name
        for name in ("headline.md", "summary.json", "tables/cells.csv", "tables/cells.parquet")
    ]
    before = [path.read_bytes() for path in outs]
    assert run().exit_code == 0
    assert [path.read_bytes() for path in outs] == before
    summary = json.loads((root / "metrics" / "summary.json").read_text())
    assert summary["budget"] == 16 and summary["simulator"] is True
    assert "matched" in (root / "metrics" / "headline.md").read_text().lower()


def test_a_cell_that_the_grid_no_longer_names_is_in_no_table(root):
    assert (root / "metrics" / "cells" / "tiny-3.0-1x4.parquet").exists()
    settings = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(settings.replace("- 2.0\n- 3.0\n", "- 2.0\n"))
    laws = planted.laws()
    laws["laws"] = [e for e in laws["laws"] if e["density"] == 2.0]
    files.write_json(root / "metrics" / "laws.json", laws)
    assert run().exit_code == 0
    assert ",3.0," not in (root / "metrics" / "tables" / "cells.csv").read_text()


def test_a_cut_named_twice_is_one_cell(root):
    assert run("--cut", "1x16").output.startswith("metrics/tables: 15 cells")


@pytest.mark.parametrize(
    ("gone", "stage"),
    [
        ("metrics/cells/tiny-2.0-1x4.parquet", "score"),
        ("metrics/cells/tiny-base.parquet", "score-base"),
        ("datasets/responses/3.0.parquet", "respond"),
    ],
)
def test_a_missing_file_is_named_with_the_stage_that_makes_it(root, gone, stage):
    (root / gone).unlink()
    assert refusal(run()) == f"Error: {gone}: missing; run `dvc repro {stage}`\n"


def test_corrupt_or_foreign_files_are_one_line(root):
    cell = root / "metrics" / "cells" / "tiny-2.0-1x4.parquet"
    kept = cell.read_bytes()
    cell.write_bytes(kept[:200])
    assert "metrics/cells/tiny-2.0-1x4.parquet: not readable" in refusal(run())
    shutil.copy("datasets/responses/2.0.parquet", cell)
    assert "not readable: No match for FieldRef.Name(student)" in refusal(run())
    shutil.copy(cell.with_name("tiny-base.parquet"), "datasets/responses/2.0.parquet")
    cell.write_bytes(kept)
    assert "datasets/responses/2.0.parquet: column question_id is not that of Response" in refusal(run())
    files.write_parquet(Path("datasets/responses/2.0.parquet"), planted.ledger(2.0), Response)
    (root / "metrics" / "laws.json").write_text("{")
    assert "metrics/laws.json: not readable as JSON" in refusal(run())


def test_laws_of_another_budget_leave_nothing_half_written(root):
    settings = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(settings.replace("budget: 16", "budget: 8"))
    assert "predicts budget 8; run `dvc repro fit`" in refusal(run())


def test_one_training_seed_does_not_stop_it(root):
    for c in planted.cells():
        rows = planted.scores(c.density, c.cut, seeds=(0,))
        files.write_parquet(Path("metrics/cells") / f"{c.name}.parquet", rows, ItemScore)
    result = run()
    assert result.exit_code == 0, result.output
    assert json.loads(Path("metrics/summary.json").read_text())["tiny"]["2.0"]["loss"]["std"] is None


@pytest.mark.slow
def test_the_laws_are_read_as_fit_writes_them(root):
    ladder = [flag for flag in planted_files.CUT_FLAGS if "=1x" in flag]
    command = [sys.executable, "-m", "stages.fit", "--cells=metrics/cells", "--responses=datasets/responses"]
    out = ["--out=metrics/laws.json", "--curves=metrics/curves.csv"]
    environment = os.environ | {"PYTHONPATH": str(planted_files.ROOT)}
    subprocess.run([*command, *ladder, *out], check=True, env=environment)
    assert run().exit_code == 0
    summary = json.loads(Path("metrics/summary.json").read_text())
    for density in ("2.0", "3.0"):
        told = summary["tiny"][density]["law"]
        assert abs(told["error"]) < 0.1 and told["low"] < told["predicted"] < told["high"]
