"""Requests on the wire, their keys, and the verdict on what comes back."""

import json
import subprocess
import sys

import pytest
from scripted_teacher import FRANCE, GOOD, completion

from stages.teacher import prompts, wire

QUESTION = prompts.answer("What is the capital of France?")
SAMPLING = wire.Sampling(temperature=1.0, max_tokens=100, seed=7, rollout=2)


def key(**changes):
    settings = {"model": "m", "messages": QUESTION.messages, "reply": prompts.Answer, "sampling": SAMPLING}
    return wire.request_key(**(settings | changes))


def test_everything_that_decides_a_reply_is_in_the_key():
    others = [
        key(model="n"),
        key(messages=prompts.answer("What is the capital of Peru?").messages),
        key(reply=prompts.Knowledge),
        *(
            key(sampling=SAMPLING._replace(**change))
            for change in ({"temperature": 0.5}, {"max_tokens": 101}, {"seed": 8}, {"rollout": 3})
        ),
    ]
    assert len({key(), *others}) == 8


def test_seed_and_rollout_are_told_apart_though_the_wire_adds_them():
    swapped = SAMPLING._replace(seed=2, rollout=7)
    bodies = [wire.request_body("m", QUESTION.messages, prompts.Answer, s) for s in (SAMPLING, swapped)]
    assert bodies[0] == bodies[1]
    assert bodies[0]["seed"] == 9
    assert key() != key(sampling=swapped)


def test_key_is_the_same_in_every_process():
    code = (
        "from stages.teacher import prompts, wire;"
        "p = prompts.answer('What is the capital of France?');"
        "print(wire.request_key('m', p.messages, p.reply, wire.Sampling(1.0, 100, 7, 2)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == key()


def test_schema_on_the_wire_is_strict_and_free_of_our_docstrings():
    schema = wire.request_body("m", QUESTION.messages, prompts.Answer, SAMPLING)["response_format"]
    assert schema == {
        "type": "json_schema",
        "json_schema": {
            "name": "answer",
            "strict": True,
            "schema": {
                "type": "object",
                "properties": {"rationale": {"type": "string"}, "answer": {"type": "string"}},
                "required": ["rationale", "answer"],
                "additionalProperties": False,
            },
        },
    }
    nested = json.dumps(prompts.SeedQuestions.wire_schema())
    assert "$ref" in nested
    assert not any(word in nested for word in ("title", "description", "maxLength", "minLength"))


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (GOOD, "ok"),
        (completion("Paris."), "not_json"),
        (completion('{"rationale": "x"'), "not_json"),
        (completion('{"rationale": "x"}'), "wrong_schema"),
        (completion('{"rationale": "x", "answer": ""}'), "wrong_schema"),
        (completion('{"rationale": "x", "answer": "y", "more": 1}'), "wrong_schema"),
        (completion("[]"), "wrong_schema"),
        (completion('{"rationale": "x', finish="length"), "truncated"),
        (completion(None, refusal="I will not."), "refused"),
        (completion("", finish="content_filter"), "refused"),
        (completion(None), "empty"),
        (completion(" \n"), "empty"),
    ],
)
def test_each_fault_of_a_reply_has_its_name(entry, reason):
    reply, found = wire.judge(wire.read_completion(entry.body), prompts.Answer)
    assert found == reason
    assert (reply is None) == (reason != "ok")
    assert reason == "ok" or reason in wire.FAULTS


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<html><body>Bad gateway</body></html>", "HTML"),
        (GOOD.body[:50], "truncated JSON"),
        ("", "an empty body"),
        ("hello", "not JSON"),
        ('{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}', "empty choices"),
        ('{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}', "token usage"),
        ('{"error": "no"}', "no chat completion"),
        ("[1]", "no chat completion"),
        (GOOD.body.replace('"completion_tokens": 5', '"completion_tokens": -5'), "wrong type"),
        (GOOD.body.replace('"completion_tokens": 5', '"completion_tokens": true'), "wrong type"),
    ],
)
def test_a_body_that_is_no_completion_is_named(body, said):
    with pytest.raises(wire.Garbled, match=said):
        wire.read_completion(body)


def test_lone_surrogates_are_replaced_so_that_a_repair_can_be_sent():
    said = wire.read_completion(completion("a\ud800b").body)
    assert said.content == "a?b"


def test_repair_shows_the_bad_reply_and_names_fault_and_fields():
    said = wire.read_completion(completion("Paris.").body)
    messages = wire.repair_messages(QUESTION.messages, said, "not_json", prompts.Answer)
    assert messages[: len(QUESTION.messages)] == QUESTION.messages
    assert messages[-2] == ("assistant", "Paris.")
    assert "not JSON" in messages[-1][1]
    assert "rationale, answer" in messages[-1][1]


def test_article_block_can_be_read_back():
    block = prompts.article_block(FRANCE, 6000)
    assert prompts.read_article_block(block) == (FRANCE.title, FRANCE.facts, FRANCE.text)
    bare = FRANCE.model_copy(update={"facts": []})
    assert prompts.read_article_block(prompts.article_block(bare, 12)) == ("France", [], FRANCE.text[:12])


def test_key_stays_what_it_was_since_stored_replies_were_paid_under_it():
    messages = (("user", "What is the capital of France?"),)
    expected = "c89dca2a4f5445aebafbd975078be94af3d342bb2e8bbdaa197d13ca6bd1341f"
    assert key(messages=messages) == expected


@pytest.mark.parametrize(
    ("content", "answer", "reason"),
    [
        ('{"rationale": "r", "answer": "a\\ud800b"}', None, "not_json"),  # a lone surrogate, escaped twice
        ('{"rationale": "r", "answer": "a\ud800b"}', "a?b", "ok"),
        ('{"rationale": "r", "answer": "a\\u0000b"}', "a b", "ok"),
        ('{"rationale": "r", "answer": "\\u0000"}', None, "wrong_schema"),
    ],
)
def test_text_that_cannot_be_stored_is_cleaned_or_rejected_by_name(content, answer, reason):
    reply, found = wire.judge(wire.read_completion(completion(content).body), prompts.Answer)
    assert found == reason
    assert (reply.answer if reply else None) == answer


def test_a_verdicts_categories_are_an_enumeration_on_the_wire():
    schema = prompts.Verdict.wire_schema()
    assert schema["additionalProperties"] is False
    assert schema["required"] == ["error", "reason"]
    assert "logic_error" in schema["properties"]["error"]["enum"]
    wrong = completion('{"error": "typo", "reason": "x"}')
    assert wire.judge(wire.read_completion(wrong.body), prompts.Verdict)[1] == "wrong_schema"


def test_points_and_articles_of_a_synthesis_prompt_can_be_read_back():
    points = ["Paris is the capital of France.", "One\nline."]
    user = prompts.combination(points, [FRANCE, FRANCE]).messages[1][1]
    head, read, articles = prompts.read_synthesis(user)
    assert head == "Write one question."
    assert read == ["Paris is the capital of France.", "One line."]
    assert articles == [(FRANCE.title, FRANCE.facts, FRANCE.text)] * 2
