"""Wikitext to text: what is kept, what is dropped, how it is tidied."""

from pathlib import Path

import pytest

from stages.wiki import markup, sources
from stages.wiki.pages import Site

DUMP = Path(__file__).parents[2] / "shared" / "data" / "dumps" / "enwiki-shortened.xml.bz2"


def text(wikitext: str) -> str:
    return markup.clean(wikitext, Site()).text


@pytest.mark.parametrize(
    ("wikitext", "plain"),
    [
        ("'''Iron''' is a ''metal''.", "Iron is a metal."),
        ("A [[metal]] and [[Gold|'''gold''']]s.", "A metal and golds."),
        ("See [[Iron#Use]], [[#Use]] and [[:Category:Iron|these]].", "See Iron#Use, Use and these."),
        ("[[File:A.png|thumb|A [[nested]] [[File:B.png]] {{caption|x}} one]]Text.", "Text."),
        ("Text.\n[[fr:Fer]]\n[[de:Eisen]]", "Text."),
        ("A [http://a.org label] and [http://a.org] here.", "A label and here."),
        ('One.<ref name="a">{{cite web|url=x}}</ref> Two.<ref name=a /> Three.', "One. Two. Three."),
        ("One<!-- a\n\n[[b]] --> two<!-- no end [[x]]", "One two"),
        ("Energy <math>E = {{mc}}^2</math> is.", "Energy is."),
        ("A<gallery>\nFile:A.png|[[b]]\n</gallery> b", "A b"),
        ("Text {{citation needed|date=May}} goes {{unknown|a=[[b|c]]}}on.", "Text goes on."),
        ('One.\n{| class="a"\n! x\n|-\n| {{y}} || [[z]]\n{|\n| inner\n|}\n|}\nTwo.', "One.\n\nTwo."),
        ("Iron ({{IPA|x}}; {{lang-la|ferrum}}) is.", "Iron (ferrum) is."),
        ("Iron ({{IPA|x}}) is ( , ; ) here.", "Iron is here."),
        ("AT&amp;T &lt;b&gt; caf&eacute; 5&nbsp;km", "AT&T <b> café 5 km"),
        (
            "10<sup>6</sup> m<sup>2</sup> of H<sub>2</sub>O on the 19<sup>th</sup>",
            "10⁶ m² of H2O on the 19th",
        ),
        ("Use <nowiki>'''[x]''' <tag></nowiki> so.", "Use '''[x]''' <tag> so."),
        ("One\nline.\n\n\n\nTwo.\n----\nThree.", "One line.\n\nTwo.\n\nThree."),
        ("List:\n* a [[b]]\n** c\n# d\n:; e", "List:\na b\nc\nd\ne"),
        ("__NOTOC__A<br />b<div style='x'>c</div>d", "A b\n\nc\n\nd"),
        ("L'''été''' and l''''été'''", "Lété and l'été"),
        ("The ''Titanic'''s captain left.", "The Titanic's captain left."),
        ("A [[b|c [d] e]] and [[f|]] and [[g|h ''i'']].", "A c [d] e and f and h i."),
        ("{{{1|default}}} text", "default text"),
        ("{{#if:x|y}}Text {{formatnum:1234}}.", "Text 1234."),
        ("  a \u200b b\u00a0\u00a0c , d", "a b c, d"),
    ],
)
def test_wikitext_becomes_what_a_reader_reads(wikitext: str, plain: str) -> None:
    assert text(wikitext) == plain


def test_headings_and_end_sections_are_removed() -> None:
    wikitext = (
        "Lead.\n== Use ==\nUsed.\n=== In ''art'' ===\nArt.\n== See also ==\n* [[X]]\n=== Sub ===\nY\n"
        "==Legacy==\nKept.\n== '''References''' ==\n{{reflist}}\nZ"
    )
    assert text(wikitext) == "Lead.\n\nUsed.\n\nArt.\n\nKept."


def test_categories_are_collected_once_without_prefix_and_sort_key() -> None:
    site = Site()
    site.namespaces["kategorie"] = 14
    wikitext = "Text. [[Category:Transition_metals|Fe]] [[kategorie:elements]] [[category:Elements]]"
    cleaned = markup.clean(wikitext + "<!-- [[Category:No]] --><nowiki>[[Category:No]]</nowiki>", site)
    assert cleaned.categories == ["Transition metals", "Elements"]
    assert cleaned.text.startswith("Text.")


def test_plain_sources_keep_paragraphs_and_end_before_their_references() -> None:
    given = "Iron is a  metal. \n\n\n\nUse\nIt is used.\n\nSee also\n Gold\n\nReferences\n\n"
    assert markup.paragraphs(given) == "Iron is a metal.\n\nUse\nIt is used."
    assert markup.paragraphs("References\n\nA page of that name.") == "References\n\nA page of that name."


@pytest.mark.slow
@pytest.mark.skipif(not DUMP.exists(), reason="needs the shared data")
def test_real_articles_leave_no_markup_behind() -> None:
    with DUMP.open("rb") as stream:
        pages = [p for p in sources.read(stream, "dump", markup.MAX_WIKITEXT) if p.redirect is None]
    assert len(pages) == 106
    for page in pages:
        found = markup.clean(page.text, page.site)
        for token in ("{{", "}}", "[[", "]]", "<ref", "{|", "|}", "''", "thumb|", "&nbsp;"):
            assert token not in found.text, (page.title, token)
            assert all(token not in fact.value for fact in found.facts), (page.title, token)
