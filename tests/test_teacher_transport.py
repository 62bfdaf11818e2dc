"""What an endpoint accepts, how it answers, and how much of that is read."""

import json
import socket
import threading
import time

import pytest
from scripted_teacher import GOOD, WORLD, Entry, completion, config, teacher

from stages.errors import BadInput
from stages.teacher import prompts, wire
from stages.teacher.client import Request, draw, each
from stages.teacher.store import ResponseStore

PROMPT = prompts.answer("What is the capital of France?")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", "sk-secret")
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def rollouts(count, prompt=PROMPT):
    return [Request(prompt, rollout=i) for i in range(count)]


def over(url, **changes):
    return config(backend="openai", base_url=url, model="m", **{"concurrency": 1, "patience": 0, **changes})


def choices(*contents, tokens=30):
    reply = json.loads(GOOD.body)
    reply["choices"] = [
        {"index": i, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for i, text in enumerate(contents)
    ]
    reply["usage"] = {"prompt_tokens": 10, "completion_tokens": tokens, "total_tokens": 10 + tokens}
    return Entry(body=json.dumps(reply))


def said(answer, words="because"):
    return json.dumps({"rationale": words, "answer": answer})


def test_several_draws_go_in_one_request_and_are_kept_one_by_one(store):
    with teacher(choices(said("a"), said("b", "x" * 200), said("c"), said("d")), choices(said("e"))) as (
        url,
        served,
    ):
        drawn = draw(rollouts(5), over(url, accepts={"n": 4}), store)
    assert [request.body.get("n") for request in served] == [4, None]
    assert [outcome.reply.answer for outcome in drawn] == list("abcde")
    assert len(store) == 5
    assert [outcome.calls for outcome in drawn] == [1] * 5
    assert sum(outcome.prompt_tokens for outcome in drawn) == 20, "a request's prompt is paid once"
    assert sum(outcome.completion_tokens for outcome in drawn) == 60, "its sum of tokens is divided"
    assert drawn[1].completion_tokens > 10 > drawn[0].completion_tokens
    again = draw(rollouts(5), over("http://127.0.0.1:9/v1"), store)
    assert [outcome.reply for outcome in again] == [outcome.reply for outcome in drawn]
    assert all(outcome.cached for outcome in again)


def test_only_rollouts_of_one_conversation_go_together(store):
    other = prompts.answer("What is the capital of Georgia?")
    asked = [
        *rollouts(2),
        *rollouts(3, other),
        Request(PROMPT, rollout=7),
        Request(PROMPT, 8, temperature=0.0),
    ]
    replies = [choices(*[said(str(i))] * n) for i, n in enumerate((2, 3, 1, 1))]
    with teacher(*replies) as (url, served):
        draw(asked, over(url, accepts={"n": 8}), store)
    assert [request.body.get("n", 1) for request in served] == [2, 3, 1, 1]


def test_one_malformed_draw_of_several_is_repaired_alone(store):
    with teacher(choices(said("a"), "no JSON", said("c")), choices(said("b"))) as (url, served):
        drawn = draw(rollouts(3), over(url, accepts={"n": 3}), store)
    assert [outcome.reply.answer for outcome in drawn] == ["a", "b", "c"]
    assert [outcome.calls for outcome in drawn] == [1, 2, 1]
    assert len(served) == 2


def test_fewer_choices_than_asked_for_are_no_answer(store):
    with teacher(then=choices(said("a"))) as (url, _), pytest.raises(BadInput, match="1 choices where 3"):
        draw(rollouts(3), over(url, accepts={"n": 3}, retries=0), store)
    assert len(store) == 0


def test_the_simulator_answers_several_draws_of_one_request(store):
    drawn = draw(rollouts(12), config(accepts={"n": 5}), store, WORLD)
    assert {outcome.reason for outcome in drawn} == {"ok"} and len(store) == 12
    assert len({outcome.reply.answer for outcome in drawn}) > 1


def test_what_an_endpoint_does_not_accept_is_not_sent(store):
    plain = {"n": 1, "seed": False, "response_format": "none", "limit": "max_completion_tokens"}
    with teacher() as (url, served):
        draw(rollouts(1), over(url, accepts=plain, max_tokens=9), store)
        draw(rollouts(2)[1:], over(url, accepts={"response_format": "json_object"}), store)
    first, second = (request.body for request in served)
    assert sorted(first) == ["max_completion_tokens", "messages", "model", "temperature"]
    assert first["max_completion_tokens"] == 9
    assert second["response_format"] == {"type": "json_object"}


def test_what_an_endpoint_accepts_is_no_part_of_the_key(store):
    with teacher() as (url, served):
        draw(rollouts(2), over(url), store)
        draw(rollouts(2), over(url, accepts={"n": 2, "seed": False, "response_format": "none"}), store)
    assert len(served) == 2


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
