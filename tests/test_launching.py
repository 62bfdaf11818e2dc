"""Several processes train one model to the loss of one process, and a fault of one of them is told in one line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import student_samples
import yaml

from stages import files
from stages.errors import BadInput
from stages.records import TrainingExample, TrainingLog
from stages.student import launching

ROOT = Path(__file__).parents[1]
CONFIGURATIONS = ROOT / "accelerate"
TWO = CONFIGURATIONS / "two_processes_cpu.yaml"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a base, a training set, and the outcome `alone` of one process."""
    folder = tmp_path_factory.mktemp("launched")
    student_samples.save_base(folder / "base")
    files.write_parquet(folder / "rows.parquet", student_samples.rows(), TrainingExample)
    _settings(folder)
    assert _start(folder, "alone").wait() == 0
    return folder


def _settings(folder, **changed):
    # 9 rows a step: the ranks' shares are unequal.
    changed = {"steps": 20, "batch": 9, "seeds": (0,), **changed}
    train = student_samples.TRAIN.model_copy(update=changed).model_dump(mode="json")
    student = {"learning_rate": 3e-3, "prompt_noise": 0.2, "make": student_samples.SIZES.model_dump()}
    settings = {"students": {"tiny": student}, "train": train, "benchmarks": {"folder": "benchmarks"}}
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))


def _start(project, out, module="stages.train"):
    flags = ["--student", "tiny", "--base", "base", "--data", "rows.parquet", "--out", out]
    return subprocess.Popen(
        [sys.executable, "-m", module, *flags],
        cwd=project,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _kill_at(project, process, step):
    deadline = time.monotonic() + 300
    while not list(project.glob(f".seedbed/checkpoints/*/checkpoint-{step}/manifest.json")):
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 30
    while _alive(process.pid):
        assert time.monotonic() < deadline, "processes outlived the one that launched them"
        time.sleep(0.05)


def _alive(session):
    """Return the processes of a session that still run."""
    states = [path.read_text().rpartition(")")[2].split() for path in _stats()]
    return [state for state in states if state[3] == str(session) and state[0] != "Z"]


def _stats():
    return [path for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]


def _equal_to_alone(project, out):
    from safetensors.numpy import load_file

    alone, several = (files.read_json(project / name / "training.json") for name in ("alone", out))
    ours, theirs = several["runs"][0], alone["runs"][0]
    assert ours["final_loss"] == pytest.approx(theirs["final_loss"], abs=1e-4)
    assert {**ours, "first_loss": 0, "final_loss": 0} == {**theirs, "first_loss": 0, "final_loss": 0}
    logs = [files.read_parquet(project / name / "log.parquet", TrainingLog) for name in ("alone", out)]
    assert len(logs[1]) == 20
    assert all(abs(a.loss - b.loss) < 1e-4 for a, b in zip(*logs, strict=True))
    weights = [load_file(project / name / "seed-0" / "model.safetensors") for name in ("alone", out)]
    assert weights[0].keys() == weights[1].keys()
    assert all(np.abs(weights[0][name] - weights[1][name]).max() < 1e-4 for name in weights[0])


@pytest.mark.slow
def test_two_processes_give_the_loss_of_one_also_when_they_were_killed_and_resumed(project):
    _settings(project, launch=str(TWO), save_every=4)
    _kill_at(project, _start(project, "two"), 8)
    again = _start(project, "two")
    stdout, stderr = again.communicate(timeout=300)
    assert again.returncode == 0, stderr
    assert "goes on from its checkpoint at step" in stderr and stderr.count("\n") == 1
    assert stdout.startswith("two: 1 training seeds") and stdout.count("\n") == 1
    _equal_to_alone(project, "two")


@pytest.mark.slow
def test_sharded_weights_give_the_loss_of_whole_ones_also_when_killed_and_resumed(project, tmp_path):
    sharded = yaml.safe_load(TWO.read_text()) | {"distributed_type": "FSDP"}
    sharded["fsdp_config"] = yaml.safe_load((CONFIGURATIONS / "several_gpus.yaml").read_text())["fsdp_config"]
    (tmp_path / "sharded.yaml").write_text(yaml.safe_dump(sharded))
    _settings(project, launch=str(tmp_path / "sharded.yaml"), save_every=4)
    driver = (
        "from pathlib import Path; import sys, stages.student.launching as launching, stages.train as train\n"
        "launch = launching.launch\n"
        "launching.launch = lambda config, module, *rest: launch(config, 'sharded_training', *rest)\n"
        "train.main(sys.argv[1:])\n"
    )
    (project / "sharded_driver.py").write_text(driver)
    first = _start(project, "sharded", "sharded_driver")
    _kill_at(project, first, 8)
    (shards,) = project.glob(".seedbed/checkpoints/*/checkpoint-8/pytorch_model_fsdp_0")
    assert len(list(shards.glob("*.distcp"))) == 2
    again = _start(project, "sharded", "sharded_driver")
    _, stderr = again.communicate(timeout=300)
    assert again.returncode == 0, stderr
    assert "goes on from its checkpoint at step" in stderr
    _equal_to_alone(project, "sharded")


@pytest.mark.slow
def test_one_killed_process_ends_all_in_one_line_and_nothing_is_written(project):
    _settings(project, launch=str(TWO), steps=100_000)
    process = _start(project, "broken")
    deadline = time.monotonic() + 200
    while not (ranks := _ranks(process.pid)) or not (project / "logs" / "train" / "broken").exists():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()
        time.sleep(0.05)
    os.kill(ranks[1], signal.SIGKILL)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 1
    assert stderr.splitlines()[-1] == (
        "Error: process 1 of this machine was killed by SIGKILL; nothing was written; run it again"
    )
    assert not (project / "broken").exists() and not list(project.glob(".broken.*[!k]"))
    assert not _alive(process.pid)


def _ranks(session):
    """Return the processes of a session that have a rank, in its order."""
    found = {}
    for path in _stats():
        try:
            if path.read_text().rpartition(")")[2].split()[3] != str(session):
                continue
            environment = (path.parent / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        ranks = [word[5:] for word in environment if word.startswith(b"RANK=")]
        found |= {int(rank): int(path.parent.name) for rank in ranks}
    return [found[rank] for rank in sorted(found)] if len(found) == 2 else []
