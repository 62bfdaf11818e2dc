"""Back-test every law on published curves; derive from them how wide a calibrated interval must be."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import click

from stages import files
from stages.errors import BadInput
from stages.progress import Progress


def each(work: Callable[..., Any], what: str, *arguments: Sequence[Any]) -> list[Any]:
    """Return the work of every item, in order, on all cores; their number changes nothing."""
    from stages.student.processes import cores

    progress = Progress(what)
    found = []
    with ProcessPoolExecutor(cores(), multiprocessing.get_context("fork")) as pool:
        for done in pool.map(work, *arguments):
            found.append(done)
            progress(len(found), len(arguments[0]))
    return found


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write rows as CSV at 4 significant digits: a loose parameter's fifth differs between machines."""
    import pyarrow as pa

    from stages.tables import figures

    files.write_text(path, figures.to_csv(figures.rounded(pa.Table.from_pylist(rows), 4)))


def read_curves(path: Path) -> Any:
    """Read a file of published curves; its name is that of the data set."""
    from stages.laws import published

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: not readable as CSV: {error}; give a file of curves") from error
    return published.read(text, path.stem, str(path))


def coverage_tables(draws: Path | None, ledgers: int) -> dict[str, list[dict[str, Any]]]:
    """Return how well the coverage law does on simulated ledgers and on published draws."""
    from stages.laws import simulation

    tables: dict[str, list[dict[str, Any]]] = {}
    if ledgers:
        parts = simulation.batches(ledgers)
        found = each(simulation.simulate, "batches of ledgers", *zip(*parts, strict=True))
        tables["coverage"] = simulation.summaries(parts, found)
    if draws:
        solved, total = simulation.successes(files.read_table(draws, "backtest"), str(draws))
        told = each(simulation.foretell, "models", list(solved), list(solved.values()), [total] * len(solved))
        tables["unsolved"] = simulation.foretold([row for rows in told for row in rows])
    return tables


@click.command()
@click.option(
    "--curves", type=click.Path(path_type=Path), multiple=True, required=True, help="CSV; repeat it."
)
@click.option("--draws", type=click.Path(path_type=Path), help="Parquet of success counts per problem.")
@click.option("--ledgers", type=click.IntRange(min=0), default=0, help="Ledgers to simulate of each setting.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the tables.")
@click.option("--calibration", type=click.Path(path_type=Path), help="JSON file of the derived calibration.")
def main(
    curves: tuple[Path, ...], draws: Path | None, ledgers: int, out: Path, calibration: Path | None
) -> None:
    """Fit every law below every cut-off of each curve and hold its forecasts against the sizes beyond."""
    import numpy as np

    from stages.laws import backtest, picture, published
    from stages.laws.calibration import document

    measured = [curve for path in curves for curve in read_curves(path)]
    traced = each(published.trace, "curves", measured)
    told = backtest.cases(traced)
    tables = backtest.tables(measured, traced, told, backtest.run(measured, traced, told))
    if calibration:
        derived = backtest.derive(measured, traced, told, np.ones(len(measured), bool))
        files.write_json(calibration, document(derived))
    for name, rows in (tables | coverage_tables(draws, ledgers)).items():
        if rows:
            write_table(out / f"{name}.csv", rows)
    files.write_text(out / "errors.svg", picture.errors(tables["errors"]))
    files.write_text(out / "coverage.svg", picture.coverage(tables["intervals"]))
    click.echo(f"{out}: {len(measured)} curves; {backtest.headline(tables)}")


if __name__ == "__main__":
    main()
