"""Ends what a run has started, however the run itself ends; `kill -9` of the runner leaves nothing behind.

Run by path with `python -IS`. Standard input is a pipe whose other end only the runner holds: it names the
process group of each stage, `+` when it starts and `-` when it has ended, and ends when the runner does.
"""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

PATIENCE = 60.0  # seconds until SIGKILL; DVC may be writing its lock file or moving a large output
_POLL = 0.1  # seconds


def main(folder: Path) -> None:
    """Wait for the runner's end; then end the groups that are left, and remove its folder of sockets."""
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line[0] == "+":
            groups.add(group)
        else:
            groups.discard(group)
    end(groups)
    shutil.rmtree(folder, ignore_errors=True)


def end(groups: Iterable[int]) -> None:
    """End process groups: SIGTERM again and again, which DVC outlives until what it writes is whole.

    A stage's command dies at once; DVC then fails of it in its own way and releases its locks. A command that
    DVC starts meanwhile is met by the next signal.
    """
    left, late = set(groups), time.monotonic() + PATIENCE
    while left := living(left):
        for group in left:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGTERM if time.monotonic() < late else signal.SIGKILL)
        time.sleep(_POLL)


def living(groups: Iterable[int]) -> set[int]:
    """Return those of some process groups in which a process runs; one that nobody waited for does not."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
            if state not in "ZX":
                found.add(int(group))
    return found & set(groups)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
