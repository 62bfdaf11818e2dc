"""Compare the cells: DuckDB tables, matched-budget comparisons, the headline and the summary."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import Field

from stages import files, params
from stages.grid import CUT, Cut, cell_name, distinct
from stages.records import ItemScore
from stages.teacher import client

if TYPE_CHECKING:
    import pyarrow as pa


class Params(params.Section):
    """What this verb reads from params.yaml."""

    budget: int = Field(ge=1)
    densities: list[float]
    students: dict[str, Any]
    teacher: client.Config


def read_scores(path: Path, stage: str) -> "pa.Table":
    """Read a cell's scores as an Arrow table with exactly the columns and types of `ItemScore`."""
    from stages.tables import checks

    schema = ItemScore.arrow_schema()
    return checks.typed(files.read_table(path, stage, schema.names), schema, str(path), stage)


@click.command()
@click.option("--cells", type=click.Path(path_type=Path), required=True, help="Folder of scored cells.")
@click.option("--cut", "cuts", type=CUT, multiple=True, required=True, help="SHARExBUDGET; repeat it.")
@click.option("--responses", type=click.Path(path_type=Path), required=True, help="Folder of the ledgers.")
@click.option("--laws", type=click.Path(path_type=Path), required=True, help="The laws' JSON, from fit.")
@click.option("--tables", type=click.Path(path_type=Path), required=True, help="Folder of tables to write.")
@click.option("--headline", type=click.Path(path_type=Path), required=True, help="Markdown table to write.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON summary to write.")
def main(
    cells: Path, cuts: tuple[Cut, ...], responses: Path, laws: Path, tables: Path, headline: Path, out: Path
) -> None:
    """Put every student of the grid into tables; compare those with equal sample budgets."""
    import pyarrow.parquet as pq

    from stages.tables import checks, figures, query
    from stages.tables import headline as headlines
    from stages.tables import summary as summaries

    p = params.load(Params)
    fitted = files.read_json(laws)
    grid = [
        checks.Cell(student, density, cut, read_scores(cells / f"{name}.parquet", stage))
        for student in p.students
        for density, cut, name, stage in [
            (None, None, f"{student}-base", "score-base"),
            *((d, c, cell_name(student, d, c), "score") for d in p.densities for c in distinct(cuts)),
        ]
    ]
    built = query.build(grid, [responses / f"{density}.parquet" for density in p.densities])
    rows = {name: table.to_pylist() for name, table in built.items()}
    simulator = p.teacher.backend == "embedded"
    figured = summaries.summarise(rows, fitted, p.budget, simulator)
    text = headlines.headline(rows, fitted, p.budget, simulator)
    with files.replacing_folder(tables) as folder:
        for name, table in built.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
            files.write_text(folder / f"{name}.csv", figures.to_csv(table))
    files.write_text(headline, text)
    files.write_json(out, figured)
    click.echo(f"{tables}: {len(grid)} cells, {len(rows['matched_budget'])} pairs of cuts with equal N")


if __name__ == "__main__":
    main()
