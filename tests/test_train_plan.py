"""What training will need, by `python -m stages.train plan`, against what it then takes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import student_samples
import yaml
from click.testing import CliRunner

from stages import files, train
from stages.records import TrainingExample
from stages.student import modelling

ROOT = Path(__file__).parents[1]
PRESET = "Qwen/Qwen3-8B-Base"
STAGES = {
    "small": "--student tiny --base base --data rows.parquet --out models/small",
    "budgets": "--student tiny --base base --data rows.parquet --tokens 2000 --tokens 4000 --out models/b",
    "absent": "--student tiny --base base --data none.parquet --tokens 4000 --out models/absent",
    "large": "--student large --base nowhere --data rows.parquet --tokens 1000000 --out models/large",
    "adapted": "--student adapted --base nowhere --data rows.parquet --tokens 1000000 --out models/adapted",
    "unmade": "--student unmade --base nowhere --data rows.parquet --out models/unmade",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with six stages that train, one training set of 40 rows and the base of one student."""
    folder = tmp_path_factory.mktemp("project")
    published = {"model": PRESET, "revision": "0" * 40, "learning_rate": 1e-5}
    made = {"learning_rate": 3e-3, "make": student_samples.SIZES.model_dump()}
    settings = {
        "students": {
            "tiny": made, "unmade": made, "large": published,
            "adapted": {**published, "precision": "bfloat16", "lora": {"rank": 16, "alpha": 32}},
        },
        "train": {**student_samples.TRAIN.model_dump(mode="json"), "max_length": 60},
        "benchmarks": {"folder": "benchmarks"},
    }  # fmt: skip
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    files.write_parquet(folder / "rows.parquet", student_samples.rows(), TrainingExample)
    modelling.save(*student_samples.base(), folder / "base")
    stages = {
        name: {"cmd": f"python -m stages.train {options}", "outs": [options.split()[-1]]}
        for name, options in STAGES.items()
    }
    stages["other"] = {"cmd": "python -m stages.score --student tiny", "outs": ["scores"]}
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    subprocess.run(["dvc", "init", "--no-scm", "-q"], cwd=folder, check=True)
    return folder


@pytest.fixture
def here(project, monkeypatch):
    monkeypatch.chdir(project)
    return project


def planned(*options, fails=False):
    """Return the plan as its JSON, and what was said at the end."""
    result = CliRunner().invoke(train.main, ["plan", "--json", *options])
    assert (result.exit_code != 0) == fails, result.output
    return json.loads(result.stdout), result.stderr


def cells(document):
    return {row["cell"]: row for row in document["cells"]}


def test_every_stage_that_trains_is_planned_and_no_other(here):
    document, _ = planned("--gpu", "B200")
    assert set(cells(document)) == {options.rpartition("/")[2] for options in STAGES.values()}
    assert list(cells(planned("--stage", "small", "--gpu", "B200")[0])) == ["small"]
    result = CliRunner().invoke(train.main, ["plan", "--stage", "other"])
    assert (
        result.exit_code == 1 and "--stage other: no such stage trains; there are: absent, " in result.output
    )


def test_tokens_are_exact_where_set_and_base_are_there_and_bounds_elsewhere(here):
    document, _ = planned("--gpu", "B200")
    found = cells(document)
    assert found["b"]["tokens"] == 2 * (2000 + 4000) and not found["b"]["note"]
    assert found["small"]["rows"] == 40 and found["small"]["models"] == 2
    assert found["absent"]["tokens"] == 2 * 4000 and found["absent"]["rows"] is None
    assert found["absent"]["note"] == "memory at most: none.parquet is not there"
    assert found["unmade"]["note"] == "cannot be said: nowhere is not there; build it with `dvc repro`"
    assert document["total"]["tokens"] is None  # a part of it is not known


def test_hours_and_price_follow_from_operations_and_terms(here):
    document, _ = planned("--gpu", "B200", "--gpus", "2", "--utilisation", "0.4", "--price", "3")
    large = cells(document)["large"]
    n = 8.19e9 - 151_936 * 4096  # Qwen3 8B but its look-up table
    assert large["flops"] == pytest.approx(6 * n * 2_000_000, rel=1e-3)
    assert large["hours"] == pytest.approx(large["flops"] / (2 * 0.4 * 2250e12) / 3600)
    assert large["usd"] == pytest.approx(large["hours"] * 2 * 3)
    assert (
        cells(
            planned(
                "--gpu",
                "B200",
            )[0]
        )["adapted"]["usd"]
        is None
    )
    adapted = cells(document)["adapted"]
    assert 4 / 6 < adapted["flops"] / large["flops"] < 0.68
    assert adapted["memory"]["optimizer"] < large["memory"]["optimizer"] / 50


def test_a_cell_that_cannot_fit_is_refused_beside_all_others(here):
    document, said = planned("--gpu", "H200", fails=True)
    large = cells(document)["large"]
    assert large["refused"].startswith("H200: 1 row of 60 tokens at once need ")
    assert "2 GPUs that share it" in large["refused"] and large["hours"] is None
    assert cells(document)["small"]["hours"] > 0
    assert "1 of 6 cells cannot be trained so; the first, large: H200: " in said
    result = CliRunner().invoke(train.main, ["plan", "--gpu", "H200"])
    assert result.exit_code == 1 and result.stdout.count("\n| ") == 2 + len(STAGES) + 1


def test_the_table_leaves_unknown_what_is_not_known(here):
    result = CliRunner().invoke(train.main, ["plan", "--stage", "small"])
    assert result.exit_code == 0, result.output
    if "CPU" in result.stdout:
        assert (
            "Hours: – because the peak of this device is not known; USD: – without --price." in result.stdout
        )
    assert "--gpu GT 710: not known" in CliRunner().invoke(train.main, ["plan", "--gpu", "GT 710"]).output


def test_settings_that_no_run_could_begin_with_are_refused(here, tmp_path, monkeypatch):
    settings = yaml.safe_load((here / "params.yaml").read_text())
    settings["train"]["max_length"] = 5000
    for name in ("rows.parquet", "dvc.yaml", "base", ".dvc"):
        (tmp_path / name).symlink_to(here / name)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.chdir(tmp_path)
    document, said = planned("--stage", "small", "--gpu", "B200", fails=True)
    assert cells(document)["small"]["refused"].startswith("train.max_length 5000: the model knows ")
    settings["train"] |= {"max_length": 60, "batch": 128}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings))
    document, said = planned("--stage", "budgets", "--gpu", "B200", fails=True)
    assert "token budget 2000: smaller than a batch of 128 rows" in said


@pytest.mark.slow
def test_a_run_shows_the_tokens_planned_and_stands_beside_the_plan(here):
    options = STAGES["small"].split()
    run = subprocess.run(
        [sys.executable, "-m", "stages.train", *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    small = cells(planned("--stage", "small", "--measured")[0])["small"]
    runs = json.loads((here / "models/small/training.json").read_text())["runs"]
    assert small["tokens"] == sum(run["tokens"] for run in runs)
    taken = small["measured"]
    assert taken["runs"] == 2 and taken["tokens"] == small["tokens"]
    assert taken["hours"] > 0 and taken["peak_memory"] > small["memory"]["total"]
    result = CliRunner().invoke(train.main, ["plan", "--stage", "small", "--measured"])
    assert "took, hours" in result.output
