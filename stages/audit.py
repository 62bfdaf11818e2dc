"""Audit a study's ledgers: coverage measured directly, and whether responses shift with the budget."""

from pathlib import Path

import click

from stages import files, params, shift
from stages.grid import BUDGET, DOMAINS


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    audit: shift.Config


@click.command()
@click.option("--responses", type=click.Path(path_type=Path), required=True, help="Folder of the ledgers.")
@click.option("--teacher", "teachers", multiple=True, required=True, help="Name of a teacher; repeat it.")
@click.option(
    "--domain", "domains", type=click.Choice(DOMAINS), multiple=True, required=True, help="Repeat it."
)
@click.option(
    "--share",
    "shares",
    type=click.FloatRange(0, 1, min_open=True),
    multiple=True,
    required=True,
    help="Repeat.",
)
@click.option("--budget", "budgets", type=BUDGET, multiple=True, required=True, help="Responses; repeat it.")
@click.option("--tables", type=click.Path(path_type=Path), required=True, help="Folder of tables to write.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON summary to write.")
def main(
    responses: Path,
    teachers: tuple[str, ...],
    domains: tuple[str, ...],
    shares: tuple[float, ...],
    budgets: tuple[int, ...],
    tables: Path,
    out: Path,
) -> None:
    """Measure which share of each source is covered, and test every doubling of the budget for a shift."""
    import pyarrow.parquet as pq

    from stages.shift import auditing
    from stages.tables import figures

    p = params.load(Params)
    ledgers = [
        auditing.Ledger(
            teacher,
            domain,
            files.read_table(responses / f"{teacher}-{domain}.parquet", "respond", auditing.COLUMNS),
        )
        for teacher in teachers
        for domain in domains
    ]
    found = auditing.audit(ledgers, shares, budgets, p.audit, p.seed)
    with files.replacing_folder(tables) as folder:
        for name, table in found.tables.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
            files.write_text(folder / f"{name}.csv", figures.to_csv(table))
    files.write_json(out, found.summary)
    shifts = found.summary["shifts"]
    click.echo(
        f"{out}: {len(ledgers)} ledgers, {found.summary['tests']} tests; composition shifts in "
        f"{shifts['composition']}, within questions in {shifts['within']}"
    )


if __name__ == "__main__":
    main()
