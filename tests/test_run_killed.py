"""However a run is ended, it leaves nothing running and nothing half written, and can be taken up again."""

import json
import signal
import time
from pathlib import Path

import pytest
import small_graph
import yaml

WAIT = 120.0  # seconds


def wait_for(condition) -> None:
    late = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < late
        time.sleep(0.05)


def begun(folder: Path) -> int:
    return len(list((folder / "notes").glob("*.begun")))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda one: one.name)
def test_nothing_outlives_a_killed_run_and_the_next_one_ends_it(number, tmp_path):
    folder = small_graph.make(tmp_path / "killed", seconds=0.2)
    assert "first" in small_graph.dvc(folder, "repro", "--single-item", "first")
    small_graph.settle(folder, seconds=600.0)
    (folder / "dvc.yaml").write_text(small_graph.GRAPH.replace("    params: [seconds]\n", ""))
    process = small_graph.start(folder, "--jobs", "2")
    wait_for(lambda: begun(folder) == 2)
    process.send_signal(number)
    assert process.wait(WAIT) != 0
    wait_for(lambda: not small_graph.processes(folder))
    assert json.loads((folder / ".dvc/tmp/rwlock").read_text()) == {}
    assert list(yaml.safe_load((folder / "dvc.lock").read_text())["stages"]) == ["first"]
    small_graph.settle(folder)
    assert small_graph.run(folder, "--jobs", "2")[0] == 0
    assert "up to date" in small_graph.dvc(folder, "status")


@pytest.mark.slow
def test_kills_at_any_moment_leave_whole_locks(tmp_path):
    folder = small_graph.make(tmp_path / "killed", seconds=0.1)
    for wait in (0.5, 2.0, 3.0, 4.0, 5.0, 6.0):
        process = small_graph.start(folder, "--jobs", "3")
        time.sleep(wait)
        process.kill()
        process.wait(WAIT)
        wait_for(lambda: not small_graph.processes(folder))
        for lock in filter(Path.exists, (folder / ".dvc/tmp/rwlock", folder / "dvc.lock")):
            assert isinstance(yaml.safe_load(lock.read_text()), dict)
    assert small_graph.run(folder, "--jobs", "3")[0] == 0
    assert "up to date" in small_graph.dvc(folder, "status")


@pytest.mark.slow
def test_a_stage_whose_dvc_is_killed_leaves_no_command_behind_and_is_a_failure(tmp_path):
    folder = small_graph.make(tmp_path / "killed", seconds=600.0)
    process = small_graph.start(folder, "--jobs", "2")
    wait_for(lambda: (folder / "notes").exists())
    rwlock = json.loads((folder / ".dvc/tmp/rwlock").read_text())
    [pid] = {one["pid"] for one in rwlock["write"].values()}
    import os

    os.kill(pid, signal.SIGKILL)
    printed, _ = process.communicate(timeout=WAIT)
    assert process.returncode == 1 and "failed: first" in printed
    assert not small_graph.processes(folder)
