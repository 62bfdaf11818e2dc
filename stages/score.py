"""Score one cell's students, or a base model, on the knowledge benchmarks."""

from pathlib import Path

import click

from stages import benchmarks, files, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.grid import CUT, TARGET, Cut, Target
from stages.progress import Progress
from stages.records import ItemScore
from stages.student import Score, scoring
from stages.student.quiet import quiet


class Params(params.Section):
    """What this verb reads of params.yaml."""

    score: Score
    benchmarks: benchmarks.Config


@click.command()
@click.option("--student", "name", required=True, help="Name of the student, for the rows.")
@click.option("--model", type=click.Path(path_type=Path), help="Folder of a cell's students, from train.")
@click.option("--base", type=click.Path(path_type=Path), help="Folder of a base model, from pretrain.")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Parquet, one row per seed and item."
)
@click.option("--target", type=TARGET, help="Target of the pool they must have been trained on.")
@click.option("--cut", type=CUT, help="Cut they must have been trained on, such as 0.25x4.")
def main(
    name: str, model: Path | None, base: Path | None, out: Path, target: Target | None, cut: Cut | None
) -> None:
    """Answer every benchmark item greedily; measure exact match and the reference answer's loss."""
    folder = model or base
    if folder is None or (model and base):
        raise BadInput("give either --model (a cell's students) or --base (a base model)")
    p = params.load(Params)
    items = read(p.benchmarks)
    cells = [scoring.BASE]
    if model:
        cells = scoring.cells(files.read_json(folder / "training.json"), str(folder), target, cut)
    quiet()
    from stages.student import modelling, processes

    modelling.load_libraries(folder / cells[0].folder)

    def run(cell: scoring.Cell) -> list[scoring.Answered]:
        student, tokenizer = modelling.load(folder / cell.folder)
        report = Progress(f"items of {folder.name} {cell.folder}")
        return scoring.answer_all(student, tokenizer, items, p.score, report)

    answered = processes.each(run, cells, "scoring", fork=not processes.cuda())
    rows = [
        row
        for cell, part in zip(cells, answered, strict=True)
        for row in scoring.rows(name, cell, items, part)
    ]
    files.write_parquet(out, rows, ItemScore)
    correct = sum(row.correct for row in rows) / max(1, len(rows))
    loss = sum(row.answer_loss for row in rows) / max(1, sum(row.answer_tokens for row in rows))
    click.echo(
        f"{out}: {len(cells)} models × {len(items)} items, "
        f"exact match {correct:.3f}, eval loss {loss:.3f} nats per answer token"
    )


if __name__ == "__main__":
    main()
