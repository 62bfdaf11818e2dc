"""What training one cell costs: tokens, operations, memory, hours and price, before it and after it."""

import itertools
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from stages import files
from stages.errors import BadInput
from stages.records import TrainingExample
from stages.student import footprint
from stages.student.config import Student, Train
from stages.student.devices import Device
from stages.student.footprint import Fit, Shape
from stages.student.live import LOGS
from stages.student.runs import Job, every_job, jobs

SAMPLE = 20_000  # rows of a training set that are tokenised; a smaller one wholly


class Terms(NamedTuple):
    """On what, and for how much."""

    device: Device
    gpus: int  # that share a model
    utilisation: float  # share of the peak, 0 … 1
    price: float | None  # USD per GPU and hour


class Cell(NamedTuple):
    """What is to be trained."""

    name: str  # of its folder
    student: Student
    base: Path
    data: Path
    budgets: tuple[int, ...]  # training tokens; empty leaves it to the steps
    config: Train


class Shown(NamedTuple):
    """What all of a cell's runs are shown together."""

    rows: int | None  # of the training set
    jobs: list[Job]
    tokens: int  # prompts included, padding not
    completion: float  # share of them that carries loss
    width: int  # tokens of the longest row
    note: str = ""  # how well that is known


class Cost(NamedTuple):
    """What a cell needs."""

    cell: str
    shown: Shown | None = None
    flops: float | None = None
    fit: Fit | None = None
    refused: str = ""  # why it cannot be trained so
    note: str = ""


def cost(cell: Cell, terms: Terms) -> Cost:
    """Return what training a cell needs; what cannot be trained or said is told in it."""
    try:
        shape = _shape(cell.base, cell.student)
    except BadInput as error:
        return Cost(cell.name, note=f"cannot be said: {error.message}")
    try:
        if shape.context is not None and cell.config.max_length > shape.context:
            asked = cell.config.max_length
            raise BadInput(f"train.max_length {asked}: the model knows {shape.context} positions; lower it")
        shown = seen(cell)
    except BadInput as error:
        return Cost(cell.name, refused=error.message)
    operations = footprint.flops(shape, shown.tokens, round(shown.tokens * shown.completion))
    student = cell.student
    if not terms.device.gpu:  # on a CPU a step is cut only as it is set
        rows, again = footprint.as_set(student, cell.config.batch, terms.gpus)
        student = student.model_copy(update={"device_batch": rows, "checkpointing": again})
    terms_of_step = (cell.config.batch, shown.width, terms.device, terms.gpus, shown.completion)
    try:
        fit = footprint.fitting(shape, student, *terms_of_step)
    except BadInput as error:
        return Cost(cell.name, shown, operations, refused=error.message, note=shown.note)
    return Cost(cell.name, shown, operations, fit, note=shown.note)


def seen(cell: Cell) -> Shown:
    """Return what a cell's runs are shown: exactly where the training set and the base are there.

    Raises:
        BadInput: the runs could not begin.
    """
    config, budgets = cell.config, cell.budgets
    asked = every_job(budgets, config)
    steps = len(config.seeds) * config.steps * config.batch  # rows shown where no budget is given
    if not (cell.data.exists() and (cell.base / "config.json").is_file()):
        tokens = len(config.seeds) * sum(budgets) if budgets else steps * config.max_length
        absent = cell.data if not cell.data.exists() else cell.base
        bound = "memory" if budgets else "tokens and memory"
        return Shown(None, asked, tokens, 1.0, config.max_length, f"{bound} at most: {absent} is not there")
    from stages.student import encoding, showing

    count = sum(pq.read_metadata(part).num_rows for part in files.parts(cell.data))
    with tempfile.TemporaryDirectory() as folder:
        batches = _first(files.stream_parquet(cell.data, TrainingExample), SAMPLE)
        rows = encoding.encode(batches, _tokenizer(cell.base), config.max_length, Path(folder))
        asked = jobs(budgets, config, rows)
        width, total = int(rows.lengths.max(initial=0)), int(rows.lengths.sum())
        if not total:
            raise BadInput(f"{cell.data}: no row to train on; no response was accepted at this budget")
        share = 1.0 - int(rows.starts.sum()) / total
        if budgets:
            return Shown(count, asked, sum(job.tokens or 0 for job in asked), share, width)
        if count > SAMPLE:
            note = f"tokens from the first {SAMPLE:,} of {count:,} rows"
            return Shown(count, asked, round(steps * total / len(rows)), share, width, note)
        orders = [showing.show(rows, config, job.seed) for job in asked]
        tokens = sum(order.tokens()[-1] for order in orders)
        return Shown(count, asked, tokens, sum(o.completion_tokens() for o in orders) / tokens, width)


def taken(cost: Cost) -> dict[str, Any] | None:
    """Return what the runs of a cell took by their logs, None where they left none."""
    paths = [
        LOGS / cost.cell / job.folder / "metrics.json" for job in (cost.shown.jobs if cost.shown else [])
    ]
    runs: list[Mapping[str, Any]] = [files.read_json(path) for path in paths if path.is_file()]
    runs = [run for run in runs if run.get("seconds")]
    if not runs:
        return None
    seconds, tokens = (sum(run[name] for run in runs) for name in ("seconds", "tokens"))
    used = [run["mfu"] * run["seconds"] for run in runs if run.get("mfu") is not None]
    return {
        "runs": len(runs),
        "hours": seconds / 3600,
        "tokens": tokens,
        "tokens_per_second": tokens / seconds,
        "mfu": sum(used) / seconds if len(used) == len(runs) else None,
        "peak_memory": max(run["peak_memory"] for run in runs),
    }


@cache
def _shape(base: Path, student: Student) -> Shape:
    """Return the shape of a student by its base, else by what is known of its model without it."""
    from transformers import AutoConfig

    from stages.student import presets

    known = {presets.student(name)["model"]: name for name in presets.NAMES}
    folder = base if (base / "config.json").is_file() else Path(student.model or base)
    if (folder / "config.json").is_file():
        try:
            config = AutoConfig.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError, KeyError) as error:
            raise BadInput(f"{folder}: not readable as a model's configuration: {error}") from error
    elif student.model in known:
        config = presets.config(known[student.model])
    else:
        raise BadInput(f"{base} is not there; build it with `dvc repro`")
    return footprint.shape(config, student.lora)


@cache
def _tokenizer(base: Path) -> Any:
    from stages.student import modelling

    return modelling.load_tokenizer(base)


def _first(batches: Any, count: int) -> Any:
    """Yield the first rows of batches, in batches."""
    rows = itertools.islice(itertools.chain.from_iterable(batches), count)
    while batch := list(itertools.islice(rows, files.BATCH)):
        yield batch
