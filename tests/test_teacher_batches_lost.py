"""Batches that are not where they were left: found again where the server has them, else said to be lost."""

import asyncio
import sqlite3

import pytest
from scripted_batches import MODEL, batch_teacher, engine, job, run

from stages.errors import BadInput
from stages.teacher import batch_api
from stages.teacher.store import ResponseStore
from stages.teacher.store_batches import BatchLedger

JOBS = [job(i) for i in range(6)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setattr(batch_api, "_PAUSE_S", 0.01)
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def draw(url, store, **changes):
    return asyncio.run(run(engine(url, store, **changes), store, JOBS))


def status(store):
    with sqlite3.connect(store.path) as connection:
        return [x[0] for x in connection.execute("select status from batches order by created, intent")]


class Times:
    """An answer to the first so many requests of a kind."""

    def __init__(self, count, kind, answer):
        self.left, self.kind, self.answer = count, kind, answer

    def __call__(self, asked):
        if asked != self.kind or not self.left:
            return None
        self.left -= 1
        return self.answer


LOST_REPLIES = ["drop", (500, {}), (429, {}), (408, {})]


@pytest.mark.parametrize("answer", LOST_REPLIES, ids=str)
@pytest.mark.parametrize("lag", [0, 2])
def test_a_batch_whose_creation_was_not_answered_is_found_and_not_made_again(store, answer, lag):
    empty = (200, {"object": "list", "data": [], "has_more": False})
    lost, lagging = Times(1, "POST /v1/batches", answer), Times(lag, "GET /v1/batches", empty)
    with batch_teacher() as (url, script):
        script.after = lambda asked: lost(asked) or lagging(asked)
        draw(url, store, retries=2)
    assert len(script.inputs) == 1
    assert (len(store), status(store)) == (6, ["stored"])


@pytest.mark.parametrize("answer", LOST_REPLIES, ids=str)
def test_a_batch_that_was_not_created_is_created_by_the_next_try(store, answer):
    with batch_teacher() as (url, script):
        script.before = Times(1, "POST /v1/batches", answer)
        draw(url, store)
    assert script.asked.count("POST /v1/batches") == 2
    assert (len(script.inputs), status(store)) == (1, ["stored"])


def test_an_intent_that_came_to_nothing_is_closed_after_some_looks(store):
    ledger = BatchLedger(store.path)
    with batch_teacher() as (url, script):
        ledger.intend("i", MODEL, url.split("/")[2], "answer", [JOBS[0].key])
        draw(url, store)
    assert status(store) == ["void", "stored"]
    assert script.asked.count("GET /v1/batches") == batch_api.LOOKS
    ledger.close()


def test_the_list_is_followed_over_its_pages_and_ends_though_a_server_pages_for_ever(store):
    def page(asked):
        listed = {"object": "list", "has_more": True, "data": [{"id": "batch_x", "object": "batch"}]}
        return (200, listed) if asked == "GET /v1/batches" else None

    ledger = BatchLedger(store.path)
    with batch_teacher() as (url, script):
        script.after = page
        ledger.intend("i", MODEL, url.split("/")[2], "answer", [JOBS[0].key])
        draw(url, store)
    assert status(store)[0] == "void"
    assert script.asked.count("GET /v1/batches") == 2 * batch_api.LOOKS
    ledger.close()


def unfinished(url, store):
    """Send a batch and stop before its replies are fetched."""
    with pytest.raises(BadInput):
        draw(url, store, retries=0)
    assert status(store) == ["sent"]
    assert len(store) == 0


@pytest.mark.parametrize("what", ["batches/batch_0", "files/file-1", "files/file-1/content"])
def test_what_the_server_has_lost_is_said_and_drawn_again_once(store, what):
    said = []
    with batch_teacher() as (url, script):
        script.before = lambda asked: (403, {}) if asked == "GET /v1/batches/batch_0" else None
        unfinished(url, store)
        script.before = lambda asked: (404, {}) if asked == f"GET /v1/{what}" else None
        draw(url, store, say=said.append)
        draw(url, store)
    assert [len(x) for x in script.inputs] == [6, 6]
    assert status(store) == ["lost", "stored"]
    assert "batch batch_0 is lost, its 6 requests are sent again" in said[1]


def test_a_batch_that_is_lost_while_it_is_waited_for_is_drawn_again(store):
    with batch_teacher() as (url, script):
        script.before = lambda asked: (404, {}) if asked == "GET /v1/batches/batch_0" else None
        draw(url, store)
    assert status(store) == ["lost", "stored"]


@pytest.mark.parametrize("answer", ["drop", (503, {}), (404, {})], ids=str)
def test_faults_that_pass_cost_nothing(store, answer):
    kinds = ["GET /v1/batches/batch_0", "GET /v1/files/file-1", "GET /v1/files/file-1/content"]
    faults = [Times(1, kind, answer) for kind in kinds[: 1 if answer == (404, {}) else 3]]
    with batch_teacher() as (url, script):
        script.before = lambda asked: next((told for f in faults if (told := f(asked))), None)
        draw(url, store)
    assert [len(x) for x in script.inputs] == [6]
    assert (len(store), status(store)) == (6, ["stored"])


def test_a_file_that_breaks_off_is_read_again_and_each_line_counts_once(store):
    with batch_teacher() as (url, script):

        def half(asked):
            return (200, script.files["file-1"][:1500]) if cut(asked) else None

        cut = Times(1, "GET /v1/files/file-1/content", True)
        script.after = half
        found = draw(url, store)
    assert [len(x) for x in script.inputs] == [6]
    assert len(found) == len(store) == 6
