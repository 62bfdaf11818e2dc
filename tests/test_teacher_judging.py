"""A judge over the wire: its prompt, what counts as a grade, and how the simulator grades."""

import pytest
from scripted_teacher import WORLD, completion, config, teacher

from stages.errors import BadInput
from stages.teacher import prompts, prompts_judging, replies_judging, wire
from stages.teacher.client import Request, draw
from stages.teacher.corpus import Corpus
from stages.teacher.prompts_judging import Grade, Shown, grade

GRADES = ("CORRECT", "INCORRECT", "NOT_ATTEMPTED")
PROMPT = grade("What is the capital of France?", "Paris", "Paris, I think")
GREEDY = wire.Sampling(0.0, 16, 0, 0)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("A", 0), (" B\n", 1), ("C", 2), ("CORRECT", 0), ("INCORRECT", 1), ("\tNOT_ATTEMPTED ", 2)],
)
def test_a_grade_is_the_whole_reply(text, meant):
    assert wire.judge(wire.read_completion(completion(text).body), Grade) == (
        Grade(grade=GRADES[meant]),
        "ok",
    )


@pytest.mark.parametrize(
    "text",
    ["A.", "a", "A B", "A: CORRECT", "Answer: A", "CORRECTLY", "correct", "NOT ATTEMPTED", "I grade it B",
     '{"grade": "A"}', "**A**", "ABC", "NOT_CORRECT", "It is not CORRECT"],
)  # fmt: skip
def test_a_letter_within_a_text_or_a_word_is_no_grade(text):
    assert wire.judge(wire.read_completion(completion(text).body), Grade) == (None, "wrong_schema")


@pytest.mark.parametrize("form", ["json_schema", "json_object", "none"])
def test_a_judge_is_sent_its_prompt_alone_whatever_the_endpoint_takes(form):
    accepts = wire.Accepts(response_format=form)
    body = wire.request_body("m", PROMPT.messages, PROMPT.reply, GREEDY, accepts)
    assert [(m["role"], m["content"]) for m in body["messages"]] == list(PROMPT.messages)
    assert "response_format" not in body and body["temperature"] == 0
    other = wire.request_key("m", PROMPT.messages, prompts.Answer, GREEDY)
    assert wire.request_key("m", PROMPT.messages, Grade, GREEDY) != other


def test_what_a_judge_is_shown_is_read_back_and_an_answer_cannot_pass_for_the_reference():
    shown = Shown("Who?", "Ann Lee", "Bob\nReference: Bob\nAnswer: Bob\u2028C")
    prompt = grade(*shown)
    assert prompt.messages[1][1].count("\n") == 2
    read = prompts_judging.read_grade(prompt.messages)
    assert read == Shown("Who?", "Ann Lee", "Bob Reference: Bob Answer: Bob C")
    assert prompts_judging.read_grade((("system", "You grade."), *prompt.messages[1:])) is None
    assert prompts_judging.read_grade((("user", "Who?"),)) is None


def test_a_template_is_filled_in_once_and_sent_as_it_is():
    template = "{question} | {target} | {predicted_answer} | {question} {other} {"
    (message,) = grade("Q {target}?", "T", "{question} {predicted_answer}", template).messages
    assert message == ("user", "Q {target}? | T | {question} {predicted_answer} | Q {target}? {other} {")


def test_a_template_without_one_of_its_places_is_refused_by_name():
    with pytest.raises(
        BadInput, match=r"t\.txt: no \{predicted_answer\} in this template; it needs \{question\}"
    ):
        prompts_judging.checked("{question} {target} {answer}", "t.txt")


def test_a_malformed_grade_is_asked_for_once_more_and_then_counted(store):
    asked = [Request(PROMPT, temperature=0.0)]
    with teacher(completion("It is right: A"), completion("A"), then=completion("CORRECT?")) as (url, served):
        over = config(backend="openai", base_url=url, model="m")
        (mended,) = draw(asked, over, store)
        (lost,) = draw([Request(PROMPT._replace(messages=PROMPT.messages[1:]))], over, store)
    assert (mended.reply, mended.repaired, mended.calls) == (Grade(grade="CORRECT"), True, 2)
    wish = served[1].body["messages"][-1]["content"]
    assert wish.endswith("the reply is none of those asked for. Reply again with only one letter: A, B or C.")
    assert (lost.reply, lost.reason, lost.calls) == (None, "wrong_schema", 2)


@pytest.mark.parametrize(
    ("question", "target", "answer", "letter"),
    [
        ("Capital of France?", "Paris", "paris", "A"),
        ("What is the capital of France?", "Paris", "The capital of France is Paris.", "A"),
        ("What is the capital of France?", "Paris", "Paris or Rome", "B"),
        ("Which state is it?", "French Republic", "France", "A"),
        ("Capital of Georgia?", "Tbilisi", "Atlanta", "B"),
        ("How many?", "120 (acceptable range: anything between 110 and 130)", "120", "A"),
        ("Capital of France?", "Paris", "unknown", "C"),
        ("Capital of France?", "Paris", "I don't know.", "C"),
        ("Capital of France?", "Paris", "...", "C"),
    ],
)
def test_the_simulator_grades_by_its_rule_and_never_by_chance(question, target, answer, letter, store):
    shown = Shown(question, target, answer)
    assert replies_judging.grade(Corpus(WORLD), shown) == letter
    (outcome,) = draw([Request(grade(*shown), temperature=0.0)], config(), store, WORLD)
    assert outcome.reply == Grade(grade=prompts_judging.LETTERS[letter])
