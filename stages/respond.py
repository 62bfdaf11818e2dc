"""Draw responses to a pool's questions and keep the ledger of accepts and rejects."""

from collections import Counter
from pathlib import Path

import click

from stages import files, params
from stages.grid import BUDGET
from stages.progress import Progress
from stages.protocols import rejection_sampling
from stages.records import Article, PoolQuestion, Response
from stages.teacher import client, prompts
from stages.teacher.store import ResponseStore, default_path


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    teacher: client.Config


@click.command()
@click.option("--pool", type=click.Path(exists=True, path_type=Path), required=True, help="Pool, Parquet.")
@click.option(
    "--articles", type=click.Path(exists=True, path_type=Path), required=True, help="Articles, Parquet."
)
@click.option("--budget", type=BUDGET, required=True, help="Responses drawn per question.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Ledger to write, Parquet.")
@click.option("--metrics", type=click.Path(path_type=Path), required=True, help="JSON of counts by reason.")
def main(pool: Path, articles: Path, budget: int, out: Path, metrics: Path) -> None:
    """Draw BUDGET responses to each question of a pool and verify each against its reference answer."""
    p = params.load(Params)
    questions = files.read_parquet(pool, PoolQuestion)
    requests = [
        client.Request(prompts.answer(question.question), rollout=rollout, seed=p.seed)
        for rollout in range(budget)
        for question in questions
    ]
    corpus = files.read_parquet(articles, Article) if p.teacher.backend == "embedded" else None
    with ResponseStore(default_path()) as store:
        outcomes = client.draw(requests, p.teacher, store, articles=corpus, progress=Progress("draws"))
    ledger = [
        row
        for i, question in enumerate(questions)
        for row in rejection_sampling.judge(question, outcomes[i :: len(questions)])
    ]
    files.write_parquet(out, ledger, Response)
    reasons = Counter(row.reason for row in ledger)
    files.write_json(
        metrics, {"questions": len(questions), "draws": len(ledger), "reasons": dict(sorted(reasons.items()))}
    )
    click.echo(f"{out}: accepted {reasons['accepted']} of {len(ledger)} draws; {client.tally(outcomes)}")


if __name__ == "__main__":
    main()
