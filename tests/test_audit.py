"""The verb audit, as a user runs it."""

import json

import pyarrow as pa
import pyarrow.csv
import yaml
from click.testing import CliRunner

from stages import files
from stages.audit import main
from stages.records import Response

FLAGS = [
    "--responses",
    "responses",
    "--teacher",
    "strong",
    "--domain",
    "physics",
    "--share",
    "0.5",
    "--share",
    "1",
]
FLAGS += ["--budget", "1", "--budget", "2", "--budget", "4", "--tables", "tables", "--out", "audit.json"]


def project(folder, budget=4):
    settings = {"seed": 0, "audit": {"permutations": 100, "responses": 50, "features": 8}}
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    rows = [
        Response(
            strategy="physics",
            density=None,
            domain="physics",
            teacher="strong",
            question_id=f"q{rank}",
            rank=rank,
            rollout=rollout,
            question=f"How fast is car {rank}?",
            answer=f"{rank} m/s",
            rationale=f"Car {rank} moves {rank * rollout} m in {rollout} s.",
            accepted=(rank + rollout) % 3 > 0,
            reason="accepted" if (rank + rollout) % 3 else "wrong_answer",
            prompt_tokens=10,
            completion_tokens=5,
            cost_usd=None,
            request_key=f"{rank}-{rollout}",
        )
        for rollout in range(budget)
        for rank in range(12)
    ]
    files.write_parquet(folder / "responses" / "strong-physics.parquet", rows, Response)


def test_coverage_and_shifts_are_written_and_said_in_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project(tmp_path)
    ran = CliRunner().invoke(main, FLAGS)
    assert ran.exit_code == 0, ran.output
    assert ran.output.startswith("audit.json: 1 ledgers, 6 tests") and ran.output.count("\n") == 1
    said = json.loads((tmp_path / "audit.json").read_text())
    assert said["budget"] == 4 and said["covered"]["strong"]["physics"]["covered"] == 1.0
    covered = pa.csv.read_csv(tmp_path / "tables" / "coverage.csv").to_pylist()
    assert [(row["share"], row["budget"], row["covered"]) for row in covered][:2] == [
        (0.5, 1, 4),
        (0.5, 2, 6),
    ]
    first = (tmp_path / "tables" / "shift.csv").read_bytes()
    CliRunner().invoke(main, FLAGS)
    assert (tmp_path / "tables" / "shift.csv").read_bytes() == first


def test_a_ledger_that_ends_before_the_largest_budget_is_refused_and_nothing_is_written(
    tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    project(tmp_path, budget=2)
    ran = CliRunner().invoke(main, FLAGS)
    assert ran.exit_code == 1
    assert "has 2 draws, the audit needs 4; run `dvc repro respond`" in ran.output
    assert not (tmp_path / "tables").exists() and not (tmp_path / "audit.json").exists()


def test_help_names_every_option():
    ran = CliRunner().invoke(main, ["--help"])
    assert ran.exit_code == 0
    assert all(flag in ran.output for flag in ("--responses", "--teacher", "--domain", "--share", "--budget"))
