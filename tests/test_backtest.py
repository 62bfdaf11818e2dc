"""The verb `backtest` on planted curves."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from stages import backtest
from stages.laws import calibration

TABLES = ["advantage", "agreement", "choices", "errors", "fits", "intervals", "statuses"]


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    sizes = 100 * 2 ** np.arange(6)
    for name in ("x", "y"):
        lines = [",".join(["config name", "0", *map(str, sizes), "family"])]
        for family in ("a", "b"):
            losses = (4.0 * sizes**-0.2 + 0.3) * np.exp(0.003 * rng.normal(size=6))
            lines.append(",".join([family, "4.5", *(f"{x:.6f}" for x in losses), family]))
        Path(f"{name}.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def run(*flags: str) -> Result:
    curves = ["--curves", "x.csv", "--curves", "y.csv"]
    return CliRunner().invoke(backtest.main, [*(flags or curves), "--out", "out"])


def refusal(*flags: str) -> str:
    result = run(*flags)
    assert result.exit_code == 1 and not Path("out").exists()
    return result.output.splitlines()[-1]


def test_every_table_is_written_and_a_second_run_writes_the_same(build: Path) -> None:
    flags = ["--curves", "x.csv", "--curves", "y.csv", "--calibration", "c.json", "--ledgers", "1"]
    result = run(*flags)
    assert result.exit_code == 0, result.output
    assert "out: 4 curves; mean error 2, 4 and 8 times ahead: combination" in result.output
    assert sorted(p.stem for p in Path("out").glob("*.csv")) == sorted([*TABLES, "coverage"])
    for name in ("errors", "coverage"):
        assert Path(f"out/{name}.svg").read_text().startswith("<svg role=")
    first = {p.name: p.read_bytes() for p in [*Path("out").iterdir(), Path("c.json")]}
    assert run(*flags).exit_code == 0
    assert first == {p.name: p.read_bytes() for p in [*Path("out").iterdir(), Path("c.json")]}


def test_the_derived_calibration_says_what_it_came_from(build: Path) -> None:
    run("--curves", "x.csv", "--curves", "y.csv", "--calibration", "c.json")
    held = json.loads(Path("c.json").read_text())
    assert held["provenance"]["datasets"] == ["x", "y"] and held["provenance"]["curves"] == 4
    assert held.keys() == json.loads(json.dumps(calibration.document(calibration.shipped()))).keys()
    # Six sizes reach three doublings beyond three of them: nothing is said of the others.
    assert held["quantiles"]["last_two"][2][0] > 0 and held["quantiles"]["last_two"][3][0] is None


def test_files_that_cannot_be_read_are_refused_in_one_line(build: Path) -> None:
    assert "gone.csv: not readable as CSV" in refusal("--curves", "gone.csv")
    Path("x.csv").write_text(Path("x.csv").read_text().replace("family", "kind"))
    assert "x.csv: no column 'family'" in refusal("--curves", "x.csv")
    assert "gone.parquet: missing" in refusal("--curves", "y.csv", "--draws", "gone.parquet")


def test_one_data_set_is_judged_by_its_own_families(build: Path) -> None:
    result = run("--curves", "x.csv")
    assert result.exit_code == 0, result.output
    assert "other_datasets" not in Path("out/errors.csv").read_text()
    assert not Path("out/choices.csv").exists()
