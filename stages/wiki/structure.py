"""The first pass over wikitext, in linear time: balance its brackets and drop what is never prose.

`wikitextparser` takes cubic time on deeply nested templates (measured: 5 kB of `{{a|` took 1.4 s, 20 kB
more than 20 s), so it only ever sees what this pass leaves: balanced, at most MAX_DEPTH deep.
"""

import re
from typing import NamedTuple

MAX_DEPTH = 10  # nested brackets within one outermost construct; deeper ones are dropped
# Extension and HTML elements dropped with their content.
DROPPED = (
    "ref|references|math|chem|ce|gallery|imagemap|timeline|score|syntaxhighlight|source|pre|hiero|graph"
    "|mapframe|maplink|templatedata|templatestyles|includeonly|section|indicator|categorytree|inputbox"
    "|table|style|script|phonos|iframe|video|audio"
)
_ELEMENT = re.compile(rf"<!--|<(/?)({DROPPED}|nowiki)(?=[\s/>])([^<>]*)>", re.IGNORECASE)
_TOKEN = re.compile(
    r"\{\{|\}\}|\[\[|\]\]"
    r"|^[ \t:*#]*\{\|"  # tables open and close at the start of a line
    r"|^[ \t]*\|\}(?!\}(?!\}))",
    re.MULTILINE,
)
_PARAMETER = re.compile(r"\{\{\{[^{}|]*(?:\|([^{}]*))?\}\}\}")
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_HEADING = re.compile(r"^==", re.MULTILINE)
_NEUTRAL = str.maketrans({c: f"&#{ord(c)};" for c in "{}[]|<>='*#:;&_"})


class Span(NamedTuple):
    """One outermost construct: text[start:end] with its brackets."""

    kind: str  # "{{" template, "[[" link, "{|" table
    start: int
    end: int


def without_elements(text: str) -> str:
    """Drop comments and elements without prose (references, formulas, galleries); keep <nowiki>'s text."""
    out: list[str] = []
    at = 0
    closes: dict[str, re.Pattern[str]] = {}
    unclosed: set[str] = set()  # no further end tag exists, so that each is looked for only once
    while match := _ELEMENT.search(text, at):
        out.append(text[at : match.start()])
        at = match.end()
        if match[0] == "<!--":
            end = text.find("-->", at)
            at = len(text) if end < 0 else end + 3
            continue
        name = match[2].lower()
        if match[1] or match[3].endswith("/") or name in unclosed:
            continue
        tag = closes.setdefault(name, re.compile(rf"<(/?){name}(?=[\s/>])[^<>]*>", re.IGNORECASE))
        close = tag.search(text, at)
        while close and close[0].endswith("/>"):  # <ref name=x/> inside <references>
            close = tag.search(text, close.end())
        if close is None:
            unclosed.add(name)
        elif close[1]:
            if name == "nowiki":
                out.append(text[at : close.start()].translate(_NEUTRAL))
            at = close.end()
        # A second start tag first: this one was never closed, only the tag itself goes.
    out.append(text[at:])
    return "".join(out)


def without_parameters(text: str) -> str:
    """Replace {{{parameters}}} by their defaults."""
    return _PARAMETER.sub(lambda m: m[1] or "", text) if "{{{" in text else text


def _pairs(text: str) -> tuple[list[Span], list[tuple[int, int]]]:
    """Match brackets; return the pairs in order of their ends, and the ranges of broken markup to delete."""
    stack: list[tuple[str, int, int]] = []
    open_now = {"{{": 0, "[[": 0, "{|": 0}
    pairs: list[Span] = []
    broken: list[tuple[str, int, int]] = []
    for match in _TOKEN.finditer(text):
        token, start, end = match[0].lstrip(" \t:*#"), match.start(), match.end()
        if token in open_now:
            stack.append((token, start, end))
            open_now[token] += 1
            continue
        opener = {"}}": "{{", "]]": "[[", "|}": "{|"}[token]
        # A link ends inside its own template; a template or table also ends links left open in it.
        if not open_now[opener] or (opener == "[[" and stack[-1][0] != "[["):
            if token != "]]":  # "]]" alone is more often code than broken markup
                broken.append(("", start, end))
            continue
        while True:
            kind, begin, after = stack.pop()
            open_now[kind] -= 1
            if kind == opener:
                break
            broken.append(("", begin, after))
        pairs.append(Span(kind, begin, end))
    broken += stack
    return pairs, _ranges(text, broken)


def _ranges(text: str, broken: list[tuple[str, int, int]]) -> list[tuple[int, int]]:
    """Return what to delete: an unclosed template's paragraph, a table's section, else the bracket."""
    ranges: list[tuple[int, int]] = []
    reach = {"{{": -1, "{|": -1}  # end of the last deletion of each kind: each part is searched only once
    for kind, start, end in sorted(broken, key=lambda b: b[1]):
        if kind in reach and start >= reach[kind]:
            stop = (_PARAGRAPH_END if kind == "{{" else _HEADING).search(text, end)
            reach[kind] = stop.start() if stop else len(text)
            ranges.append((start, reach[kind]))
        else:
            ranges.append((start, end))
    return ranges


def _delete(text: str, ranges: list[tuple[int, int]]) -> str:
    out, at = [], 0
    for start, end in sorted(ranges):
        if start > at:
            out.append(text[at:start])
        at = max(at, end)
    out.append(text[at:])
    return "".join(out)


def balanced(text: str) -> str:
    """Delete unmatched brackets and constructs nested deeper than MAX_DEPTH."""
    pairs, ranges = _pairs(text)
    ends: list[int] = []
    for span in sorted(pairs, key=lambda s: s.start):
        while ends and ends[-1] <= span.start:
            ends.pop()
        ends.append(span.end)
        if len(ends) > MAX_DEPTH:
            ranges.append((span.start, span.end))
    return _delete(text, ranges)


def outermost(text: str) -> list[Span]:
    """Return the outermost constructs of balanced text in order."""
    out: list[Span] = []
    for span in sorted(_pairs(text)[0], key=lambda s: s.start):
        if not out or span.start >= out[-1].end:
            out.append(span)
    return out
