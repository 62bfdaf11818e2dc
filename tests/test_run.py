"""`python -m stages.run` makes what `dvc repro` makes, with several stages at once."""

import hashlib
import itertools
import json
import os
import subprocess
from pathlib import Path

import pytest
import small_graph
from small_graph import ROOT

from stages.run import log_name


def lock(folder: Path) -> str:
    """Return the hash of a project's dvc.lock; its stages stand in the order in which they ended."""
    import yaml

    stages = yaml.safe_load((folder / "dvc.lock").read_text())["stages"]
    return hashlib.sha256(json.dumps(stages, sort_keys=True).encode()).hexdigest()


@pytest.fixture(scope="module")
def parallel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A project that was run three stages at a time, with two GPUs that need not exist."""
    folder = small_graph.make(tmp_path_factory.mktemp("run") / "parallel", meet=True)
    status, printed = small_graph.run(folder, "--jobs", "3", "--gpus", "0,1")
    assert status == 0, printed
    return folder, printed


def test_the_outcome_is_that_of_a_serial_run(parallel, tmp_path):
    folder, _ = parallel
    serial = small_graph.make(tmp_path / "serial")
    small_graph.dvc(serial, "repro")
    assert lock(folder) == lock(serial)
    assert "up to date" in small_graph.dvc(folder, "status")
    assert small_graph.run(folder) == (0, "")


def test_stages_that_hold_a_model_get_one_gpu_each_and_others_none(parallel):
    seen = small_graph.notes(parallel[0])
    cells = [seen[name] for name in "abcd"]
    assert {cell["gpus"] for cell in cells} == {"0", "1"}
    assert {note["gpus"] for name, note in seen.items() if name not in "abcd"} == {""}
    for gpu in ("0", "1"):
        spans = sorted((c["begin"], c["end"]) for c in cells if c["gpus"] == gpu)
        assert all(end <= begin for (_, end), (begin, _) in itertools.pairwise(spans))


def test_independent_stages_overlap_and_dependent_ones_do_not(parallel):
    seen = small_graph.notes(parallel[0])
    begins, ends = ({name: note[key] for name, note in seen.items()} for key in ("begin", "end"))
    assert any(begins[m] < ends[n] and begins[n] < ends[m] for m in "abcd" for n in "abcd" if m < n)
    assert all(ends["first"] <= begins[n] and ends[n] <= begins[f"check-{n}"] for n in "abcd")
    assert begins["last"] >= max(ends[f"check-{n}"] for n in "abcd")


def test_progress_shows_stages_done_and_running_and_the_time_left(parallel):
    lines = [line for line in parallel[1].splitlines() if line.startswith("[")]
    assert len(lines) == 10
    assert "10 of 10 done, 0 running" in lines[-1]
    assert any(" s left]" in line for line in lines[:-1]) and "left" not in lines[-1]


def test_a_failing_cell_stops_only_what_depends_on_it_and_is_named_at_the_end(tmp_path):
    folder = small_graph.make(tmp_path / "failing", fails="b")
    status, printed = small_graph.run(folder, "--jobs", "2")
    assert status == 1
    assert "b fails" in printed
    last = printed.splitlines()[-1]
    assert last.startswith("Error: failed: train@b; 2 stages after them were not run"), last
    assert {path.name for path in folder.glob("check-*.txt")} == {f"check-{name}.txt" for name in "acd"}
    small_graph.settle(folder)
    assert small_graph.run(folder)[0] == 0
    assert set(small_graph.notes(folder)) >= {"b", "check-b", "last"}


@pytest.mark.parametrize("words", [("--jobs", "0"), ("--jobs", "x"), ("--gpus", "0,0"), ("--gpus", ",")])
def test_a_number_of_jobs_or_gpus_that_is_none_is_refused_in_one_line(words, tmp_path):
    folder = tmp_path / "none"
    folder.mkdir()
    process = subprocess.run(
        [*("python", "-m", "stages.run"), *words],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=small_graph.environment(ROOT),
    )
    assert process.returncode == 1
    assert process.stderr.count("\n") == 1 and words[0] in process.stderr


def make(*words):
    """Have make say what it would do, as from a shell: under `make test` it would inherit its settings."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    words = ["make", "-n", *words]
    return subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("jobs", ["0", "x", "-1", "1 2"])
def test_make_refuses_such_a_number_before_it_sets_anything_up(jobs):
    done = make("repro", f"JOBS={jobs}")
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.count("\n") == 1 and f"JOBS={jobs}" in done.stderr


def test_make_passes_jobs_and_gpus_on():
    printed = make("repro", "study-kdos", "JOBS=4", "GPUS=0,1").stdout
    assert printed.count("python -m stages.run --jobs 4 --gpus 0,1") == 2


def test_a_stage_of_another_folder_keeps_its_path_in_its_log_s_name():
    assert log_name("../../dvc.yaml:ask") == ".._.._dvc.yaml:ask.log"
