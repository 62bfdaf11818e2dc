"""Forked workers: order, failures named, no orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stages.errors import BadInput
from stages.student import processes

ROOT = Path(__file__).parents[1]


def test_results_come_in_the_order_of_the_items_however_many_run_at_once():
    def work(item: int) -> int:
        time.sleep(0.2 - 0.05 * item)
        return item * item

    for at_once in (1, 2, 4):
        assert processes.each(work, [0, 1, 2, 3], "item", at_once=at_once) == [0, 1, 4, 9]


def test_each_item_runs_in_a_process_of_its_own_on_one_thread():
    import torch

    found = processes.each(lambda item: (os.getpid(), torch.get_num_threads()), [0, 1], "item")
    assert len({os.getpid(), *(pid for pid, _ in found)}) == 3
    assert [threads for _, threads in found] == [1, 1]


def test_large_results_do_not_block_the_pipe():
    (found,) = processes.each(lambda item: b"x" * 5_000_000, [0], "item")
    assert len(found) == 5_000_000


def test_a_killed_process_is_named_and_the_others_are_stopped(tmp_path):
    def work(seed: int) -> None:
        (tmp_path / str(seed)).write_text(str(os.getpid()))
        if seed == 7:
            while not (tmp_path / "8").exists():
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)

    begin = time.monotonic()
    with pytest.raises(BadInput, match=r"training seed 7: its process was killed by SIGKILL"):
        processes.each(work, [7, 8], "training seed", at_once=2)
    assert time.monotonic() - begin < 30
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "8").read_text()), 0)


def test_a_failing_process_is_named_with_its_reason(capfd):
    def work(seed: int) -> None:
        raise ValueError("no such thing\nand more")

    with pytest.raises(BadInput) as caught:
        processes.each(work, [3], "training seed")
    assert caught.value.message == "training seed 3: failed: ValueError: no such thing"
    assert "Traceback" in capfd.readouterr().err
    with pytest.raises(BadInput, match="training seed 3: failed: ValueError: no such thing"):
        processes.each(work, [3], "training seed", fork=False)


def test_bad_input_in_a_process_arrives_as_it_is(capfd):
    def work(seed: int) -> None:
        raise BadInput("here: this; do that")

    with pytest.raises(BadInput) as caught:
        processes.each(work, [3], "training seed")
    assert caught.value.message == "here: this; do that"
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_killing_the_parent_leaves_no_orphan(tmp_path):
    script = (
        "import os, time, pathlib\n"
        "from stages.student import processes\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "def work(item):\n"
        "    (folder / 'part').write_text(str(os.getpid()))\n"
        "    (folder / 'part').rename(folder / 'pid')\n"
        "    time.sleep(120)\n"
        "processes.each(work, [0], 'item')\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    deadline = time.monotonic() + 60
    while not (tmp_path / "pid").exists():
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.05)
    child = int((tmp_path / "pid").read_text())
    parent.kill()
    parent.wait()
    while _alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
