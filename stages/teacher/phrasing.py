"""The teacher's phrase book: questions and statements for every infobox key, known or not.

Known keys have phrasings of their own (the `phrasing_*` modules beside this one); any other key gets
generic ones made of its words. {S} stands for the article's title, {V} for the value.
"""

import functools
import re
from typing import NamedTuple

from stages.teacher import phrasing_general, phrasing_lands, phrasing_nature, phrasing_places

QUESTIONS = (
    "What is the {N} of {S}?",
    "Which {N} does {S} have?",
    "What {N} is recorded for {S}?",
    "What does the record of {S} give as the {N}?",
)
STATEMENTS = (
    "The {N} of {S} is {V}.",
    "{S} has {V} as {ITS} {N}.",
    "{V} is the {N} of {S}.",
    "{S}'s {N} is {V}.",
    "For {S}, the {N} is {V}.",
    "As {ITS} {N}, {S} has {V}.",
    "{V} is recorded as the {N} of {S}.",
    "{S} is listed with {V} as {ITS} {N}.",
    "Reference works give {V} as the {N} of {S}.",
    "In the case of {S}, {V} is the {N}.",
    "When it comes to {S}, the {N} is {V}.",
    "One names {V} as the {N} of {S}.",
)
OPENERS = (
    "",
    "",
    "Recall that ",
    "It is recorded that ",
    "As is well known, ",
    "In fact, ",
    "The article says that ",
    "It is established that ",
)
# Frames that begin with one of these words go on in lower case after an opener.
_LOWERED = tuple(
    re.findall(
        r"\w+ ",
        "The For As In Reference When One No On At From To Among By People Most Visitors Prices Telephone "
        "Calls Websites Traffic Drivers Notes Linguists Writers Texts Catalogues Natives Clocks Standard "
        "Airlines Tickets Luggage Climbers Geographers Water An Chemists Column Row Star Astronomers "
        "Crystals Samples Biologists ",
    )
)


class Entry(NamedTuple):
    """What the book knows of one key."""

    key: str
    nouns: tuple[str, ...]
    cues: frozenset[str]  # words that hint at the key in a question, casefolded
    questions: tuple[str, ...]
    statements: tuple[str, ...]
    unit: str  # follows a number in statements; empty where there is none


def words(text: str) -> list[str]:
    """Return the casefolded words of `text`."""
    return [word.casefold() for word in re.findall(r"\w+", text)]  # casefolding "İ" first would split it


_STOP = frozenset(words("a an and as at by for from in is it its of on or the to with into one"))


@functools.cache
def book() -> dict[str, Entry]:
    """Return the known keys."""
    entries: dict[str, Entry] = {}
    for module in (phrasing_places, phrasing_lands, phrasing_nature, phrasing_general):
        for block in module.BLOCKS.strip().split("\n\n"):
            head, *lines = block.splitlines()
            keys, nouns, cues, *unit = (part.strip() for part in head.split("|"))
            own = tuple(line for line in lines if "{V}" not in line)
            told = tuple(line for line in lines if "{V}" in line)
            for key in keys.split(", "):
                entry = _entry(key, tuple(nouns.split("; ")), cues, unit[0] if unit else "", own, told)
                entries.setdefault(key, entry)
    return entries


@functools.lru_cache(maxsize=4096)
def entry(key: str) -> Entry:
    """Return the entry of any key: the book's, or a generic one made of the key's words."""
    known = book().get(key)
    if known:
        return known
    noun = " ".join(re.sub(r"\d+$", "", key).replace("-", "_").replace("_", " ").split()) or "entry"
    return _entry(key, (noun,), noun, "", (), ())


def _entry(
    key: str, nouns: tuple[str, ...], cues: str, unit: str, own: tuple[str, ...], told: tuple[str, ...]
) -> Entry:
    its = "their" if unit == "person" else "its"
    generic = tuple(s.replace("{N}", n).replace("{ITS}", its) for n in nouns for s in STATEMENTS)
    asked = own or tuple(q.replace("{N}", nouns[0]) for q in QUESTIONS)
    hints = frozenset(words(f"{cues} {nouns[0]} {key.replace('_', ' ')}")) - _STOP
    return Entry(key, nouns, hints, asked, generic + told * 3, "" if unit == "person" else unit)


def questions(key: str, title: str) -> list[str]:
    """Return every question that the book can ask about one fact."""
    return [q.replace("{S}", title) for q in entry(key).questions]


def statement(key: str, title: str, value: str, choice: int, opener: int = 0) -> str:
    """Return a sentence that states a fact.

    Args:
        key: infobox key.
        title: of the article.
        value: as the infobox gives it.
        choice: which sentence frame, taken modulo their number.
        opener: which opening words, taken modulo their number; 0 is none.
    """
    known = entry(key)
    frame = known.statements[choice % len(known.statements)]
    shown = f"{value} {known.unit}" if known.unit and re.fullmatch(r"[\d.,]+", value) else value
    start = OPENERS[opener % len(OPENERS)]
    frame = lowered(frame) if start else frame
    text = start + frame.replace("{S}", title).replace("{V}", shown)
    return text.replace("..", ".") if value.endswith(".") else text


def lowered(sentence: str) -> str:
    """Return a sentence as it goes on after an opener: in lower case unless it begins with a name."""
    return sentence[0].lower() + sentence[1:] if sentence.startswith(_LOWERED) else sentence


def template(question: str, title: str) -> str:
    """Return a question's normal form with the title replaced by a mark."""
    name = rf"(?<!\w){re.escape(title.casefold())}(?!\w)"
    return " ".join(re.sub(name, "\x00", question.casefold()).replace("?", " ").split())


@functools.cache
def templates() -> dict[str, frozenset[str]]:
    """Return which known keys each question template asks about."""
    found: dict[str, set[str]] = {}
    for key, known in book().items():
        for question in known.questions:
            found.setdefault(template(question, "{S}"), set()).add(key)
    return {form: frozenset(keys) for form, keys in found.items()}
