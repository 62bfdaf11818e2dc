"""A Batch API that fails: sent again where that helps, else one line; nothing is lost or paid twice."""

import asyncio
import json
import sqlite3

import pytest
from scripted_batches import KEY, batch_teacher, engine, good, job, run, served
from scripted_teacher import completion

from stages.errors import BadInput
from stages.teacher import batch_api
from stages.teacher.store import ResponseStore

JOBS = [job(i) for i in range(6)]


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def draw(url, store, jobs=JOBS, **changes):
    return asyncio.run(run(engine(url, store, **changes), store, jobs))


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(batch_api, "_PAUSE_S", 0.01)


def status(store):
    with sqlite3.connect(store.path) as connection:
        return [x[0] for x in connection.execute("select status from batches order by created, intent")]


def sent(script):
    """Return the numbers of requests in each batch."""
    return [len(lines) for lines in script.inputs]


def errors(lines, code=400, message="bad"):
    return [served(line, json.dumps({"error": {"message": message}}), code) for line in lines]


def expired(lines):
    error = {"code": "batch_expired", "message": "out of time"}
    return [served(line, response=None, error=error) for line in lines]


def part(rest, output=lambda x: [], **fields):
    """Return a plan that answers four requests well, and puts `output` and `error` of the `rest` beside."""

    def plan(x):
        error = {"error": fields["error"](x[4:])} if "error" in fields else {}
        return {**fields, **rest, "output": [*output(x[4:]), *good(x[:4])["output"]], **error}

    return plan


PART = {
    "error lines": part({}, error=lambda x: errors(x, 500)),
    "error lines in the output": part({}, lambda x: errors(x, 429)),
    "expired": part({"status": "expired"}, error=expired),
    "missing lines": part({}),
    "cut line": part({}, lambda x: [served(x[0])[:70]]),
    "no JSON": part({}, lambda x: [b"<html>", b"[1]", b'{"custom_id": 7}', b"\xff"]),
    "deep": part({}, lambda x: [b"[" * 60_000]),
    "garbled bodies": part({}, lambda x: [served(y, '{"choices": []}') for y in x]),
    "bodies of other kinds": part({}, lambda x: [served(y, "7") for y in x]),
    "wrong ids": part({}, lambda x: [served({"custom_id": name}) for name in ("f" * 64, "a")]),
    "long lines": part({}, lambda x: [served(y, more="x" * 120_000) for y in x]),
}
CROWDED = {"code": "token_limit_exceeded", "message": "queue full"}
NONE = {
    "crowded": lambda x: {"status": "failed", "errors": {"data": [CROWDED]}},
    "failed without a reason": lambda x: {"status": "failed"},
    "no files": lambda x: {},
}


EACH = pytest.mark.parametrize(
    ("plan", "left"),
    [*((plan, 2) for plan in PART.values()), *((plan, 6) for plan in NONE.values())],
    ids=[*PART, *NONE],
)


@EACH
def test_what_was_not_answered_goes_into_a_further_batch(store, plan, left):
    said = []
    with batch_teacher(plan) as (url, script):
        found = draw(url, store, say=said.append)
    assert sent(script) == [6, left]
    assert len(found) == len(store) == 6
    assert status(store) == ["failed" if left == 6 else "stored", "stored"]
    assert f"{left} of 6 requests failed" in said[0]


@EACH
def test_what_keeps_failing_is_one_line_and_the_next_run_sends_only_that(store, plan, left):
    with batch_teacher(plan) as (url, script):
        with pytest.raises(BadInput, match=f"left {left} of 6 requests of its batches unanswered") as caught:
            draw(url, store, retries=0)
        assert (sent(script), len(store)) == ([6], 0)
        draw(url, store)
    assert "\n" not in caught.value.message
    assert url.split("/")[2] in caught.value.message
    assert sent(script) == [6, left]
    assert len(store) == 6


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (
            lambda x: {"output": [served(y) for y in x[:4]], "error": errors(x[4:])},
            "refused 2 requests.*status 400",
        ),
        (
            lambda x: {
                "status": "failed",
                "errors": {"data": [{"code": "model_not_found", "message": "no m"}]},
            },
            r"refused a batch of 6 requests: no m \(model_not_found\)",
        ),
        (lambda x: {"status": "cancelled", **good(x[:4])}, "was cancelled"),
    ],
    ids=["refused lines", "refused file", "cancelled"],
)
def test_what_would_fail_again_is_not_sent_again(store, plan, said):
    with batch_teacher(plan) as (url, script):
        with pytest.raises(BadInput, match=said):
            draw(url, store, retries=3)
        assert sent(script) == [6]
        draw(url, store)
    assert sent(script)[1:] in ([2], [6])
    assert len(store) == 6


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("POST /v1/files", (401, {"error": {"message": f"Incorrect API key: {KEY}"}}), "teacher.api_key_env"),
        ("POST /v1/files", (404, {}), "offers OpenAI's Batch API"),
        ("POST /v1/files", (500, {"error": {"message": "oh"}}), "status 500: oh; run again"),
        ("POST /v1/files", "drop", "cannot be reached"),
        ("POST /v1/files", (200, b"<html>"), "sent no FileObject|no answer"),
        ("POST /v1/files", (200, {"object": "file"}), "sent no FileObject"),
        ("POST /v1/batches", (400, {"error": {"message": KEY}}), "status 400: \\*\\*\\*; check"),
        ("POST /v1/batches", (200, [1]), "Batch|no answer"),
        ("GET /v1/batches/batch_0", (403, {}), "may not use batches"),
        ("GET /v1/batches/batch_0", (503, {}), "status 503"),
        ("GET /v1/files/file-1/content", (503, {}), "status 503"),
        ("GET /v1/files/file-1/content", "drop", "cannot be reached"),
        ("GET /v1/files/file-1/content", (200, b"{}"), "sent 2 of the"),
    ],
)
def test_a_lasting_fault_is_one_line_without_the_key(store, path, answer, said):
    with batch_teacher() as (url, script):
        script.before = lambda asked: answer if asked == path else None
        with pytest.raises(BadInput, match=said) as caught:
            draw(url, store, retries=0)
        assert "\n" not in caught.value.message
        assert KEY not in caught.value.message
        assert len(script.inputs) <= 1
        script.before = lambda asked: None
        draw(url, store)
    made = [asked for asked in script.asked if asked == "POST /v1/batches"]
    assert len(script.inputs) == 1, "paid twice"
    assert len(made) <= 2
    assert len(store) == 6


def test_the_key_is_in_nothing_that_is_kept(store):
    echo = [lambda x: {"output": [served(y, request_id=KEY) for y in x], "error": errors(x, 500, KEY)}]
    body = json.dumps(json.loads(served({"custom_id": ""}))["response"]["body"]).replace("Paris", KEY)
    echo.append(lambda x: {"output": [served(y, body) for y in x]})
    for i, plan in enumerate(echo):
        with batch_teacher(plan) as (url, _):
            draw(url, store, [job(100 * i + n) for n in range(3)])
    assert len(store) == 6
    assert all(KEY.encode() not in part.read_bytes() for part in store.path.parent.iterdir())


def test_a_reply_with_nul_and_lone_surrogates_survives_the_store(store):
    body = completion('{"rationale": "a\\u0000b", "answer": "c\ud800"}').body
    with batch_teacher(lambda x: {"output": [served(y, body) for y in x]}) as (url, _):
        found = draw(url, store)
    assert {r.said.content for r in found} == {'{"rationale": "a\\u0000b", "answer": "c?"}'}
    assert store.get([JOBS[0].key])[JOBS[0].key].body == found[0].text
