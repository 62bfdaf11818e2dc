"""How much sooner the DAG is built with several stages at once than by `dvc repro`, and if it is the same.

Two clones of this repository's HEAD, each with an empty cache and an empty response store, are built from
nothing: one by `dvc repro`, one by `python -m stages.run`. Their dvc.lock must agree in every hash, and `dvc
status` must find nothing to do. CPU seconds are those of all processes of a run.

    python benchmarks/cells_at_once.py --jobs 2
    python benchmarks/cells_at_once.py --jobs 2 --set train.steps=20   # shorter, and with less in its favour
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import click
import yaml

ROOT = Path(__file__).parents[1]


class Built(NamedTuple):
    """One build from nothing."""

    wall: float  # seconds
    cpu: float  # seconds
    lock: dict[str, dict[str, str]]  # stage → path → hash


@click.command()
@click.option("--jobs", default=len(os.sched_getaffinity(0)), show_default=True, help="Stages at once.")
@click.option(
    "--set", "changes", multiple=True, help="A setting of params.yaml, as train.steps=20; repeat it."
)
@click.option(
    "--graph", default=".", show_default=True, help="Folder of the dvc.yaml to build, such as studies/kdos."
)
@click.option(
    "--folder", type=click.Path(path_type=Path), help="For the two clones, to be kept; must not exist."
)
def main(jobs: int, changes: tuple[str, ...], graph: str, folder: Path | None) -> None:
    """Build the graph both ways and print a table."""
    with tempfile.TemporaryDirectory(prefix="seedbed-", ignore_cleanup_errors=True) as temporary:
        where = folder or Path(temporary)
        serial = build(where / "serial", changes, graph, [sys.executable, "-m", "dvc", "repro"])
        several = build(
            where / "several", changes, graph, [sys.executable, "-m", "stages.run", "--jobs", str(jobs)]
        )
    differing = [
        stage
        for stage in serial.lock.keys() | several.lock.keys()
        if serial.lock.get(stage) != several.lock.get(stage)
    ]
    print("| how | wall, s | CPU, s |\n|---|---|---|")
    print(f"| `dvc repro` | {serial.wall:.0f} | {serial.cpu:.0f} |")
    print(f"| `python -m stages.run --jobs {jobs}` | {several.wall:.0f} | {several.cpu:.0f} |")
    print(f"| ratio | {serial.wall / several.wall:.2f}× | {serial.cpu / several.cpu:.2f}× |")
    hashes = sum(map(len, serial.lock.values()))
    print(
        f"\n{len(serial.lock)} stages, {hashes} hashes in dvc.lock; "
        f"stages that differ: {', '.join(sorted(differing)) or 'none'}"
    )
    sys.exit(bool(differing))


def build(clone: Path, changes: tuple[str, ...], graph: str, command: list[str]) -> Built:
    """Clone the repository and build one graph of it from nothing."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    for lock in (clone / "dvc.lock", clone / graph / "dvc.lock"):
        lock.unlink(missing_ok=True)
    change(clone / graph / "params.yaml", changes)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(clone),
        "SEEDBED_STORE": str(clone.with_suffix(".sqlite")),
    }
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    log = clone.with_suffix(".log")
    with log.open("w") as out:
        done = subprocess.run(
            command, cwd=clone / graph, env=environment, stdout=out, stderr=subprocess.STDOUT, check=False
        )
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()[-2000:]}")
    status = subprocess.run(
        [sys.executable, "-m", "dvc", "status", "dvc.yaml"],
        cwd=clone / graph,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if "up to date" not in status:
        sys.exit(f"{' '.join(command)}: dvc status finds changes:\n{status}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Built(wall, cpu, hashes_in(clone / graph / "dvc.lock"))


def change(path: Path, changes: tuple[str, ...]) -> None:
    """Change settings of a params.yaml."""
    settings = yaml.safe_load(path.read_text())
    for name, value in (one.split("=", 1) for one in changes):
        *sections, last = name.split(".")
        inner = settings
        for section in sections:
            inner = inner[section]
        inner[last] = yaml.safe_load(value)
    if changes:
        path.write_text(yaml.safe_dump(settings, sort_keys=False))


def hashes_in(lock: Path) -> dict[str, dict[str, str]]:
    """Return the hash of every dependency and output of every stage of a dvc.lock."""
    stages = yaml.safe_load(lock.read_text())["stages"]
    return {
        name: {one["path"]: one["md5"] for one in [*stage.get("deps", ()), *stage.get("outs", ())]}
        for name, stage in stages.items()
    }


if __name__ == "__main__":
    main()
