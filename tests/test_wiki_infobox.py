"""Infobox facts, and the templates whose content is kept."""

import pytest

from stages.wiki import inline, markup
from stages.wiki.pages import Site


def facts(wikitext: str) -> dict[str, str]:
    return {fact.name: fact.value for fact in markup.clean(wikitext, Site()).facts}


def test_fields_become_facts_in_page_order_with_snake_case_names() -> None:
    wikitext = "{{Infobox river\n| Source Elevation = {{convert|1|to|2|km|mi}}\n| mouth=[[Sea|the sea]]\n}}A."
    found = markup.clean(wikitext, Site()).facts
    assert [(f.name, f.value) for f in found] == [("source_elevation", "1 to 2 km"), ("mouth", "the sea")]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("[[Paris]]<ref>x</ref><!-- y -->", "Paris"),
        ("{{plainlist|\n* [[A]]\n* B {{small|(x)}}\n}}", "A, B (x)"),
        ("{{unbulleted list|A|[[B]]|C}}", "A, B, C"),
        ("\n* A\n* B", "A, B"),
        ("A,<br />B<br>C", "A, B, C"),
        ("{{birth date and age|df=y|1950|2|3}}, {{flag|France}}", "3 February 1950, France"),
        ("{{flagicon|FR}} [[France]]", "France"),
        ("{{nowrap|{{lang|fr|mot}} {{abbr|c.|circa}}}} 5", "mot c. 5"),
        ("US${{formatnum:5000}} &ndash; '''6'''", "US$5000 – 6"),
    ],
)
def test_values_are_short_plain_text(value: str, plain: str) -> None:
    assert facts("{{Infobox x|a=" + value + "}}") == {"a": plain}


@pytest.mark.parametrize(
    "field",
    [
        *(
            "empty=",
            "empty=<!-- x -->",
            "unnamed value",
            "image=A.jpg",
            "image_size=200px",
            "imagecaption=text",
        ),
        *("image1 = A", "caption=A b", "map_caption=A", "image_map=B", "coordinates={{coord|1|2}}", "latd=5"),
        *("logo=X", "cover=Front.png", "long=" + "x" * 201, "flag=[[File:F.svg]]", "dash=&mdash;"),
        *("pushpin_map=Alps", "footnotes=z", "image alt=z"),
    ],
)
def test_fields_that_state_no_fact_are_left_out(field: str) -> None:
    assert facts("{{Infobox x|" + field + "|capital=Paris}}") == {"capital": "Paris"}


def test_names_that_only_look_like_images_are_kept() -> None:
    box = "{{Infobox x|longest_river=A|latest_release=B|alt_name=C|maple=D|coordinator=E|long_name=F}}"
    assert set(facts(box)) == {
        "longest_river",
        "latest_release",
        "alt_name",
        "maple",
        "coordinator",
        "long_name",
    }


@pytest.mark.parametrize(
    "name",
    ["Infobox", "infobox_person", "Taxobox", "Geobox|River", "Chembox", "NFL infobox", "Automatic taxobox"],
)
def test_infobox_families_are_known(name: str) -> None:
    assert facts("{{" + name + "\n|a=b}}") == {"a": "b"}


def test_nested_infobox_counts_and_later_ones_of_other_things_do_not() -> None:
    wikitext = (
        "{{Infobox person|name=A|module={{Infobox office|term=5|name=B}}}}\n{{Infobox x|born=7}}\nText.\n"
        "== Cabinet ==\n{{Infobox cabinet|president=C}}"
    )
    assert facts(wikitext) == {"name": "A", "term": "5", "born": "7"}


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{convert|5|km|mi|abbr=on}}", "5 km"),
        ("{{Cvt|5|by|6|m}}", "5 by 6 m"),
        ("{{convert|5|ft|6|in|cm}}", "5 ft 6 in"),
        ("{{convert|12|km2|sqmi}}", "12 km²"),
        ("{{lang|fr|mot}}", "mot"),
        ("{{lang-fr|mot}}", "mot"),
        ("{{langx|fr|mot}}", "mot"),
        ("{{transliteration|ru|ISO|slovo}}", "slovo"),
        ("{{val|1.5|e=3|u=km}}", "1.5×10³ km"),
        ("{{circa|1900}} {{frac|3|1|2}}", "c. 1900 3 1/2"),
        ("{{as of|2010|3}}", "As of March 2010"),
        ("{{as of|2010|lc=y}}", "as of 2010"),
        ("{{death date|1950|1|31}}", "January 31, 1950"),
        ("{{start date|1950|13}} {{birth-date|7 May 1941}}", "1950 7 May 1941"),
        ("{{chem|H|2|O}}", "H2O"),
        ("{{nowrap|a {{unknown|b}}c}}", "a c"),
        ("{{nowrap|[[a|b]]}}", "[[a|b]]"),
        ("{{nowrap}}{{convert}}{{val}}{{frac}}{{date}}{{chem}}", ""),
        ("{{ubl}}{{e}}{{quote}}{{sortname}}{{ill}}{{circa}}{{lang}}", ""),
        ("{{coord|1|2}}{{cite book|title=x}}{{IPA-fr|x}}", ""),
    ],
)
def test_inline_templates_show_what_readers_see(source: str, shown: str) -> None:
    assert inline.expanded(source) == shown
