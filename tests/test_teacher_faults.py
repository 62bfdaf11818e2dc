"""A teacher that fails: retried where that helps, else one line that says what came and what to do."""

import email.utils
import json
import socket
import time

import pytest
from scripted_teacher import DROP, GOOD, Entry, config, teacher

from stages.errors import BadInput
from stages.teacher import prompts
from stages.teacher.client import Request, draw
from stages.teacher.pace import Pace
from stages.teacher.store import ResponseStore
from stages.teacher.wire import Job

KEY = "sk-very-secret-key"
JSON = (("Content-Type", "application/json"),)
HTML = Entry(body="<!doctype html><html>Welcome</html>", headers=(("Content-Type", "text/html"),))


def error(status, message="it went wrong", headers=()):
    return Entry(status, json.dumps({"error": {"message": message}}), (*JSON, *headers))


def rollouts(count):
    return [Request(prompts.answer("What is the capital of France?"), rollout=i) for i in range(count)]


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", KEY)
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def over(url, **changes):
    return config(backend="openai", base_url=url, model="m", **{"concurrency": 1, "patience": 0, **changes})


@pytest.mark.parametrize(
    "entry",
    [error(429), error(500), error(503), error(408), DROP, HTML, Entry(body=GOOD.body[:40])],
    ids=["429", "500", "503", "408", "drop", "html", "truncated"],
)
def test_a_passing_fault_is_retried(store, entry):
    with teacher(entry) as (url, served):
        (outcome,) = draw(rollouts(1), over(url, retries=1), store)
    assert (outcome.reason, outcome.calls) == ("ok", 1)
    assert len(served) == 2
    assert served[0].body == served[1].body


def test_retry_after_is_honoured_in_seconds_and_as_a_date(store):
    wait = error(429, headers=(("Retry-After", "1.5"),))
    then = int(time.time()) + 5  # a date has no fractions
    date = email.utils.formatdate(then, usegmt=True)
    with teacher(wait, error(503, headers=(("Retry-After", date),))) as (url, served):
        draw(rollouts(1), over(url, retries=2), store)
    # Without the header the package waits 0.5 s and then 1 s at most.
    assert served[1].at - served[0].at >= 1.5
    assert time.time() >= then - 0.1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (error(400, "context too long"), "status 400: context too long"),
        (error(401, f"Incorrect API key: {KEY}"), "teacher.api_key_env"),
        (error(403), "status 403"),
        (error(404, "no such model"), "serves the model 'm'"),
        (error(429), "concurrency"),
        (error(500), "status 500: it went wrong; try again later"),
        (Entry(502, "<html>Bad gateway</html>"), "status 502"),
        (DROP, "cannot be reached"),
        (HTML, "sent HTML"),
        (Entry(body=GOOD.body[:40]), "truncated JSON"),
        (Entry(body=""), "empty body"),
        (Entry(body='{"choices": [], "usage": {}}'), "empty choices"),
        (Entry(body='{"ok": true}'), "no chat completion"),
    ],
)
def test_a_lasting_fault_is_one_line_and_what_came_before_is_stored(store, entry, said):
    with teacher(GOOD, GOOD, GOOD, then=entry) as (url, _), pytest.raises(BadInput) as caught:
        draw(rollouts(10), over(url, retries=0), store)
    line = caught.value.message
    assert said in line
    assert url.removeprefix("http://").removesuffix("/v1") in line
    assert "\n" not in line
    assert KEY not in line
    assert len(store) == 3


def test_replies_in_flight_at_a_fault_are_kept(store):
    # Of the replies of four workers one is a fault; the others are paid for.
    with teacher(*[GOOD] * 9, error(400)) as (url, served), pytest.raises(BadInput, match="400"):
        draw(rollouts(1000), over(url, concurrency=4), store)
    assert len(store) == len(served) - 1


def test_an_unreachable_teacher_is_named_by_host_alone(store):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        port = taken.getsockname()[1]
        url = f"http://user:password@127.0.0.1:{port}/v1"
        with pytest.raises(BadInput, match=rf"127\.0\.0\.1:{port} cannot be reached") as caught:
            draw(rollouts(1), over(url, retries=0), store)
    assert "password" not in caught.value.message


def test_a_silent_teacher_times_out(store):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with pytest.raises(BadInput, match="did not answer in time; raise"):
            draw(rollouts(1), over(url, retries=0, timeout=0.2), store)


@pytest.mark.parametrize("url", ["localhost:8000/v1", "http://[bad/v1", "ftp://127.0.0.1/v1"])
def test_a_base_url_that_is_none_is_refused(store, url):
    with pytest.raises(BadInput, match="teacher"):
        draw(rollouts(1), over(url, retries=0), store)


@pytest.mark.parametrize("value", [None, "", "  ", "two words", "schlüssel", "line\nbreak"])
def test_a_missing_or_impossible_key_is_named_and_never_shown(store, monkeypatch, value):
    if value is None:
        monkeypatch.delenv("SCRIPTED_TEACHER_KEY")
    else:
        monkeypatch.setenv("SCRIPTED_TEACHER_KEY", value)
    with teacher() as (url, served), pytest.raises(BadInput, match="SCRIPTED_TEACHER_KEY") as caught:
        draw(rollouts(1), over(url), store)
    assert served == []
    assert not value or not value.strip() or value not in caught.value.message


def test_the_key_of_openai_itself_is_not_taken_instead(store, monkeypatch):
    monkeypatch.delenv("SCRIPTED_TEACHER_KEY")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with teacher() as (url, served), pytest.raises(BadInput, match="SCRIPTED_TEACHER_KEY"):
        draw(rollouts(1), over(url), store)
    assert served == []


def test_the_key_is_not_in_the_store(store):
    with teacher() as (url, _):
        draw(rollouts(3), over(url), store)
    assert all(KEY.encode() not in part.read_bytes() for part in store.path.parent.iterdir())


def test_the_simulator_in_process_keeps_time_too(store):
    from stages.teacher import endpoint

    async def hangs(scope, receive, send):
        import asyncio

        await asyncio.sleep(60)

    async def ask():
        where = endpoint.IN_PROCESS_URL
        connection = endpoint.Endpoint(where, "k", Pace(1), timeout=0.1, retries=0, app=hangs)
        await connection.complete(Job("k", {"model": "m"}))

    import asyncio

    with pytest.raises(BadInput, match="did not answer in time"):
        asyncio.run(ask())


def test_an_exception_in_the_simulator_is_a_500_and_is_retried(store):
    import asyncio

    from stages.teacher import endpoint

    calls = []

    async def fails(scope, receive, send):
        calls.append(1)
        raise RuntimeError("broken")

    async def ask():
        pace, where = Pace(1, patience=0), endpoint.IN_PROCESS_URL
        connection = endpoint.Endpoint(where, "k", pace, timeout=5, retries=1, app=fails)
        await connection.complete(Job("k", {"model": "m"}))

    with pytest.raises(BadInput, match="status 500"):
        asyncio.run(ask())
    assert len(calls) == 2
