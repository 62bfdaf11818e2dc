"""A training that is killed at any step goes on from its checkpoint, to the very bytes of an unbroken one."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import student_samples
import yaml

from stages import files
from stages.records import TrainingExample

ROOT = Path(__file__).parents[1]
STEPS = 120


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with a base, a training set and the settings of a run of 120 steps, kept every 7."""
    folder = tmp_path_factory.mktemp("resume")
    student_samples.save_base(folder / "base")
    files.write_parquet(folder / "rows.parquet", student_samples.rows(), TrainingExample)
    _settings(folder, save_every=7)
    return folder


def _settings(folder, **changed):
    train = student_samples.TRAIN.model_copy(update={"steps": STEPS, **changed}).model_dump(mode="json")
    student = {"learning_rate": 3e-3, "prompt_noise": 0.2, "make": student_samples.SIZES.model_dump()}
    settings = {"students": {"tiny": student}, "train": train, "benchmarks": {"folder": "benchmarks"}}
    (folder / "params.yaml").write_text(yaml.safe_dump(settings))


def _start(project, out):
    flags = ["--student", "tiny", "--base", "base", "--data", "rows.parquet", "--out", out]
    return subprocess.Popen(
        [sys.executable, "-m", "stages.train", *flags],
        cwd=project,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(project, out):
    process = _start(project, out)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def _kept(project):
    return [int(p.name[11:]) for p in project.glob(".seedbed/checkpoints/*/checkpoint-*") if p.name[11:]]


def _outputs(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def unbroken(project):
    """The outputs of a run that nothing stopped, and that kept no checkpoints."""
    _settings(project, save_every=None)
    _finish(project, "unbroken")
    assert not (project / ".seedbed").exists()
    _settings(project, save_every=7)
    return _outputs(project / "unbroken")


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_bytes_of_an_unbroken_run(project, unbroken):
    for least in (1, 40, 80):
        process = _start(project, "killed")
        deadline = time.monotonic() + 200
        while not [step for step in _kept(project) if step >= least]:
            assert time.monotonic() < deadline and process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert not (project / "killed").exists()
    said = _finish(project, "killed")
    assert "goes on from its checkpoint at step" in said
    assert _outputs(project / "killed") == unbroken
    assert not list((project / ".seedbed" / "checkpoints").iterdir())
    assert not [path.name for path in project.iterdir() if path.name.startswith(".killed")]


@pytest.mark.slow
def test_a_run_that_ended_is_not_run_again_when_another_of_its_cell_was_killed(project, unbroken):
    process = _start(project, "half")
    deadline = time.monotonic() + 200
    while not (done := list(project.glob(".seedbed/checkpoints/*/finished/manifest.json"))):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    seed = files.read_json(done[0].parent / "trained.json")["run"]["seed"]
    log = project / "logs" / "train" / "half" / f"seed-{seed}" / "metrics.json"
    changed = log.stat().st_mtime_ns
    _finish(project, "half")
    assert log.stat().st_mtime_ns == changed
    assert _outputs(project / "half") == unbroken


@pytest.mark.slow
def test_two_runs_on_one_output_are_one_too_many(project):
    first = _start(project, "twice")
    deadline = time.monotonic() + 200
    while not (project / ".twice.lock").exists():
        assert time.monotonic() < deadline and first.poll() is None
        time.sleep(0.02)
    second = _start(project, "twice")
    _, said = second.communicate(timeout=100)
    assert second.returncode == 1
    assert said == "Error: twice: another process is writing it; wait for it or stop it\n"
    first.kill()
    first.communicate()
    _settings(project, save_every=7, steps=5)
    _finish(project, "twice")
