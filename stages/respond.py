"""Make a protocol's teacher calls about a pool's questions and keep the ledger of accepts and rejects."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import Field

from stages import files, params, protocols
from stages.errors import BadInput
from stages.grid import BUDGET, PLAIN, Coordinate
from stages.problems import reading
from stages.progress import Progress
from stages.protocols import drawing, judging, ledger, opinions
from stages.records import Article, PoolQuestion, Response
from stages.teacher import client
from stages.teacher.store import ResponseStore, default_path

READ = click.Path(exists=True, path_type=Path)


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    teacher: client.Config
    teachers: dict[str, dict[str, Any]] = Field(default_factory=dict)


@click.command()
@click.option("--pool", type=READ, required=True, help="Pool, Parquet.")
@click.option("--articles", type=READ, help="Articles, Parquet, from which the embedded teacher answers.")
@click.option(
    "--problems",
    type=READ,
    multiple=True,
    help="Problems that the embedded teacher can solve; may be repeated.",
)
@click.option("--teacher", default=PLAIN.teacher, help="`teacher`, or a name under `teachers`.")
@click.option(
    "--protocol",
    type=Coordinate(protocols.parse, "protocol"),
    default=PLAIN.protocol,
    help="How the calls are spent: rejection_sampling, self_refine, …",
)
@click.option(
    "--budget", type=BUDGET, required=True, help="Calls per question: its responses, where all draw."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Ledger to write, Parquet.")
@click.option("--metrics", type=click.Path(path_type=Path), required=True, help="JSON of counts by reason.")
def main(
    pool: Path,
    articles: Path | None,
    problems: tuple[Path, ...],
    teacher: str,
    protocol: protocols.Protocol,
    budget: int,
    out: Path,
    metrics: Path,
) -> None:
    """Make BUDGET teacher calls about each question of a pool and verify each answer."""
    p = params.load(Params)
    config = client.named(p.teacher, p.teachers, teacher)
    if protocol.ledger != protocol.name:
        raise BadInput(
            f"protocol '{protocol.name}': makes no calls of its own; run `respond --protocol "
            f"{protocol.ledger}`, then `assemble --protocol {protocol.name}`"
        )
    questions = files.read_parquet(pool, PoolQuestion)
    simulated = config.backend == "embedded"
    domains = {question.domain for question in questions} if simulated else set()
    for domain in sorted(domains):
        option, given = ("--articles", articles) if domain == "knowledge" else ("--problems", problems)
        if not given:
            raise BadInput(f"{pool}: holds questions of {domain}; the embedded teacher needs {option}")
    corpus = files.read_parquet(articles, Article) if simulated and articles else None
    solvable = [problem for path in problems for problem in reading.read(path)] if simulated else []
    with ResponseStore(default_path()) as store:

        def ask(requests: Sequence[client.Request]) -> list[client.Outcome]:
            return client.draw(requests, config, store, corpus, solvable, Progress("draws"))

        outcomes = drawing.draw(protocol, questions, budget, p.seed, ask)
    rows = [
        row
        for question, made in zip(questions, outcomes, strict=True)
        for row in judging.judge(protocol, question, made, teacher)
    ]
    files.write_parquet(out, rows, Response)
    figures = ledger.figures(rows, protocol)
    second = opinions.disagreement(rows, questions, protocol)
    files.write_json(metrics, figures | ({"disagreement": second} if second else {}))
    accepted = figures["reasons"].get("accepted", 0)
    total = client.tally(outcome for made in outcomes for outcome in made)
    click.echo(f"{out}: accepted {accepted} of {len(rows)} draws; {total}")


if __name__ == "__main__":
    main()
