"""Score one cell's students, or a base model, on the knowledge benchmarks."""

from functools import partial
from pathlib import Path

import click

from stages import benchmarks, files, params
from stages.benchmarks.reading import read
from stages.errors import BadInput
from stages.grid import CUT, DOMAINS, TARGET, Cut, Target
from stages.progress import Progress
from stages.records import ItemScore
from stages.student import Score, answering, coordinates, scoring
from stages.student.quiet import quiet


class Params(params.Section):
    """What this verb reads of params.yaml."""

    score: Score
    benchmarks: benchmarks.Config


@click.command()
@click.option("--student", "name", required=True, help="Name of the student, for the rows.")
@click.option(
    "--model",
    "models",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Folder of a cell's students, from train; repeat it, with an --out for each.",
)
@click.option("--base", type=click.Path(path_type=Path), help="Folder of a base model, from pretrain.")
@click.option(
    "--out",
    "outs",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Parquet, one row per seed and item.",
)
@click.option("--target", type=TARGET, help="Target of the pool they must have been trained on.")
@click.option(
    "--cut", "cuts", type=CUT, multiple=True, help="Cut each must have been trained on, such as 0.25x4."
)
@click.option("--domain", type=click.Choice(DOMAINS), help="Score this domain's benchmarks alone.")
def main(
    name: str,
    models: tuple[Path, ...],
    base: Path | None,
    outs: tuple[Path, ...],
    target: Target | None,
    cuts: tuple[Cut, ...],
    domain: str | None,
) -> None:
    """Answer every benchmark item greedily; measure exact match and the reference answer's loss."""
    folders = [base] if base else list(models)
    if not folders or (models and base):
        raise BadInput("give either --model (a cell's students) or --base (a base model)")
    if len(outs) != len(folders) or (cuts and len(cuts) != len(models)):
        raise BadInput(
            f"{len(folders)} models, {len(outs)} times --out and {len(cuts)} times --cut; give one for each"
        )
    p = params.load(Params)
    items = read(p.benchmarks, domain)
    quiet()
    for folder, out, cut in zip(folders, outs, cuts or [None] * len(folders), strict=True):
        cells = [coordinates.BASE]
        if not base:
            training = files.read_json(folder / "training.json")
            cells = coordinates.cells(training, str(folder), target, cut)
        answers = answering.answer(folder, cells, items, p.score, partial(_progress, folder.name))
        rows = [
            row
            for cell, answered in zip(cells, answers, strict=True)
            for row in scoring.rows(name, cell, items, answered)
        ]
        files.write_parquet(out, rows, ItemScore)
        correct = sum(row.correct for row in rows) / max(1, len(rows))
        loss = sum(row.answer_loss for row in rows) / max(1, sum(row.answer_tokens for row in rows))
        click.echo(
            f"{out}: {len(cells)} models × {len(items)} items, "
            f"exact match {correct:.3f}, eval loss {loss:.3f} nats per answer token"
        )


def _progress(folder: str, model: str) -> Progress:
    return Progress(f"items of {folder} {model}")


if __name__ == "__main__":
    main()
