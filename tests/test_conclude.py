"""The verb `conclude` on a planted study: what it writes, and one line for each thing that is wrong."""

import json
import shutil
from pathlib import Path

import planted_study as planted
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from stages import conclude, files
from stages.findings import PUBLISHED

ROOT = Path(__file__).parents[1]
STUDENTS = ("small", "large")
NAME = "small-4.8-1x4"
FLAGS = [
    *("--cells", "metrics/cells", "--pools", "metrics/pools", "--models", "models/students", "--cut", "1x4"),
    *(f"--target={target}" for target in planted.TARGETS),
    *(f"--tokens={tokens}" for tokens in planted.TOKENS),
    *("--tables", "metrics/tables", "--headline", "metrics/findings.md", "--out", "metrics/findings.json"),
]


def settle(root: Path) -> None:
    """Write what `conclude` reads of a study with an optimum inside the tried densities."""
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings |= {"students": {name: {} for name in STUDENTS}, "seed": 0}
    settings["train"] |= {"seeds": list(planted.SEEDS)}
    settings["conclude"] = {"level": 0.9, "resamples": 200, "permutations": 200}
    files.write_text(root / "params.yaml", yaml.safe_dump(settings))
    for cell in planted.cells(planted.interior, n=30, students=STUDENTS):
        path = root / "metrics" / "cells" / f"{cell.name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(cell.scores, path)
        if cell.training:
            folder = root / "models" / "students" / cell.name
            files.write_json(folder / "training.json", cell.training)
            files.write_json(folder / "tokens-1000-seed-0" / "config.json", {"model_type": cell.family})
    for target, pool in planted.pools().items():
        files.write_json(root / "metrics" / "pools" / f"{target}.json", pool)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study")
    settle(root)
    return root


@pytest.fixture
def root(written, tmp_path, monkeypatch) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*flags: str) -> Result:
    return CliRunner().invoke(conclude.main, list(flags) or FLAGS)


def refusal(*flags: str) -> str:
    result = run(*flags)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit), result.output
    assert result.output.count("\n") == 1
    assert not Path("metrics/tables").exists() and not Path("metrics/findings.json").exists()
    return result.output


def cell(column: str, value: object, rows: slice = slice(None)) -> None:
    """Put a value into some rows of one column of the cell `NAME`."""
    path = Path("metrics/cells") / f"{NAME}.parquet"
    table = pq.read_table(path)
    values = table[column].to_pylist()
    for i in range(*rows.indices(len(values))):
        values[i] = value
    field = table.schema.field(column)
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, field, pa.array(values, field.type)), path)


def change(path: str, **values: object) -> None:
    files.write_json(Path(path), files.read_json(Path(path)) | values)


def test_tables_and_findings_are_written_and_the_same_each_time(root):
    result = run()
    assert result.exit_code == 0, result.output
    assert result.output.startswith("metrics/findings.json: 20 cells, optimum ")
    names = {path.name for path in Path("metrics/tables").iterdir()}
    assert names == {f"{name}.{kind}" for name in PUBLISHED for kind in ("csv", "parquet")}
    outs = [
        Path("metrics/findings.md"),
        Path("metrics/findings.json"),
        *sorted(Path("metrics/tables").iterdir()),
    ]
    before = [path.read_bytes() for path in outs]
    assert run().exit_code == 0 and [path.read_bytes() for path in outs] == before
    summary = json.loads(before[1])
    assert summary["simulator"] is True and summary["headline"] == "large" and summary["tokens"] == 4000
    assert {summary[c]["verdict"] for c in ("optimum", "stability", "baselines", "expansion")} <= {
        "supported",
        "not supported",
        "undecided",
    }


def test_a_target_that_is_no_longer_named_is_in_no_table(root):
    assert run(*(flag for flag in FLAGS if flag != "--target=uniform")).exit_code == 0
    assert "uniform" not in Path("metrics/tables/by_target.csv").read_text()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (f"metrics/cells/{NAME}.parquet", "missing; run `dvc repro score`"),
        ("metrics/cells/small-base.parquet", "missing; run `dvc repro score-base`"),
        (f"models/students/{NAME}/tokens-1000-seed-0/config.json", "no model in it; run `dvc repro train`"),
        (f"models/students/{NAME}/training.json", "not readable as JSON"),
        ("metrics/pools/random.json", "metrics/pools/random.json: not readable as JSON"),
    ],
)
def test_a_missing_file_is_named(root, gone, said):
    Path(gone).unlink()
    assert said in refusal()


def test_unequal_sample_budgets_are_refused(root):
    change("metrics/pools/random.json", questions=150)
    assert "pools 4.4 and random: unequal sample budgets, 200 and 150 questions" in refusal()
    files.write_json(Path("metrics/pools/random.json"), {})
    assert "pool random: no number of questions" in refusal()


def test_unequal_training_tokens_are_refused_beyond_two_percent(root):
    path = f"models/students/{NAME}/training.json"
    runs = files.read_json(Path(path))["runs"]
    change(path, runs=[run | {"tokens": round(1.015 * run["tokens"])} for run in runs])
    assert run().exit_code == 0
    shutil.rmtree("metrics/tables")
    Path("metrics/findings.json").unlink()
    change(path, runs=[run | {"tokens": round(1.05 * run["tokens"])} for run in runs])
    assert f"and {NAME}: unequal training tokens at budget 1000, 1000 and 1052 shown" in refusal()


def test_training_of_another_cell_or_without_sizes_is_refused(root):
    path = f"models/students/{NAME}/training.json"
    change(path, density=5.0)
    assert f"{NAME}: its training is of density 5.0, not 4.8" in refusal()
    change(path, density=4.8, size=None)
    assert f"{NAME}: its training tells no size or token budgets" in refusal()


@pytest.mark.parametrize(
    ("column", "value", "rows", "said"),
    [
        ("density", 5.0, slice(None), f"{NAME}: its rows are of density 5.0, not 4.8"),
        ("strategy", "uniform", slice(1), f"{NAME}: its rows are of strategy uniform, not density"),
        ("answer_loss", float("nan"), slice(1), f"{NAME}: loss nan over"),
        ("tokens", 8000, slice(90), f"{NAME}: tokens 1000 is missing"),
        ("seed", 9, slice(30), f"{NAME}: seed 9 is unknown"),
        ("seed", 1, slice(30), f"{NAME}: training seed 0 is missing at 1000 tokens"),
        (
            "item_id",
            "x",
            slice(1),
            f"{NAME} at 1000 tokens: items of training seed 0 are not those of large-base",
        ),
        ("answer_tokens", 9, slice(1), f"{NAME} and small-base: different answer tokens"),
    ],
)
def test_a_cell_that_does_not_belong_is_refused_by_name(root, column, value, rows, said):
    cell(column, value, rows)
    assert said in refusal()


def test_two_levels_of_density_are_refused(root):
    few = [f for f in FLAGS if f not in ("--target=4.4", "--target=4.6", "--target=5.0")]
    assert "2 levels of density" in refusal(*few)
