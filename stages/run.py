"""Bring the DAG up to date with several stages at once, each by DVC itself under DVC's own locks.

`dvc repro` runs one stage after another, though the grid's cells need not wait for each other. What comes out
is what `dvc repro` would have made.
"""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stages.errors import BadInput
from stages.schedule import Schedule, affected, own_lines, upstream

if TYPE_CHECKING:
    from dvc.repo import Repo


def changed_graph() -> dict[str, set[str]]:
    """Return the stages of this folder's dvc.yaml that may have to run, each with those it reads from.

    Stages of other graphs are among them where these read their outputs.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            graph = repo.index.graph
            before = {stage.addressing: {s.addressing for s in graph.successors(stage)} for stage in graph}
            own = [stage.addressing for stage in graph if Path(stage.path_in_repo).parent == here(repo)]
            return affected(upstream(before, own), repo.status())
    except DvcException as error:
        raise BadInput(f"dvc.yaml: {' '.join(str(error).split())}") from error


def here(repo: "Repo") -> Path:
    """Return the current folder inside the repository: each dvc.yaml is a graph, run in its own folder."""
    return Path.cwd().resolve().relative_to(Path(repo.root_dir).resolve())


def root() -> Path:
    """Return the root folder of the DVC repository."""
    from dvc.repo import Repo

    return Path(Repo.find_root())


def log_name(stage: str) -> str:
    """Return the name of a stage's log: one of another folder's graph carries its path."""
    return f"{stage.replace('/', '_')}.log"


def start(stage: str, core: int | None, log: Path) -> subprocess.Popen[bytes]:
    """Start one stage in a process group of its own, on one core alone where `core` is given."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item", stage]
    pinned = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    with log.open("wb") as out:
        return subprocess.Popen(
            command, stdout=out, stderr=subprocess.STDOUT, preexec_fn=pinned, start_new_session=True
        )


@click.command()
@click.option("--jobs", type=click.IntRange(min=1), help="Stages at once; by default one per core.")
def main(jobs: int | None) -> None:
    """Run every stage that changed, several at once; a failing one stops only what depends on it."""
    cores = sorted(os.sched_getaffinity(0))
    jobs = jobs or len(cores)
    schedule = Schedule(changed_graph())
    logs = root() / ".dvc/tmp/run"
    logs.mkdir(parents=True, exist_ok=True)
    running: dict[str, tuple[subprocess.Popen[bytes], int]] = {}
    begin = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no stage is left running behind
    try:
        while not schedule.finished():
            free = sorted(set(range(jobs)) - {slot for _, slot in running.values()})
            for stage, slot in zip(schedule.ready(), free, strict=False):
                core = cores[slot % len(cores)] if jobs > 1 else None
                running[stage] = start(stage, core, logs / log_name(stage)), slot
                schedule.begin(stage)
            time.sleep(0.05)
            for stage, (process, _) in list(running.items()):
                if process.poll() is None:
                    continue
                del running[stage]
                schedule.end(stage, process.returncode == 0)
                lines = (logs / log_name(stage)).read_text(errors="replace").splitlines()
                said = lines if process.returncode else own_lines(lines)
                click.echo(f"[{time.monotonic() - begin:.0f} s, {schedule.state()}] {stage}")
                click.echo("".join(f"  {line}\n" for line in said), nl=False)
    finally:
        for process, _ in running.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
    if schedule.failed:
        names = ", ".join(sorted(schedule.failed))
        raise BadInput(
            f"failed: {names}; {len(schedule.skipped())} stages after them were not run; see above"
        )


if __name__ == "__main__":
    main()
