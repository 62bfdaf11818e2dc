"""Advise what to buy next: more responses, more questions, another teacher, protocol or density."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import Field

from stages import advice, files, laws, params
from stages.grid import CUT, Cut
from stages.teacher import client

PATH = click.Path(path_type=Path)


class Params(params.Section):
    """What this verb reads from params.yaml."""

    budget: int = Field(ge=1)
    teacher: client.Config
    teachers: dict[str, dict[str, Any]] = Field(default={})
    fit: laws.Config
    advise: advice.Config = advice.Config()


def read_tables(
    folder: Path, columns: Mapping[str, Sequence[str]], stage: str
) -> dict[str, list[Mapping[str, Any]]]:
    """Read published tables as rows, by name."""
    return {
        name: files.read_table(folder / f"{name}.parquet", stage, wanted).to_pylist()
        for name, wanted in columns.items()
    }


@click.command()
@click.option("--tables", type=PATH, default="metrics/tables", help="Folder of tables, from weigh.")
@click.option("--laws", "fitted", type=PATH, default="metrics/laws.json", help="The laws' JSON, from weigh.")
@click.option("--responses", type=PATH, default="datasets/responses", help="Folder of the ledgers.")
@click.option("--densities", type=PATH, help="Folder of tables of a run over densities, from compare.")
@click.option("--spend", type=float, help="USD: say what this sum buys.")
@click.option("--spend-tokens", type=float, help="Million teacher tokens: say what they buy.")
@click.option("--held", type=CUT, help="SHARExBUDGET to start from; by default the largest measured.")
@click.option("--teacher", help="Advise on this teacher alone.")
@click.option("--student", help="Advise on this student alone.")
@click.option("--domain", help="Advise on this domain alone.")
@click.option("--out", type=PATH, help="JSON to write; without it the advice is printed.")
@click.option("--text", type=PATH, help="Markdown to write.")
def main(
    tables: Path,
    fitted: Path,
    responses: Path,
    densities: Path | None,
    spend: float | None,
    spend_tokens: float | None,
    held: Cut | None,
    out: Path | None,
    text: Path | None,
    **only: str | None,
) -> None:
    """Rank the next purchases by predicted gain per unit of cost, and back-test the ranking."""
    from stages.advice import document, entries, spending, study
    from stages.advice import text as words
    from stages.laws import measure

    p = params.load(Params)
    budgeted = spending.amount(spend, spend_tokens)
    rows, laws_found = read_tables(tables, entries.TABLES, "weigh"), files.read_json(fitted)
    rows["cells"] = entries.of_laws(rows["cells"], laws_found)
    teachers, known = {"teacher": p.teacher}, {}
    for (teacher, domain), budgets in entries.sources(rows["cells"]).items():
        teachers[teacher] = client.named(p.teacher, p.teachers, teacher)
        path = responses / f"{teacher}-{domain}.parquet"
        ledger = files.read_table(path, "respond", measure.LEDGER_COLUMNS)
        tallies = {n: measure.tallies(ledger, n, str(path)) for n in budgets}
        known[teacher, domain] = entries.coverage_laws(tallies, p.fit.level)
    prices = {name: entries.Price(t.price.input, t.price.output) for name, t in teachers.items()}
    audits = entries.protocols(rows, prices)
    if densities:
        of_run = read_tables(densities, entries.DENSITY_TABLES, "compare")
        audits += entries.densities(of_run, prices["teacher"])
    whole = study.advise(entries.offers(rows, known, prices), audits, p.advise, p.fit.level, held)
    found = study.only(whole, only)
    bought = study.spend(found, *budgeted, p.advise) if budgeted else None
    simulator = any(t.backend == "embedded" for t in teachers.values())
    told = document.document(found, laws_found, p.budget, simulator, bought)
    if text:
        files.write_text(text, words.advice(found, told, simulator))
    if out:
        files.write_json(out, told)
    click.echo(f"{out}: {words.headline(found)}" if out else words.short(found, bought, simulator))


if __name__ == "__main__":
    main()
