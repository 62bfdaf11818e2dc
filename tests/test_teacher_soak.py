"""The client under kill -9, beside another process and amid faults; the server counts every call."""

import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from scripted_teacher import config

from stages.teacher import prompts
from stages.teacher.client import Request, draw
from stages.teacher.store import ResponseStore

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")
KILLS = 20
CONCURRENCY = 8
ASKED = 600  # more than can be answered before the last kill


def requests(first: int, last: int) -> list[Request]:
    return [Request(prompts.answer(f"What is the code of item {i}?")) for i in range(first, last)]


def expected(first: int, last: int) -> list[str]:
    from teacher_server import answer_to

    return [answer_to(request.prompt.messages[-1][1]) for request in requests(first, last)]


def drawn(url: str, store: Path, first: int, last: int, **changes) -> list[str]:
    """Draw in whatever process this is; return the answers, malformed ones by their reason."""
    os.environ["SCRIPTED_TEACHER_KEY"] = "sk-x"
    settings = config(
        backend="openai", base_url=url, model="m", **{"concurrency": CONCURRENCY, "retries": 8, **changes}
    )
    with ResponseStore(store) as opened:
        outcomes = draw(requests(first, last), settings, opened)
    return [outcome.reply.answer if outcome.reply else outcome.reason for outcome in outcomes]


def rows(store: Path) -> dict[str, tuple]:
    """Return what is stored by key, read as another program would."""
    if not store.exists():
        return {}
    with closing(sqlite3.connect(store, timeout=30)) as opened:
        if not opened.execute("select 1 from sqlite_master where name = 'responses'").fetchone():
            return {}
        assert opened.execute("pragma integrity_check").fetchone() == ("ok",)
        return {row[0]: row for row in opened.execute("select * from responses")}


@pytest.fixture(scope="module")
def mock():
    """Serve the counting teacher in a process of its own."""
    sys.path.append(BENCHMARKS)
    from teacher_server import running

    try:
        with running() as counted:
            yield counted
    finally:
        sys.path.remove(BENCHMARKS)


@pytest.fixture
def processes(monkeypatch):
    """Return a context whose children start from one clean process that has imported everything."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["stages.teacher.endpoint", "test_teacher_soak"])
    return context


@pytest.mark.slow
def test_twenty_kills_lose_nothing_stored_and_repay_only_what_was_in_flight(mock, processes, tmp_path):
    store, chance = tmp_path / "s.sqlite", random.Random(20)
    mock.reset(latency_s=0.015)
    kept, begun, lost = rows(store), 0, []
    for _ in range(KILLS):
        process = processes.Process(target=drawn, args=(mock.url, store, 0, ASKED))
        process.start()
        # The instants lie in the drawing: after so many further replies, and a moment more.
        until = mock.count().answered + chance.randint(1, 25)
        while mock.count().answered < until:
            assert process.is_alive()
            time.sleep(0.003)
        time.sleep(chance.uniform(0.0, 0.02))
        process.kill()
        process.join(20)
        assert process.exitcode == -signal.SIGKILL, "it was done before it was killed"
        count, before, kept = mock.settle(), kept, rows(store)
        assert before.items() <= kept.items()
        lost.append((count.begun - begun) - (len(kept) - len(before)))
        begun = count.begun
    assert len(kept) < ASKED, "it was done before the last kill"
    # What was paid for and not kept was in flight at the kill, and none of it is lost for good.
    assert all(0 <= n <= CONCURRENCY for n in lost)
    assert drawn(mock.url, store, 0, ASKED) == expected(0, ASKED)
    count, finished = mock.count(), rows(store)
    assert count.peak <= CONCURRENCY
    assert kept.items() <= finished.items()
    assert len(finished) == count.distinct_begun == ASKED
    assert count.begun == ASKED + sum(lost)
    print(f"{ASKED} needed, {count.begun} begun, {count.answered} answered, {KILLS} kills: {lost}")

    mock.reset()
    assert drawn(mock.url, store, 0, ASKED) == expected(0, ASKED)
    assert mock.count().calls == 0


def test_two_processes_draw_on_one_store_and_the_next_run_pays_nothing(mock, processes, tmp_path):
    store, spans = tmp_path / "s.sqlite", [(0, 200), (120, 320)]
    mock.reset(latency_s=0.005)
    with processes.Pool(2) as pool:
        answers = pool.starmap(drawn, [(mock.url, store, *span) for span in spans], chunksize=1)
    assert answers == [expected(*span) for span in spans]
    count, both = mock.settle(), rows(store)
    assert len(both) == count.distinct == 320
    assert count.begun <= 400  # what both need may be asked for by both, and by each but once
    assert drawn(mock.url, store, 0, 320) == expected(0, 320)
    assert mock.count().calls == count.calls
    assert rows(store) == both


def test_a_storm_of_refusals_and_failures_passes_and_nothing_is_paid_for_twice(mock, tmp_path):
    mock.reset(latency_s=0.002, storm_s=1.0, retry_after_s=None)
    assert drawn(mock.url, tmp_path / "s.sqlite", 0, 200) == expected(0, 200)
    count = mock.count()
    assert min(count.faults["429"], count.faults["500"]) >= 1
    assert count.begun == count.answered == count.distinct == len(rows(tmp_path / "s.sqlite")) == 200


def test_calls_of_every_kind_of_fault_are_repeated_and_each_request_is_paid_for_once(mock, tmp_path):
    shares = {"429": 0.05, "500": 0.05, "reset": 0.05, "truncated": 0.05, "empty": 0.05}
    shares |= {"slow": 0.03, "hang": 0.02}
    mock.reset(latency_s=0.002, tokens=16, faults=shares, seed=5)
    assert drawn(mock.url, tmp_path / "s.sqlite", 0, 200, timeout=3.0, concurrency=32) == expected(0, 200)
    count = mock.settle()
    assert set(count.faults) == set(shares)
    assert count.begun == count.answered == count.distinct == len(rows(tmp_path / "s.sqlite")) == 200
