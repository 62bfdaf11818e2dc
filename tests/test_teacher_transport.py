"""How an endpoint answers, and how much of that is read."""

import json
import socket
import threading
import time

import pytest
from scripted_teacher import GOOD, PROMPT, WORLD, Entry, completion, config, rollouts, teacher

from stages.errors import BadInput
from stages.teacher import prompts, wire
from stages.teacher.client import Request, draw, each


def over(url, **changes):
    return config(backend="openai", base_url=url, model="m", **{"concurrency": 1, "patience": 0, **changes})


@pytest.mark.parametrize(
    ("name", "fits"), [("m", True), ("m-2026-11-26", True), ("mistral", True), ("k", False)]
)
def test_a_reply_of_another_model_is_refused_and_not_kept(store, name, fits):
    entry = Entry(body=json.dumps(json.loads(GOOD.body) | {"model": name}))
    with teacher(then=entry) as (url, _):
        if fits:
            draw(rollouts(1), over(url), store)
        else:
            with pytest.raises(BadInput, match="answered as the model 'k', not 'm'"):
                draw(rollouts(1), over(url), store)
            draw(rollouts(1), over(url, answers_as="k"), store)
    assert len(store) == 1


def test_a_reply_longer_than_is_read_is_one_line(store):
    long = completion(json.dumps({"rationale": "x" * 5000, "answer": "y"}))
    with teacher(then=long) as (url, _), pytest.raises(BadInput, match="more than 2,048 bytes"):
        draw(rollouts(1), over(url, max_bytes=2048, retries=0), store)


def test_a_reply_without_a_length_is_read_no_farther_than_the_limit(store):
    """A server that never stops sending."""
    sent = 0

    def stream(listener):
        nonlocal sent
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        try:
            while sent < 2**28:
                sent += connection.send(b"x" * 65536)
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=stream, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with pytest.raises(BadInput, match="more than 65,536 bytes"):
            draw(rollouts(1), over(url, max_bytes=65536, retries=0), store)
    assert sent < 2**26


def test_a_reply_byte_by_byte_is_cut_off_by_the_timeout(store):
    def drip(listener):
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n")
        try:
            for _ in range(200):
                connection.sendall(b" ")
                time.sleep(0.05)
        except OSError:
            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=drip, args=(listener,), daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with pytest.raises(BadInput, match="did not answer in time"):
            draw(rollouts(1), over(url, timeout=0.4, retries=0), store)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 200_000,
        '{"choices": ' + "[" * 100_000,
        GOOD.body.replace("10", "9" * 5000),
        GOOD.body.replace("10", "9" * 19),
    ],
    ids=["deep", "deeper", "huge", "too large to store"],
)
def test_a_hostile_body_is_no_completion(body):
    with pytest.raises(wire.Garbled):
        wire.read_completion(body)


def test_hostile_nesting_in_a_reply_is_malformed():
    deep = completion("[" * 100_000).body
    assert wire.judge(wire.read_completion(deep), prompts.Answer) == (None, "not_json")


def test_outcomes_are_handed_on_in_order_and_memory_does_not_grow(store):
    """A slow first request holds back the others; no more than the window is read ahead of it."""
    read, seen = 0, []
    from stages.teacher import dispatch

    def endless():
        nonlocal read
        for i in range(3 * dispatch.WINDOW):
            read += 1
            yield Request(PROMPT, rollout=i % 40)

    each(endless(), seen.append, config(concurrency=2), store, WORLD)
    assert len(seen) == 3 * dispatch.WINDOW and len(store) == 40
    assert [outcome.key for outcome in seen[:40]] == [outcome.key for outcome in seen[40:80]]
