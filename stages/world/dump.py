"""The embedded dump: every page in MediaWiki's export format, compressed as Wikipedia's own dumps are."""

import bz2
import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

from stages.world.articles import categories, wikitext
from stages.world.fields import FIELDS, Entry, Names, by_field, pick

PAGES_PER_STREAM = 100  # as in Wikipedia's multistream dumps
_FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
_DAYS = 730  # revisions are spread over two years; nothing depends on today
_NAMESPACES = {
    -2: "Media",
    -1: "Special",
    0: "",
    1: "Talk",
    2: "User",
    3: "User talk",
    4: "Project",
    5: "Project talk",
    6: "File",
    7: "File talk",
    8: "MediaWiki",
    9: "MediaWiki talk",
    10: "Template",
    11: "Template talk",
    12: "Help",
    13: "Help talk",
    14: "Category",
    15: "Category talk",
}
_EXPORT = "http://www.mediawiki.org/xml/export-0.11/"


class Page(NamedTuple):
    """One page before it has its ids."""

    namespace: int
    title: str
    text: str
    redirect: str | None = None


def pages(entries: Sequence[Entry]) -> list[Page]:
    """Return every page: articles, redirects from their aliases, and pages of other namespaces.

    They come in the order of a hash of their titles, so that the fields are mixed as in a real dump.
    """
    names = Names(entries)
    made: list[Page] = []
    for group in by_field(entries).values():
        titles = [entry.title for entry in group]
        for entry in group:
            near = {titles[pick(len(titles), "see also", entry.title, str(i))] for i in range(2)}
            made.append(Page(0, entry.title, wikitext(entry, names, sorted(near - {entry.title}))))
            made += [_redirect(alias, entry.title) for alias in entry.aliases]
            if pick(40, "talk", entry.title) == 0:
                made.append(
                    Page(1, f"Talk:{entry.title}", f"== Sources ==\nMore on [[{entry.title}]], please. ~~~~")
                )
    for name, field in FIELDS.items():
        parameters = sorted({column for entry in entries if entry.field == name for column in entry.facts})
        rows = "".join(
            f"{{{{#if:{{{{{{{p}|}}}}}}|\n{{{{!}}}}-\n! {p}\n{{{{!}}}} {{{{{{{p}}}}}}}}}}}" for p in parameters
        )
        box = f'<includeonly>{{{{{{!}}}} class="infobox"\n{rows}\n{{{{!}}}}}}}}</includeonly>'
        made.append(
            Page(
                10, f"Template:Infobox {field.infobox}", f"{box}<noinclude>{{{{documentation}}}}</noinclude>"
            )
        )
    for category in sorted({name for entry in entries for name in categories(entry)}):
        made.append(Page(14, f"Category:{category}", "Articles of one kind. {{catmain}}"))
    return sorted(made, key=lambda page: hashlib.blake2b(page.title.encode(), digest_size=16).digest())


def multistream(made: Iterable[Page]) -> bytes:
    """Return the dump: a bz2 stream for the header, one per 100 pages, one for the end."""
    blocks = [_header(), *_streams(list(made)), "</mediawiki>\n"]
    return b"".join(bz2.compress(block.encode(), compresslevel=9) for block in blocks)


def _streams(made: Sequence[Page]) -> Iterable[str]:
    for start in range(0, len(made), PAGES_PER_STREAM):
        part = made[start : start + PAGES_PER_STREAM]
        yield "".join(_page_xml(page, start + i) for i, page in enumerate(part))


def _redirect(alias: str, title: str) -> Page:
    template = "\n\n{{R from alternative name}}" if pick(2, "template", alias) else ""
    keyword = "#redirect" if pick(10, "keyword", alias) == 0 else "#REDIRECT"
    section = "#Facts" if pick(10, "section", alias) == 0 else ""
    return Page(0, alias, f"{keyword} [[{title}{section}]]{template}", title)


def _header() -> str:
    listed = "\n".join(
        f'      <namespace key="{key}" case="first-letter"'
        + (f">{escape(name)}</namespace>" if name else " />")
        for key, name in _NAMESPACES.items()
    )
    return (
        f'<mediawiki xmlns="{_EXPORT}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        f'xsi:schemaLocation="{_EXPORT} http://www.mediawiki.org/xml/export-0.11.xsd" version="0.11" '
        'xml:lang="en">\n'
        "  <siteinfo>\n    <sitename>seedbed</sitename>\n    <dbname>seedbed</dbname>\n"
        "    <base>https://seedbed.invalid/wiki/Main_Page</base>\n    <generator>stages.world</generator>\n"
        f"    <case>first-letter</case>\n    <namespaces>\n{listed}\n    </namespaces>\n  </siteinfo>\n"
    )


def _page_xml(page: Page, place: int) -> str:
    content = page.text.encode()
    sha1 = _base36(hashlib.sha1(content).digest())
    revision = 1_000_000 + 17 * place + pick(17, "revision", page.title)  # ascending, without repeats
    day = _FIRST_DAY + timedelta(seconds=pick(_DAYS * 86_400, "timestamp", page.title))
    redirect = f"    <redirect title={quoteattr(page.redirect)} />\n" if page.redirect else ""
    return (
        f"  <page>\n    <title>{escape(page.title)}</title>\n    <ns>{page.namespace}</ns>\n"
        f"    <id>{10 + 3 * place}</id>\n{redirect}    <revision>\n      <id>{revision}</id>\n"
        f"      <timestamp>{day:%Y-%m-%dT%H:%M:%SZ}</timestamp>\n"
        "      <contributor>\n        <username>Seedbed</username>\n        <id>1</id>\n"
        "      </contributor>\n"
        f"      <comment>from the fact tables</comment>\n      <origin>{revision}</origin>\n"
        "      <model>wikitext</model>\n      <format>text/x-wiki</format>\n"
        f'      <text bytes="{len(content)}" sha1="{sha1}" xml:space="preserve">'
        f"{escape(page.text, {chr(34): '&quot;'})}</text>\n"
        f"      <sha1>{sha1}</sha1>\n    </revision>\n  </page>\n"
    )


def _base36(digest: bytes) -> str:
    """Return a SHA-1 digest as MediaWiki writes it: 31 digits to the base 36."""
    number, digits = int.from_bytes(digest, "big"), ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits.rjust(31, "0")
