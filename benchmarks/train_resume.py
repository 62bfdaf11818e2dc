"""Kill a training at random steps and compare its end with that of one that nothing stopped.

    python benchmarks/train_resume.py --student tiny --base models/base/tiny \\
        --data datasets/train/4.3-1x4.parquet --kills 5

Run it from a folder with params.yaml. It trains one seed in a folder of its own, with a checkpoint every
--every steps: unbroken, then killed (SIGKILL) at --kills random steps and started again each time. It prints
the step of each kill, the losses of both, and whether all bytes of both outcomes agree.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import yaml

from stages import files
from stages.records import TrainingLog

ROOT = Path(__file__).parents[1]


def start(folder: Path, out: str, flags: list[str]) -> subprocess.Popen[bytes]:
    """Start one training that logs into `folder`."""
    command = [sys.executable, "-m", "stages.train", *flags, "--out", out]
    return subprocess.Popen(
        command, cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )


def steps_done(folder: Path, out: str) -> int:
    """Return the last step that a run has logged, 0 where it has not begun."""
    try:
        (found,) = (folder / "logs" / "train" / out).glob("*/metrics.json")
        return int(json.loads(found.read_text())["step"])
    except (ValueError, KeyError, OSError):
        return 0


@click.command()
@click.option("--student", required=True, help="Name of the student in params.yaml.")
@click.option("--base", type=click.Path(exists=True, path_type=Path), required=True, help="Its base model.")
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Training set.")
@click.option("--kills", default=5, show_default=True, help="How often it is killed.")
@click.option("--every", default=7, show_default=True, help="Steps between checkpoints.")
@click.option("--seed", default=0, show_default=True, help="Of the moments.")
def main(student: str, base: Path, data: Path, kills: int, every: int, seed: int) -> None:
    """Train unbroken and killed again and again, and say whether both end alike."""
    settings = yaml.safe_load(Path("params.yaml").read_text())
    settings["train"] |= {"seeds": settings["train"]["seeds"][:1], "save_every": every, "launch": None}
    benchmarks = settings["benchmarks"]
    benchmarks["folder"] = str(Path(benchmarks["folder"]).resolve())
    flags = ["--student", student, "--base", str(base.resolve()), "--data", str(data.resolve())]
    generator = random.Random(seed)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "params.yaml").write_text(yaml.safe_dump(settings))
        if start(folder, "unbroken", flags).wait():
            raise SystemExit("the unbroken run failed")
        total = settings["train"]["steps"]
        for at in sorted(generator.sample(range(1, total), kills)):
            process = start(folder, "killed", flags)
            while steps_done(folder, "killed") < at and process.poll() is None:
                time.sleep(0.002)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            click.echo(f"killed at step {steps_done(folder, 'killed')} of {total}")
            shutil.rmtree(folder / "logs" / "train" / "killed", ignore_errors=True)
        if start(folder, "killed", flags).wait():
            raise SystemExit("the killed run did not end")
        outcomes = [folder / name for name in ("unbroken", "killed")]
        click.echo("| run | first loss | final loss | logged steps | steps, time they took |")
        click.echo("|---|---|---|---|---|")
        for out in outcomes:
            run = files.read_json(out / "training.json")["runs"][0]
            logged = files.read_parquet(out / "log.parquet", TrainingLog)
            took = json.loads(next((folder / "logs/train" / out.name).glob("*/metrics.json")).read_text())
            click.echo(
                f"| {out.name} | {run['first_loss']!r} | {run['final_loss']!r} | {len(logged)} | "
                f"{took['steps']}, {took['seconds']:.1f} s |"
            )
        names = [{p.relative_to(out) for p in out.rglob("*") if p.is_file()} for out in outcomes]
        same = names[0] == names[1] and all(
            (outcomes[0] / name).read_bytes() == (outcomes[1] / name).read_bytes() for name in names[0]
        )
        click.echo(f"all {len(names[0])} files agree to the byte: {'yes' if same else 'NO'}")
        raise SystemExit(not same)


if __name__ == "__main__":
    main()
