"""Make a protocol's teacher calls about a pool's questions and keep the ledger of accepts and rejects."""

from pathlib import Path
from typing import Any

import click
from pydantic import Field

from stages import files, params, protocols
from stages.errors import BadInput
from stages.grid import BUDGET, PLAIN, Coordinate
from stages.problems import reading
from stages.progress import Progress
from stages.protocols import acceptance, drawing, ledger, opinions
from stages.records import Acceptance, Article, PoolQuestion, Response
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
    "--budget",
    type=BUDGET,
    required=True,
    help="Calls per question: its responses, where all draw; at most so many, where calls end early.",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Ledger to write, Parquet.")
@click.option("--metrics", type=click.Path(path_type=Path), required=True, help="JSON of counts by reason.")
@click.option(
    "--acceptances",
    type=click.Path(path_type=Path),
    help="Acceptance ledger to write, Parquet: what each accepted response cost.",
)
def main(
    pool: Path,
    articles: Path | None,
    problems: tuple[Path, ...],
    teacher: str,
    protocol: protocols.Protocol,
    budget: int,
    out: Path,
    metrics: Path,
    acceptances: Path | None,
) -> None:
    """Make BUDGET teacher calls about each question of a pool and verify each answer."""
    p = params.load(Params)
    config = client.named(p.teacher, p.teachers, teacher)
    if protocol.ledger != protocol.name:
        raise BadInput(
            f"protocol '{protocol.name}': makes no calls of its own; run `respond --protocol "
            f"{protocol.ledger}`, then `assemble --protocol {protocol.name}`"
        )
    if protocol.stops is not None and budget < protocol.stops:
        raise BadInput(
            f"--budget {budget}: no question can get {protocol.stops} accepted responses of {budget} calls; "
            "raise it"
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
    patience = drawing.Patience(config.max_malformed)
    with ResponseStore(default_path()) as store:

        def ask(requests: drawing.Round) -> list[client.Outcome]:
            at_most = config.max_malformed if protocol.stops is None else patience.share(len(requests))
            allowed = config.model_copy(update={"max_malformed": at_most})
            found = client.draw(requests, allowed, store, corpus, solvable, Progress("draws"))
            patience.note(found)
            return found

        cases = drawing.draw(protocol, questions, budget, p.seed, ask, teacher, config.accepts.n)
    rows = [row for case in cases for row in case.rows]
    files.write_parquet(out, rows, Response)
    if acceptances:
        files.write_parquet(acceptances, acceptance.acceptances(rows, protocol), Acceptance)
    figures = ledger.figures(rows, protocol)
    if protocol.stops is not None:
        figures["until_accepted"] = acceptance.figures(rows, protocol, budget)
    second = opinions.disagreement(rows, questions, protocol)
    files.write_json(metrics, figures | ({"disagreement": second} if second else {}))
    accepted = figures["reasons"].get("accepted", 0)
    total = client.tally(outcome for case in cases for outcome in case.outcomes)
    until = figures.get("until_accepted")
    reached = f", {protocol.stops} of each of {until['reached']} questions" if until else ""
    click.echo(f"{out}: accepted {accepted} of {len(rows)} draws{reached}; {total}")


if __name__ == "__main__":
    main()
