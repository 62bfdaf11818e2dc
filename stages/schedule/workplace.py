"""Starts stages so that none outlives its run, from interpreters that have their imports behind them."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from stages.schedule import guard, interpreter
from stages.schedule.slots import Slot

# What `dvc repro` imports on its way through one stage.
DVC = (
    "dvc.cli",
    "dvc.cli.parser",
    "dvc.commands.repro",
    "dvc.repo.reproduce",
    "dvc.stage.run",
    "dvc.stage.cache",
    "dvc.output",
    "dvc.dependency.param",
    "dvc_data.hashfile.db.local",
    "dvc_objects.fs.local",
    "ruamel.yaml",
    "sqlite3",
)


def cores() -> list[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def visible_gpus() -> list[str]:
    """Return the GPUs that this process sees, as CUDA_VISIBLE_DEVICES names them."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is not None:
        return [name for name in map(str.strip, said.split(",")) if name not in ("", "-1")]
    command = ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return found.split()


class Workplace:
    """The processes of one run; a context manager that ends them all, as their own guard does if this cannot.

    Args:
        folder: for the logs of processes that are no stage's.

    Attributes:
        python: what runs a stage's commands.
    """

    def __init__(self, folder: Path) -> None:
        self._log = folder / "preloaded.txt"
        self._children: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> "Workplace":
        self._folder = Path(tempfile.mkdtemp(prefix="seedbed-run-"))
        reading, self._lifeline = os.pipe()
        self._guard = subprocess.Popen(
            [sys.executable, "-IS", guard.__file__, str(self._folder)], stdin=reading, process_group=0
        )
        os.close(reading)
        self._log.unlink(missing_ok=True)
        self._environment = dict(os.environ)
        # A stage's command says `python`: it must be this one for another process of it to stand in for it.
        found = shutil.which("python")
        self._stands_in = sys.platform == "linux" and found is not None
        self._stands_in &= Path(found or "").parent == Path(sys.executable).parent
        self.python = sys.executable
        if self._stands_in:
            script = self._folder / "python"
            self.python = str(script)
            words = [sys.executable, "-IS", interpreter.__file__, str(self._folder)]
            script.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
            script.chmod(0o755)
            self._environment["PATH"] = f"{self._folder}{os.pathsep}{self._environment.get('PATH', '')}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lifeline)
        for child in self._children:
            if child.stdin:
                child.stdin.close()
        self._guard.wait()
        for child in self._children:
            child.wait()

    def preload(self, name: str, modules: Iterable[str], cores: tuple[int, ...], refused: set[str]) -> None:
        """Start a process that imports what many stages need; until it is ready, and without it, they do so.

        Args:
            name: `dvc` or `verbs`: what is run from it.
            modules: what it imports.
            cores: as many as a stage gets.
            refused: modules whose commands it must not run.
        """
        if self._stands_in:
            command = [sys.executable, "-m", "stages.schedule.preloaded", str(self._folder / name)]
            self._popen([*command, ",".join(sorted(refused)), *modules], self._log, cores, subprocess.PIPE)

    def start(self, stage: str, slot: Slot, log: Path) -> subprocess.Popen[bytes]:
        """Start one stage under DVC in a process group of its own."""
        gpus = {} if slot.gpus is None else {"CUDA_VISIBLE_DEVICES": ",".join(slot.gpus)}
        log.unlink(missing_ok=True)
        command = [self.python, "-m", interpreter.ITEM, stage]
        return self._popen(command, log, slot.cores, subprocess.DEVNULL, **gpus)

    def ended(self, stage: "subprocess.Popen[bytes]") -> None:
        """Note that a stage has ended, and end what it may have left behind."""
        if stage.returncode:
            guard.end([stage.pid])
        self._children.remove(stage)
        os.write(self._lifeline, b"-%d\n" % stage.pid)

    def _popen(
        self, command: list[str], log: Path, cores: tuple[int, ...], stdin: int, **environment: str
    ) -> subprocess.Popen[bytes]:
        def prepare() -> None:
            # Before the command is run, so that the guard knows of it whenever this process is killed.
            os.write(self._lifeline, b"+%d\n" % os.getpid())
            with suppress(AttributeError):
                os.sched_setaffinity(0, cores)

        with log.open("ab") as out:
            child = subprocess.Popen(
                command,
                stdin=stdin,
                stdout=out,
                stderr=subprocess.STDOUT,
                process_group=0,
                preexec_fn=prepare,
                env=self._environment | environment,
            )
        self._children.append(child)
        return child
