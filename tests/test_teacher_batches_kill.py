"""Killing a process that draws in batches with -9, at each step it takes, pays for no reply twice."""

import asyncio
import io
import json
import multiprocessing
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time

import pytest
from scripted_batches import MODEL, engine, job, run
from scripted_teacher import WORLD

from stages import files
from stages.records import Article
from stages.teacher.batch_api import BatchApi
from stages.teacher.store import ResponseStore
from stages.teacher.store_batches import BatchLedger

pytestmark = pytest.mark.slow
JOBS = [job(i) for i in range(120)]


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner, name):
    """Kill this process when a method has done its work, and before anyone knows."""
    method = getattr(owner, name)

    async def waited(*args, **options):
        await method(*args, **options)
        kill()

    def called(*args, **options):
        method(*args, **options)
        kill()

    setattr(owner, name, waited if asyncio.iscoroutinefunction(method) else called)


def before(owner, name):
    setattr(owner, name, lambda *args, **options: kill())


def in_mid_upload():
    upload = BatchApi.upload

    async def halfway(self, file):
        class Halting(io.BytesIO):
            def read(self, size=-1):
                return super().read(1000) if self.tell() < 30_000 else kill()

        return await upload(self, Halting(file.read()))

    BatchApi.upload = halfway


def in_mid_download():
    lines = BatchApi.lines

    async def some(self, name):
        count = 0
        async for line in lines(self, name):
            yield line
            count += 1
            if count == 10:
                kill()

    BatchApi.lines = some


def in_mid_store():
    put, count = ResponseStore.put, iter(range(10**6))

    def some(self, row):
        future = put(self, row)
        if next(count) == 10:
            future.result()
            kill()
        return future

    ResponseStore.put = some


INSTANTS = {
    "before the upload": lambda: before(BatchApi, "upload"),
    "in mid-upload": in_mid_upload,
    "after the upload": lambda: after(BatchApi, "upload"),
    "after the intent": lambda: after(BatchLedger, "intend"),
    "after the creation": lambda: after(BatchApi, "create"),
    "after its record": lambda: after(BatchLedger, "sent"),
    "while polling": lambda: after(BatchApi, "state"),
    "in mid-download": in_mid_download,
    "while storing": in_mid_store,
    "before the batch is closed": lambda: before(BatchLedger, "end"),
}


def draw(path, url, instant, size):
    """Draw all jobs; what a child process does."""
    if instant:
        INSTANTS[instant]()
    with ResponseStore(path) as store:
        asyncio.run(run(engine(url, store, size=size, poll_s=0.05), store, JOBS))


@pytest.fixture
def server(tmp_path):
    """Serve the simulator in a process of its own; yield (URL, its log)."""
    files.write_parquet(tmp_path / "articles.parquet", WORLD, Article)
    log = tmp_path / "served.jsonl"
    command = [sys.executable, "-m", "stages.teacher", "serve", "--port", "0", "--model", MODEL]
    command += [
        "--a",
        "0.6",
        "--b",
        "0.8",
        "--never",
        "0.1",
        "--slip",
        "0",
        "--miss",
        "0",
        "--false-alarm",
        "0",
    ]
    command += ["--log", str(log), "--articles", str(tmp_path / "articles.parquet")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield re.match(r"http://\S+/v1", process.stdout.readline()).group(), log
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.fixture
def start(tmp_path, server, monkeypatch):
    """Return a function that starts a drawing process: forked by one that has imported everything."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["test_teacher_batches_kill"])

    def started(instant=None, size=50_000):
        process = processes.Process(target=draw, args=(tmp_path / "s.sqlite", server[0], instant, size))
        process.start()
        return process

    return started


def ended(process):
    process.join(60)
    return process.exitcode


def served(log):
    return [json.loads(line)["body"] for line in log.read_text().splitlines()]


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_kill_at_any_step_and_another_while_that_is_made_good_pay_nothing_twice(
    instant, server, start, tmp_path
):
    assert ended(start(instant)) == -signal.SIGKILL
    again = ended(start("in mid-download"))
    assert again == -signal.SIGKILL or instant == "before the batch is closed"
    assert ended(start()) == 0
    assert len(served(server[1])) == len(set(served(server[1]))) == len(JOBS)
    with ResponseStore(tmp_path / "s.sqlite") as store:
        assert len(store) == len(JOBS)
    with sqlite3.connect(tmp_path / "s.sqlite") as connection:
        left = connection.execute("select count(*) from batches where status in ('intended', 'sent')")
        assert left.fetchone() == (0,)


def test_kills_at_random_instants_of_several_batches_pay_nothing_twice(server, start, tmp_path):
    chance, kills = random.Random(5), 0
    for _ in range(12):
        process = start(size=30)
        time.sleep(chance.uniform(0.05, 0.8))
        process.kill()
        kills += ended(process) == -signal.SIGKILL
    assert ended(start(size=30)) == 0
    assert kills, "it was done before it was killed: the test shows nothing"
    assert len(served(server[1])) == len(set(served(server[1]))) == len(JOBS)
    with ResponseStore(tmp_path / "s.sqlite") as store:
        assert len(store) == len(JOBS)
    print(f"{len(JOBS)} needed, {len(served(server[1]))} served, after {kills} kills")
