"""Annotate the source: topic entities, knowledge points, logic form; embed and group the points."""

from collections import Counter
from pathlib import Path

import click

from stages import files, knowledge, params
from stages.knowledge.annotation import annotation
from stages.progress import Progress
from stages.records import Article, Knowledge, KnowledgePoint, SeedQuestion
from stages.teacher import client, prompts, reading
from stages.teacher.store import ResponseStore, default_path

CONTEXT = 20_000  # sentences of articles, at most, that the embedding space is fitted to beside the points


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    knowledge: knowledge.Config
    teacher: client.Config


@click.command()
@click.option(
    "--questions", type=click.Path(exists=True, path_type=Path), required=True, help="Source, Parquet."
)
@click.option(
    "--articles", type=click.Path(exists=True, path_type=Path), required=True, help="Articles, Parquet."
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for knowledge and points."
)
@click.option(
    "--metrics", type=click.Path(path_type=Path), required=True, help="JSON of counts and dimensions."
)
def main(questions: Path, articles: Path, out: Path, metrics: Path) -> None:
    """Have the teacher annotate each question, check the annotations, embed and group the points."""
    from stages.knowledge import cache, density, embed, intrinsic

    p = params.load(Params)
    source = files.read_parquet(questions, SeedQuestion)
    corpus = files.read_parquet(articles, Article)
    page = {article.page_id: article for article in corpus}
    requests = [
        client.Request(prompts.knowledge(q.question, q.answer, page[q.page_id]), temperature=0.0, seed=p.seed)
        for q in source
    ]
    with ResponseStore(default_path()) as store:
        outcomes = client.draw(
            requests, p.teacher, store, articles=corpus, progress=Progress("questions annotated")
        )
    found = [annotation(q, outcome) for q, outcome in zip(source, outcomes, strict=True)]
    rows = [row for row in found if isinstance(row, Knowledge)]
    with cache.EmbeddingCache(cache.default_path()) as kept:
        statements = [text for row in rows for text in row.points]
        context = reading.of_theme(corpus, {page[q.page_id].page_id for q in source}, CONTEXT)
        space = embed.fit(statements, p.knowledge, p.seed, kept, context)
        points = embed.locate(rows, space, kept)
        features = space.features(sorted(set(statements)), kept)
    with files.replacing_folder(out) as folder:
        files.write_parquet(folder / "questions.parquet", rows, Knowledge)
        files.write_parquet(folder / "points.parquet", points, KnowledgePoint)
        files.write_arrays(folder / "space.npz", space.to_arrays())
    places = embed.distinct(points)
    # Before the projection: after it no estimate exceeds d, and a d that is too small would pass.
    near = density.search(features, p.knowledge.neighbours)
    estimated = intrinsic.intrinsic_dimension(features, p.knowledge.neighbours, near.distances)
    warning = intrinsic.warning(p.knowledge.dimensions, estimated)
    reasons = Counter(row for row in found if isinstance(row, str))
    counts = {
        "questions": len(source),
        "annotated": len(rows),
        "points": len(points),
        "distinct": len(places),
        "groups": len(space.centres),
        "rejected": dict(sorted(reasons.items())),
        "dimensions": p.knowledge.dimensions,
        "intrinsic_dimension": estimated,
        "neighbour_recall": round(near.sampled_recall(p.seed), 4),
        "projected_dimension": intrinsic.intrinsic_dimension(places, p.knowledge.neighbours),
        "warning": warning,
    }
    files.write_json(metrics, counts)
    said = f"annotated {len(rows)} of {len(source)} questions, {len(points)} points"
    click.echo(f"{out}: {said}; {client.tally(outcomes)}{f'; {warning}' if warning else ''}")


if __name__ == "__main__":
    main()
