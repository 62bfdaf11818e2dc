"""Broken and hostile wikitext: still clean, still in linear time."""

import random
import re
import time

import pytest

from stages.wiki import markup, structure
from stages.wiki.pages import Site

TEN_MEGABYTES = 10_000_000
HOSTILE = {
    "templates never closed": "{{a|" * (TEN_MEGABYTES // 4),
    "templates in templates": "{{a|" * (TEN_MEGABYTES // 6) + "}}" * (TEN_MEGABYTES // 6),
    "shown templates, eight deep": ("{{lang|fr|" * 8 + "x" + "}}" * 8) * (TEN_MEGABYTES // 97),
    "links in links": "[[" * (TEN_MEGABYTES // 4) + "]]" * (TEN_MEGABYTES // 4),
    "everything in everything": "[[a|{{lang|{|\n" * (TEN_MEGABYTES // 14),
    "references never closed": "<ref>" * (TEN_MEGABYTES // 5),
    "comments never closed": "<!-- " * (TEN_MEGABYTES // 5),
    "addresses never closed": "[http://a " * (TEN_MEGABYTES // 10),
    "quotes": "''a''' " * (TEN_MEGABYTES // 7),
    "one infobox": "{{infobox x\n" + "|a=b\n" * (TEN_MEGABYTES // 5) + "}}",
    "one word": "a" * TEN_MEGABYTES,
    "brackets": "([{" * (TEN_MEGABYTES // 3),
}
TOKENS = (
    "{{ }} [[ ]] {| |} | = a word <ref> </ref> <ref/> <!-- --> '' ''' lang|fr|b convert|5|km {{infobox "
    "File: Category:X [http://a.b ] {{{ }}} == * # : <br> <sup>2</sup> ( ) , { } [ <math> formatnum:1 ubl|a "
    "\n \n\n \u200b \0 \t"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_page_of_ten_megabytes_is_cleaned_in_seconds(name: str) -> None:
    begin = time.process_time()
    markup.clean(HOSTILE[name], Site())
    assert time.process_time() - begin < 20


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        ("One {{broken|a=b\n\nTwo.", "One\n\nTwo."),
        ("One.\n{| broken\n| cell\n\n== Two ==\nThree.", "One.\n\nThree."),
        ("One [[broken two.", "One broken two."),
        ("One }} two |} three", "One two three"),
        ("a[b[1]] is code", "a[b[1]] is code"),
        ("One [[two {{three]] four}} five", "One two five"),
        ("One.<ref>Never closed. Two.", "One.Never closed. Two."),
        ("One<ref name=a>. Two.<ref>b</ref> Three.", "One. Two. Three."),
        ("One {{a|{|\n| b }} two", "One two"),
    ],
)
def test_broken_markup_takes_little_text_with_it(wikitext: str, text: str) -> None:
    assert markup.clean(wikitext, Site()).text == text


def test_constructs_deeper_than_the_limit_are_dropped_and_others_kept() -> None:
    deep = structure.MAX_DEPTH
    assert structure.balanced("{{a|" * deep + "x" + "}}" * deep).count("{{") == deep
    assert (
        structure.balanced("{{a|" * 99 + "x" + "}}" * 99 + "[[b]]") == "{{a|" * deep + "}}" * deep + "[[b]]"
    )


def test_outermost_constructs_are_found_in_order() -> None:
    text = "a {{b|[[c]]}} [[d|{{e}}]]\n{|\n|{{f}}\n|}"
    assert [(s.kind, text[s.start : s.end]) for s in structure.outermost(text)] == [
        ("{{", "{{b|[[c]]}}"),
        ("[[", "[[d|{{e}}]]"),
        ("{|", "{|\n|{{f}}\n|}"),
    ]


def test_table_that_ends_a_template_argument_is_told_from_the_templates_end() -> None:
    text = "{{a|b=\n{|\n| c\n|}}} d {{e|\n|}}"
    assert [text[s.start : s.end] for s in structure.outermost(text)] == [text[:18], "{{e|\n|}}"]


def test_random_markup_never_fails_and_leaves_none_behind() -> None:
    tokens = TOKENS.split(" ")
    draw = random.Random(5)
    for _ in range(1500):
        wikitext = "".join(draw.choices(tokens, k=draw.randint(1, 60)))
        text = markup.clean(wikitext, Site()).text
        assert not re.search(r"\{\{|\[\[|<ref|\|\}|\s\s\n|\n\n\n", text), (wikitext, text)
