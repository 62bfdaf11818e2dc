"""MediaWiki XML: schemas, encodings, namespaces, revisions, and what is refused."""

import pytest
from export_samples import HEAD, page

from stages.errors import BadInput
from stages.wiki import export
from stages.wiki.pages import Page


def read(xml: str | bytes, chunk: int = 7, limit: int = 1000) -> list[Page]:
    data = xml.encode() if isinstance(xml, str) else xml
    first = data.find(b">") + 200
    chunks = [data[:first], *(data[i : i + chunk] for i in range(first, len(data), chunk))]
    return list(export.read(chunks, "dump", limit))


def test_page_has_its_own_id_and_that_of_its_revision_not_the_contributors() -> None:
    (found,) = read(HEAD + page("Iron", "Fe &amp; more") + "</mediawiki>")
    assert (found.page_id, found.revision_id, found.timestamp) == (1, 101, "2020-01-02T03:04:05Z")
    assert (found.title, found.text, found.namespace) == ("Iron", "Fe & more", 0)


@pytest.mark.parametrize("version", ["0.3", "0.10", "0.11", "0.99"])
def test_every_export_schema_is_read(version: str) -> None:
    assert len(read(HEAD.replace("0.11", version) + page("A", "x") + "</mediawiki>")) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "windows-1252", "euc-jp"])
def test_encoding_is_taken_from_the_document(encoding: str) -> None:
    letter = "鉄" if encoding == "euc-jp" else "é"
    declared = encoding.removesuffix("-sig")
    xml = f'<?xml version="1.0" encoding="{declared}"?>' + HEAD + page(letter, letter * 50) + "</mediawiki>"
    (found,) = read(xml.encode(encoding))
    assert (found.title, found.text) == (letter, letter * 50)


def test_bytes_that_are_not_the_declared_encoding_are_refused() -> None:
    xml = '<?xml version="1.0" encoding="euc-jp"?>' + HEAD + page("A", "§§") + "</mediawiki>"
    with pytest.raises(BadInput, match="not the encoding it declares"):
        read(xml.replace("§", "\xff").encode("latin-1"))
    with pytest.raises(BadInput, match="unknown encoding 'klingon-8'"):
        read(xml.replace("euc-jp", "klingon-8").encode())


def test_namespace_of_old_dumps_is_read_from_the_titles_prefix() -> None:
    titles = ["Iron", "Diskussion:Iron", "talk:Iron", "Datei:Iron", "2001: A Space Odyssey"]
    pages = "".join(page(t, "x", i + 1, ns="") for i, t in enumerate(titles))
    assert [p.namespace for p in read(HEAD + pages + "</mediawiki>")] == [0, 1, 1, 6, 0]


def test_newest_of_several_revisions_is_kept() -> None:
    revision = (
        "<revision><id>{0}</id><timestamp>20{0}-01-01T00:00:00Z</timestamp><text>v{0}</text></revision>"
    )
    revisions = "".join(revision.format(n) for n in (10, 12, 11))
    (found,) = read(HEAD + f"<page><title>A</title><id>1</id>{revisions}</page></mediawiki>")
    assert (found.revision_id, found.text) == (12, "v12")


def test_redirects_are_known_by_element_or_by_text() -> None:
    pages = (
        page("A", "#REDIRECT [[B#part|label]]", 1, redirect='<redirect title="B" />')
        + page("C", "#redirect: [[B]]", 2)
        + page("D", "#WEITERLEITUNG [[B]]", 3)
        + page("E", "#ÜBERALL [[B]]", 4, redirect="<redirect />")
        + page("F", "#one [[B]] is a list item", 5)
    )
    assert [p.redirect for p in read(HEAD + pages + "</mediawiki>")] == ["B", "B", "B", "B", None]


def test_text_beyond_the_limit_is_counted_but_not_kept() -> None:
    (found,) = read(HEAD + page("A", "x" * 5000) + "</mediawiki>", limit=100)
    assert (found.text, found.length) == ("x" * 100, 5000)


def test_titles_follow_the_sites_case_rule() -> None:
    (found,) = read(HEAD + page("A", "x") + "</mediawiki>")
    assert found.site.normalise(" :iron_ore__mine#Use ") == "Iron ore mine"
    (found,) = read(HEAD.replace("first-letter", "case-sensitive") + page("A", "x") + "</mediawiki>")
    assert found.site.normalise("iPod") == "iPod"


@pytest.mark.parametrize(
    ("xml", "line"),
    [
        ("<!DOCTYPE html><html></html>", "an HTML page, not a MediaWiki export"),
        ("<html><body>404</body></html>", "an HTML page, not a MediaWiki export"),
        ("<rss><page/></rss>", "XML with root <rss>, not a MediaWiki export"),
        ('<mediawiki xmlns="http://evil/"></mediawiki>', "XML with root <mediawiki>"),
        (HEAD + page("A", "x"), "the XML is cut off .* at line 1, byte"),
        (HEAD + page("A", "x")[:-20], "the XML is cut off"),
        (HEAD + "\n<page><title>A</page></mediawiki>", "malformed XML .mismatched tag. at line 2, byte"),
        (HEAD + "<page><id>1</id></page></mediawiki>", "<page> without <title> or <id>"),
        (HEAD + page("A", "x").replace("<id>1<", "<id>one<") + "</mediawiki>", "<id> is 'one', no number"),
    ],
)
def test_other_documents_are_refused_with_one_line(xml: str, line: str) -> None:
    with pytest.raises(BadInput, match=line) as refusal:
        read(xml)
    assert "\n" not in refusal.value.message


def test_entity_bomb_is_refused_before_it_expands() -> None:
    bomb = '<!DOCTYPE mediawiki [<!ENTITY a0 "aaaaaaaaaa">'
    for n in range(1, 10):
        bomb += f'<!ENTITY a{n} "' + f"&a{n - 1};" * 10 + '">'
    with pytest.raises(BadInput, match="XML with a DOCTYPE"):
        read(bomb + "]>" + HEAD + page("A", "&a9;") + "</mediawiki>")
