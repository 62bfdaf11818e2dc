"""Wikitext to what a reader reads: paragraphs of plain text, infobox facts, categories."""

import re
from html import unescape
from typing import NamedTuple

from wikitextparser import parse as parse_wikitext

from stages.records import Fact
from stages.wiki import infobox, inline, structure
from stages.wiki.pages import Site

MAX_WIKITEXT = 500_000  # characters read of one page: bounds the time of a hostile one to seconds
MAX_TEMPLATE = 10_000  # characters of a template whose content is kept in the text
MAX_INFOBOX = 50_000  # characters of one infobox
_MAX_PIECE = 5_000  # characters that wikitextparser sees at once: some of its searches are quadratic
END_SECTIONS = frozenset(
    {"see also", "notes", "footnotes", "explanatory notes", "references", "general references", "citations"}
    | {"sources", "cited sources", "works cited", "bibliography", "literature", "further reading", "gallery"}
    | {"external links", "external link", "notes and references", "references and notes"}
    | {"citations and notes", "notes and citations", "references and sources", "notes and sources"}
    | {"references and further reading", "sources and further reading"}
)
_SECTION = re.compile(r"^==.+==[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"(={1,6})[ \t]*(.+?)[ \t]*\1[ \t]*")
_INTERLANGUAGE = re.compile(r"[a-z]{2,3}(?:-[a-z-]{2,12})?|simple")
_BREAK = re.compile(r"<(?:br|hr)\b[^<>]*>", re.IGNORECASE)
_RAISED = re.compile(r"<sup\b[^<>]*>([^<>]{0,40})</sup\s*>", re.IGNORECASE)
_BLOCK = re.compile(
    r"</?(?:p|div|center|blockquote|poem|li|ul|ol|dl|dd|dt|h[1-6]|tr)\b[^<>]*>", re.IGNORECASE
)
_TAG = re.compile(
    r"</?(?:abbr|b|bdi|bdo|big|cite|code|data|del|dfn|em|font|i|includeonly|ins|kbd|langconvert|mark|noinclude"
    r"|nowiki|onlyinclude|q|rb|rp|rt|rtc|ruby|s|samp|small|span|strike|strong|sub|sup|time|tt|u|var|wbr|table"
    r"|tbody|td|th|caption|a|img"
    rf"|{structure.DROPPED})\b[^<>]*>",
    re.IGNORECASE,
)
_SWITCH = re.compile(r"__(?:NO|FORCE|NEW|INDEX|HIDDEN|STATIC|EXPECT|DISAMBIG|TOC)[A-Z]*__")
_LIST = re.compile(r"[*#:;]+[ \t]*")
_QUOTES = re.compile(r"'{2,}")
_LINK = re.compile(r"\[\[([^\[\]{}|\n]+)(?:\|([^\[\]{}\n]*))?\]\]")  # most are: nothing nested
_BRACKETED = re.compile(r"\[\[|\[(?:https?:|//|ftp:|mailto:|irc:|news:)", re.IGNORECASE)
_EMPTY = re.compile(r"[(（][\s,;:./–—-]*[)）]|\[\s*\]")
_AFTER_OPEN = re.compile(r"([(\[（])[\s,;:]+")
_BEFORE_CLOSE = re.compile(r"[\s,;:]+([)）])")
_TWICE = re.compile(r"([,;:])(?:\s*[,;:])+(?=\s)")
_BEFORE_STOP = re.compile(r"[ \t]+(?=[,.;:!?)](?:\s|$))")
_BLANKS = re.compile(r"[ \t\u00a0\u2002-\u200a\u202f\u3000\r\f\v]+")
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\x00-\x08\x0e-\x1f\x7f]")
_LEFT_OVER = re.compile(r"\{\{+|\}\}+|\[\[+|\{\||\|\}")


class Cleaned(NamedTuple):
    """One page's content."""

    text: str  # paragraphs separated by one blank line; list items on lines of their own
    facts: list[Fact]
    categories: list[str]


def clean(wikitext: str, site: Site) -> Cleaned:
    """Turn a page's wikitext into text, facts and categories, in time linear in its length.

    Args:
        wikitext: of which the first MAX_WIKITEXT characters are read.
        site: names the wiki's file and category namespaces.
    """
    text = structure.without_elements(_INVISIBLE.sub("", wikitext[:MAX_WIKITEXT]))
    text = structure.balanced(structure.without_parameters(text))
    out, at = [], 0
    facts: dict[str, str] = {}
    categories: list[str] = []
    lead = True
    for span in structure.outermost(text):
        source = text[span.start : span.end]
        out.append(text[at : span.start])
        lead = lead and not _SECTION.search(out[-1])
        at = span.end
        if span.kind == "[[":
            out.append(_link(source, site, categories))
        elif span.kind == "{{" and infobox.is_infobox(inline.name_of(source)):
            if lead:  # later boxes are about other things: a term of office, a subsidiary, a namesake
                for name, value in infobox.facts(source[:MAX_INFOBOX], plain).items():
                    facts.setdefault(name, value)
        elif span.kind == "{{" and len(source) <= MAX_TEMPLATE and inline.is_kept(source):
            out.append(inline.expanded(source))
    out.append(text[at:])
    named = [Fact(name=name, value=value) for name, value in facts.items()]
    return Cleaned(_prose("".join(out)), named, list(dict.fromkeys(categories)))


def _link(source: str, site: Site, categories: list[str]) -> str:
    """Return what stays of an outermost [[link]]: nothing of files, categories and language links."""
    target, pipe, label = source[2:-2].partition("|")
    if target.startswith(":"):
        return f"[[{target[1:]}{pipe}{label}]]"
    if ":" in target:
        namespace = site.namespace(target)
        if namespace == 14:
            name = site.normalise(target.partition(":")[2])
            categories += [unescape(name)] if name else []
        if namespace in (6, 14, -2) or (not pipe and _INTERLANGUAGE.fullmatch(target.partition(":")[0])):
            return ""
    elif target.startswith("#") and not pipe:
        return f"[[{target[1:]}]]"
    return inline.expanded(source)


def _prose(text: str) -> str:
    """Return the paragraphs of wikitext without templates, tables and files; END_SECTIONS are left out."""
    text = _BLOCK.sub("\n\n", _without_tags(_BREAK.sub("\n", text)))
    paragraphs: list[str] = []
    lines: list[str] = []
    dropped = 7  # level of the end section we are in; 7 outside of any
    for line in [*text.split("\n"), ""]:
        heading = _HEADING.fullmatch(line.strip()) if line.startswith("=") else None
        if heading or not line.strip() or line.startswith("----"):
            if lines:
                paragraphs.append(_paragraph(lines))
            lines = []
        if heading:
            level = len(heading[1])
            if level <= dropped:
                title = plain(heading[2]).strip(" :").lower()
                dropped = level if title in END_SECTIONS else 7
        elif line.strip() and dropped == 7 and not line.startswith("----"):
            lines.append(line)
    return "\n\n".join(p for p in paragraphs if p)


def _paragraph(lines: list[str]) -> str:
    """Join lines wrapped in the source; list items keep theirs."""
    out: list[str] = []
    for line in plain("\n".join(lines)).split("\n"):
        bare = _LIST.sub("", line, count=1).strip() if line[:1] in "*#:;" else line.strip()
        if not re.search(r"\w", bare):
            continue
        if out and line[:1] not in "*#:;":
            out[-1] += f" {bare}"
        else:
            out.append(bare)
    return "\n".join(_tidy(line) for line in out)


def _without_tags(text: str) -> str:
    if "<" not in text:
        return text
    return _TAG.sub("", _RAISED.sub(lambda m: inline.superscript(m[1]), text))


def plain(wikitext: str) -> str:
    """Return wikitext without templates as plain text: link labels, no quotes, tags or entities; tidy."""
    text = _LINK.sub(_shown, _without_tags(_BREAK.sub("\n", wikitext)))
    parts = [_parsed(piece) if _is_hard(piece) else piece for piece in _pieces(text)]
    text = _QUOTES.sub(_apostrophes, "".join(parts))
    text = _INVISIBLE.sub("", _SWITCH.sub("", unescape(text)))
    return "\n".join(_tidy(line) for line in text.split("\n"))


def _shown(link: re.Match[str]) -> str:
    return link[2] or link[1]


def _is_hard(piece: str) -> bool:
    """Tell whether wikitextparser must read a piece: nested or outer links, quotes that do not pair."""
    if _BRACKETED.search(piece):
        return True
    for line in piece.split("\n") if "''" in piece else ():
        runs = [len(run) for run in _QUOTES.findall(line)]
        if not {2, 3, 5}.issuperset(runs) or len(runs) % 2 or runs.count(3) % 2:
            return True
    return False


def _parsed(piece: str) -> str:
    return parse_wikitext(piece).plain_text(
        replace_templates=False,
        replace_parser_functions=False,
        replace_parameters=False,
        replace_tags=False,
        unescape_html_entities=False,
        replace_tables=False,
    )


def _pieces(text: str) -> list[str]:
    """Cut text at line ends, else anywhere, into pieces of at most _MAX_PIECE characters."""
    out, at = [], 0
    while len(text) - at > _MAX_PIECE:
        cut = max(text.rfind("\n", at, at + _MAX_PIECE), text.rfind(". ", at, at + _MAX_PIECE)) + 1
        cut = cut if cut > at else at + _MAX_PIECE
        out.append(text[at:cut])
        at = cut
    return [*out, text[at:]]


def _apostrophes(match: re.Match[str]) -> str:
    # Quotes left unpaired; 4 after a word are an apostrophe and bold, elsewhere italics of nothing.
    after_word = match.start() > 0 and match.string[match.start() - 1].isalnum()
    return "'" if len(match[0]) == 4 and after_word else ""


def _tidy(line: str) -> str:
    line = _BLANKS.sub(" ", line)
    if "(" in line or "[" in line or "（" in line:
        line = _EMPTY.sub("", _EMPTY.sub("", line))
        line = _BEFORE_CLOSE.sub(r"\1", _AFTER_OPEN.sub(r"\1", line))
        line = _BLANKS.sub(" ", line)
    line = _BEFORE_STOP.sub("", _TWICE.sub(r"\1", line)).lstrip(" ,;").rstrip()
    if _LEFT_OVER.search(line):  # of broken markup
        line = _LEFT_OVER.sub("", line)
        line = re.sub(r"[{}\[|]", "", line) if _LEFT_OVER.search(line) else line
    return line.strip()


def paragraphs(text: str) -> str:
    """Return text that is plain already with its blank space normalised, up to its end sections.

    Sources without markup show a heading as a line of its own; the first one of END_SECTIONS ends the text.
    """
    out: list[str] = []
    for block in re.split(r"\n\s*\n", _INVISIBLE.sub("", text)):
        lines = [_BLANKS.sub(" ", line).strip() for line in block.split("\n")]
        if out and lines and lines[0].lower() in END_SECTIONS:
            break
        if kept := [line for line in lines if line]:
            out.append("\n".join(kept))
    return "\n\n".join(out)
