"""Exhibit a study: one self-contained page of its findings and pictures, and tables for `dvc plots`."""

from pathlib import Path
from typing import Any

import click
from pydantic import create_model

from stages import files, params
from stages.errors import BadInput
from stages.findings import PUBLISHED
from stages.grid import CUT, TARGET, Cut, Target, cell_name
from stages.records import FeedbackRound, KnowledgePoint, PoolQuestion, SynthesizedQuestion, TrainingLog

# Everything in the study's params.yaml, as it stands there: the page shows it. Other graphs set the others.
_OTHERS = (
    *("extract", "densities", "fit", "judge", "teachers"),
    *("problems", "collect", "audit", "weigh", "advise"),
)
_TYPES: dict[str, Any] = {name: Any for name in params.NAMES if name not in _OTHERS}
Params: Any = create_model("Params", __base__=params.Section, **_TYPES)

PATH, FOUND = click.Path(path_type=Path), click.Path(exists=True, path_type=Path)


def read(path: Path, record: Any, stage: str) -> Any:
    """Read rows, refusing a file without any."""
    rows = files.read_parquet(path, record)
    if not rows:
        raise BadInput(f"{path}: no {record.__name__} in it; run `dvc repro {stage}`")
    return rows


@click.command()
@click.option("--findings", type=FOUND, required=True, help="The findings' JSON, from conclude.")
@click.option("--tables", type=FOUND, required=True, help="Folder of tables, from conclude.")
@click.option("--pools", type=FOUND, required=True, help="Folder of the pools.")
@click.option("--synthesis", type=FOUND, required=True, help="Folder of what synthesize left of each pool.")
@click.option("--metrics", type=FOUND, required=True, help="Folder of annotate.json and pools/.")
@click.option("--models", type=FOUND, required=True, help="Folder of the cells' students, with their logs.")
@click.option(
    "--target", "targets", type=TARGET, multiple=True, required=True, help="Dex or strategy; repeat."
)
@click.option("--cut", type=CUT, required=True, help="SHARExBUDGET of every cell.")
@click.option("--out", type=PATH, required=True, help="HTML page to write.")
@click.option("--pictures", type=PATH, required=True, help="Folder of SVG pictures to write.")
@click.option("--plots", type=PATH, required=True, help="Folder of CSV tables for `dvc plots` to write.")
def main(
    targets: tuple[Target, ...],
    cut: Cut,
    out: Path,
    pictures: Path,
    plots: Path,
    findings: Path,
    **given: Path,
) -> None:
    """Put a study on one HTML page that needs nothing beside itself."""
    from stages.findings import text
    from stages.pictures import feedback, study, study_page

    p = params.load(Params)
    pools, made, logs = {}, {}, {}
    for t in dict.fromkeys(targets):
        folder = given["synthesis"] / str(t)
        pools[t] = read(given["pools"] / f"{t}.parquet", PoolQuestion, "synthesize")
        made[t] = feedback.Making(
            files.read_json(given["metrics"] / "pools" / f"{t}.json"),
            read(folder / "rounds.parquet", FeedbackRound, "synthesize"),
            files.read_parquet(folder / "samples.parquet", SynthesizedQuestion),
            read(folder / "points.parquet", KnowledgePoint, "synthesize"),
        )
        for name in p.students:
            logs[name, t] = read(
                given["models"] / cell_name(name, t, cut) / "log.parquet", TrainingLog, "train"
            )
    concluded = files.read_json(findings)
    tables = {name: files.read_table(given["tables"] / f"{name}.parquet", "conclude") for name in PUBLISHED}
    shown = study.Study(
        settings=p.model_dump(mode="json"),
        findings=concluded,
        found=text.read_back(concluded, tables),
        tables={name: tables[name].to_pylist() for name in study.TABLES},
        annotated=files.read_json(given["metrics"] / "annotate.json"),
        pools=pools,
        made=made,
        logs=logs,
    )
    study.check(shown)
    drawn = study.pictures(shown)
    page = study_page.render(shown, drawn)
    with files.replacing_folder(pictures) as folder:
        for name, svg in drawn.items():
            files.write_text(folder / f"{name}.svg", svg)
    with files.replacing_folder(plots) as folder:
        for name, csv in study.plots(shown).items():
            files.write_text(folder / f"{name}.csv", csv)
    files.write_text(out, page)
    click.echo(f"{out}: {len(drawn)} pictures of {len(pools)} targets and {len(p.students)} students")


if __name__ == "__main__":
    main()
