"""A project of a few quick stages under DVC: four cells between a first and a last stage."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

CELL = """
import json, os, signal, sys, time
from pathlib import Path
import yaml

said = dict(word.split("=", 1) for word in sys.argv[1:])
settings = yaml.safe_load(Path("params.yaml").read_text())
note = {"begin": time.monotonic(), "gpus": os.environ.get("CUDA_VISIBLE_DEVICES")}
note["cores"] = sorted(os.sched_getaffinity(0))
note["preloaded"] = "threadpoolctl" in sys.modules
name = said["name"]
print(name, "begins")
Path("notes").mkdir(exist_ok=True)
if name in "abcd":  # and not before another of them has begun
    (Path("notes") / f"{name}.begun").touch()
    while settings["meet"] and len(list(Path("notes").glob("*.begun"))) < 2:
        time.sleep(0.05)
time.sleep(settings["seconds"])
if name == settings["fails"]:
    sys.exit(f"{name} fails")
text = "".join(Path(path).read_text() for path in said.get("of", "").split(",") if path)
Path(said["out"]).write_text(text + f"{name}\\n")
note["end"] = time.monotonic()
(Path("notes") / f"{name}.json").write_text(json.dumps(note))
"""

GRAPH = """
stages:
  first:
    cmd: python -m stages.cell name=first out=first.txt
    deps: [stages/cell.py]
    params: [seconds]
    outs: [first.txt]
  train:
    matrix:
      cell: [a, b, c, d]
    cmd: python -m stages.cell name=${item.cell} of=first.txt out=${item.cell}.txt
    deps: [first.txt, stages/cell.py, stages/student]
    outs: [{"${item.cell}.txt": {cache: true}}]
  check:
    matrix:
      cell: [a, b, c, d]
    cmd: python -m stages.cell name=check-${item.cell} of=${item.cell}.txt out=check-${item.cell}.txt
    deps: ["${item.cell}.txt", stages/cell.py]
    outs: ["check-${item.cell}.txt"]
  last:
    cmd: python -m stages.cell name=last of=check-a.txt,check-b.txt,check-c.txt,check-d.txt out=last.txt
    deps: [check-a.txt, check-b.txt, check-c.txt, check-d.txt, stages/cell.py]
    outs: [last.txt]
"""


def make(folder: Path, seconds: float = 0.0, fails: str = "none", meet: bool = False) -> Path:
    """Write the project into `folder`.

    Args:
        folder: to be made.
        seconds: that each stage takes.
        fails: the cell that does.
        meet: no cell ends before another has begun.
    """
    folder.mkdir(parents=True)
    shutil.copytree(ROOT / "stages", folder / "stages", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "stages/cell.py").write_text(CELL)
    (folder / "dvc.yaml").write_text(GRAPH)
    (folder / ".dvcignore").write_text("__pycache__/\n")
    settle(folder, seconds=seconds, fails=fails, meet=meet)
    dvc(folder, "init", "--no-scm", "--quiet")
    return folder


def settle(folder: Path, seconds: float = 0.0, fails: str = "none", meet: bool = False) -> None:
    """Write the project's settings."""
    settings = {"seconds": seconds, "fails": fails, "meet": meet}
    (folder / "params.yaml").write_text(json.dumps(settings))


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which `python` is the tests' own and imports that project's stages."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(folder), "PATH": path, "DVC_NO_ANALYTICS": "1"}


def dvc(folder: Path, *words: str) -> str:
    """Run DVC there and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def start(folder: Path, *words: str) -> "subprocess.Popen[str]":
    """Start `python -m stages.run` there."""
    return subprocess.Popen(
        [sys.executable, "-m", "stages.run", *words],
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A shell's background job, and what it starts, ignores it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run(folder: Path, *words: str) -> tuple[int, str]:
    """Run it there to its end; return its status and what it printed."""
    process = start(folder, *words)
    printed, _ = process.communicate(timeout=300)
    return process.returncode, printed


def notes(folder: Path) -> dict[str, dict[str, object]]:
    """Return what each stage saw when it ran."""
    return {path.stem: json.loads(path.read_text()) for path in (folder / "notes").glob("*.json")}


def processes(folder: Path) -> list[str]:
    """Return the commands of processes that work in `folder` and have not ended."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder.resolve():
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return [one for one in found if one]
