"""Fine-tune one student on one training set: one model per token budget and training seed."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from stages import benchmarks, files, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.progress import Progress
from stages.records import BenchmarkItem, TrainingExample, TrainingLog
from stages.student import Student, Train, recording
from stages.student.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from stages.student import runs


class Params(params.Section):
    """What this verb reads of params.yaml."""

    students: dict[str, Student]
    train: Train
    benchmarks: benchmarks.Config


def fine_tune(
    base: Path,
    tokenizer: "PreTrainedTokenizerBase",
    rows: list[TrainingExample],
    out: Path,
    student: Student,
    name: str,
    config: Train,
    tokens: tuple[int, ...],
    items: list[BenchmarkItem],
) -> "list[runs.Trained]":
    """Train one cell's students and write them to the folder `out`."""
    from stages.student import encoding, modelling, processes, runs, tuning

    encoded = encoding.examples(rows, tokenizer, config.max_length)
    jobs = runs.jobs(tokens, config, encoded)
    questions = [row.question_id for row in rows]
    with files.replacing_folder(out) as folder:

        def run(job: runs.Job) -> runs.Trained:
            report = Progress(f"steps of {out.name} seed {job}")
            model, own = modelling.load(base)
            accuracy = recording.measure(own, items, config.probe) if config.probe else None
            done = tuning.tune(model, own, encoded, questions, config, student, job, report, accuracy)
            modelling.save(model, own, folder / job.folder)
            return done

        ordered = runs.longest_first(jobs)
        done = processes.each(run, ordered, "training seed", fork=not processes.cuda())
        trained = sorted(done, key=lambda one: jobs.index(one.job))
        files.write_json(folder / "training.json", runs.summary(name, rows, encoded, trained))
        files.write_parquet(folder / "log.parquet", runs.log(name, rows, trained), TrainingLog)
    return trained


@click.command()
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
    """Train STUDENT from BASE on each DATA, once per token budget and training seed, on all cores."""
    p = params.load(Params)
    student = p.students.get(name)
    if student is None:
        raise BadInput(f"params.yaml: students has no '{name}', only {', '.join(p.students)}")
    if len(sets) != len(outs):
        raise BadInput(f"--data is given {len(sets)} times, --out {len(outs)} times; give one for each")
    read_sets = [files.read_parquet(data, TrainingExample) for data in sets]
    for data, rows in zip(sets, read_sets, strict=True):
        if not rows:
            raise BadInput(f"{data}: no row to train on; no response was accepted at this budget")
    probe = p.train.probe
    items = recording.probed(read(p.benchmarks), probe) if probe else []
    quiet()
    import trl  # noqa: F401  paid once, here; the forked processes find it imported

    from stages.student import modelling

    tokenizer = modelling.load_tokenizer(base)
    modelling.load_libraries(base)
    for out, rows in zip(outs, read_sets, strict=True):
        trained = fine_tune(base, tokenizer, rows, out, student, name, p.train, tokens, items)
        loss = sum(one.run.final_loss for one in trained) / len(trained)
        budget = f"{', '.join(map(str, tokens))} tokens" if tokens else f"{p.train.steps} steps"
        click.echo(
            f"{out}: {len(p.train.seeds)} training seeds × {budget} on {len(rows)} rows, "
            f"final loss {loss:.3f} nats per token"
        )


if __name__ == "__main__":
    main()
