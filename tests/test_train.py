"""The verbs pretrain, train and score on a corpus of eight articles, as a user runs them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import student_samples
import yaml
from click.testing import CliRunner

from stages import files
from stages.records import Article, ItemScore, TrainingExample, TrainingLog

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with params.yaml, articles, a training set of 40 rows, one benchmark and a base model."""
    folder = tmp_path_factory.mktemp("project")
    settings = {
        "seed": 0,
        "students": {"tiny": {"learning_rate": 3e-3, "make": student_samples.SIZES.model_dump()}},
        "train": student_samples.TRAIN.model_dump(mode="json"),
        "score": {"max_new_tokens": 6, "batch": 4},
        "benchmarks": {"folder": str(folder / "benchmarks")},
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))
    files.write_parquet(folder / "articles" / "part-00000.parquet", student_samples.articles(), Article)
    files.write_parquet(folder / "rows.parquet", student_samples.rows(), TrainingExample)
    questions = [{"question": i.question, "answer": i.answers} for i in student_samples.items()]
    target = folder / "benchmarks" / "natural_questions" / "NQ-open.dev.jsonl"
    target.parent.mkdir(parents=True)
    target.write_text("".join(json.dumps(q) + "\n" for q in questions))
    return folder


def _run(project, verb, *flags):
    return subprocess.run(
        [sys.executable, "-m", f"stages.{verb}", "--student", "tiny", *flags],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def _train(project, out, *flags):
    return _run(project, "train", "--base", "base", "--data", "rows.parquet", "--out", out, *flags)


def _weights(folder):
    return [(folder / f"seed-{seed}" / "model.safetensors").read_bytes() for seed in (0, 1)]


@pytest.mark.slow
def test_pretrain_train_and_score_write_what_the_next_stage_reads_and_repeat_themselves(project):
    made = _run(project, "pretrain", "--articles", "articles", "--out", "base")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("base: ") and made.stdout.count("\n") == 1
    first = _train(project, "one")
    again = _train(project, "two", "--data", "rows.parquet", "--out", "three")  # two sets, one process
    assert first.returncode == 0, first.stderr
    assert again.stdout == "".join(first.stdout.replace("one", name) for name in ("two", "three"))
    assert _weights(project / "one") == _weights(project / "two") == _weights(project / "three")
    assert len(set(_weights(project / "one"))) == 2
    names = {path.name for path in (project / "one").rglob("*") if path.is_file()}
    assert names == {
        "training.json",
        "log.parquet",
        "model.safetensors",
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
        "chat_template.jinja",
    }
    for name in ("training.json", "log.parquet", "seed-0/config.json", "seed-0/tokenizer.json"):
        assert (project / "one" / name).read_bytes() == (project / "two" / name).read_bytes()
    training = files.read_json(project / "one" / "training.json")
    assert [run["steps"] for run in training["runs"]] == [5, 5]
    assert (training["rows"], training["questions"], training["budget"]) == (40, 8, 5)
    assert (training["strategy"], training["density"]) == ("density", 2.0)
    assert training["size"]["parameters"] == training["size"]["active_parameters"] > 0

    each = [
        f for name in ("one", "two") for f in ("--model", name, "--out", f"{name}.parquet", "--cut", "1x5")
    ]
    cell = _run(project, "score", *each, "--target", "2.0", "--domain", "knowledge")
    assert cell.returncode == 0 and cell.stdout.count("\n") == 2, cell.stderr
    assert (project / "one.parquet").read_bytes() == (project / "two.parquet").read_bytes()
    rows = files.read_parquet(project / "one.parquet", ItemScore)
    assert [(row.seed, row.budget) for row in rows[::8]] == [(0, 5), (1, 5)] and len(rows) == 16
    assert _run(project, "score", "--base", "base", "--out", "base.parquet").returncode == 0
    base = files.read_parquet(project / "base.parquet", ItemScore)
    assert {(row.protocol, row.budget, row.density) for row in base} == {("base", 0, None)}
    assert sum(row.answer_loss for row in base) > sum(row.answer_loss for row in rows) / 2


@pytest.mark.slow
def test_each_token_budget_and_seed_gets_a_model_a_course_and_scores_of_its_own(project, tmp_path):
    student_samples.save_base(tmp_path / "base")
    settings = yaml.safe_load((project / "params.yaml").read_text())
    settings["train"]["probe"] = {"benchmark": "natural_questions", "items": 4, "every": 2}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings))
    data = ["--data", str(project / "rows.parquet"), "--tokens", "500", "--tokens", "1500"]
    trained = _run(tmp_path, "train", "--base", "base", *data, "--out", "cell")
    assert trained.returncode == 0, trained.stderr
    assert "2 training seeds × 500, 1500 tokens on 40 rows" in trained.stdout
    runs = files.read_json(tmp_path / "cell" / "training.json")["runs"]
    wanted = [(500, 0), (500, 1), (1500, 0), (1500, 1)]
    assert [(run["tokens_budget"], run["seed"]) for run in runs] == wanted
    assert all(0 <= run["tokens"] - run["tokens_budget"] < 64 for run in runs)
    log = files.read_parquet(tmp_path / "cell" / "log.parquet", TrainingLog)
    assert [(row.tokens_budget, row.seed) for row in log if row.step == 0] == wanted
    assert all((row.loss is None) == (row.step == 0) for row in log)
    assert [row.accuracy is None for row in log[:4]] == [False, True, False, False]
    last = {(row.tokens_budget, row.seed): row for row in log}.values()
    assert [row.tokens for row in last] == [run["tokens"] for run in runs]
    assert all(row.accuracy is not None for row in last)
    where = ["--model", "cell", "--target", "2.0", "--cut", "1x5"]
    scored = _run(tmp_path, "score", *where, "--out", "s.parquet")
    assert scored.returncode == 0, scored.stderr
    rows = files.read_parquet(tmp_path / "s.parquet", ItemScore)
    assert [(row.tokens, row.seed) for row in rows[::8]] == wanted and len(rows) == 32


@pytest.mark.slow
def test_killing_one_seed_names_it_and_leaves_the_old_models(project, tmp_path):
    student_samples.save_base(project / "killed-base")
    settings = yaml.safe_load((project / "params.yaml").read_text())
    settings["train"]["steps"] = 100_000
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(settings))
    out = tmp_path / "out"
    out.mkdir()
    (out / "old").write_text("kept")
    command = [sys.executable, "-m", "stages.train", "--student", "tiny"]
    flags = {"base": project / "killed-base", "data": project / "rows.parquet", "out": out}
    parent = subprocess.Popen(
        [*command, *(str(part) for name, path in flags.items() for part in (f"--{name}", path))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
    deadline = time.monotonic() + 120
    while not (pids := children.read_text().split()):
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.1)
    os.kill(int(pids[0]), signal.SIGKILL)
    _, stderr = parent.communicate(timeout=60)
    assert parent.returncode == 1
    assert "Error: training seed 0: its process was killed by SIGKILL" in stderr
    assert [path.name for path in out.iterdir()] == ["old"]
    assert {path.name for path in tmp_path.iterdir()} - {"logs"} == {"out", "params.yaml"}


def _refused(verb, flags, project, monkeypatch):
    monkeypatch.chdir(project)
    result = CliRunner().invoke(verb.main, flags)
    assert result.exit_code == 1, result.output
    line = result.output.strip()
    assert line.startswith("Error: ") and "\n" not in line
    return line


def test_each_wrong_input_of_train_gets_one_line(project, monkeypatch):
    from stages import train

    flags = ["--base", "nowhere", "--data", "rows.parquet", "--out", "x"]
    assert "no 'huge', only tiny" in _refused(train, ["--student", "huge", *flags], project, monkeypatch)
    line = _refused(train, ["--student", "tiny", *flags], project, monkeypatch)
    assert "nowhere: no model in this folder" in line
    files.write_parquet(project / "empty.parquet", [], TrainingExample)
    flags[3] = "empty.parquet"
    assert "no row to train on" in _refused(train, ["--student", "tiny", *flags], project, monkeypatch)
    flags = ["--student", "tiny", "--base", str(student_samples.save_base(project / "any-base")), *flags[2:]]
    flags[5] = "rows.parquet"
    wrong = {"0": "token budget 0: not", "9000 --tokens 9000": "given 2 times", "9": "smaller than a batch"}
    for tokens, said in wrong.items():
        assert said in _refused(train, [*flags, "--tokens", *tokens.split()], project, monkeypatch)
    twice = [*flags, "--data", "rows.parquet"]
    assert "--data is given 2 times, --out 1 times" in _refused(train, twice, project, monkeypatch)
    assert not (project / "x").exists()


def test_each_wrong_input_of_pretrain_and_score_gets_one_line(project, monkeypatch):
    from stages import pretrain, score

    flags = ["--student", "tiny", "--articles", "absent", "--out", "x"]
    assert "absent: not readable" in _refused(pretrain, flags, project, monkeypatch)
    line = _refused(score, ["--student", "tiny", "--out", "x.parquet"], project, monkeypatch)
    assert "either --model" in line
    line = _refused(
        score, ["--student", "tiny", "--model", "absent", "--out", "x.parquet"], project, monkeypatch
    )
    assert "absent/training.json" in line
    assert not (project / "x.parquet").exists()
