"""Fit the scaling laws below the highest response budget and hold their forecasts against it."""

from pathlib import Path
from typing import Any

import click
from pydantic import Field

from stages import files, laws, params
from stages.errors import BadInput
from stages.grid import CUT, Cut, cell_name, distinct
from stages.laws import panel


class Params(params.Section):
    """What the stage reads of params.yaml."""

    budget: int = Field(ge=1)
    densities: list[float]
    students: dict[str, Any]
    fit: laws.Config


def read_curve(cells: Path, student: str, density: float, cuts: list[Cut]) -> panel.Curve:
    """Read one student's eval losses on one density, and its untrained loss."""
    from stages.laws import measure

    def losses(name: str, cell: measure.Cell, stage: str) -> list[measure.Point]:
        path = cells / f"{name}.parquet"
        return measure.eval_losses(files.read_table(path, stage, measure.SCORE_COLUMNS), str(path), cell)

    base = losses(f"{student}-base", measure.Cell(student, None, None, 0), "score-base")
    points = []
    for cut in cuts:
        cell = measure.Cell(student, density, cut.share, cut.budget)
        points += losses(cell_name(student, density, cut), cell, "score")
    return panel.Curve({"student": student, "density": density}, base[0].loss, points)


@click.command()
@click.option("--cells", type=click.Path(path_type=Path), required=True, help="Folder of scored cells.")
@click.option("--cut", "cuts", type=CUT, multiple=True, required=True, help="SHARExBUDGET; repeat it.")
@click.option("--responses", type=click.Path(path_type=Path), required=True, help="Folder of the ledgers.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file of the fits.")
@click.option("--curves", type=click.Path(path_type=Path), required=True, help="CSV file of curves to plot.")
def main(cells: Path, cuts: tuple[Cut, ...], responses: Path, out: Path, curves: Path) -> None:
    """Fit on the cuts with share 1 below `budget`; predict the cut at `budget`."""
    p = params.load(Params)
    whole = sorted(c for c in distinct(cuts) if c.share == 1 and c.budget <= p.budget)
    if Cut(1.0, p.budget) not in whole:
        raise BadInput(f"--cut: no 1x{p.budget} to hold the laws against; add it, or set `budget`")
    if len(whole) < 3:
        raise BadInput(f"--cut: {len(whole)} budgets up to {p.budget}, the laws need 3; raise `budget`")
    from stages.laws import measure

    ledgers = []
    for density in p.densities:
        path = responses / f"{density}.parquet"
        ledger = files.read_table(path, "respond", measure.LEDGER_COLUMNS)
        tallies = {cut.budget: measure.tallies(ledger, cut.budget, str(path)) for cut in whole[-2:]}
        ledgers.append(panel.Ledger({"density": density}, tallies))
    measured = [
        read_curve(cells, student, density, whole) for student in p.students for density in p.densities
    ]
    document, rows = panel.study(measured, ledgers, p.budget, p.fit)
    files.write_json(out, document)
    files.write_text(curves, panel.to_csv(rows))
    click.echo(f"{out}: {panel.headline(document)}")


if __name__ == "__main__":
    main()
