"""Display a study of budgets: one self-contained page of findings and pictures, tables for `dvc plots`."""

from pathlib import Path
from typing import Any

import click
from pydantic import create_model

from stages import files, params, scaling, shift

# Everything in the study's params.yaml, as it stands there: the page shows it. Which names it has is the
# study's; only the level of the audit's intervals is needed.
_TYPES: dict[str, Any] = {name: (Any, None) for name in params.NAMES} | {"audit": (shift.Config, ...)}
Params: Any = create_model("Params", __base__=params.Section, **_TYPES)

PATH, FOUND = click.Path(path_type=Path), click.Path(exists=True, path_type=Path)


def read_tables(folder: Path, names: tuple[str, ...], stage: str) -> dict[str, Any]:
    """Read a stage's tables, by name."""
    return {name: files.read_table(folder / f"{name}.parquet", stage) for name in names}


@click.command()
@click.option("--findings", type=FOUND, required=True, help="The findings' JSON, from weigh.")
@click.option("--laws", type=FOUND, required=True, help="The laws' JSON, from weigh.")
@click.option("--curves", type=FOUND, required=True, help="CSV of the laws' curves, from weigh.")
@click.option("--tables", type=FOUND, required=True, help="Folder of tables, from weigh.")
@click.option("--audit", type=FOUND, required=True, help="Folder of tables, from audit.")
@click.option("--advice", type=FOUND, required=True, help="The advice's JSON, from advise.")
@click.option("--out", type=PATH, required=True, help="HTML page to write.")
@click.option("--pictures", type=PATH, required=True, help="Folder of SVG pictures to write.")
@click.option("--plots", type=PATH, required=True, help="Folder of CSV tables for `dvc plots` to write.")
def main(
    findings: Path,
    laws: Path,
    curves: Path,
    tables: Path,
    audit: Path,
    advice: Path,
    out: Path,
    pictures: Path,
    plots: Path,
) -> None:
    """Put a study of budgets on one HTML page that needs nothing beside itself."""
    from stages.pictures import budget_curves, budget_page, budget_study
    from stages.scaling import text

    p = params.load(Params)
    concluded = files.read_json(findings)
    weighed = read_tables(tables, scaling.PUBLISHED, "weigh")
    audited = read_tables(audit, shift.PUBLISHED, "audit")
    study = budget_study.Study(
        settings=p.model_dump(mode="json", exclude_unset=True),
        findings=concluded,
        found=text.read_back(concluded, weighed),
        tables={name: table.to_pylist() for name, table in weighed.items()},
        laws=files.read_json(laws),
        curves=budget_curves.read(curves.read_text(encoding="utf-8")),
        audit={name: table.to_pylist() for name, table in audited.items()},
        audit_level=p.audit.level,
        advice=files.read_json(advice),
    )
    budget_study.check(study)
    drawn = budget_study.pictures(study)
    page = budget_page.render(study, drawn)
    with files.replacing_folder(pictures) as folder:
        for name, svg in drawn.items():
            files.write_text(folder / f"{name}.svg", svg)
    with files.replacing_folder(plots) as folder:
        for name, csv in budget_study.plots(study).items():
            files.write_text(folder / f"{name}.csv", csv)
    files.write_text(out, page)
    click.echo(f"{out}: {len(drawn)} pictures of {len(study.tables['cells'])} cells")


if __name__ == "__main__":
    main()
