"""The verb `advise` on planted tables: what it prints, what it writes, what it refuses."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result
from planted_advice import KAPPA, MANY_UNSOLVED, SOON_SOLVED, write

from stages import advise

ROOT = Path(__file__).parent.parent
PRICE = {"input": 0.5, "output": 2.0}
AS_STAGE = ("--out", "metrics/advice.json", "--text", "metrics/advice.md")


def settings(folder: Path, price: dict[str, float | None] = PRICE, **sections: object) -> None:
    whole = yaml.safe_load((ROOT / "params.yaml").read_text())
    whole["teacher"]["price"] = price
    chosen = {name: whole[name] for name in ("teacher", "fit")} | {"budget": 32} | sections
    (folder / "params.yaml").write_text(yaml.safe_dump(chosen))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    settings(tmp_path)
    write(tmp_path, ("teacher",), SOON_SOLVED)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(advise.main, arguments)


def test_help_answers() -> None:
    assert "Rank the next purchases" in run("--help").output


def test_by_hand_it_prints_the_advice_and_writes_nothing(study: Path) -> None:
    before = sorted(study.rglob("*"))
    result = run("--spend", "50")
    assert result.exit_code == 0, result.output
    assert "simulator" in result.output and "50 USD buys" in result.output
    assert "responses to" in result.output and sorted(study.rglob("*")) == before


def test_as_a_stage_it_writes_the_ranking_and_the_back_test(study: Path) -> None:
    result = run(*AS_STAGE)
    assert result.exit_code == 0, result.output
    assert len(result.output.splitlines()) == 1
    told = json.loads((study / "metrics/advice.json").read_text())
    assert (told["unit"], told["simulator"], "spend" in told) == ("usd", True, False)
    (surface,) = told["surfaces"]
    assert surface["curves"][0]["kappa"] == pytest.approx(KAPPA, rel=0.1) and surface["seeds"] == 3
    by_name = {row["name"]: row for row in told["purchases"]}
    assert set(by_name) == {None, "majority_vote", "self_refine"}
    free, refined = by_name["majority_vote"], by_name["self_refine"]
    assert (free["calls"], free["cost_usd"], free["gain_per_usd"]) == (0, 0.0, None)
    assert (refined["change"], refined["calls"]) == (0.02, 3200), "at matched tokens, not at matched samples"
    assert refined["cost_usd"] == pytest.approx(0.2 * 0.5 + 0.1 * 2)
    text = (study / "metrics/advice.md").read_text()
    assert "simulator" in text and "Back-test" in text and "measured at another cut" in text


def test_running_it_twice_writes_the_same(study: Path) -> None:
    written = []
    for _ in range(2):
        assert run(*AS_STAGE).exit_code == 0
        written.append([(study / path).read_bytes() for path in AS_STAGE[1::2]])
    assert written[0] == written[1]


def test_a_missing_price_is_null_and_dollars_are_refused(study: Path) -> None:
    settings(study, {"input": None, "output": 2.0})
    assert run(*AS_STAGE).exit_code == 0
    told = json.loads((study / "metrics/advice.json").read_text())
    assert told["unit"] == "million_tokens"
    assert {row["cost_usd"] for row in told["purchases"]} == {None}
    refused = run("--spend", "50")
    assert refused.exit_code == 1 and "no price of teacher is known" in refused.output
    assert run("--spend-tokens", "1").exit_code == 0


def test_of_two_teachers_one_is_advised_on_by_name(study: Path) -> None:
    for name in ("metrics", "datasets"):
        shutil.rmtree(study / name)
    write(study, ("teacher", "weak"), MANY_UNSOLVED)
    settings(study, teachers={"weak": {"price": {"input": 0.1, "output": 0.1}}})
    assert run(*AS_STAGE, "--teacher", "weak", "--spend", "1").exit_code == 0
    told = json.loads((study / "metrics/advice.json").read_text())
    assert {row["teacher"] for row in told["purchases"]} == {"weak"}
    (other,) = [row for row in told["purchases"] if row["kind"] == "teacher"]
    assert other["name"] == "teacher" and other["cost_usd"] == pytest.approx(
        12.8 * (60 * 0.5 + 40 * 2) / 1000
    )
    (more,) = [row for row in told["spend"]["affordable"] if row["kind"] == "responses"]
    calls = (more["budget"] - 32) * 400
    assert more["cost_usd"] == pytest.approx(calls * 100 * 0.1 / 1e6) and more["cost_usd"] <= 1
    assert calls * 100 * 0.1 / 1e6 > 1 - 400 * 100 * 0.1 / 1e6, "one response more would cost too much"


def test_purchases_of_another_density_come_from_the_run_that_varied_it(study: Path) -> None:
    place = {"student": "tiny", "share": 1.0, "budget": 8, "sample_budget": 1600}
    ends = {"loss_difference": 0.5, "loss_low": 0.3, "loss_high": 0.8}
    spent = {"prompt_tokens": 1_000_000, "completion_tokens": 500_000}
    (study / "dense").mkdir()
    for name, rows in {
        "cells": [place | spent | {"density": d} for d in (4.3, 5.1)],
        "matched_density": [place | ends | {"sparse_density": 4.3, "dense_density": 5.1}],
    }.items():
        pq.write_table(pa.Table.from_pylist(rows), study / f"dense/{name}.parquet")
    assert run(*AS_STAGE, "--densities", "dense").exit_code == 0
    told = json.loads((study / "metrics/advice.json").read_text())
    rows = {row["name"]: row for row in told["purchases"] if row["kind"] == "density"}
    assert [rows["5.1"][x] for x in ("change", "low", "high", "verdict")] == [-0.5, -0.8, -0.3, "gain"]
    assert [rows["4.3"][x] for x in ("change", "low", "high", "verdict")] == [0.5, 0.3, 0.8, "loss"]
    assert rows["5.1"]["cost_usd"] == pytest.approx(0.5 + 1.0) and rows["5.1"]["domain"] == "density 4.3"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--spend", "0"), "--spend 0: not a sum above 0"),
        (("--spend-tokens", "-1"), "--spend-tokens -1: not a sum above 0"),
        (("--teacher", "strong"), "--teacher strong: not measured; choose one of teacher"),
        (("--held", "0.3x4"), "--held 0.3x4: not measured"),
        (("--tables", "nowhere"), "missing; run `dvc repro weigh`"),
        (("--responses", "nowhere"), "missing; run `dvc repro respond`"),
        (("--laws", "params.yaml"), "not readable as JSON"),
    ],
)
def test_bad_input_is_refused_in_one_line(study: Path, arguments: tuple[str, ...], says: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1 and says in result.output
    assert len(result.output.splitlines()) == 1


def test_tables_of_another_kind_of_run_are_refused_by_the_missing_column(study: Path) -> None:
    pq.write_table(pa.table({"student": ["tiny"], "density": [4.3]}), study / "metrics/tables/cells.parquet")
    result = run()
    assert result.exit_code == 1 and "cells.parquet: not readable" in result.output
    assert "teacher" in result.output and "dvc repro weigh" in result.output
