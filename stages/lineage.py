"""Trace a training row to its response, question, knowledge points, article and the requests behind them."""

import json
from contextlib import ExitStack
from pathlib import Path

import click

from stages.teacher.store import ResponseStore

FOUND = click.Path(exists=True, path_type=Path)
NEAREST = "by default the nearest {} above FILE"


def option(name: str, what: str) -> str:
    """Return the help of an option whose default is found."""
    return f"{what}; {NEAREST.format(f'datasets/{name}')}."


@click.command()
@click.argument("file", type=FOUND)
@click.argument("row")
@click.option("--responses", type=FOUND, help=option("responses", "Ledger, file or folder"))
@click.option("--pool", type=FOUND, help=option("pools", "Pool, file or folder"))
@click.option("--questions", type=FOUND, help=option("questions", "Seed questions, file or folder"))
@click.option("--knowledge", type=FOUND, help=option("knowledge", "Folder of annotations"))
@click.option("--synthesis", type=FOUND, help=option("synthesis", "Folder of synthesized samples"))
@click.option("--articles", type=FOUND, help=option("articles", "Articles, file or folder"))
@click.option(
    "--problems", type=FOUND, multiple=True, help="Problems; by default as the nearest params.yaml says."
)
@click.option(
    "--store",
    "stores",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Response store; by default SEEDBED_STORE, else every .seedbed/responses.sqlite above FILE.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a tree.")
def main(
    file: Path,
    row: str,
    responses: Path | None,
    pool: Path | None,
    questions: Path | None,
    knowledge: Path | None,
    synthesis: Path | None,
    articles: Path | None,
    problems: tuple[Path, ...],
    stores: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Show what ROW of the training set FILE was made of; ROW is its index from 0, or QUESTION_ID:ROLLOUT."""
    from stages.tracing import library, reading, text

    def place(given: Path | None, name: str) -> Path | None:
        return given or reading.nearest(file, f"datasets/{name}")

    places = library.Places(
        responses=place(responses, "responses"),
        pool=place(pool, "pools"),
        questions=place(questions, "questions"),
        knowledge=place(knowledge, "knowledge"),
        synthesis=place(synthesis, "synthesis"),
        articles=place(articles, "articles"),
        problems=problems or library.problems_above(file),
    )
    with ExitStack() as stack:
        # A store that is not there is not made: tracing writes nothing.
        found = [path for path in stores or reading.stores(file) if path.exists()]
        opened = [stack.enter_context(ResponseStore(path)) for path in found]
        chain = library.Library(places, opened).trace(file, row)
    click.echo(json.dumps(chain.model_dump(), indent=2) if as_json else text.tree(chain))


if __name__ == "__main__":
    main()
