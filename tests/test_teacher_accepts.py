"""What an endpoint accepts: several draws in a request, seeds, formats."""

import json

import pytest
from scripted_teacher import GOOD, PROMPT, WORLD, Entry, config, rollouts, teacher

from stages.errors import BadInput
from stages.teacher import prompts
from stages.teacher.client import Request, draw


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
    for body in (first, second):
        told, *asked = body["messages"]
        assert told["role"] == "system" and "JSON" in told["content"]
        assert all(f'"{field}"' in told["content"] for field in ("rationale", "answer"))
        assert [(m["role"], m["content"]) for m in asked] == list(PROMPT.messages)


def test_what_an_endpoint_accepts_is_no_part_of_the_key(store):
    with teacher() as (url, served):
        draw(rollouts(2), over(url), store)
        draw(rollouts(2), over(url, accepts={"n": 2, "seed": False, "response_format": "none"}), store)
    assert len(served) == 2
