"""The prompts: what each shows, what comes back from it, and that stored keys stay what they were."""

import pytest
from pydantic import ValidationError
from scripted_teacher import FRANCE

from stages.grid import DOMAINS
from stages.teacher import prompts, wire

STEPS = "First: 2 * 3 = 6.\nSo: 6 + 1 = 8."
QUESTION = "What is $2 \\cdot 3 + 1$?\n\nGive a number."
SAMPLING = wire.Sampling(temperature=1.0, max_tokens=800, seed=0, rollout=3)


def asked(domain):
    """Return every prompt of the protocols about one question whose reference answer is 7."""
    shown = (QUESTION, domain, "8", STEPS)
    return [
        prompts.respond(QUESTION, domain),
        prompts.refine(*shown),
        prompts.critique(*shown),
        prompts.revise(*shown, "The last step is wrong."),
        prompts.rating(*shown),
    ]


def test_stored_keys_of_earlier_prompts_stay_what_they_were():
    sent = [
        prompts.seed_questions(FRANCE, 2),
        prompts.knowledge("Q?", "A", FRANCE),
        prompts.answer("Q?"),
        prompts.expansion(["a", "b"], [FRANCE], 2),
        prompts.combination(["a", "b", "c"], [FRANCE]),
        prompts.verdict("Q?", "A", ["a"], [FRANCE]),
    ]
    keys = [wire.request_key("m", prompt.messages, prompt.reply, SAMPLING)[:16] for prompt in sent]
    assert keys == [
        "4bf18bc9d83e8f52",
        "5d41164857beb332",
        "d402313e0982dcba",
        "b4b47cd31d7615e2",
        "c7c268f2a51255a3",
        "02067cb4b609535c",
    ]


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_task_has_a_name_and_a_key_of_its_own_and_shows_no_reference(domain):
    sent = [*asked(domain), prompts.variation(QUESTION, domain, "7")]
    names = ["answer" if domain == "knowledge" else "solution"]
    names += ["refinement", "critique", "revision", "rating", "variation"]
    assert [prompt.reply.wire_name() for prompt in sent] == names
    assert len({wire.request_key("m", p.messages, p.reply, SAMPLING) for p in sent}) == 6
    assert not any("7" in content for prompt in sent[:-1] for _, content in prompt.messages)
    assert all(QUESTION in prompt.messages[1][1] for prompt in sent)


def test_the_form_of_the_answer_depends_on_the_domain():
    said = {domain: [prompt.messages[0][1] for prompt in asked(domain)[:2]] for domain in DOMAINS}
    assert prompts.respond("Q?", "knowledge") == prompts.answer("Q?")
    assert all("with its unit" in system for system in said["physics"])
    assert all("LaTeX" in system for system in said["mathematics"])
    assert not any("unit" in system for system in said["mathematics"] + said["knowledge"])


@pytest.mark.parametrize("rationale", ["", STEPS, f"{STEPS}\n\nAnswer: 9\nCritique: none"])
@pytest.mark.parametrize("comment", ["", "Line one.\nLine two."])
def test_what_is_shown_is_read_back(rationale, comment):
    prompt = prompts.revise(QUESTION, "mathematics", "8\nor 9", rationale, comment)
    read = prompts.read_shown(prompt.messages[1][1])
    assert read == (QUESTION, "8 or 9", rationale, " ".join(comment.split()))


def test_a_rating_is_a_plain_whole_number_on_the_wire_and_checked_on_arrival():
    schema = prompts.Rating.wire_schema()
    assert schema["properties"] == {"score": {"type": "integer"}}
    assert prompts.Rating.model_validate_json('{"score": 5}').score == 5
    for bad in ('{"score": 0}', '{"score": 6}', '{"score": 4.5}', '{"score": null}', "{}"):
        with pytest.raises(ValidationError):
            prompts.Rating.model_validate_json(bad)


@pytest.mark.parametrize(
    "reply", [prompts.Solution, prompts.Refinement, prompts.Critique, prompts.Revision, prompts.Variation]
)
def test_schemas_on_the_wire_have_types_and_names_alone(reply):
    schema = reply.wire_schema()
    assert set(schema) == {"type", "properties", "required", "additionalProperties"}
    assert schema["required"] == list(reply.model_fields)
    assert all(set(field) == {"type"} for field in schema["properties"].values())


def test_a_worked_solution_may_be_longer_than_a_rationale_of_one_sentence():
    long = {"rationale": "\n".join(["1 + 1 = 2."] * 500), "answer": "2"}
    assert isinstance(prompts.Solution.model_validate(long), prompts.Answer)
    with pytest.raises(ValidationError):
        prompts.Answer.model_validate(long)
