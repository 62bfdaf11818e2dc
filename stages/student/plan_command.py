"""`python -m stages.train plan`: what training the cells of this graph will need, before it is paid for."""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import click

from stages import params
from stages.errors import BadInput
from stages.student import costing, devices
from stages.student.config import Student, Train
from stages.student.costing import Cost, Terms
from stages.student.memory import GIB, Footprint
from stages.student.quiet import quiet


class Params(params.Section):
    """What the plan reads of params.yaml."""

    students: dict[str, Student]
    train: Train


class Stage(NamedTuple):
    """A stage that trains: one or several cells of one student."""

    name: str
    student: str
    base: Path
    cells: list[tuple[Path, Path]]  # training set and output folder
    tokens: tuple[int, ...]  # budgets


# The options of the verb, so far as the plan reads them.
_TRAIN = click.Command(
    "train",
    params=[
        click.Option(["--student"], required=True),
        click.Option(["--base"], type=click.Path(path_type=Path), required=True),
        click.Option(["--data"], type=click.Path(path_type=Path), multiple=True),
        click.Option(["--out"], type=click.Path(path_type=Path), multiple=True),
        click.Option(["--tokens"], type=int, multiple=True),
    ],
)


def stages() -> list[Stage]:
    """Return the stages of this folder's graph that train, in its order.

    Raises:
        BadInput: no graph here, or DVC cannot read it.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            here = Path.cwd().resolve()
            found = [s for s in repo.index.stages if s.cmd and Path(s.wdir).resolve() == here]
            return [_stage(s.addressing, s.cmd) for s in found if s.cmd.startswith("python -m stages.train ")]
    except DvcException as error:
        raise BadInput(f"dvc.yaml: {' '.join(str(error).split())}") from error


def _stage(name: str, command: str) -> Stage:
    given = _TRAIN.make_context(name, shlex.split(command)[3:]).params
    cells = list(zip(given["data"], given["out"], strict=False))
    return Stage(name, given["student"], given["base"], cells, given["tokens"])


@click.command()
@click.option("--stage", "only", multiple=True, help="A stage, NAME or NAME@CELL; repeat it. All by default.")
@click.option("--gpu", help=f"What to train on: {', '.join(devices.NAMES)}.  [default: what is here]")
@click.option("--gpus", type=click.IntRange(min=1), default=1, show_default=True, help="That share a model.")
@click.option(
    "--utilisation",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="Share of the GPUs' peak that the model's operations reach (MFU).",
)
@click.option("--price", type=click.FloatRange(min=0), help="USD per GPU and hour; unknown without it.")
@click.option("--measured", "beside", is_flag=True, help="Also what the runs took, where they left logs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def plan(
    only: tuple[str, ...],
    gpu: str | None,
    gpus: int,
    utilisation: float,
    price: float | None,
    beside: bool,
    as_json: bool,
) -> None:
    """Say what training will need, cell by cell: tokens, operations, memory, hours and price."""
    p = params.load(Params)
    known = stages()
    chosen = [s for s in known if not only or s.name in only or s.name.split("@")[0] in only]
    if not chosen:
        names = ", ".join(dict.fromkeys(s.name.split("@")[0] for s in known)) or "none"
        raise BadInput(f"--stage {', '.join(only) or 'all'}: no such stage trains; there are: {names}")
    quiet()
    device = devices.named(gpu) if gpu else devices.here()
    terms = Terms(device, gpus, utilisation, price)
    rows = []
    for number, stage in enumerate(chosen, 1):
        click.echo(f"[{number} of {len(chosen)}] {stage.name}", err=True)
        student = p.students.get(stage.student)
        if student is None:
            raise BadInput(f"params.yaml: students has no '{stage.student}', which {stage.name} trains")
        for data, out in stage.cells:
            cell = costing.Cell(out.name, student, stage.base, data, stage.tokens, p.train)
            rows.append(costing.cost(cell, terms))
    document = _document(rows, terms, beside)
    click.echo(json.dumps(document, indent=2) if as_json else _table(document))
    refused = [row for row in rows if row.refused]
    if refused:
        raise BadInput(
            f"{len(refused)} of {len(rows)} cells cannot be trained so; the first, {refused[0].cell}: "
            f"{refused[0].refused}"
        )


def _document(costs: Sequence[Cost], terms: Terms, measured: bool = False) -> dict[str, Any]:
    """Return the plan as plain columns.

    Args:
        costs: of the cells.
        terms: they were planned under.
        measured: also what their runs took, where they left logs.
    """
    rows = [_row(cost, terms) | ({"measured": costing.taken(cost)} if measured else {}) for cost in costs]
    sums = ("models", "tokens", "flops", "hours", "usd")
    return {
        "device": terms.device.name,
        "memory": terms.device.memory,
        "peak": terms.device.peak,
        "gpus": terms.gpus,
        "utilisation": terms.utilisation,
        "price": terms.price,
        "cells": rows,
        "total": {name: _sum([row[name] for row in rows]) for name in sums},
    }


def _row(cost: Cost, terms: Terms) -> dict[str, Any]:
    hours = usd = None
    if cost.flops is not None and terms.device.peak is not None and not cost.refused:
        hours = cost.flops / (terms.device.peak * terms.utilisation * terms.gpus) / 3600
        usd = hours * terms.gpus * terms.price if terms.price is not None else None
    parts = cost.fit.footprint._asdict() if cost.fit else dict.fromkeys(Footprint._fields)
    return {
        "cell": cost.cell,
        "models": len(cost.shown.jobs) if cost.shown else None,
        "rows": cost.shown.rows if cost.shown else None,
        "tokens": cost.shown.tokens if cost.shown else None,
        "flops": cost.flops,
        "device_batch": cost.fit.rows if cost.fit else None,
        "checkpointing": cost.fit.checkpointing if cost.fit else None,
        "memory": {**parts, "total": cost.fit.footprint.total if cost.fit else None},
        "hours": hours,
        "usd": usd,
        "refused": cost.refused,
        "note": cost.note,
    }


def _table(document: Mapping[str, Any]) -> str:
    """Return a plan as Markdown that also reads in a terminal."""
    from stages.tables.grids import Grid, markdown

    beside = any("measured" in row for row in document["cells"])
    took = ("took, hours", "tokens/s", "MFU", "peak, GiB") if beside else ()
    head = ("cell", "models", "rows", "tokens", "FLOP", "at once", *Footprint._fields, "GiB", "hours", "USD")
    lines = [(*_line(row, beside), row["refused"] or row["note"]) for row in document["cells"]]
    none = dict.fromkeys(("rows", "device_batch", "checkpointing", "measured"))
    lines.append((*_line({**none, "cell": "all", "memory": {}, **document["total"]}, beside), ""))
    peak = document["peak"]
    return markdown(
        Grid(
            title=f"What training would need on {document['gpus']} × {document['device']}",
            head=(*head, *took, "note"),
            rows=lines,
            note=(
                "Tokens shown by all of a cell's models together, prompts included. FLOP: 6·N·D, N the "
                "parameters that a token meets, the LM head for completion tokens only; frozen weights 4·N. "
                "At once: rows on a device, c where activations are recomputed. Memory per device and model "
                f"in GiB, at most, of {document['memory'] / GIB:.4g}. "
                + (
                    f"Hours of one model after the other at {100 * document['utilisation']:g} % of "
                    f"{peak / 1e12:g} TFLOP/s each"
                    if peak
                    else "Hours: – because the peak of this device is not known"
                )
                + ("; USD: – without --price." if document["price"] is None else ".")
                + (" Peak: on a CPU the whole process, libraries included." if beside else "")
            ),
            texts=1,
        )
    )


def _line(row: Mapping[str, Any], beside: bool) -> tuple[str, ...]:
    rows = row["device_batch"]
    at_once = "–" if rows is None else f"{rows}{' c' if row['checkpointing'] else ''}"
    memory = [_gib(row["memory"].get(name)) for name in (*Footprint._fields, "total")]
    line = (
        row["cell"], *(_figure(row[name], ",") for name in ("models", "rows", "tokens")),
        _figure(row["flops"], ".3g"), at_once, *memory,
        _figure(row["hours"], ",.3g"), _figure(row["usd"], ",.2f"),
    )  # fmt: skip
    if not beside:
        return line
    took = row["measured"] or {}
    figures = (("hours", ",.3g"), ("tokens_per_second", ",.0f"), ("mfu", ".1%"))
    return (*line, *(_figure(took.get(name), form) for name, form in figures), _gib(took.get("peak_memory")))


def _gib(size: int | None) -> str:
    return _figure(None if size is None else size / GIB, ".3g")


def _figure(value: float | None, form: str) -> str:
    return "–" if value is None else f"{value:{form}}"


def _sum(values: Sequence[Any]) -> Any:
    """Return a sum, None where a part of it is not known."""
    return None if not values or None in values else sum(values)
