"""100,000 requests through the teacher's client to a server of which every tenth call fails.

The faults are mixed: 429 and 500, connections reset, bodies cut off, completions without a choice, replies
that come byte by byte, and calls that hang for longer than the client waits. Afterwards every request must be
in the store once with its own reply; calls that were answered soundly beyond one for each request were paid
for twice. The server counts, see `teacher_server.py`; the client is a process of its own.

    python benchmarks/teacher_soak.py
"""

import multiprocessing
import resource
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import click
from teacher_peers import machine
from teacher_rivals import ROOT, our_config
from teacher_server import Count, answer_to, pinned, questions, running

FAULTS = {
    "429": 0.03,
    "500": 0.03,
    "reset": 0.013,
    "truncated": 0.0125,
    "empty": 0.0125,
    "slow": 0.0015,
    "hang": 0.0005,
}  # shares of all calls
TIMEOUT_S = 10.0


class Drawn(NamedTuple):
    """What the client's process found."""

    seconds: float
    cpu_s: float
    before_mib: float  # peak memory with everything imported
    peak_mib: float
    outcomes: int
    wrong: int  # outcomes that are malformed or answer another question
    calls: int  # by the client's own count


def draw(root: str, store_path: Path, count: int, concurrency: int) -> Drawn:
    """Draw with the client, and compare each outcome with its request."""
    import sys

    sys.path.insert(0, str(ROOT))
    from stages.teacher import client, prompts
    from stages.teacher.store import ResponseStore

    if pin := pinned(1):
        pin()
    settings = our_config(root, concurrency=concurrency, timeout=TIMEOUT_S, retries=12)
    asked = questions(count)
    draws = (client.Request(prompts.answer(question)) for question in asked)
    before, begin, cpu = _peak(), time.perf_counter(), time.process_time()
    outcomes = wrong = calls = 0
    with ResponseStore(store_path) as store:
        # A stream where the client has one: a list of all outcomes would be most of the memory.
        for outcome in getattr(client, "stream", client.draw)(draws, settings, store):
            given: Any = outcome.reply
            wrong += given is None or given.answer != answer_to(asked[outcomes])
            outcomes += 1
            calls += outcome.calls
    seconds, used = time.perf_counter() - begin, time.process_time() - cpu
    return Drawn(seconds, used, before, _peak(), outcomes, wrong, calls)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def stored(path: Path) -> tuple[int, str]:
    """Return (rows of the store, what SQLite says of the file)."""
    with closing(sqlite3.connect(path)) as opened:
        (rows,) = opened.execute("select count(*) from responses").fetchone()
        (sound,) = opened.execute("pragma integrity_check").fetchone()
    return rows, sound


def report(drawn: Drawn, count: Count, rows: int, sound: str, asked: int) -> list[tuple[str, str]]:
    """Return what is printed, line by line."""
    rate = asked / drawn.seconds
    return [
        ("requests; outcomes; rows in the store", f"{asked:,}; {drawn.outcomes:,}; {rows:,} ({sound})"),
        ("lost; malformed or mixed up", f"{asked - rows:,}; {drawn.wrong:,}"),
        ("calls", f"{count.calls:,}"),
        ("faults", ", ".join(f"{kind} {n:,}" for kind, n in count.faults.items())),
        ("answered soundly, beyond one a request", f"{count.answered - asked:,}"),
        ("begun, beyond one a request", f"{count.begun - asked:,}"),
        ("most in flight", f"{count.peak:,}"),
        ("time", f"{drawn.seconds:.0f} s, {rate:,.0f} requests/s"),
        ("CPU of client; of server", f"{drawn.cpu_s:.0f} s; {count.cpu_s:.0f} s"),
        ("CPU of client a request", f"{1000 * drawn.cpu_s / asked:.2f} ms"),
        ("peak memory; before the first request", f"{drawn.peak_mib:.0f} MiB; {drawn.before_mib:.0f} MiB"),
    ]


@click.command()
@click.option("--requests", "asked", default=100_000, show_default=True)
@click.option("--concurrency", default=256, show_default=True)
@click.option("--latency", default=0.005, show_default=True, help="Of a reply, seconds.")
def main(asked: int, concurrency: int, latency: float) -> None:
    """Print what came of it; fail if anything was lost, mixed up or paid for twice."""
    click.echo(machine())
    with tempfile.TemporaryDirectory(prefix="teacher-soak-") as scratch, running(core=0) as mock:
        store = Path(scratch) / "responses.sqlite"
        mock.reset(latency_s=latency, faults=FAULTS, retry_after_s=0.1)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            drawn = pool.apply(draw, (mock.root, store, asked, concurrency))
        count, (rows, sound) = mock.settle(), stored(store)
    click.echo("\n| what | result |\n|---|---|")
    for what, result in report(drawn, count, rows, sound, asked):
        click.echo(f"| {what} | {result} |")
    if (rows, drawn.outcomes, drawn.wrong, sound) != (asked, asked, 0, "ok"):
        raise click.ClickException("a request was lost or mixed up")
    if count.answered > asked:
        raise click.ClickException(f"{count.answered - asked} sound replies were paid for twice")


if __name__ == "__main__":
    main()
