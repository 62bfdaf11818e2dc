"""`python -m stages.teacher serve`: the embedded teacher on a socket."""

import hashlib
import json
import socket
from collections.abc import Callable
from pathlib import Path

import click

from stages import files, params
from stages.errors import BadInput
from stages.records import Article, SeedProblem
from stages.teacher import client, housekeeping
from stages.teacher.competence import Embedded
from stages.teacher.plan_command import plan


class Params(params.Section):
    """What `serve` takes its defaults from."""

    teacher: client.Config


@click.group()
def main() -> None:
    """The teacher: what a run would buy of it, and the embedded one, a simulator, on a socket."""


main.add_command(housekeeping.store)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="Port; 0 takes a free one."
)
@click.option(
    "--articles",
    type=click.Path(path_type=Path),
    default=Path("datasets/articles"),
    show_default=True,
    help="Parquet file or folder of articles to answer from.",
)
@click.option(
    "--problems",
    type=click.Path(path_type=Path),
    help="Parquet file or folder of problems of mathematics and physics to solve.",
)
@click.option("--model", help="Name of the simulated model.  [default: teacher.model]")
@click.option("--a", type=float, help="Shape a of p ~ Beta(a, b).  [default: teacher.embedded.a]")
@click.option("--b", type=float, help="Shape b of p ~ Beta(a, b).  [default: teacher.embedded.b]")
@click.option("--never", type=float, help="Share of facts with p = 0.  [default: teacher.embedded.never]")
@click.option("--slip", type=float, help="Share synthesized with a fault.  [default: teacher.embedded.slip]")
@click.option("--miss", type=float, help="Share of faults missed.  [default: teacher.embedded.miss]")
@click.option(
    "--false-alarm",
    type=float,
    help="Share of sound samples called faulty.  [default: teacher.embedded.false_alarm]",
)
@click.option(
    "--log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Append one JSON line per completion served, with the sha256 of the request's canonical JSON.",
)
def serve(
    host: str,
    port: int,
    articles: Path,
    problems: Path | None,
    model: str | None,
    a: float | None,
    b: float | None,
    never: float | None,
    slip: float | None,
    miss: float | None,
    false_alarm: float | None,
    log: Path | None,
) -> None:
    """Answer chat completions by reading ARTICLES and solving PROBLEMS, until interrupted."""
    import uvicorn

    from stages.teacher import simulator

    given = {"a": a, "b": b, "never": never, "slip": slip, "miss": miss, "false_alarm": false_alarm}
    if model is None or None in given.values():
        p = params.load(Params).teacher
        model = model or p.model
        given = p.embedded.model_dump() | {k: v for k, v in given.items() if v is not None}
    try:
        embedded = Embedded.model_validate(given)
    except ValueError as error:
        raise BadInput(f"serve: {params.explain(error, Embedded)}") from error  # type: ignore[arg-type]
    rows = files.read_parquet(articles, Article)
    solved = files.read_parquet(problems, SeedProblem) if problems else []
    application = simulator.application(rows, model, embedded, _logger(log) if log else None, solved)
    listener = _listen(host, port)
    where = f"http://{host}:{listener.getsockname()[1]}/v1"
    full = simulator.model_id(model, embedded, rows, solved)
    read = f"{len(rows)} articles" + (f", {len(solved)} problems" if solved else "")
    click.echo(f"{where}: simulator {full}, {read}")
    server = uvicorn.Server(uvicorn.Config(application, log_level="warning", access_log=False))
    server.run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Return a listening socket, so that the first client finds it open however soon it comes."""
    try:
        return socket.create_server((host, port), backlog=2048)
    except OSError as error:
        raise BadInput(
            f"serve: cannot listen on {host}:{port}: {error.strerror}; choose another --port"
        ) from error


def _logger(log: Path) -> Callable[[bytes], None]:
    try:
        lines = log.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise BadInput(f"{log}: cannot write: {error.strerror}; choose another --log") from error

    def on_served(body: bytes) -> None:
        canonical = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
        lines.write(
            json.dumps({"body": hashlib.sha256(canonical.encode()).hexdigest(), "served": True}) + "\n"
        )

    return on_served


main.add_command(plan)

if __name__ == "__main__":
    main()
