"""Train the models of one cell: side by side in forked processes, or one after another by all processes."""

import hashlib
import json
from contextlib import nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from stages import files
from stages.progress import Progress
from stages.records import BenchmarkItem, TrainingLog
from stages.student import (
    checkpoints,
    devices,
    exhaustion,
    footprint,
    launching,
    live,
    modelling,
    processes,
    recording,
    runs,
    tuning,
)
from stages.student.config import Student, Train
from stages.student.encoding import Rows

_LIBRARIES = ("accelerate", "numpy", "peft", "torch", "transformers", "trl")


class Cell(NamedTuple):
    """What is to be trained."""

    name: str  # of the student
    student: Student
    base: Path  # folder of its base model
    data: Path  # training set, Parquet
    rows: Rows  # the same, encoded
    config: Train
    jobs: list[runs.Job]
    items: list[BenchmarkItem]  # of the probe


def train(cell: Cell, out: Path) -> list[runs.Trained]:
    """Train the models of a cell and write them, when all are done, as the folder `out`.

    With `train.save_every` a run that was killed goes on from its newest checkpoint, and one that had ended
    is not run again.

    Args:
        cell: what is to be trained.
        out: replaced when everything is there.

    Raises:
        BadInput: a run failed, or the folder cannot be written.
    """
    keeps = _keeps(cell) if cell.config.save_every else {}
    with files.replacing_folder(out) if launching.rank() == 0 else nullcontext(Path()) as folder:

        def run(job: runs.Job) -> runs.Trained:
            return _run(cell, job, out.name, folder / job.folder, keeps.get(job))

        alone = not launching.launched() and not processes.cuda()
        ordered = runs.longest_first(cell.jobs)
        done = processes.each(run, ordered, "training seed", fork=alone)
        trained = sorted(done, key=lambda one: cell.jobs.index(one.job))
        if launching.rank() == 0:
            files.write_json(folder / "training.json", runs.summary(cell.name, cell.rows, trained))
            files.write_parquet(folder / "log.parquet", runs.log(cell.name, cell.rows, trained), TrainingLog)
    launching.wait()
    if launching.rank() == 0:
        for keep in keeps.values():
            checkpoints.discard(keep)
    return trained


def _run(cell: Cell, job: runs.Job, name: str, target: Path, keep: Path | None) -> runs.Trained:
    """Train one model and write it to the folder `target`, or take it from `keep` where that is done."""
    first = launching.rank() == 0
    trained = launching.from_first(lambda: checkpoints.finished(keep)) if keep else None
    if trained is None:
        model, tokenizer = modelling.load(cell.base, cell.student)
        config, probe = cell.config, cell.config.probe
        accuracy = recording.measure(tokenizer, cell.items, probe) if probe else None
        report = Progress(f"steps of {name} seed {job}") if first else _silent
        device, ranks = devices.here(), launching.ranks()
        shape = footprint.shape(model, cell.student.lora)
        with exhaustion.explained(model, shape, cell.rows, config, cell.student, device, ranks) as watcher:
            callbacks = [watcher]
            if first:
                tokens, prompts = int(cell.rows.lengths.sum()), int(cell.rows.starts.sum())
                each = footprint.flops(shape, tokens, tokens - prompts) / tokens
                callbacks.append(live.follow(live.LOGS / name / job.folder, device, each, ranks))
            trained, state = tuning.tune(
                model, tokenizer, cell.rows, config, cell.student, job, report, accuracy, callbacks, keep
            )
        if first:

            def save(folder: Path) -> None:
                modelling.save(model, tokenizer, folder, state)

            if keep:
                checkpoints.finish(keep, trained, save)
            else:
                save(target)
    if keep and first:
        checkpoints.take(keep, target)
    launching.wait()
    return trained


def _keeps(cell: Cell) -> dict[runs.Job, Path]:
    """Return where each job's checkpoints lie, by all that determines its outcome."""
    return launching.from_first(lambda: {job: checkpoints.folder(key) for job, key in _keys(cell)})


def _keys(cell: Cell) -> list[tuple[runs.Job, dict[str, Any]]]:
    settings = cell.config.model_dump(mode="json", exclude={"seeds", "save_every", "launch"})
    asked = json.dumps([item.model_dump(mode="json") for item in cell.items], sort_keys=True)
    key = {
        "base": checkpoints.fingerprint(cell.base),
        "data": checkpoints.fingerprint(cell.data),
        "student": cell.student.model_dump(mode="json"),
        "train": settings,
        "probe": hashlib.sha256(asked.encode()).hexdigest(),
        "ranks": launching.ranks(),
        "launch": checkpoints.fingerprint(cell.config.launch) if cell.config.launch else None,
        "code": {path.name: checkpoints.fingerprint(path) for path in Path(__file__).parent.glob("*.py")},
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    return [(job, {**key, "job": list(job)}) for job in cell.jobs]


def _silent(done: int, total: int) -> None:
    pass
