"""`python -m stages.teacher store …`: looking after the response store."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from stages.errors import BadInput
from stages.teacher import store_reports
from stages.teacher.store import default_path
from stages.teacher.store_reports import Share, Which


@click.group()
def store() -> None:
    """Look after the response store: what the teacher was paid for."""


def _path_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--path",
        type=click.Path(dir_okay=False, path_type=Path),
        default=default_path,
        help="The store's file.  [default: SEEDBED_STORE, else .seedbed/responses.sqlite]",
    )(command)


@store.command()
@_path_option
def stats(path: Path) -> None:
    """Count rows and tokens per model and task, and what each model was ever paid for."""
    found = store_reports.stats(path)
    rows = sum(share.rows for share in found.shares)
    click.echo(f"{path}: {rows:,} rows, {found.size / 1e6:,.1f} MB")
    if rows:
        click.echo(f"from {found.oldest} to {found.newest}")
    _echo_shares(found.shares)
    for bill in found.bills:
        click.echo(
            f"spent on {bill.model}: {bill.calls:,} calls, {bill.prompt_tokens:,} prompt and "
            f"{bill.completion_tokens:,} completion tokens"
        )


@store.command()
@_path_option
@click.option(
    "--repair", is_flag=True, help="Set a damaged file aside and build a new one of all its readable rows."
)
def verify(path: Path, repair: bool) -> None:
    """Check every page and every row; exit with status 1 if something is wrong."""
    from stages.teacher import store_health

    health = store_health.check(path)
    if health.sound:
        click.echo(f"{path}: {health}")
    elif not repair:
        raise BadInput(f"{path}: {health}; run this again with --repair")
    else:
        click.echo(f"{path}: {health}")
        done = store_health.repair(path)
        click.echo(
            f"{path}: built anew of {done.saved:,} rows; the damaged file is kept as {done.quarantine.name}"
        )


@store.command()
@_path_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder for responses.parquet and spending.parquet.",
)
@click.option("--bodies/--no-bodies", default=True, show_default=True, help="The responses' texts too.")
def export(path: Path, out: Path, bodies: bool) -> None:
    """Write every row to Parquet, for DuckDB and others."""
    count = store_reports.export(path, out, bodies)
    click.echo(f"{out / 'responses.parquet'}: {count:,} rows of {path}")


@store.command()
@_path_option
@click.option("--model", help="Rows of this model only.")
@click.option("--task", help="Rows of this task only, such as respond.")
@click.option(
    "--before", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]), help="Rows older than this, UTC."
)
@click.option("--yes", is_flag=True, help="Do it; without this, only show what would go.")
def prune(path: Path, model: str | None, task: str | None, before: datetime | None, yes: bool) -> None:
    """Delete rows for good; what was spent on them stays booked."""
    which = Which(model, task, before)
    if which == Which():
        raise BadInput("prune: say which rows, by --model, --task or --before")
    shares = store_reports.prunable(path, which)
    _echo_shares(shares)
    rows = sum(share.rows for share in shares)
    if not rows:
        click.echo(f"{path}: no such rows")
    elif not yes:
        click.echo(f"{path}: would delete {rows:,} rows, each to be paid for again; --yes does it")
    else:
        click.echo(f"{path}: deleted {store_reports.prune(path, which):,} rows")


def _echo_shares(shares: Sequence[Share]) -> None:
    for share in shares:
        click.echo(
            f"{share.model}, {share.task or 'task not stored'}: {share.rows:,} rows, "
            f"{share.prompt_tokens:,} prompt and {share.completion_tokens:,} completion tokens"
        )
