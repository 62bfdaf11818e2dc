"""Write the report: one self-contained page of tables, pictures, lineage and parameters."""

from pathlib import Path
from typing import Any

import click
from pydantic import create_model

from stages import files, params, tables
from stages.grid import Cut, Target
from stages.records import (
    Article,
    FeedbackRound,
    KnowledgePoint,
    PoolQuestion,
    Response,
    SeedQuestion,
    SynthesizedQuestion,
    TrainingExample,
)

# Everything in params.yaml, as it stands there: the page shows it. Other stages judge what they use of it.
_STUDIES = ("teachers", "problems", "collect", "conclude", "audit", "weigh", "advise")  # set by studies alone
_NAMES = [name for name in params.NAMES if name not in _STUDIES]
_TYPES: dict[str, Any] = dict.fromkeys(_NAMES, Any) | {"budget": int, "densities": list[float]}
Params: Any = create_model("Params", __base__=params.Section, **_TYPES)


PATH, FOUND = click.Path(path_type=Path), click.Path(exists=True, path_type=Path)


@click.command()
@click.option("--tables", "published", type=FOUND, required=True, help="Folder of tables, from compare.")
@click.option("--laws", type=FOUND, required=True, help="The laws' JSON, from fit.")
@click.option("--curves", type=FOUND, required=True, help="The laws' curves, CSV, from fit.")
@click.option("--points", type=FOUND, required=True, help="Knowledge points, Parquet.")
@click.option("--questions", type=FOUND, required=True, help="Folder of the source.")
@click.option("--pools", type=FOUND, required=True, help="Folder of the pools.")
@click.option("--synthesis", type=FOUND, required=True, help="Folder of what synthesize left of each pool.")
@click.option("--responses", type=FOUND, required=True, help="Folder of the ledgers.")
@click.option("--articles", type=FOUND, required=True, help="Folder of the articles, Parquet.")
@click.option("--train", type=FOUND, required=True, help="Folder of the training sets.")
@click.option("--metrics", type=FOUND, required=True, help="Folder of ask.json, annotate.json and pools/.")
@click.option("--out", type=PATH, required=True, help="HTML page to write.")
@click.option("--pictures", type=PATH, required=True, help="Folder of SVG pictures to write.")
def main(published: Path, laws: Path, curves: Path, out: Path, pictures: Path, **given: Path) -> None:
    """Put the whole run on one HTML page that needs nothing beside itself."""
    from stages.pictures import contents, feedback, law, page
    from stages.tables import lineage

    p = params.load(Params)
    examples, pools, ledgers, made = [], {}, {}, {}
    for d in p.densities:
        pools[d] = files.read_parquet(given["pools"] / f"{d}.parquet", PoolQuestion)
        ledgers[d] = files.read_parquet(given["responses"] / f"{d}.parquet", Response)
        left = given["synthesis"] / str(d)
        made[Target("density", d)] = feedback.Making(
            files.read_json(given["metrics"] / "pools" / f"{d}.json"),
            files.read_parquet(left / "rounds.parquet", FeedbackRound),
            files.read_parquet(left / "samples.parquet", SynthesizedQuestion),
            files.read_parquet(left / "points.parquet", KnowledgePoint),
        )
        examples += files.read_parquet(given["train"] / f"{d}-{Cut(1.0, p.budget)}.parquet", TrainingExample)
    points = files.read_parquet(given["points"], KnowledgePoint)
    source = files.read_parquet(given["questions"] / "questions.parquet", SeedQuestion)
    sampled = lineage.sample(examples, 3)
    asked = {e.question_id for e in sampled}
    about = [q.page_id for pool in pools.values() for q in pool if q.question_id in asked]
    wanted = [("page_id", "in", about or [-1])]
    pages = files.read_table(given["articles"], "extract", filters=wanted).to_pylist()
    articles = [Article.model_validate(page) for page in pages]
    run = contents.Run(
        settings=p.model_dump(mode="json"),
        tables={
            name: files.read_table(published / f"{name}.parquet", "compare").to_pylist()
            for name in tables.PUBLISHED
        },
        laws=files.read_json(laws),
        curves=law.read_curves(curves.read_text(encoding="utf-8")),
        points=points,
        pools=pools,
        ledgers=ledgers,
        made=made,
        counts={name: files.read_json(given["metrics"] / f"{name}.json") for name in ("ask", "annotate")},
        lineages=lineage.trace(
            sampled,
            ledgers,
            pools,
            [*source, *(s for m in made.values() for s in m.samples)],
            [point for m in made.values() for point in m.points],
            articles,
        ),
    )
    drawn = contents.pictures(run)
    text = page.render(run, drawn)
    with files.replacing_folder(pictures) as folder:
        for name, svg in drawn.items():
            files.write_text(folder / f"{name}.svg", svg)
    files.write_text(out, text)
    click.echo(f"{out}: {len(drawn)} pictures, {len(sampled)} training rows traced to their articles")


if __name__ == "__main__":
    main()
