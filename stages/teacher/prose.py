"""Facts of articles without an infobox, read from their first sentences by fixed patterns."""

import re
from collections.abc import Iterator, Sequence

from stages.records import Fact
from stages.teacher import prose_patterns as patterns

MAX_SENTENCES = 6  # beyond them an article speaks of other things than its subject
LONGEST = 1000  # characters of a sentence that are read
_SUBJECT = re.compile(r"^(?:He|She|It|They|His|Her|Its|Their|The|This)\b")
_WHOLE = re.compile(r"[.!?][\"'”’)]?$")


def read(name: str, lines: Sequence[str]) -> Iterator[tuple[Fact, int]]:
    """Yield (fact, number of the sentence that states it) of an article's subject, in text order.

    Values are verbatim parts of their sentences. Keys are those of the phrase book, or such as read well in
    its generic phrasings ("date of birth", "alternative name"). Only whole sentences are read that speak of
    the subject: the first, those that name it, and those that begin with a pronoun or "The".

    Args:
        name: the subject's, without a disambiguator.
        lines: sentences of the article.
    """
    parts = {word for word in re.findall(r"\w+", name) if len(word) > 2}
    for i, line in enumerate(lines[:MAX_SENTENCES]):
        about = i == 0 or _SUBJECT.match(line) or parts & set(re.findall(r"\w+", line))
        if about and len(line) <= LONGEST and _WHOLE.search(line):
            yield from ((fact, i) for fact in _of_sentence(line, first=i == 0))


def _of_sentence(line: str, first: bool) -> Iterator[Fact]:
    lived = False
    for key, pattern in patterns.patterns():
        if pattern.pattern.startswith(r"\(") and not first:
            continue  # a span of years in brackets is a life only behind the subject's name
        match = pattern.search(line)
        if not match:
            continue
        value = match[1].rstrip(" .'’-")
        if key in ("date_of_birth", "date_of_death"):
            lived = True
            year = re.search(r"\d{3,4}$", value)
            if year and not value.isdigit():
                yield Fact(name=key, value=value)
            if year:
                yield Fact(name="birth_year" if key == "date_of_birth" else "death_year", value=year[0])
        else:
            yield Fact(name=key, value=value)
    if first:
        yield from _definition(line, lived)
    country = None if lived else patterns.COUNTRY.search(line)
    if country:
        yield Fact(name="country", value=country[1])


def _definition(line: str, lived: bool) -> Iterator[Fact]:
    """Yield what "X is a …" says: a person's nationality and occupation, else year, origin and type."""
    match = patterns.DEFINITION.search(line)
    if not match:
        return
    phrase = re.sub(r"^(?:(?:former|retired|late) |[A-Z]\w+-? ?born )+", "", match[1])
    phrase = patterns.END.split(phrase, maxsplit=1)[0].strip()
    year = re.match(r"(\d{4}) ", phrase)
    phrase = phrase[year.end() :] if year else phrase
    demonym = patterns.DEMONYM.match(f"{phrase} ")
    kind = phrase[demonym.end() :] if demonym else phrase
    kind = re.sub(r"(?:(?: and| or| \w+ly|[’' -])+)$", "", f"{kind} ").strip()
    work = patterns.WORK.search(kind)
    person = not work and (lived or patterns.PERSON.search(kind)) and not re.search(r"[A-Z]", kind)
    if year:
        yield Fact(name="year_of_release" if work else "year", value=year[1])
    if demonym:
        yield Fact(name="nationality" if person else "origin", value=demonym[0].strip())
    if kind and not kind[0].isdigit() and not patterns.RELATION.search(kind):
        yield Fact(name="occupation" if person else "type", value=kind)
