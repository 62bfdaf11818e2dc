"""Fine-tune one student on one training set: one model per token budget and training seed."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import Any

import click

from stages import benchmarks, files, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.records import BenchmarkItem, TrainingExample
from stages.student import Student, Train, launching, processes, recording
from stages.student.quiet import quiet


class Params(params.Section):
    """What this verb reads of params.yaml."""

    students: dict[str, Student]
    train: Train
    benchmarks: benchmarks.Config


class WithPlan(click.Command):
    """The verb, and its `plan`, which takes none of its options."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the verb or, where the first word says so, of its plan."""
        if args[:1] == ["plan"]:
            from stages.student.plan_command import plan

            return plan.make_context(f"{info_name} plan", args[1:], parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run whichever of the two the context is of."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


def fine_tune(
    student: Student,
    name: str,
    base: Path,
    sets: Sequence[Path],
    outs: Sequence[Path],
    tokens: Sequence[int],
    config: Train,
    items: list[BenchmarkItem],
    place: Path,
) -> None:
    """Train each set's students from `base` and write them; the encoded sets lie in `place` or go there."""
    quiet()
    import trl  # noqa: F401  paid once, here; the forked processes find it imported

    from stages.student import cells, encoding, live, modelling, runs

    tokenizer = modelling.load_tokenizer(base)
    modelling.load_libraries(base)
    live.preload()
    read = []
    for number, data in enumerate(sets):
        folder = place / f"rows-{number}"
        if not launching.launched():
            folder.mkdir()
            batches = files.stream_parquet(data, TrainingExample)
            encoding.encode(batches, tokenizer, config.max_length, folder)
        read.append(encoding.Rows(folder))
    planned = [runs.jobs(tokens, config, rows) for rows in read]
    if config.launch and not launching.launched():
        given = ["--student", name, "--base", str(base)]
        given += [word for data in sets for word in ("--data", str(data))]
        given += [word for out in outs for word in ("--out", str(out))]
        launching.launch(
            config.launch, "stages.train", [*given, *(f"--tokens={count}" for count in tokens)], place
        )
        return
    for data, out, rows, jobs in zip(sets, outs, read, planned, strict=True):
        trained = cells.train(cells.Cell(name, student, base, data, rows, config, jobs, items), out)
        if launching.rank() == 0:
            loss = sum(one.run.final_loss for one in trained) / len(trained)
            budget = f"{', '.join(map(str, tokens))} tokens" if tokens else f"{config.steps} steps"
            click.echo(
                f"{out}: {len(config.seeds)} training seeds × {budget} on {len(rows)} rows, "
                f"final loss {loss:.3f} nats per token"
            )


@click.command(cls=WithPlan)
@click.option("--student", "name", required=True, help="Name of the student in params.yaml.")
@click.option("--base", type=click.Path(path_type=Path), required=True, help="Folder of its base model.")
@click.option(
    "--data",
    "sets",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Training set, Parquet; repeat it, with an --out for each.",
)
@click.option(
    "--out",
    "outs",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Folder for seed-0, seed-1, …",
)
@click.option("--tokens", type=int, multiple=True, help="Training tokens to show; repeat it for several.")
def main(
    name: str, base: Path, sets: tuple[Path, ...], outs: tuple[Path, ...], tokens: tuple[int, ...]
) -> None:
    """Train STUDENT from BASE on each DATA, once per token budget and training seed, on all cores.

    `python -m stages.train plan` says what the cells of this folder's graph will need.
    """
    p = params.load(Params)
    student = p.students.get(name)
    if student is None:
        raise BadInput(f"params.yaml: students has no '{name}', only {', '.join(p.students)}")
    if len(sets) != len(outs):
        raise BadInput(f"--data is given {len(sets)} times, --out {len(outs)} times; give one for each")
    for data in sets:
        if not any(files.stream_parquet(data, TrainingExample)):
            raise BadInput(f"{data}: no row to train on; no response was accepted at this budget")
    probe = p.train.probe
    items = recording.probed(read(p.benchmarks), probe) if probe else []
    launched = launching.launched()
    works = launched or not p.train.launch  # else it only launches those that do
    if works and launching.ranks() == 1:
        processes.first_gpu()
    with ExitStack() as held:
        place = launching.place() if launched else Path(held.enter_context(tempfile.TemporaryDirectory()))
        held.enter_context(launching.member() if launched else nullcontext())
        if works and launching.rank() == 0:
            for out in outs:
                held.enter_context(files.exclusive(out))
        fine_tune(student, name, base, sets, outs, tokens, p.train, items, place)


if __name__ == "__main__":
    main()
