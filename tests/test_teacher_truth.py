"""What is wrong with a sample is found by checking it against the articles."""

import pytest
from small_world import lands

from stages.records import Fact
from stages.teacher import phrasing, phrasing_combined, truth
from stages.teacher.corpus import Corpus

LANDS = lands(60)
CORPUS = Corpus(LANDS)
NONE = "none"


def told(land, name, choice=0, value=None):
    fact = next(fact for fact in land.facts if fact.name == name)
    return phrasing.statement(name, land.title, value or fact.value, choice)


def sample(i):
    """Return (question, answer, points, title, the next land): sound."""
    land, other = LANDS[i], LANDS[(i + 1) % len(LANDS)]
    points = [told(land, "currency", i), told(land, "calling_code", i), told(other, "capital", i)]
    asked = phrasing_combined.ASKED[i % len(phrasing_combined.ASKED)]
    question = f"{points[2]} {phrasing_combined.asked(asked, 'currency', land.title)}"
    return question, land.facts[2].value, points, land.title, other


@pytest.mark.parametrize("i", range(60))
def test_each_planted_fault_is_found_and_a_sound_sample_is_sound(i):
    question, answer, points, title, other = sample(i)
    land = LANDS[i]
    wrong_point = told(land, "capital", i, value=other.facts[0].value)
    assert truth.error(CORPUS, question, answer, points, title) == NONE
    assert truth.error(CORPUS, question, answer, [*points, wrong_point], title) == "knowledge_point_error"
    assert truth.error(CORPUS, question, other.facts[2].value, points, title) == "answer_error"
    assert truth.error(CORPUS, question, land.facts[3].value, points, title) == "logic_error"
    assert truth.error(CORPUS, question, other.facts[0].value, points, title) == "logic_error"
    for vague in phrasing_combined.ASKED_VAGUELY + phrasing_combined.ASKED_OF_NOBODY:
        asked = phrasing_combined.asked(vague, "currency", title)
        assert truth.error(CORPUS, asked, answer, points, title) == "question_error"
    assert truth.error(CORPUS, question, answer, points, other.title) == "question_error"


def test_a_wrong_point_comes_before_a_wrong_question_and_that_before_a_wrong_answer():
    _, _, points, title, _ = sample(0)
    assert truth.error(CORPUS, "What is it?", "x", [*points, "Lies."], title) == "knowledge_point_error"
    assert truth.error(CORPUS, "What is it?", "x", points, title) == "question_error"


@pytest.mark.parametrize("opener", range(len(phrasing.OPENERS)))
def test_every_wording_of_a_true_fact_is_true(opener):
    land = LANDS[0]
    for fact in land.facts:
        for choice in range(len(phrasing.entry(fact.name).statements)):
            point = phrasing.statement(fact.name, land.title, fact.value, choice, opener)
            assert truth.is_true(CORPUS, point, land.title)
            assert truth.is_true(CORPUS, point, "")  # the point names the land itself
            assert fact in truth.facts_told(land.title, land.facts, point)


def test_a_sentence_of_the_article_is_true_and_any_other_is_not():
    land = LANDS[0]
    sentence = land.text.split(". ")[0] + "."
    assert truth.is_true(CORPUS, sentence, land.title)
    assert not truth.is_true(CORPUS, f"{land.title} is large.", land.title)
    assert not truth.is_true(CORPUS, "", land.title)
    assert not truth.is_true(CORPUS, told(land, "capital", value="Nowhere City"), land.title)


def test_another_name_of_the_answer_is_right():
    rich = LANDS[0].model_copy(update={"facts": [Fact(name="main_country", value=LANDS[1].title)]})
    corpus = Corpus([rich, *LANDS[1:]])
    question = f"What is the main country of {rich.title}?"
    assert truth.error(corpus, question, f"Republic of {LANDS[1].title}", [], rich.title) == NONE
    assert truth.error(corpus, question, LANDS[2].title, [], rich.title) == "answer_error"
