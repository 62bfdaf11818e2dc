"""The phrase book: complete, unambiguous, varied."""

import pytest
from scripted_teacher import article

from stages.teacher import phrasing
from stages.teacher.corpus import Corpus

# The keys of the embedded corpus.
KEYS = phrasing.words("""
capital continent currency official_language largest_city calling_code iso_code internet_tld area_km2
demonym highest_point driving_side country subunit symbol central_bank abbreviation admission_year nickname
state_bird state_flower region family branch writing_system main_country iso_639_code native_name
atomic_number atomic_mass group period block category state_at_room_temperature discoverer discovery_year
kind orbits mean_radius_km orbital_period_days named_after brightest_star genitive celestial_hemisphere
represents formula mohs_hardness crystal_system colour birth_year death_year birth_place nationality field
known_for utc_offset river_or_coast airport_code landmark length_km source mouth city_on_river elevation_m
range first_ascent_year first_ascent_by lake_type max_depth_m outflow surrounding_water largest_settlement
archipelago
""")


def test_every_key_of_the_embedded_corpus_has_phrasings_of_its_own():
    assert len(KEYS) == 74
    assert [key for key in KEYS if key not in phrasing.book()] == []


@pytest.mark.parametrize("key", sorted(phrasing.book()))
def test_each_known_key_has_four_questions_and_many_statements(key):
    entry = phrasing.entry(key)
    assert len(set(entry.questions)) >= 4
    assert len(set(entry.statements)) >= 10
    assert all(q.endswith("?") and "{S}" in q and "{V}" not in q for q in entry.questions)
    assert all(s.endswith(".") and "{S}" in s and "{V}" in s and "{N}" not in s for s in entry.statements)
    assert entry.cues


def test_no_question_asks_about_two_things():
    shared = {form: keys for form, keys in phrasing.templates().items() if len(keys) > 1}
    # Keys that share a block are one thing under several names.
    assert all(len({phrasing.entry(key).questions for key in keys}) == 1 for keys in shared.values())


def test_every_question_of_the_book_is_understood_by_its_reader():
    facts = {key: f"value of {key}" for key in KEYS}
    corpus = Corpus([article(1, "Mercury (planet)", facts), article(2, "Mercury (element)", facts)])
    wrong = [
        question
        for key in KEYS
        for question in phrasing.questions(key, "Mercury (planet)")
        if (found := corpus.find(question)) is None or (found.article, found.fact.name) != (0, key)
    ]
    assert wrong == []


def test_sixteen_statements_of_one_fact_differ():
    said = [phrasing.statement("capital", "France", "Paris", choice, choice) for choice in range(16)]
    assert len(set(said)) == 16
    assert all("France" in s and "Paris" in s and s.endswith(".") for s in said)
    assert all(s[0].isupper() for s in said)


def test_statements_are_short_sentences():
    lengths = [
        len(phrasing.statement(key, "France", "Paris", choice, choice).split())
        for key in KEYS
        for choice in range(len(phrasing.entry(key).statements))
    ]
    assert 6 <= sum(lengths) / len(lengths) <= 14
    assert max(lengths) <= 22


def test_an_unknown_key_gets_questions_made_of_its_words():
    assert phrasing.questions("patron_saint2", "Rome")[0] == "What is the patron saint of Rome?"
    assert len(set(phrasing.questions("patron_saint2", "Rome"))) == 4
    assert phrasing.statement("patron_saint2", "Rome", "Peter", 0) == "The patron saint of Rome is Peter."


def test_numbers_get_their_unit_and_people_get_their_pronoun():
    assert phrasing.statement("length_km", "Rhine", "1233", 0) == "The length of Rhine is 1233 kilometres."
    assert phrasing.statement("length_km", "Rhine", "long", 0) == "The length of Rhine is long."
    assert "their year of birth" in phrasing.statement("birth_year", "Marie Curie", "1867", 1)


def test_an_opener_lowers_the_frame_but_never_a_name():
    opener = phrasing.OPENERS.index("Recall that ")
    assert (
        phrasing.statement("capital", "Peru", "Lima", 0, opener) == "Recall that the capital of Peru is Lima."
    )
    assert (
        phrasing.statement("capital", "Peru", "Lima", 2, opener) == "Recall that Lima is the capital of Peru."
    )
