"""Write the source: seed questions with reference answers and evidence, kept apart from every benchmark."""

from collections import Counter
from pathlib import Path

import click

from stages import benchmarks, files, params
from stages.benchmarks import reading
from stages.progress import Progress
from stages.questions import Config, sift
from stages.records import Article, RejectedQuestion, SeedQuestion
from stages.teacher import client, prompts
from stages.teacher.store import ResponseStore, default_path


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    ask: Config
    benchmarks: benchmarks.Config
    teacher: client.Config


@click.command()
@click.option(
    "--articles", type=click.Path(exists=True, path_type=Path), required=True, help="Articles, Parquet."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the questions.")
@click.option("--metrics", type=click.Path(path_type=Path), required=True, help="JSON of counts by reason.")
def main(articles: Path, out: Path, metrics: Path) -> None:
    """Have the teacher write seed questions; verify, deduplicate and decontaminate them."""
    import numpy as np

    p = params.load(Params)
    everything = files.read_parquet(articles, Article)
    items = reading.read(p.benchmarks)
    chosen = sift.choose(everything, p.ask, np.random.default_rng(p.seed))
    requests = [client.Request(prompts.seed_questions(a, p.ask.per_article), seed=p.seed) for a in chosen]
    with ResponseStore(default_path()) as store:
        outcomes = client.draw(
            requests, p.teacher, store, articles=everything, progress=Progress("articles asked about")
        )
    aliases = {article.title: article.aliases for article in everything}
    candidates = [
        sift.candidate(written, article, aliases, outcome.key)
        for article, outcome in zip(chosen, outcomes, strict=True)
        if isinstance(outcome.reply, prompts.SeedQuestions)
        for written in outcome.reply.questions
    ]
    kept, rejected = sift.sift(candidates, {a.page_id: a for a in chosen}, items, p.ask)
    reasons = Counter(row.reason for row in rejected)
    reasons.update(f"reply_{outcome.reason}" for outcome in outcomes if outcome.reply is None)
    with files.replacing_folder(out) as folder:
        files.write_parquet(folder / "questions.parquet", kept, SeedQuestion)
        files.write_parquet(folder / "rejected.parquet", rejected, RejectedQuestion)
    reasons.update(dict.fromkeys(sift.REASONS, 0))
    counts = {"articles": len(chosen), "written": len(candidates), "kept": len(kept)}
    files.write_json(metrics, counts | {"rejected": dict(sorted(reasons.items()))})
    said = f"kept {len(kept)} of {len(candidates)} questions from {len(chosen)} articles"
    click.echo(f"{out}: {said}; {client.tally(outcomes)}")


if __name__ == "__main__":
    main()
