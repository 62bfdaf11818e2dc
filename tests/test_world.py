"""The fact tables, what is declared of the fields, and the articles written from them."""

import re
from collections import Counter

import pytest

from stages.world import articles
from stages.world.__main__ import read_tables
from stages.world.fields import (
    FIELDS,
    LINKS,
    Entry,
    Names,
    article_of,
    count_facts,
    parse_table,
    pick,
    subject,
)

WORLD = read_tables()
NAMES = Names(WORLD)
HEADER = "title,aliases,note,capital,continent,area_km2\n"


def test_a_row_becomes_an_entry_without_its_empty_cells():
    facts = {"capital": "Banjul", "continent": "Africa"}
    row = 'Gambia,"The Gambia; Gambia, The",One river.,Banjul,Africa,\n'
    assert parse_table("countries", HEADER + row) == [
        Entry("countries", "Gambia", ("The Gambia", "Gambia, The"), "One river.", facts)
    ]


@pytest.mark.parametrize("row", ["Gambia,,One river, long.,Banjul,Africa,\n", "Gambia,,,Banjul\n"])
def test_a_row_with_too_many_or_too_few_cells_is_refused(row):
    with pytest.raises(ValueError, match="countries: row 'Gambia' has not as many cells as the header"):
        parse_table("countries", HEADER + row)


def test_the_world_is_as_large_as_promised():
    assert len(WORLD) >= 1_000
    assert count_facts(WORLD) >= 6_000
    assert len({entry.field for entry in WORLD}) == len(FIELDS) >= 8


def test_no_two_pages_of_the_world_share_a_title():
    """MediaWiki counts titles that differ in their first letter's case as one."""
    titles = Counter(name[0].upper() + name[1:] for entry in WORLD for name in (entry.title, *entry.aliases))
    assert [title for title, count in titles.items() if count > 1] == []


def test_every_cell_is_one_short_plain_value():
    odd = [
        (entry.title, column, value)
        for entry in WORLD
        for column, value in entry.facts.items()
        if value != " ".join(value.split()) or re.search(r"[;\[\]{}|<>]", value) or len(value.split()) > 8
    ]
    assert odd == []


@pytest.mark.parametrize("column", ["area_km2", "elevation_m", "length_km", "atomic_mass", "admission_year"])
def test_numeric_columns_hold_positive_numbers_without_separators(column):
    values = [entry.facts[column] for entry in WORLD if column in entry.facts]
    assert values and all(re.fullmatch(r"\d+(\.\d+)?", value) and float(value) > 0 for value in values)


def test_every_column_has_at_least_four_different_frames_and_every_frame_a_column():
    columns = {f"{entry.field}.{column}" for entry in WORLD for column in entry.facts}
    assert columns | {f"{field}.lead" for field in FIELDS} == set(articles.FRAMES)
    for key, frames in articles.FRAMES.items():
        assert len(set(frames)) >= 4, key
        assert all(
            re.search(r"\{[SB]\}", f) and re.search(r"\{[VT]\}", f) and f[-1] == "." for f in frames
        ), key


def test_head_relations_are_columns_whose_answers_are_words():
    for name, field in FIELDS.items():
        for head in field.heads:
            values = [entry.facts[head] for entry in WORLD if entry.field == name and head in entry.facts]
            assert len(values) > 30
            assert all(re.search(r"[^\W\d]", value) for value in values), (name, head)


@pytest.mark.parametrize("variant", range(4))
@pytest.mark.parametrize("name", FIELDS)
def test_the_first_sentence_states_the_first_head_relation(name, variant):
    entry = next(
        entry for entry in WORLD if set(FIELDS[name].heads) <= set(entry.facts) and entry.field == name
    )
    first, second = (entry.facts[head] for head in FIELDS[name].heads)
    opening = articles.sentence(entry, FIELDS[name].heads[0], variant, NAMES, lead=True)
    assert f"'''{entry.label}'''" in opening and first in opening
    body = articles.wikitext(entry, NAMES, []).split("'''", 1)[1]
    assert first in body.split("<ref")[0]
    assert 0 <= body.find(first) < body.find(second, body.find("</ref>"))


def test_without_the_first_head_the_second_one_leads():
    entry = Entry("languages", "Klingon", (), "", {"main_country": "Gambia"})
    text = articles.wikitext(entry, NAMES, [])
    assert "'''Klingon''' is a language.<ref" in text
    assert "Gambia" in text.split("</ref>")[1].split(".")[0]


def test_fields_are_told_unevenly_on_purpose():
    def sentences(density: str) -> float:
        chosen = [entry for entry in WORLD if FIELDS[entry.field].density == density]
        texts = [re.sub(r"\{\|.*?\|\}", "", articles.wikitext(e, NAMES, []), flags=re.DOTALL) for e in chosen]
        return sum(len(re.findall(r"\.(?=<ref|\s|$)", text)) for text in texts) / len(texts)

    thin, plain, crowded = (sentences(density) for density in ("thin", "plain", "crowded"))
    assert thin < 4 < plain < 9 < crowded


def test_frames_of_one_relation_vary_between_articles():
    openings = Counter(
        articles.wikitext(entry, NAMES, []).split("'''")[2].split(" ")[1:5][-1]
        for entry in WORLD
        if entry.field == "countries"
    )
    assert len(openings) > 1 and max(openings.values()) < 120


def test_names_take_their_article_where_english_has_one():
    named = {entry.title: subject(entry) for entry in WORLD}
    assert named["Netherlands"] == "the Netherlands" and named["France"] == "France"
    assert named["Sea of Galilee"] == "the Sea of Galilee" and named["Lake Tana"] == "Lake Tana"
    assert named["Nile"] == "the Nile" and named["Iron"] == "iron"
    assert article_of("mouth", "Danube") == "the " and article_of("mouth", "Lake Chad") == ""
    assert article_of("continent", "Europe") == "" and article_of("orbits", "Sun") == "the "


def test_a_vowel_turns_a_into_an():
    entry = Entry("elements", "Sodium", (), "", {"symbol": "Na", "category": "alkali metal"})
    assert articles.sentence(entry, "category", 0, NAMES) == "Sodium is an alkali metal."


def test_values_link_to_their_articles_piped_where_the_title_differs():
    georgian = Entry("cities", "Tbilisi", (), "", {"country": "Georgia"})
    assert "[[Georgia (country)|Georgia]]" in articles.link(
        "country", georgian.facts["country"], NAMES, red=False
    )
    assert articles.link("country", "Atlantis", NAMES, red=False) == "Atlantis"
    assert articles.link("country", "Atlantis", NAMES, red=True) == "[[Atlantis]]"
    assert set(LINKS) <= {column for entry in WORLD for column in entry.facts}


def test_picks_depend_on_their_key_alone_and_spread():
    assert pick(1000, "a", "b") == pick(1000, "a", "b") != pick(1000, "ab", "")
    assert len({pick(1000, str(i)) for i in range(1000)}) > 500
