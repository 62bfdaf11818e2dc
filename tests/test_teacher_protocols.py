"""The embedded teacher's part in the protocols: each planted rate comes back from its replies."""

import pytest
from scripted_teacher import GEORGIA, article
from small_world import lands

from stages.teacher import prompts, replies, replies_protocols
from stages.teacher.competence import Embedded, success_probability
from stages.teacher.corpus import Corpus
from stages.teacher.knowing import Nothing, OfFact
from stages.teacher.prompts import Shown

DRAWS = 2000
CORPUS = Corpus(lands(60))
CAPITAL = CORPUS.facts[0][0]
QUESTION = f"What is the capital of {CORPUS.articles[0].title}?"
TRUE = CAPITAL.value
RIGHT = Shown(QUESTION, TRUE, f"The capital is {TRUE}.")
WRONG = Shown(QUESTION, "Nowhere City", "The capital is Nowhere City.")


def shape(slip=0.0, miss=0.3, false_alarm=0.1):
    return Embedded(a=1, b=1, never=0, slip=slip, miss=miss, false_alarm=false_alarm)


def known(p=0.6):
    return OfFact(CORPUS, 0, CAPITAL, QUESTION, p)


def replied(task, shown, p=0.6, temperature=1.0, draws=DRAWS, **rates):
    reply = replies_protocols.TASKS[task]
    return [reply(known(p), shown, shape(**rates), temperature, 7, draw) for draw in range(draws)]


def share_right(said):
    return sum(one["answer"] == TRUE for one in said) / len(said)


def near(share, expected, draws=DRAWS):
    return share == pytest.approx(expected, abs=4 * (expected * (1 - expected) / draws) ** 0.5)


def test_a_solution_is_right_with_the_competence_at_the_temperature():
    for p, temperature in ((0.6, 1.0), (0.2, 2.0), (0.0, 1.0), (1.0, 1.0)):
        said = replied("solution", Shown(QUESTION), p, temperature)
        assert near(share_right(said), success_probability(p, temperature))


def test_refining_keeps_a_right_answer_but_for_false_alarms():
    said = replied("refinement", RIGHT)
    assert near(share_right(said), 0.9)
    assert len({one["rationale"] for one in said if one["answer"] == TRUE}) > 20


def test_refining_redraws_a_wrong_answer_that_is_noticed_and_repeats_the_others():
    said = replied("refinement", WRONG)
    assert near(share_right(said), 0.7 * 0.6)
    assert near(sum(one["answer"] == WRONG.answer for one in said) / DRAWS, 0.3)


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_refining_own_answers_has_the_success_probability_of_the_docstring(temperature):
    s = success_probability(0.6, temperature)
    first = replied("solution", Shown(QUESTION), temperature=temperature)
    reply = replies_protocols.refine
    refined = [reply(known(), Shown(QUESTION, **one), shape(), temperature, i) for i, one in enumerate(first)]
    assert near(share_right(refined), s * 0.9 + (1 - s) * 0.7 * s)


def test_a_critique_errs_as_often_as_it_says_and_names_what_is_wrong():
    right, wrong = replied("critique", RIGHT), replied("critique", WRONG)
    assert near(sum(one["sound"] for one in right) / DRAWS, 0.9)
    assert near(sum(one["sound"] for one in wrong) / DRAWS, 0.3)
    for one in right + wrong:
        prompts.Critique.model_validate(one)
        assert (one["comment"] in replies_protocols.SOUND) == one["sound"]
    assert all(WRONG.rationale in one["comment"] for one in wrong if not one["sound"])
    assert not any(TRUE in one["comment"] for one in wrong)


def test_a_revision_follows_the_critique():
    upheld = replied("revision", WRONG._replace(comment=replies_protocols.SOUND[0]))
    assert {one["answer"] for one in upheld} == {WRONG.answer}
    for shown in (RIGHT, WRONG):
        redrawn = replied("revision", shown._replace(comment="The capital is another city."))
        assert near(share_right(redrawn), 0.6)


def test_critique_and_revision_have_the_success_probability_of_the_docstring():
    right = 0
    for i, first in enumerate(replied("solution", Shown(QUESTION))):
        shown = Shown(QUESTION, **first)
        comment = replies_protocols.critique(known(), shown, shape(), 1.0, i, 1)["comment"]
        user = prompts.revise(QUESTION, "knowledge", shown.answer, shown.rationale, comment).messages[1][1]
        revised = replies_protocols.revise(known(), prompts.read_shown(user), shape(), 1.0, i, 2)
        right += revised["answer"] == TRUE
    assert near(right / DRAWS, 0.6 * 0.9 + (0.6 * 0.1 + 0.4 * 0.7) * 0.6)


def test_a_rating_is_above_three_for_what_is_taken_for_right():
    right, wrong = replied("rating", RIGHT), replied("rating", WRONG)
    assert {one["score"] for one in right + wrong} == {1, 2, 3, 4, 5}
    assert near(sum(one["score"] > 3 for one in right) / DRAWS, 0.9)
    assert near(sum(one["score"] > 3 for one in wrong) / DRAWS, 0.3)


def test_another_name_of_the_answer_is_right():
    world = Corpus(
        [article(1, "Peru", {"capital": "Lima"}), article(2, "Lima", {}, aliases=["City of Kings"])]
    )
    fact = OfFact(world, 0, world.facts[0][0], "What is the capital of Peru?", 1.0)
    assert fact.is_right("City of Kings")
    assert fact.is_right("lima")
    assert not fact.is_right("Cusco")


def test_a_variation_asks_for_another_fact_of_the_article_and_is_understood():
    said = replied("variation", RIGHT, draws=300)
    asked = {}
    for one in said:
        prompts.Variation.model_validate(one)
        found = CORPUS.find(one["question"])
        assert found.article == 0
        assert found.fact.value == one["answer"]
        asked.setdefault(found.fact.name, set()).add(one["question"])
    assert set(asked) == {fact.name for fact in CORPUS.facts[0]} - {"capital"}
    assert sum(map(len, asked.values())) > 10


def test_the_stated_share_of_variations_has_a_wrong_answer():
    said = replied("variation", RIGHT, slip=0.2)
    wrong = sum(CORPUS.find(one["question"]).fact.value != one["answer"] for one in said)
    assert near(wrong / DRAWS, 0.2)


def test_where_there_is_no_other_fact_the_same_one_is_asked_for_in_other_words():
    world = Corpus([article(1, "Peru", {"capital": "Lima"})])
    question = "What is the capital of Peru?"
    alone = OfFact(world, 0, world.facts[0][0], question, 1.0)
    said = [alone.varied(0.0, draw) for draw in range(20)]
    assert question not in {one["question"] for one in said}
    assert {one["answer"] for one in said} == {"Lima"}
    assert len({one["question"] for one in said}) > 1


@pytest.mark.parametrize("task", sorted(replies_protocols.TASKS))
def test_what_nothing_read_answers_is_doubted_in_every_schema(task):
    reply = getattr(prompts, task.capitalize())
    shown = Shown("What is love?", "A word.", "It is a word.", "That is wrong.")
    said = replies_protocols.TASKS[task](Nothing(shown.question), shown, shape(miss=0), 1.0, 1)
    reply.model_validate(said)
    if task in ("solution", "refinement", "revision"):
        assert said["answer"] == replies.UNKNOWN
        assert said["rationale"] in replies.DOUBTS
    if task == "critique":
        assert not said["sound"]


def test_a_fact_without_another_value_is_doubted_where_it_is_missed():
    world = Corpus([GEORGIA])
    lone = OfFact(world, 0, world.facts[0][0], "?", 0.0)
    assert lone.wrong(1)["answer"] == replies.UNKNOWN
    assert lone.again(Shown("?", replies.UNKNOWN), 1)["rationale"] in replies.DOUBTS
