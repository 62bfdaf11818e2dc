"""Fine-tune one student on one training set: one model per training seed, the same steps in every cell."""

from pathlib import Path

import click

from stages import files, params
from stages.errors import BadInput
from stages.progress import Progress
from stages.records import TrainingExample
from stages.student import Student, Train
from stages.student.quiet import quiet


class Params(params.Section):
    """What this verb reads of params.yaml."""

    students: dict[str, Student]
    train: Train


@click.command()
@click.option("--student", "name", required=True, help="Name of the student in params.yaml.")
@click.option("--base", type=click.Path(path_type=Path), required=True, help="Folder of its base model.")
@click.option("--data", type=click.Path(path_type=Path), required=True, help="Training set, Parquet.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for seed-0, seed-1, …")
def main(name: str, base: Path, data: Path, out: Path) -> None:
    """Train STUDENT from BASE on DATA, once per training seed, on all cores."""
    p = params.load(Params)
    student = p.students.get(name)
    if student is None:
        raise BadInput(f"params.yaml: students has no '{name}', only {', '.join(p.students)}")
    rows = files.read_parquet(data, TrainingExample)
    if not rows:
        raise BadInput(f"{data}: no row to train on; no response was accepted at this budget")
    quiet()
    import trl  # noqa: F401  paid once, here; the forked processes find it imported

    from stages.student import encoding, modelling, processes, tuning

    tokenizer = modelling.load_tokenizer(base)
    encoded = encoding.examples(rows, tokenizer, p.train.max_length)
    modelling.load_libraries(base)
    questions = [row.question_id for row in rows]

    with files.replacing_folder(out) as folder:

        def run(seed: int) -> tuning.Run:
            report = Progress(f"steps of {out.name} seed {seed}")
            model, own = modelling.load(base)
            ran = tuning.tune(model, own, encoded, questions, p.train, student, seed, report)
            modelling.save(model, own, folder / f"seed-{seed}")
            return ran

        runs = processes.each(run, p.train.seeds, "training seed", fork=not processes.cuda())
        files.write_json(folder / "training.json", tuning.summary(name, rows, encoded, runs))
    loss = sum(ran.final_loss for ran in runs) / len(runs)
    done = f"{len(runs)} training seeds × {p.train.steps} steps on {len(rows)} rows"
    click.echo(f"{out}: {done}, final loss {loss:.3f} nats per token")


if __name__ == "__main__":
    main()
