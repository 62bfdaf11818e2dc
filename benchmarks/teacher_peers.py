"""The teacher's client beside others, against one mock server that counts every call.

Four experiments, with 64 requests in flight, 50 ms a reply and 150 tokens in it, the server on one core and
the client on another:

1. 2,000 requests: CPU of the client's process (user and system, all threads and children) over the whole run
   with its set-up, after a warm-up of 40 requests in the same process that pays for imports; requests per
   second by the server's clock, from the first call to the last answer.
2. kill -9 up to 50 ms after half of 3,000 requests are answered, at the same instants for every client, as
   replies come in bursts; then the same again to the end.
3. 1,000 requests, then the same with 100 appended.
4. 2,000 requests of which 5 % are answered 429 and 2 % 500, against the same without faults.

A call is paid for if it was answered in full to a client that was there and not being killed, and begun if
the server had it (see `teacher_server.py`). Every client runs in an environment of its own:

    for peer in curator datatrove designer distilabel; do python -m venv peers/$peer; done
    peers/curator/bin/pip install bespokelabs-curator==0.1.31
    peers/datatrove/bin/pip install 'datatrove[io]==0.10.1' httpx openai aiofiles aiosqlite 'numpy<2.3'
    peers/designer/bin/pip install data-designer==0.9.5
    peers/distilabel/bin/pip install 'distilabel[openai]==1.5.3' requests
    python benchmarks/teacher_peers.py \\
        --python curator=peers/curator/bin/python --python datatrove=peers/datatrove/bin/python \\
        --python data-designer=peers/designer/bin/python \\
        --python distilabel=peers/distilabel/bin/python
"""

import datetime
import json
import os
import platform
import random
import shlex
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import click
from teacher_rivals import CLIENTS, CONCURRENCY
from teacher_server import Count, Counted, answer_to, pinned, questions, running

HERE = Path(__file__).parent
FAULTS = {"429": 0.05, "500": 0.02}
LIMIT_S = 150  # of one run; a client that takes longer has not finished


class Ran(NamedTuple):
    """One run of a client to its end."""

    finished: bool
    missing: int  # questions without a row
    stale: int  # rows whose reply belongs to another question, or rows beyond the questions
    used: dict[str, Any]  # cpu_s, peak_mib, version
    count: Count
    said: str  # the last line of what a client that failed wrote


class Client(NamedTuple):
    """A client and the interpreter of its environment."""

    name: str
    python: str
    mock: Counted

    def start(self, folder: Path, count: int, *options: str) -> subprocess.Popen[bytes]:
        """Start it on its core."""
        folder.mkdir(parents=True, exist_ok=True)
        command = [self.python, str(HERE / "teacher_rivals.py"), self.name, self.mock.root, str(folder)]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*command, str(count), *options],
                stdout=log,
                stderr=log,
                preexec_fn=pinned(1),
                start_new_session=True,  # so that a kill takes its children too
                env=os.environ | {"HF_HOME": str(folder / "huggingface"), "PYTHONPATH": ""},
            )

    def run(self, folder: Path, count: int, *options: str) -> Ran:
        """Run it to its end, and compare what it wrote with what was asked."""
        (folder / "rows.jsonl").unlink(missing_ok=True)
        process = self.start(folder, count, *options)
        try:
            finished = process.wait(LIMIT_S) == 0
        except subprocess.TimeoutExpired:
            kill(process)
            finished = False
        seen = self.mock.settle()
        if not finished:
            lines = (folder / "log").read_text(errors="replace").strip().splitlines() or ["it said nothing"]
            return Ran(False, count, 0, {}, seen, lines[-1][:200] if process.returncode > 0 else "")
        *rows, used = map(json.loads, (folder / "rows.jsonl").read_text().splitlines())
        expected = {question: answer_to(question) for question in questions(count)}
        right = {r["question"] for r in rows if expected.get(r["question"]) == _answer(r["reply"])}
        return Ran(True, count - len(right), len(rows) - len(right), used, seen, "")


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a client and all that it started, -9."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _answer(reply: str) -> str:
    try:
        return str(json.loads(reply)["answer"])
    except (ValueError, KeyError, TypeError):
        return ""


def speed(client: Client, folder: Path, settings: dict[str, Any], count: int, repeats: int) -> list[Ran]:
    """Draw with a warm client, several times, each in a folder of its own."""
    runs = []
    for i in range(repeats):
        client.mock.reset()  # the warm-up meets no faults
        runs.append(client.run(folder / str(i), count, "--settings", json.dumps(settings)))
        if not _whole(runs[-1]):
            break
    return runs


def killed(client: Client, folder: Path, settings: dict[str, Any], count: int, repeats: int) -> list[Ran]:
    """Kill a client when half is answered; return its second runs, each with the counts of both."""
    runs, chance = [], random.Random(0)
    for i in range(repeats):
        client.mock.reset(**settings)
        process = client.start(folder / str(i), count)
        client.mock.wait(count // 2)
        time.sleep(chance.uniform(0.0, settings["latency_s"]))
        at = time.monotonic()
        kill(process)
        client.mock.settle()
        late = client.mock.count(
            at
        ).late  # answered to a process that was dying: in flight when it was killed
        run = client.run(folder / str(i), count)
        runs.append(run._replace(count=run.count._replace(late=late)))
        if not _whole(runs[-1]):
            break
    return runs


def _again(run: Ran, count: int) -> int:
    """Return how many replies were paid for twice that had come before the kill."""
    return run.count.answered - count - run.count.late


def appended(client: Client, folder: Path, settings: dict[str, Any], count: int, more: int) -> Ran:
    """Draw, then once more with questions appended; return the second run with its own counts."""
    client.mock.reset(**settings)
    first = client.run(folder, count)
    if not first.finished:
        return first
    client.mock.reset(**settings)
    return client.run(folder, count + more)


def measure(client: Client, folder: Path, repeats: int, kills: int, size: float) -> dict[str, str]:
    """Run the four experiments on one client; return the cells of its row."""
    settings: dict[str, Any] = {"latency_s": 0.05, "tokens": 150}
    n, half, ten = round(2000 * size), round(3000 * size), round(1000 * size)
    plain = speed(client, folder / "speed", settings, n, repeats)
    if not _whole(plain[-1]):
        return {"client": client.name, "failed": plain[-1].said or _ended(plain[-1])}
    cpu, rate, peak = (
        statistics.median(values)
        for values in (
            [1000 * run.used["cpu_s"] / n for run in plain],
            [run.count.answered / run.count.span_s for run in plain],
            [run.used["peak_mib"] for run in plain],
        )
    )
    again = killed(client, folder / "killed", settings, half, kills)
    halted = None if _whole(again[-1]) else again[-1]
    grown = appended(client, folder / "appended", settings, ten, ten // 10)
    faulty = speed(client, folder / "faulty", settings | {"faults": FAULTS}, n, repeats)
    plain_s, faulty_s = (statistics.median(run.count.span_s for run in runs) for runs in (plain, faulty))
    survived = _whole(faulty[-1])
    return {
        "client": f"{client.name} {plain[0].used['version'] if client.name != 'ours' else ''}".strip(),
        "CPU, ms/request": f"{cpu:.2f}",
        "requests/s": f"{rate:,.0f}",
        "peak, MiB": f"{peak:.0f}",
        "killed: paid again": _ended(halted) if halted else _range([_again(k, half) for k in again]),
        "killed: begun again": "–" if halted else _range([k.count.begun - half for k in again]),
        "appended: calls": f"{grown.count.begun:,}" + ("" if _whole(grown) else f" ({_ended(grown)})"),
        "faults: s": f"{faulty_s:.1f}" if survived else _ended(faulty[-1]),
        "of fault-free s": f"{plain_s:.1f}" + (f" ({faulty_s / plain_s:.2f}×)" if survived else ""),
        "_": f"most in flight {plain[0].count.peak}; ms/request in each repeat: client {_each(plain, n)}, "
        f"server {1000 * plain[0].count.cpu_s / n:.2f}; paid again after each kill: "
        f"{', '.join(str(_again(k, half)) for k in again)}",
    }


def _range(values: list[int]) -> str:
    least, most = min(values), max(values)
    return f"{statistics.median(values):g}" + (f" ({least:,} to {most:,})" if least < most else "")


def _each(runs: list[Ran], n: int) -> str:
    return ", ".join(f"{1000 * run.used['cpu_s'] / n:.2f}" for run in runs)


def _whole(run: Ran) -> bool:
    return run.finished and not run.missing and not run.stale


def _ended(run: Ran) -> str:
    if not run.finished:
        return f"aborted after {run.count.answered:,}" if run.said else f"not finished in {LIMIT_S} s"
    return f"{run.missing:,} lost, {run.stale:,} stale"


def machine() -> str:
    """Describe where and when this ran."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    where = f"{cores} cores ({model or platform.machine()}), {platform.platform()}"
    return f"{where}, Python {platform.python_version()}, {datetime.date.today()}, load before {load:.1f}"


@click.command()
@click.option("--python", "pythons", multiple=True, metavar="CLIENT=PATH", help="A peer's interpreter.")
@click.option("--only", multiple=True, type=click.Choice(list(CLIENTS)), help="Run these alone.")
@click.option("--repeats", default=3, show_default=True, help="Of 1 and 4; medians are shown.")
@click.option("--kills", default=5, show_default=True, help="Of 2; median and range are shown.")
@click.option("--size", default=1.0, show_default=True, help="Share of every experiment.")
@click.option("--keep", type=click.Path(path_type=Path), help="Folder for what the clients write and log.")
def main(
    pythons: list[str], only: list[str], repeats: int, kills: int, size: float, keep: Path | None
) -> None:
    """Print a table with a row per client."""
    given = dict(pair.partition("=")[::2] for pair in pythons)
    named = {"raw": sys.executable, "ours": sys.executable} | given
    if "datatrove" in named:
        named.setdefault("datatrove-openai", named["datatrove"])
    click.echo(f"{machine()}\n\n    {shlex.join(['python', *sys.argv])}\n")
    rows = []
    with tempfile.TemporaryDirectory(prefix="teacher-peers-") as scratch, running(core=0) as mock:
        for name in CLIENTS:
            if name in named and (not only or name in only):
                client = Client(name, named[name], mock)
                rows.append(measure(client, (keep or Path(scratch)) / name, repeats, kills, size))
                click.echo(f"{name}: {rows[-1].get('_') or rows[-1]['failed']}", err=True)
    heads = [head for head in max(rows, key=len) if head != "_"]
    click.echo(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for row in rows:
        cells = [row.get(head, "–") for head in heads] if "failed" not in row else row.values()
        click.echo(f"| {' | '.join(cells)} |")
    click.echo(f"\n{CONCURRENCY} in flight; faults of each call: {FAULTS}, Retry-After 0.1 s with a 429.")


if __name__ == "__main__":
    main()
