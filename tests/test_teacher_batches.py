"""Draws through the Batch API: in the jobs' order, as if asked alone, each paid for once."""

import asyncio
import json
import sqlite3
from itertools import pairwise

import httpx2
import pytest
from scripted_batches import MODEL, engine, job, row, run
from scripted_teacher import FRANCE, WORLD

from stages.errors import BadInput
from stages.teacher import batches, prompts, simulator
from stages.teacher.competence import Embedded
from stages.teacher.store import ResponseStore
from stages.teacher.store_batches import BatchLedger

SHAPE = Embedded(a=0.6, b=0.8, never=0.1, slip=0.1, miss=0.2, false_alarm=0.05)
URL = "http://embedded-teacher/v1"
JOBS = [job(i) for i in range(40)]


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def simulated(served):
    return simulator.application(WORLD, MODEL, SHAPE, served.append)


def status(store):
    with sqlite3.connect(store.path) as connection:
        return [x[0] for x in connection.execute("select status from batches order by created, intent")]


def test_answers_come_in_the_jobs_order_and_are_to_the_byte_those_of_single_requests(store):
    async def alone(app):
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app)) as http:
            return [await http.post(f"{URL}/chat/completions", json=j.body) for j in JOBS]

    served = []
    app = simulated(served)
    found = asyncio.run(run(engine(URL, store, app), store, JOBS))
    singly = asyncio.run(alone(app))
    assert [r.text for r in found] == [r.text for r in singly]
    assert [r.request_id for r in found] == [r.headers["x-request-id"] for r in singly]
    assert len(served) == 80
    assert status(store) == ["stored"]
    assert asyncio.run(run(engine(URL, store, app), store, JOBS)) == []
    assert len(served) == 80


def test_files_hold_one_task_and_no_more_than_size_requests(store, monkeypatch):
    mixed = JOBS[:5] + [job(i, prompts.seed_questions(FRANCE, 2)) for i in range(5)]
    mixed = mixed[::2] + mixed[1::2]
    found = asyncio.run(run(engine(URL, store, simulated([]), size=3), store, mixed))
    assert len(found) == 10
    for j, received in zip(mixed, found, strict=True):
        asks_seeds = j.body["response_format"]["json_schema"]["name"] == "seed_questions"
        assert ("questions" in json.loads(received.said.content)) == asks_seeds
    with sqlite3.connect(store.path) as connection:
        rows = connection.execute("select task, requests from batches order by task, requests").fetchall()
    assert rows == [("answer", 2), ("answer", 3), ("seed_questions", 2), ("seed_questions", 3)]
    longest = max(len(batches._line(j)) for j in JOBS)
    monkeypatch.setattr(batches, "FILE_BYTES", 2 * longest)
    files = []
    for file in batches._files(JOBS[:5], 50_000):
        files.append((len(file.file.read()), file.keys))
    assert [keys for _, keys in files] == [[j.key for j in JOBS[a:b]] for a, b in ((0, 2), (2, 4), (4, 5))]
    assert all(size <= 2 * longest for size, _ in files)


def test_a_batch_stays_open_until_the_store_has_its_replies(store):
    async def returned(keep):
        made = engine(URL, store, app)
        found = await made.complete(JOBS[:4])
        for j, received in list(zip(JOBS, found, strict=False))[:keep]:
            store.put(row(j.key, received)).result()
        await made.close()

    served = []
    app = simulated(served)
    asyncio.run(returned(keep=3))
    assert status(store) == ["sent"]
    settled = []
    made = engine(URL, store, app)

    def put(x):
        settled.append(x)
        return store.put(row(x.key, x.received))

    async def settle():
        count = await made.settle(put)
        await made.close()
        return count

    assert asyncio.run(settle()) == 4
    assert {x.key for x in settled} == {j.key for j in JOBS[:4]}
    assert {x.task for x in settled} == {"answer"}
    assert (len(store), len(served), status(store)) == (4, 4, ["stored"])
    asyncio.run(returned(keep=4))
    assert status(store) == ["stored"] * 2


def test_a_reply_that_cannot_be_stored_leaves_its_batch_open(store):
    app = simulated([])

    async def send():
        made = engine(URL, store, app)
        await made.complete(JOBS[:2])
        await made.close()

    async def settle():
        def full(settled):
            future = batches.Future()
            future.set_exception(BadInput("disk full"))
            return future

        made = engine(URL, store, app)
        with pytest.raises(BadInput, match="disk full"):
            await made.settle(full)
        await made.close()

    asyncio.run(send())
    asyncio.run(settle())
    assert status(store) == ["sent"]


def test_batches_of_another_model_or_host_are_left_alone(store):
    ledger = BatchLedger(store.path)
    for model, host in (("other", "embedded-teacher"), (MODEL, "api.openai.com")):
        ledger.intend(f"i-{model}", model, host, None, [JOBS[0].key])
        ledger.sent(f"i-{model}", "batch_1")
    ledger.close()
    asyncio.run(run(engine(URL, store, simulated([])), store, JOBS[:1]))
    assert sorted(status(store)) == ["sent", "sent", "stored"]


def test_an_id_noted_by_another_process_outlives_the_verdict_that_there_is_no_batch(store):
    ledger = BatchLedger(store.path)
    ledger.intend("i", MODEL, "h", "answer", [j.key for j in JOBS])
    ledger.void("i")
    assert ledger.open(MODEL, "h") == []
    ledger.sent("i", "batch_1")
    ledger.void("i")
    (open_,) = ledger.open(MODEL, "h")
    assert (open_.id, open_.keys) == ("batch_1", [j.key for j in JOBS])
    ledger.close()


def test_the_ledger_needs_a_store(tmp_path):
    with pytest.raises(BadInput, match="table of batches"):
        BatchLedger(tmp_path / "none.sqlite")
    assert not (tmp_path / "none.sqlite").exists()


def test_only_single_draws_of_the_engines_model_are_taken(store):
    for bad in (job(0, n=2), job(0, model="other")):
        with pytest.raises(ValueError, match="single draws"):
            asyncio.run(run(engine(URL, store, simulated([])), store, [bad]))
    assert asyncio.run(run(engine(URL, store, simulated([])), store, [])) == []


def test_looks_grow_apart(store, monkeypatch):
    waits = []

    async def sleep(seconds, sleep=asyncio.sleep):
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(batches.asyncio, "sleep", sleep)
    asyncio.run(run(engine(URL, store, simulated([]), poll_s=4.0), store, [job(i) for i in range(100)]))
    polls = [s for s in waits if s]
    assert polls[:2] == [4.0, 6.0]
    assert all(a <= b <= 40.0 for a, b in pairwise(polls))
    assert polls[-1] == 40.0
