"""Conclude a study: its tables, and of each claim whether it is supported, with interval and test."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stages import files, findings, params
from stages.errors import BadInput
from stages.grid import CUT, TARGET, Cut, Target
from stages.student import Train
from stages.teacher import client

if TYPE_CHECKING:
    from stages.findings import study


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    students: dict[str, Any]
    train: Train
    teacher: client.Config
    conclude: findings.Config


def read_cell(cells: Path, models: Path, student: str, target: Target | None, cut: Cut) -> "study.Cell":
    """Read one cell's scores, and what its training left beside the models."""
    from stages.findings import study
    from stages.tables import checks

    empty = study.Cell(student, target, cut, study.SCHEMA.empty_table(), None, "")
    stage = "score" if target else "score-base"
    path = cells / f"{empty.name}.parquet"
    table = files.read_table(path, stage, study.COLUMNS)
    cell = empty._replace(scores=checks.typed(table, study.SCHEMA, str(path)))
    if target is None:
        return cell
    folder = models / cell.name
    made = sorted(folder.glob("*/config.json"))
    if not made:
        raise BadInput(f"{folder}: no model in it; run `dvc repro train`")
    family = str(files.read_json(made[0]).get("model_type", "unknown"))
    return cell._replace(training=files.read_json(folder / "training.json"), family=family)


@click.command()
@click.option("--cells", type=click.Path(path_type=Path), required=True, help="Folder of scored cells.")
@click.option("--pools", type=click.Path(path_type=Path), required=True, help="Folder of the pools' JSON.")
@click.option(
    "--models", type=click.Path(path_type=Path), required=True, help="Folder of the cells' students."
)
@click.option(
    "--target", "targets", type=TARGET, multiple=True, required=True, help="Dex or strategy; repeat."
)
@click.option("--tokens", type=click.IntRange(min=1), multiple=True, required=True, help="Budget; repeat.")
@click.option("--cut", type=CUT, required=True, help="SHARExBUDGET of every cell.")
@click.option("--tables", type=click.Path(path_type=Path), required=True, help="Folder of tables to write.")
@click.option(
    "--headline", type=click.Path(path_type=Path), required=True, help="Markdown findings to write."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON findings to write.")
def main(
    cells: Path,
    pools: Path,
    models: Path,
    targets: tuple[Target, ...],
    tokens: tuple[int, ...],
    cut: Cut,
    tables: Path,
    headline: Path,
    out: Path,
) -> None:
    """Put a study's students into tables and test what is claimed of density-steered synthesis."""
    import pyarrow.parquet as pq

    from stages.findings import study, text
    from stages.findings import tables as concluding
    from stages.tables import figures

    p = params.load(Params)
    wanted = [None, *dict.fromkeys(targets)]
    read = [read_cell(cells, models, student, target, cut) for student in p.students for target in wanted]
    sizes = {str(target): files.read_json(pools / f"{target}.json") for target in wanted if target}
    panels = study.panels(read, sorted(set(tokens)), p.train.seeds, sizes)
    found = concluding.conclude(panels, read, p.conclude, p.seed)
    simulator = p.teacher.backend == "embedded"
    with files.replacing_folder(tables) as folder:
        for name, table in found.tables.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
            files.write_text(folder / f"{name}.csv", figures.to_csv(table))
    files.write_text(headline, text.findings(found, p.conclude.level, simulator))
    files.write_json(out, text.summarise(found, p.conclude.level, simulator))
    said = (f"{claim} {getattr(found, claim).verdict}" for claim in text.CLAIMS)
    click.echo(f"{out}: {len(read)} cells, {'; '.join(said)}")


if __name__ == "__main__":
    main()
