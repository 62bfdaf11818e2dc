"""The verb `fit` on planted cells and a planted ledger."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from stages import files, fit
from stages.laws.curves import Rectified
from stages.records import ItemScore, Response

BUDGETS = (1, 2, 4, 8, 16)
THETA = (3.0, 2.0, 0.8, 0.6)
TOKENS = (1, 3, 4)  # of three benchmark items


def cell(path: Path, density: float | None, budget: int, losses: list[float]) -> None:
    """Write a cell with one training seed per loss; item losses differ, their sum per token is the loss."""
    parts = np.array([0.5, 0.3, 0.2])
    rows = [
        ItemScore(
            student="tiny",
            strategy="density" if budget else "base",
            density=density,
            share=None if density is None else 1.0,
            budget=budget,
            protocol="base" if density is None else "rejection_sampling",
            tokens=None,
            seed=seed,
            benchmark="popqa",
            item_id=str(i),
            prediction="",
            correct=False,
            answer_loss=float(loss * sum(TOKENS) * parts[i]),
            answer_tokens=TOKENS[i],
        )
        for seed, loss in enumerate(losses)
        for i in range(3)
    ]
    files.write_parquet(path, rows, ItemScore)


def ledger(path: Path, questions: int = 300) -> None:
    rng = np.random.default_rng(0)
    p = rng.beta(2.0, 1.0, questions)
    columns = {
        name: pa.nulls(questions * 16, field.type)
        for name, field in zip(Response.arrow_schema().names, Response.arrow_schema(), strict=True)
    }
    columns["protocol"] = pa.array(["rejection_sampling"] * questions * 16)
    columns["question_id"] = pa.array(np.repeat([f"q{i}" for i in range(questions)], 16))
    columns["rollout"] = pa.array(np.tile(np.arange(16), questions))
    right = rng.random(questions * 16) < np.repeat(p, 16)
    again = right & (np.arange(questions * 16) % 5 == 0)  # right, in words that were drawn before
    columns["accepted"] = pa.array(right & ~again)
    columns["reason"] = pa.array(np.select([again, right], ["duplicate", "accepted"], "wrong_answer"))
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("budget: 16\ndensities: [2.0]\nstudents: {tiny: {}}\nfit: {level: 0.9}\n")
    rng = np.random.default_rng(0)
    cell(Path("cells/tiny-base.parquet"), None, 0, [2.1])
    for budget in BUDGETS:
        truth = Rectified().predict(THETA, budget)[0]
        cell(
            Path(f"cells/tiny-2.0-1x{budget}.parquet"),
            2.0,
            budget,
            list(truth * np.exp(0.005 * rng.normal(size=3))),
        )
    ledger(Path("responses/2.0.parquet"))
    return tmp_path


def run(*cuts: str) -> Result:
    flags = [part for cut in cuts or [f"1x{b}" for b in BUDGETS] + ["0.25x4"] for part in ("--cut", cut)]
    flags += ["--cells", "cells", "--responses", "responses", "--out", "laws.json", "--curves", "curves.csv"]
    return CliRunner().invoke(fit.main, flags)


def refusal(*cuts: str) -> str:
    result = run(*cuts)
    assert result.exit_code == 1 and not Path("laws.json").exists() and not Path("curves.csv").exists()
    (line,) = result.output.splitlines()
    return line


def test_laws_predict_the_held_out_budget(build: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    assert result.output.startswith("laws.json: 1 curve, held-out budget 16: rectified errs ")
    document = json.loads(Path("laws.json").read_text())
    assert (document["level"], document["budget"]) == (0.9, 16)
    by_law = {entry["law"]: entry for entry in document["laws"]}
    laws = ["rectified", "rectified_tied", "power", "exponential", "last_two", "coverage", "combination"]
    assert list(by_law) == laws
    told = by_law["rectified"]["prediction"]
    measured = pq.read_table("cells/tiny-2.0-1x16.parquet").to_pandas()
    sums = measured.groupby("seed")[["answer_loss", "answer_tokens"]].sum()
    losses = sums.answer_loss / sums.answer_tokens
    assert told["observed"] == pytest.approx(losses.mean(), rel=1e-5)
    assert told["observed_std"] == pytest.approx(losses.std(), rel=1e-5)
    assert told["seeds"] == 3 and told["covered"] and told["low"] < told["observed"] < told["high"]
    assert told["relative_error"] == pytest.approx(told["loss"] / told["observed"] - 1, abs=1e-5)
    assert {e["budget"] for e in by_law["rectified"]["residuals"]} == {1, 2, 4, 8}
    assert by_law["last_two"]["criteria"]["aic"] is None
    assert (told["source"], by_law["coverage"]["prediction"]["source"]) == ("calibrated", "profile")


def test_the_ledger_gives_coverage_before_and_after_the_top_budget(build: Path) -> None:
    run()
    paid, full = json.loads(Path("laws.json").read_text())["coverage"]
    assert (paid["draws"], full["draws"]) == (8, 16)
    a = full["parameters"]["a"]
    assert a["low"] < 2.0 < a["high"]
    assert paid["unsolved"]["observed"] == full["unsolved"]["observed"]
    assert paid["unsolved"]["predicted"] == pytest.approx(paid["unsolved"]["observed"], abs=0.03)


def test_curves_have_one_row_per_law_and_budget_and_a_second_run_writes_the_same(build: Path) -> None:
    run()
    first = Path("laws.json").read_bytes(), Path("curves.csv").read_bytes()
    rows = list(csv.DictReader(first[1].decode().splitlines()))
    keys = [(row["student"], row["density"], row["law"], row["budget"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert [float(row["budget"]) for row in rows if row["law"] == "observed"] == list(BUDGETS)
    told = {row["law"]: float(row["loss"]) for row in rows if float(row["budget"]) == 16}
    for entry in json.loads(first[0])["laws"]:
        assert told[entry["law"]] == pytest.approx(entry["prediction"]["loss"], rel=1e-5)
    run()
    assert first == (Path("laws.json").read_bytes(), Path("curves.csv").read_bytes())


def test_budgets_above_the_dial_are_left_out(build: Path) -> None:
    Path("params.yaml").write_text(Path("params.yaml").read_text().replace("budget: 16", "budget: 8"))
    assert run().exit_code == 0
    document = json.loads(Path("laws.json").read_text())
    assert document["budget"] == 8
    refused = document["laws"][0]
    assert refused["status"] == "too_few_budgets" and refused["prediction"]["loss"] is None
    assert refused["parameters"]["B"]["estimate"] is None and refused["prediction"]["observed"] > 0


def test_one_training_seed_has_no_std_and_no_profile_but_a_calibrated_interval(build: Path) -> None:
    for budget in BUDGETS:
        cell(
            Path(f"cells/tiny-2.0-1x{budget}.parquet"),
            2.0,
            budget,
            [float(Rectified().predict(THETA, budget)[0])],
        )
    assert run().exit_code == 0
    told = json.loads(Path("laws.json").read_text())["laws"][0]["prediction"]
    assert told["observed_std"] is None and told["profile_low"] is None
    assert told["source"] == "calibrated" and told["low"] < told["observed"] < told["high"]


def test_what_is_missing_is_named_with_its_stage(build: Path) -> None:
    Path("cells/tiny-2.0-1x4.parquet").rename("away")
    assert "cells/tiny-2.0-1x4.parquet: missing; run `dvc repro score`" in refusal()
    Path("away").rename("cells/tiny-2.0-1x4.parquet")
    Path("cells/tiny-base.parquet").unlink()
    assert "cells/tiny-base.parquet: missing; run `dvc repro score-base`" in refusal()
    Path("responses/2.0.parquet").unlink()
    assert "responses/2.0.parquet: missing; run `dvc repro respond`" in refusal()


def test_bad_cells_are_refused_in_one_line(build: Path) -> None:
    path = Path("cells/tiny-2.0-1x4.parquet")
    cell(path, 2.0, 4, [math.nan, 1.0])
    assert "eval loss of training seed 0 is nan" in refusal()
    cell(path, 3.0, 4, [1.0])
    assert "density is 3.0, not 2.0" in refusal()
    cell(path, 2.0, 4, [])
    assert "no rows" in refusal()
    path.write_bytes(b"PAR1 no more")
    assert f"{path}: not readable" in refusal()


def test_cuts_that_cannot_hold_a_law_out_are_refused(build: Path) -> None:
    assert "no 1x16 to hold the laws against" in refusal("1x1", "1x2", "1x4", "0.25x16")
    assert "2 budgets up to 16, the laws need 3" in refusal("1x1", "1x16", "1x16")


def test_a_right_answer_in_words_said_before_counts_as_solving_its_question() -> None:
    from stages.laws import measure

    reasons = ["accepted", "duplicate", "wrong_answer"]
    drawn = pa.table(
        {
            "protocol": ["rejection_sampling"] * 3,
            "question_id": ["q"] * 3,
            "rollout": range(3),
            "accepted": [r == "accepted" for r in reasons],
            "reason": reasons,
        }
    )
    assert measure.tallies(drawn, 3, "ledger") == [(2, 3)]
    assert measure.tallies(drawn, 1, "ledger") == [(1, 1)]
