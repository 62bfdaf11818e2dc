"""Make one pool: steer synthesis to a density target, or fill it as an unsteered baseline does."""

from functools import partial
from pathlib import Path

import click

from stages import benchmarks, files, knowledge, params, questions, synthesis
from stages.benchmarks import reading
from stages.grid import TARGET, Target
from stages.records import (
    Article,
    FeedbackRound,
    Knowledge,
    KnowledgePoint,
    PoolQuestion,
    SeedQuestion,
    SynthesizedQuestion,
)
from stages.teacher import client
from stages.teacher.store import ResponseStore, default_path


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    ask: questions.Config
    benchmarks: benchmarks.Config
    knowledge: knowledge.Config
    synthesize: synthesis.Config
    teacher: client.Config


FOUND, PATH = click.Path(exists=True, path_type=Path), click.Path(path_type=Path)


@click.command()
@click.option("--questions", "source", type=FOUND, required=True, help="Source, Parquet.")
@click.option(
    "--knowledge", "known", type=FOUND, required=True, help="Folder of its knowledge, from annotate."
)
@click.option("--articles", type=FOUND, required=True, help="Articles, Parquet.")
@click.option("--target", type=TARGET, required=True, help="Dex, uniform, groups, or a baseline's name.")
@click.option("--out", type=PATH, required=True, help="Pool to write, Parquet.")
@click.option("--synthesis", "made", type=PATH, required=True, help="Folder for rounds, samples and points.")
@click.option("--metrics", type=PATH, required=True, help="JSON of how it was reached.")
def main(
    source: Path, known: Path, articles: Path, target: Target, out: Path, made: Path, metrics: Path
) -> None:
    """Synthesize, verify and sample questions until the pool reaches TARGET."""
    from stages.knowledge.cache import EmbeddingCache
    from stages.knowledge.cache import default_path as cache_path
    from stages.knowledge.embed import Space
    from stages.synthesis import outcome, planning, steering, verification, writing

    p = params.load(Params)
    synthesis.check_price(p.synthesize, p.teacher.price)
    corpus = files.read_parquet(articles, Article)
    annotated = files.read_parquet(known / "questions.parquet", Knowledge)
    asked = files.read_parquet(source, SeedQuestion)
    space = Space.from_arrays(files.read_arrays(known / "space.npz", "annotate"), p.knowledge)
    rows = outcome.candidates(asked, annotated)
    seeds = [row for row in asked if row.question_id in {candidate.question_id for candidate in rows}]
    checks = verification.Verification(
        seeds, reading.read(p.benchmarks), p.ask, p.synthesize.near_copy, corpus
    )
    truth = outcome.truth(corpus) if p.teacher.backend == "embedded" else None
    with ResponseStore(default_path()) as store, EmbeddingCache(cache_path()) as cache:
        draw = partial(client.draw, config=p.teacher, store=store, articles=corpus)
        given = steering.Sources(
            library=planning.Library(corpus, [row.page_id for row in rows]),
            place=lambda texts: outcome.places(space, texts, cache),
            write=lambda orders, number: writing.write(
                orders, draw, checks, number, target, p.seed, p.synthesize.detailed, truth
            ),
        )
        steered = steering.steer(
            target,
            rows,
            given,
            p.synthesize,
            p.knowledge.neighbours,
            p.seed,
            report=lambda state: click.echo(outcome.line(target, state), err=True),
        )
    pool, points, samples = outcome.rows(target, steered, p.seed)
    with files.replacing_folder(made) as folder:
        files.write_parquet(folder / "rounds.parquet", steered.rounds, FeedbackRound)
        files.write_parquet(folder / "samples.parquet", samples, SynthesizedQuestion)
        files.write_parquet(folder / "points.parquet", points, KnowledgePoint)
    files.write_parquet(out, pool, PoolQuestion)
    summary = outcome.summary(target, steered, samples, p.synthesize)
    files.write_json(metrics, summary)
    click.echo(f"{out}: {outcome.line(target, steered.rounds[-1])}")


if __name__ == "__main__":
    main()
