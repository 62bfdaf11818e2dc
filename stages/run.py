"""Bring the DAG up to date with several stages at once, each by DVC itself under DVC's own locks.

`dvc repro` runs one stage after another, though the grid's cells need not wait for each other. What comes out
is what `dvc repro` would have made. The stages' logs are in `.dvc/tmp/run`.
"""

import os
import signal
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

import click
import yaml

from stages import files
from stages.errors import BadInput
from stages.schedule import Schedule, affected, needs, own_lines, times, upstream, workplace
from stages.schedule.slots import Slot, Slots

if TYPE_CHECKING:
    from dvc.repo import Repo
    from dvc.stage import Stage

_POLL = 0.05  # seconds
_SILENCE = 60.0  # seconds after which the stages that run are named


class Graph(NamedTuple):
    """What may have to run."""

    before: dict[str, set[str]]  # stage → those that it reads from
    needs: dict[str, needs.Needs]
    folder: Path  # of logs and times


def changed_graph() -> Graph:
    """Return the stages of this folder's dvc.yaml that may have to run, each with those it reads from.

    Stages of other graphs are among them where these read their outputs.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            graph = repo.index.graph
            before = {stage.addressing: {s.addressing for s in graph.successors(stage)} for stage in graph}
            here = Path.cwd().resolve().relative_to(Path(repo.root_dir).resolve())
            own = [stage.addressing for stage in graph if Path(stage.path_in_repo).parent == here]
            left = affected(upstream(before, own), repo.status())
            needed = {s.addressing: needs_of(s, repo) for s in graph if s.addressing in left}
            return Graph(left, needed, Path(repo.root_dir) / ".dvc/tmp/run" / here)
    except DvcException as error:
        raise BadInput(f"dvc.yaml: {' '.join(str(error).split())}") from error


def needs_of(stage: "Stage", repo: "Repo") -> needs.Needs:
    """Return what a stage needs of the machine."""
    command = stage.cmd if isinstance(stage.cmd, str) else " && ".join(stage.cmd or ())
    deps = [os.path.relpath(dep.fs_path, repo.root_dir) for dep in stage.deps if dep.protocol == "local"]
    return needs.of(command, deps, settings(Path(stage.wdir) / "params.yaml"))


@cache
def settings(path: Path) -> dict[str, Any]:
    """Return a params.yaml as it is; the stages that read it say what is wrong with it."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def jobs_of(context: click.Context, option: click.Parameter, said: str | None) -> int | None:
    """Return `--jobs` as a number."""
    if said is None:
        return None
    if not said.strip().isdecimal() or int(said) < 1:
        raise BadInput(
            f"--jobs {said!r}: the number of stages at once must be 1 or more; leave it out for one a core"
        )
    return int(said)


def gpus_of(context: click.Context, option: click.Parameter, said: str | None) -> list[str]:
    """Return `--gpus` as a list of names."""
    if said is None:
        return workplace.visible_gpus()
    names = [name.strip() for name in said.split(",")]
    if not all(names) or len(set(names)) < len(names):
        raise BadInput(f"--gpus {said!r}: name each GPU once, as nvidia-smi numbers them: 0,1")
    return names


def log_name(stage: str) -> str:
    """Return the name of a stage's log: one of another folder's graph carries its path."""
    return f"{stage.replace('/', '_')}.log"


class Running(NamedTuple):
    """A stage that runs."""

    process: "subprocess.Popen[bytes]"
    slot: Slot
    since: float
    log: Path


class Run:
    """One run over a graph.

    Args:
        graph: what may have to run.
        jobs: stages at once.
        gpus: that stages may use, one each.
    """

    def __init__(self, graph: Graph, jobs: int, gpus: list[str]) -> None:
        self.graph, self.jobs, self.slots = graph, jobs, Slots(jobs, workplace.cores(), gpus)
        self.schedule = Schedule(graph.before)
        self.running: dict[str, Running] = {}
        self.begin = self.spoke = time.monotonic()
        self.times = graph.folder / "seconds.json"
        graph.folder.mkdir(parents=True, exist_ok=True)
        try:
            self.took: dict[str, float] = files.read_json(self.times)
        except BadInput:
            self.took = {}

    def seconds(self) -> dict[str, float]:
        """Return what each stage is expected to take; a verb that never ran as the mean of the others."""
        known = times.expected(self.graph.before, self.took)
        mean = fmean([one for one in known.values() if one is not None] or [1.0])
        return {stage: mean if one is None else one for stage, one in known.items()}

    def fill(self, place: workplace.Workplace) -> None:
        """Start what may start and has a slot."""
        expected = self.seconds()
        held_back = False  # a stage waits for GPUs; those that come free are for it
        for stage in self.schedule.ready(expected.__getitem__):
            model = self.graph.needs[stage].model
            slot = None if held_back and model else self.slots.take(self.graph.needs[stage])
            if slot is None:
                held_back |= model
                continue
            log = self.graph.folder / log_name(stage)
            self.running[stage] = Running(place.start(stage, slot, log), slot, time.monotonic(), log)
            self.schedule.begin(stage)

    def collect(self, place: workplace.Workplace) -> bool:
        """Take in the stages that have ended, and say so."""
        ended = [stage for stage, one in self.running.items() if one.process.poll() is not None]
        for stage in ended:
            one = self.running.pop(stage)
            place.ended(one.process)
            self.slots.give_back(one.slot)
            failed = one.process.returncode != 0
            self.schedule.end(stage, not failed)
            lines = one.log.read_text(errors="replace").splitlines()
            if not failed and any(line.startswith("Running stage ") for line in lines):
                self.took[stage] = round(time.monotonic() - one.since, 1)
                files.write_json(self.times, self.took)
            self.say(f"{stage}{' failed' if failed else ''}")
            said = lines if failed else own_lines(lines)
            click.echo("".join(f"  {line}\n" for line in said), nl=False)
        return bool(ended)

    def say(self, what: str) -> None:
        """Print one line on how far the run is."""
        self.spoke = time.monotonic()
        state = [f"{self.spoke - self.begin:.0f} s", self.schedule.state()]
        running = {stage: self.spoke - one.since for stage, one in self.running.items()}
        possible = self.schedule.possible()
        if possible or running:
            known = times.expected([*possible, *running], self.took)
            seconds = {stage: one or 0.0 for stage, one in known.items()}
            left, over = times.left(possible, running, seconds, self.jobs), None in known.values()
            if left or not over:
                state.append(f"{'over ' if over else ''}{times.spoken(left)} left")
        click.echo(f"[{', '.join(state)}] {what}")

    def whole(self, place: workplace.Workplace) -> None:
        """Run until nothing runs and nothing may start."""
        self.fill(place)
        while not self.schedule.finished():
            time.sleep(_POLL)
            if self.collect(place):
                self.fill(place)
            elif time.monotonic() - self.spoke > _SILENCE:
                self.say(f"running: {', '.join(self.running)}")


def preload(place: workplace.Workplace, graph: Graph, slots: Slots) -> None:
    """Have the imports of the graph's stages made once."""
    wanted = [one for one in graph.needs.values() if one.verb and not one.apart]
    refused = {f"stages.{one.verb}" for one in graph.needs.values() if one.verb and one.apart}
    modules = [f"stages.{verb}" for verb in sorted({one.verb for one in wanted if one.verb})]
    libraries = needs.LIBRARIES if any(one.model for one in wanted) else needs.LIBRARIES[:1]
    place.preload("dvc", workplace.DVC, slots.last(), set())
    place.preload("verbs", [*libraries, *modules], slots.last(), refused)


@click.command()
@click.option("--jobs", callback=jobs_of, help="Stages at once, 1 or more; by default one per core.")
@click.option(
    "--gpus", callback=gpus_of, help="GPUs for stages with a model, one each, such as 0,1; by default all."
)
def main(jobs: int | None, gpus: list[str]) -> None:
    """Run every stage that changed, several at once; a failing one stops only what depends on it."""
    graph = changed_graph()
    if not graph.before:
        return
    run = Run(graph, jobs or len(workplace.cores()), gpus)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # through the workplace's end
    with workplace.Workplace(graph.folder) as place:
        preload(place, graph, run.slots)
        run.whole(place)
    failed = run.schedule.failed
    if failed:
        raise BadInput(
            f"failed: {', '.join(sorted(failed))}; {len(run.schedule.skipped())} stages after them were not "
            f"run; see above, or {os.path.relpath(graph.folder)}"
        )


if __name__ == "__main__":
    main()
