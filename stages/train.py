"""Fine-tune one student on one training set: one model per token budget and training seed."""

from pathlib import Path

import click

from stages import benchmarks, files, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.progress import Progress
from stages.records import TrainingExample, TrainingLog
from stages.student import Student, Train, recording
from stages.student.quiet import quiet


class Params(params.Section):
    """What this verb reads of params.yaml."""

    students: dict[str, Student]
    train: Train
    benchmarks: benchmarks.Config


@click.command()
@click.option("--student", "name", required=True, help="Name of the student in params.yaml.")
@click.option("--base", type=click.Path(path_type=Path), required=True, help="Folder of its base model.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Training set, Parquet.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for seed-0, seed-1, …")
@click.option("--tokens", type=int, multiple=True, help="Training tokens to show; repeat it for several.")
def main(name: str, base: Path, data: Path, out: Path, tokens: tuple[int, ...]) -> None:
    """Train STUDENT from BASE on DATA, once per token budget and training seed, on all cores."""
    p = params.load(Params)
    student = p.students.get(name)
    if student is None:
        raise BadInput(f"params.yaml: students has no '{name}', only {', '.join(p.students)}")
    rows = files.read_parquet(data, TrainingExample)
    if not rows:
        raise BadInput(f"{data}: no row to train on; no response was accepted at this budget")
    probe = p.train.probe
    items = recording.probed(read(p.benchmarks), probe) if probe else []
    quiet()
    import trl  # noqa: F401  paid once, here; the forked processes find it imported

    from stages.student import encoding, modelling, processes, runs, tuning

    tokenizer = modelling.load_tokenizer(base)
    encoded = encoding.examples(rows, tokenizer, p.train.max_length)
    jobs = runs.jobs(tokens, p.train, encoded)
    modelling.load_libraries(base)
    questions = [row.question_id for row in rows]

    with files.replacing_folder(out) as folder:

        def run(job: runs.Job) -> runs.Trained:
            report = Progress(f"steps of {out.name} seed {job}")
            model, own = modelling.load(base)
            accuracy = recording.measure(own, items, probe) if probe else None
            done = tuning.tune(model, own, encoded, questions, p.train, student, job, report, accuracy)
            modelling.save(model, own, folder / job.folder)
            return done

        ordered = runs.longest_first(jobs)
        done = processes.each(run, ordered, "training seed", fork=not processes.cuda())
        trained = sorted(done, key=lambda one: jobs.index(one.job))
        files.write_json(folder / "training.json", runs.summary(name, rows, encoded, trained))
        files.write_parquet(folder / "log.parquet", runs.log(name, rows, trained), TrainingLog)
    loss = sum(one.run.final_loss for one in trained) / len(trained)
    budget = f"{', '.join(map(str, tokens))} tokens" if tokens else f"{p.train.steps} steps"
    click.echo(
        f"{out}: {len(p.train.seeds)} training seeds × {budget} on {len(rows)} rows, "
        f"final loss {loss:.3f} nats per token"
    )


if __name__ == "__main__":
    main()
