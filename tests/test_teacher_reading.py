"""Reading articles: which facts can be asked about, what states them, what a question is about."""

import random

import pytest
from scripted_teacher import FRANCE, GEORGIA, GOLD, IRON, STATE, WORLD, article

from stages.records import Fact
from stages.teacher import reading
from stages.teacher.corpus import Corpus, digest


def names(title, facts):
    return [fact.name for fact in reading.usable(title, [Fact(name=k, value=v) for k, v in facts.items()])]


def test_facts_without_a_short_answer_are_left_out():
    facts = {
        "capital": "Paris",
        "image": "x",
        "image_caption": "View",
        "flag_alt": "flag",
        "motto": "one two three four five six seven",
        "anthem": "song.ogg",
        "website": "example.org",
        "link": "see https://example.org",
        "leader": "none",
        "largest_city": "capital",
        "empty": "...",
        "city": "New France",
        "old_name": "France",
        "capital2": "Lyon",
    }
    assert names("New France (colony)", facts) == ["capital"]


def test_sentences_are_verbatim_and_do_not_end_at_abbreviations():
    text = 'It fell in St. Louis, says Dr. Who. "Yes." He agreed (c. 1.5 km away). New line\n\nNext one.'
    found = reading.sentences(text)
    assert [s for s in found if s not in text] == []
    assert found[0] == "It fell in St. Louis, says Dr. Who."
    assert found[-1] == "Next one."
    assert "New line" in found


@pytest.mark.parametrize(
    ("line", "value", "there"),
    [
        ("It lies in group 8.", "8", True),
        ("Its mass is 1.008.", "1", False),
        ("About 26,000 people.", "26", False),
        ("About 26,000 people.", "26,000", True),
        ("The element I, iodine.", "I", True),
        ("It is solid.", "I", False),
        ("A SOLID at room temperature", "solid", True),
        ("Parisian life", "Paris", False),
        ("Paris-born", "Paris", False),
        ("Call +33.", "+33", True),
        ("From Parisian suburbs to Paris", "Paris", True),
    ],
)
def test_a_value_is_found_as_whole_words_and_numbers(line, value, there):
    assert reading.contains(line, value) is there


def test_facts_that_the_text_states_first_come_first():
    found = reading.stated(FRANCE.title, FRANCE.facts, FRANCE.text)
    assert [(s.fact.name, s.position) for s in found] == [
        ("capital", 0),
        ("continent", 1),
        ("calling_code", 2),
        ("largest_city", None),  # Paris stands in the text, but nothing says that it is the largest city
    ]
    assert found[0].evidence == "The capital of France is Paris."
    assert found[-1].evidence == "largest_city = Paris"


def test_the_evidence_names_the_subject_where_a_sentence_does():
    text = "One city, Lima, is old. Peru is governed from Lima."
    (found,) = reading.stated("Peru", [Fact(name="capital", value="Lima")], text)
    assert found.evidence == "Peru is governed from Lima."


@pytest.mark.parametrize(
    ("question", "title", "key"),
    [
        ("What is the capital of France?", "France", "capital"),
        ("what city is the capital of france", "France", "capital"),
        ("Name the biggest town in the French Republic, the largest city.", "France", "largest_city"),
        ("What is the capital of Georgia (U.S. state)?", "Georgia (U.S. state)", "capital"),
        ("What is the capital of Georgia (country)?", "Georgia (country)", "capital"),
        ("Which bird stands for Georgia?", "Georgia (U.S. state)", "state_bird"),
        ("On which continent is Georgia?", "Georgia (country)", "continent"),
        ("Iron is represented by which chemical symbol?", "Iron", "symbol"),
        ("How many protons has iron?", "Iron", "atomic_number"),
        ("What is the odd key of Iron?", "Iron", "odd_key"),
        ("From which city is The Gambia governed?", "The Gambia", "capital"),
        ("Which country does İzmir belong to?", "İzmir", "country"),
    ],
)
def test_a_question_finds_its_fact(question, title, key):
    gambia = article(6, "The Gambia", {"capital": "Banjul", "largest_city": "Serekunda"}, aliases=["Gambia"])
    corpus = Corpus([*WORLD, gambia, article(7, "İzmir", {"country": "Turkey"})])
    found = corpus.find(question)
    assert found is not None
    assert (corpus.articles[found.article].title, found.fact.name) == (title, key)


@pytest.mark.parametrize("question", ["", "What is love?", "What is the capital of Peru?", "France", "???"])
def test_a_question_about_nothing_known_finds_nothing(question):
    assert Corpus(WORLD).find(question) is None


def test_the_longest_name_in_a_question_is_the_subject():
    corpus = Corpus(
        [
            article(1, "York", {"country": "England"}),
            article(2, "New York", {"country": "United States"}),
            article(3, "New York City", {"country": "America"}),
        ]
    )
    for title, value in (("York", "England"), ("New York", "United States"), ("New York City", "America")):
        found = corpus.find(f"Which country does {title} belong to?")
        assert found is not None
        assert found.fact.value == value


def test_a_wrong_value_is_never_the_true_one_and_comes_from_a_shared_category():
    corpus = Corpus([*WORLD, article(6, "Peru", {"capital": "Lima"}, categories=["Countries"])])
    capital = Fact(name="capital", value="Paris")
    drawn = {corpus.wrong_value(capital, FRANCE.categories, i) for i in range(60)}
    assert drawn == {"Tbilisi", "Lima"}  # Atlanta is the capital of a state
    symbol = {corpus.wrong_value(IRON.facts[1], ["No such category"], i) for i in range(20)}
    assert symbol == {"Au"}


def test_a_wrong_value_without_company_is_another_number_or_unknown():
    corpus = Corpus([IRON])
    numbers = {corpus.wrong_value(Fact(name="group", value="8"), [], i) for i in range(50)}
    assert "8" not in numbers
    assert len(numbers) > 3
    assert all(n.isdigit() for n in numbers)
    assert corpus.wrong_value(Fact(name="symbol", value="Fe"), [], 0) == "unknown"
    assert corpus.wrong_value(Fact(name="symbol", value="FE"), [], 0) == "unknown"


def test_index_and_digest_depend_on_the_articles_and_not_on_their_order():
    mixed = random.Random(1).sample(WORLD, len(WORLD))
    assert digest(mixed) == digest(WORLD)
    assert digest([FRANCE, GEORGIA, GOLD]) != digest(WORLD)
    capital = Fact(name="capital", value="Paris")
    picks = [
        [Corpus(order).wrong_value(capital, STATE.categories, i) for i in range(9)]
        for order in (WORLD, mixed)
    ]
    assert picks[0] == picks[1]
