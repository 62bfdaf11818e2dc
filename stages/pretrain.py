"""Make a student's base: pretrain a tiny one on article text, or fetch the one that params.yaml names."""

from pathlib import Path

import click

from stages import files, params
from stages.errors import BadInput
from stages.progress import Progress
from stages.records import Article
from stages.student import Student
from stages.student.quiet import quiet

_THREADS = 1  # fixed, so that the result does not depend on the machine's number of cores


class Params(params.Section):
    """What this verb reads of params.yaml."""

    seed: int
    students: dict[str, Student]


@click.command()
@click.option("--student", "name", required=True, help="Name of the student in params.yaml.")
@click.option(
    "--articles",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of articles, Parquet; a student made here reads them.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for model and tokenizer.")
def main(name: str, articles: Path, out: Path) -> None:
    """Write the base model of STUDENT: pretrained here, or copied from Hugging Face or a local folder."""
    p = params.load(Params)
    student = p.students.get(name)
    if student is None:
        raise BadInput(f"params.yaml: students has no '{name}', only {', '.join(p.students)}")
    rows = files.read_parquet(articles, Article) if student.make else []
    quiet(offline=student.make is not None)
    from stages.student import fetching, modelling, pretraining, tokenizing

    with files.replacing_folder(out) as folder:
        if student.make is None:
            model, tokenizer = fetching.fetch(student, folder)
            done = f"copied from {student.model}"
        else:
            import torch

            torch.set_num_threads(_THREADS)
            report = Progress(f"pretraining steps of {name}")
            model, tokenizer, done = pretraining.make_base(rows, student.make, p.seed, report)
            tokenizing.usable(tokenizer, student.prompt, f"student '{name}'")
            modelling.save(model, tokenizer, folder)
    size = modelling.sizes(model)
    active = size["active_parameters"]
    parameters = f"{size['parameters']:,} parameters" + (
        f", {active:,} of them active" if active < size["parameters"] else ""
    )
    click.echo(f"{out}: {parameters}, {len(tokenizer):,} tokens in the vocabulary, {done}")


if __name__ == "__main__":
    main()
