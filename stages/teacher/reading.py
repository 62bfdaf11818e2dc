"""Reading one article: which facts can be asked about, and which sentence states each."""

import functools
import hashlib
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from stages.records import Article, Fact
from stages.teacher import phrasing, prose

MAX_WORDS = 6  # longest value that makes a short answer
MAX_CHARACTERS = 60
# Infobox entries that lay out the page instead of saying something about its subject.
_LAYOUT = re.compile(
    r"(image|img|photo|picture|logo|map|caption|alt|coordinates?|coor|lat|long|website|url|homepage|footnotes?|"
    r"notes?|ref|references|embed|module|header|width|size|align|style|bgcolor|signature|audio|video|"
    r"pronunciation|flag|seal|coat|pushpin|signature|background|honorific|name|title|template|child|"
    r"show|upright|zoom|pageid|blank|demographics|label|data)(_.*|\d*)"
    r"|.*_(alt|caption|size|width|ref|footnotes?|link|type|label|map|image|note|notes|as_of|cite|url|lang|"
    r"format|title|blank\d*|prefix|suffix|style|alias)\d*"
)
_SENTENCE = re.compile(r"(?<=[.!?])[\"'”’)]?\s+(?=[\"'“‘(]?[A-Z0-9])|\n+")
# Short words before a full stop that end no sentence.
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|St|Mt|Dr|Mr|Mrs|Ms|Jr|Sr|No|vs|ca|c|e\.g|i\.e|etc|approx)\.)$")


class Stated(NamedTuple):
    """A usable fact with its evidence."""

    fact: Fact
    evidence: str  # the sentence that states it, verbatim; else the infobox line
    position: int | None  # of that sentence in the text; None where only the infobox states it


def plain(text: str) -> str:
    """Return a form in which two spellings of one value are equal: case, commas in numbers, punctuation."""
    return " ".join(phrasing.words(re.sub(r"(?<=\d),(?=\d{3})", "", text)))


def is_layout(key: str) -> bool:
    """Tell whether an infobox key says nothing about the article's subject (image, caption, map …)."""
    return key not in phrasing.book() and _LAYOUT.fullmatch(key) is not None


def usable(title: str, facts: list[Fact]) -> list[Fact]:
    """Return the facts with a short answer, one per kind, in infobox order.

    Left out: layout keys, values of more than `MAX_WORDS` words, file names, addresses, values that the
    title contains (their question would contain its answer) and placeholders.
    """
    kept: dict[str, Fact] = {}
    inside = f" {plain(title)} "
    # "largest_city = capital" points to another entry and is no answer.
    pointers = {plain(fact.name.replace("_", " ")) for fact in facts}
    for fact in facts:
        value = fact.value.strip()
        form = plain(value)
        fits = form and len(value.split()) <= MAX_WORDS and len(value) <= MAX_CHARACTERS
        odd = re.search(r"[\n|{}\[\]<>=;]|https?:|\.(jpe?g|png|svg|gif|ogg|webm)\b", value, re.IGNORECASE)
        void = form in {"yes", "no", "none", "unknown", "various", "n a", "see below", "y", "true", "false"}
        void = void or form in pointers
        if fits and not odd and not void and not is_layout(fact.name) and f" {form} " not in inside:
            # One per noun: "term_start" and "term_start2" would be asked for in the same words.
            kept.setdefault(phrasing.entry(fact.name).nouns[0], Fact(name=fact.name, value=value))
    return list(kept.values())


@functools.lru_cache(maxsize=256)
def sentences(text: str) -> tuple[str, ...]:
    """Return the sentences of `text`, each a verbatim part of it."""
    parts: list[str] = []
    start = 0
    for match in _SENTENCE.finditer(text):
        if "\n" not in match.group() and _ABBREVIATION.search(text, max(0, match.start() - 8), match.start()):
            continue
        parts.append(text[start : match.end()].strip())
        start = match.end()
    parts.append(text[start:].strip())
    return tuple(part for part in parts if part)


def known(title: str, facts: list[Fact], text: str) -> list[Fact]:
    """Return the usable facts of an article: of its infobox, else (where that has none) of its sentences."""
    return usable(title, facts) or [s.fact for s in _of_sentences(title, text)]


def _of_sentences(title: str, text: str) -> list[Stated]:
    """Return the facts that `prose` reads in the text, with the sentence that states each."""
    lines = sentences(text)
    where: dict[Fact, int] = {}
    for fact, i in prose.read(short_title(title), lines):
        where.setdefault(fact, i)
    return [Stated(fact, lines[where[fact]], where[fact]) for fact in usable(title, list(where))]


def stated(title: str, facts: list[Fact], text: str) -> list[Stated]:
    """Return the usable facts, those that the text states first in front, then in infobox order.

    Without a usable infobox entry they are those that `prose` reads in the text.

    A sentence states a fact if it contains the value; where that could be chance (numbers, one or two
    letters, a value that several facts share) it must also contain a word that hints at the key. Among
    such sentences the first that names the subject is the evidence.
    """
    chosen = usable(title, facts)
    if not chosen:
        return _of_sentences(title, text)
    shared = Counter(plain(fact.value) for fact in chosen)
    lines = sentences(text)
    folded = [frozenset(phrasing.words(line)) for line in lines]
    subject = phrasing.words(short_title(title))[:1]
    found: list[Stated] = []
    for fact in chosen:
        doubtful = bool(re.search(r"\d", fact.value)) or len(fact.value) <= 2 or shared[plain(fact.value)] > 1
        hints = phrasing.entry(fact.name).cues
        where = [
            i
            for i, line in enumerate(lines)
            if contains(line, fact.value) and (not doubtful or hints & folded[i])
        ]
        named = [i for i in where if not subject or subject[0] in folded[i]]
        if where:
            best = (named or where)[0]
            found.append(Stated(fact, lines[best], best))
        else:
            found.append(Stated(fact, f"{fact.name} = {fact.value}", None))
    return sorted(found, key=lambda s: len(lines) if s.position is None else s.position)


def contains(line: str, value: str) -> bool:
    """Tell whether `line` contains `value` as whole words; one or two letters must agree in case too."""
    if len(value) > 2:
        line, value = line.casefold(), value.casefold()
    at = line.find(value)
    while at >= 0:
        before, after = line[max(0, at - 2) : at], line[at + len(value) : at + len(value) + 2]
        # "1" is not in "1.008", "10", "1-A" or "21,000".
        joined_before = before[-1:].isalnum() or before[-1:] in ("_", "-", "+") or _in_number(before[::-1])
        joined_after = after[:1].isalnum() or after[:1] in ("_", "-") or _in_number(after)
        if not joined_before and not joined_after:
            return True
        at = line.find(value, at + 1)
    return False


def _in_number(beside: str) -> bool:
    return beside[:1] in (".", ",") and beside[1:].isdigit()


def short_title(title: str) -> str:
    """Return a title without its disambiguator: "Mercury (planet)" is "Mercury"."""
    return re.sub(r"\s*\([^()]*\)$", "", title) or title


def of_theme(articles: Sequence[Article], pages: Collection[int], most: int) -> list[str]:
    """Return sentences of the articles that could stand beside some: those with every category they share.

    Args:
        articles: all of them.
        pages: page ids of some.
        most: sentences returned at most, chosen by a hash of their text.
    """
    own = [set(article.categories) for article in articles if article.page_id in pages]
    shared = set.intersection(*own) if own else set()
    found = {
        line for article in articles if shared <= set(article.categories) for line in sentences(article.text)
    }
    chosen = sorted(found, key=lambda line: hashlib.blake2b(line.encode("utf-8", "replace")).digest())[:most]
    return sorted(chosen)
