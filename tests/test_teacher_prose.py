"""Facts of articles that have no infobox."""

import json
from pathlib import Path

import pytest
from scripted_teacher import FRANCE, article

from stages.questions import verify
from stages.records import SeedQuestion
from stages.teacher import prompts, reading, replies
from stages.teacher.corpus import Corpus

BLANK = {"question_id": "", "page_id": 1, "revision_id": 1, "answer_aliases": [], "request_key": ""}
INTROS = Path(__file__).parents[2] / "shared" / "data" / "seeds" / "wikipedia_intros.json"


def facts(title, text):
    return {fact.name: fact.value for fact in reading.known(title, [], text)}


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        (
            "Ann Lee (poet)",
            "Ann Lee( born 12 May 1950 in Oslo, Norway) is a Norwegian composer. She married Bo Ek.",
            {
                "date_of_birth": "12 May 1950",
                "birth_year": "1950",
                "birth_place": "Oslo",
                "nationality": "Norwegian",
                "occupation": "composer",
                "spouse": "Bo Ek",
            },
        ),
        (
            "Jo Fry",
            "Jo Fry (3 April 1601 – 9 June 1660) was an English judge.",
            {
                "date_of_birth": "3 April 1601",
                "birth_year": "1601",
                "date_of_death": "9 June 1660",
                "death_year": "1660",
                "nationality": "English",
                "occupation": "judge",
            },
        ),
        (
            "Blue Rain",
            "Blue Rain is a 1955 American western film directed by A. B. Smith.",
            {
                "director": "A. B. Smith",
                "year_of_release": "1955",
                "origin": "American",
                "type": "western film",
            },
        ),
        (
            "Lowton",
            "Lowton is a village in Kent, England. It has a population of 12,345. It was founded in 1902.",
            {
                "location": "Kent",
                "type": "village",
                "country": "England",
                "population": "12,345",
                "founded": "1902",
            },
        ),
        ("Mercury", "Mercury may refer to:", {}),
    ],
)
def test_sentences_give_facts(title, text, expected):
    assert facts(title, text) == expected


def test_an_article_with_an_infobox_keeps_to_it():
    longer = f"{FRANCE.text} France was founded in 843."
    assert reading.known("France", FRANCE.facts, longer) == reading.usable("France", FRANCE.facts)


def test_a_cut_sentence_is_not_read():
    assert facts("Lowton", "It has a population of 12,3") == {}


def test_reading_stays_linear_in_odd_text():
    for text in (
        "( 1999 – " * 3_000 + ".",
        "A B " * 5_000 + ".",
        "born " * 5_000 + ".",
        "is a x" * 5_000 + ".",
    ):
        assert isinstance(facts("X", text), dict)


def test_evidence_is_the_sentence_that_states_the_fact():
    text = "Lowton is a village. It was founded in 1902."
    stated = {s.fact.name: s.evidence for s in reading.stated("Lowton", [], text)}
    assert stated == {"type": "Lowton is a village.", "founded": "It was founded in 1902."}


@pytest.mark.skipif(not INTROS.is_file(), reason="no encyclopedia intros beside the project")
def test_most_encyclopedia_intros_yield_questions_and_several_facts():
    rows = json.loads(INTROS.read_text())[::10]
    corpus = Corpus([article(i + 1, row["title"], {}, row["text"]) for i, row in enumerate(rows)])
    several = passed = asked = understood = 0
    for i, page in enumerate(corpus.articles):
        several += len(corpus.facts[i]) >= 3
        user = prompts.seed_questions(page, 3).messages[1][1]
        good = 0
        for written in replies.seed_questions(corpus, user, 0)["questions"]:
            blank = {
                "question_id": "",
                "page_id": 1,
                "revision_id": 1,
                "answer_aliases": [],
                "request_key": "",
            }
            row = SeedQuestion(title=page.title, **blank, **written)
            if verify.fault(row, page, 8) is None:
                good += 1
                found = corpus.find(row.question)
                understood += found is not None and found.fact.value == row.answer
        passed += good > 0
        asked += good
    assert passed >= 0.6 * len(rows)
    assert several >= 0.4 * len(rows)
    assert understood >= 0.98 * asked
