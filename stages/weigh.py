"""Weigh more responses against more questions: a study's laws and tables, and whether its claims hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import Field

from stages import files, laws, params, scaling
from stages.grid import BUDGET, CUT, DOMAINS
from stages.student import Train
from stages.teacher import client

if TYPE_CHECKING:
    import pyarrow as pa

PATH = click.Path(path_type=Path)
DOMAIN = click.Choice(DOMAINS)


class Params(params.Section):
    """What this verb reads from params.yaml."""

    budget: int = Field(ge=1)
    students: dict[str, Any]
    teacher: client.Config
    teachers: dict[str, dict[str, Any]] = Field(default={})
    train: Train
    fit: laws.Config
    weigh: scaling.Config


def truth(teacher: client.Config) -> dict[str, float] | None:
    """Return what the simulator's success per question is drawn from; None where that is not known."""
    if teacher.backend != "embedded" or teacher.temperature != 1:
        return None
    return {"a": teacher.embedded.a, "b": teacher.embedded.b, "pi": teacher.embedded.never}


@click.command()
@click.option("--cells", type=PATH, required=True, help="Folder of scored cells.")
@click.option("--responses", type=PATH, required=True, help="Folder of the ledgers.")
@click.option("--models", type=PATH, required=True, help="Folder of the cells' students.")
@click.option(
    "--teacher", "teachers", multiple=True, required=True, help="Repeat it; protocols: the first's."
)
@click.option("--domain", "domains", type=DOMAIN, multiple=True, required=True, help="Repeat it.")
@click.option("--share", "shares", type=float, multiple=True, required=True, help="Of the questions; repeat.")
@click.option("--budget", "budgets", type=BUDGET, multiple=True, required=True, help="Responses; repeat it.")
@click.option("--protocol", "protocols", multiple=True, help="Audited at --protocol-cut; repeat it.")
@click.option("--protocol-cut", type=CUT, default="1x8", show_default=True, help="SHARExBUDGET.")
@click.option(
    "--unmatched",
    type=(str, CUT, CUT),
    multiple=True,
    help="PROTOCOL CUT PLAIN, as many responses per question at another N; repeat.",
)
@click.option("--mixed-cut", "mixed_cuts", type=CUT, multiple=True, help="Of the mixed source; repeat it.")
@click.option(
    "--variant",
    "variants",
    type=(str, DOMAIN, str),
    multiple=True,
    help="TEACHER DOMAIN PROTOCOL: another temperature or threshold; repeat.",
)
@click.option("--laws", "laws_out", type=PATH, required=True, help="JSON of the laws to write.")
@click.option("--curves", "curves_out", type=PATH, required=True, help="CSV of the laws' curves to write.")
@click.option("--tables", type=PATH, required=True, help="Folder of tables to write.")
@click.option("--headline", type=PATH, required=True, help="Markdown findings to write.")
@click.option("--out", type=PATH, required=True, help="JSON findings to write.")
def main(
    cells: Path,
    responses: Path,
    models: Path,
    laws_out: Path,
    curves_out: Path,
    tables: Path,
    headline: Path,
    out: Path,
    **grid: Any,
) -> None:
    """Fit the laws below `budget`, compare cells of equal N or teacher tokens, and judge the claims."""
    import pyarrow.parquet as pq

    from stages.benchmarks import DOMAINS as BENCHMARKS
    from stages.laws import panel
    from stages.scaling import curves, places, results, study, text
    from stages.scaling import tables as concluding
    from stages.tables import checks, figures

    p = params.load(Params)
    plan = places.Plan.of(p.students, **grid)
    plan.check(p.budget)
    names = dict.fromkeys(ledger.teacher for ledger in plan.ledgers)
    teachers = {name: client.named(p.teacher, p.teachers, name) for name in names}
    temperatures = {name: teacher.temperature for name, teacher in teachers.items()}
    truths = {name: truth(teacher) for name, teacher in teachers.items()}

    def scores(name: str, stage: str) -> "pa.Table":
        path = cells / f"{name}.parquet"
        return checks.typed(files.read_table(path, stage, results.COLUMNS), results.SCHEMA, str(path))

    measured = study.study(
        plan,
        p.train.seeds,
        scores={place: scores(place.name, "score") for place in plan.places},
        base_scores={student: scores(f"{student}-base", "score-base") for student in plan.students},
        trainings={place: files.read_json(models / place.name / "training.json") for place in plan.places},
        paths={ledger: responses / f"{ledger.name}.parquet" for ledger in plan.ledgers},
        benchmarks=BENCHMARKS,
        tokens_per_second=p.weigh.tokens_per_second,
    )
    document, rows = curves.study(measured, plan.curves, curves.PLAIN, truths, p.budget, p.fit)
    document["variants"], varied = curves.varied(measured, truths, temperatures, p.budget, p.fit)
    found = concluding.conclude(measured, document, varied, p.budget, p.weigh)
    simulator = any(teacher.backend == "embedded" for teacher in teachers.values())
    files.write_json(laws_out, document)
    files.write_text(curves_out, panel.to_csv(rows))
    with files.replacing_folder(tables) as folder:
        for name, table in found.tables.items():
            pq.write_table(table, folder / f"{name}.parquet", compression="zstd")
            files.write_text(folder / f"{name}.csv", figures.to_csv(table))
    files.write_text(headline, text.findings(found, simulator))
    files.write_json(out, text.summarise(found, simulator))
    said = (f"{claim} {one.verdict}" for claim, one in text.verdicts(found).items())
    click.echo(f"{out}: {len(plan.places)} cells, {'; '.join(said)}")


if __name__ == "__main__":
    main()
