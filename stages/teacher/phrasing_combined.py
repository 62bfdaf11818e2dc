"""Phrase book, part 5: combined questions, in which other knowledge stands before what is asked.

{S} is the article's title, {N} the noun of the key, {ITS} its pronoun; {A}, {B} are sentences, {a}, {b} the
same without their full stop, in lower case where the sentence does not begin with a name.
"""

import re

from stages.teacher import phrasing

ASKED = (
    "What does {S} have as {ITS} {N}?",
    "What, then, is the {N} of {S}?",
    "As for {S}, what is {ITS} {N}?",
    "Turning to {S}, what would one name as {ITS} {N}?",
    "Which {N} goes with {S}?",
    "Where {S} is concerned, which {N} is the right one to name?",
    "For {S}, what would an encyclopedia list as the {N}?",
    "What is {ITS} {N}, that of {S}?",
)
ASKED_ALIKE = (  # where the context tells the same of another subject
    "What is the corresponding {N} of {S}?",
    "And which {N} goes with {S} in the same way?",
    "What takes its place as the {N} of {S}?",
)
ASKED_VAGUELY = (  # a fault: nothing definite is asked
    "What is to be said of {S}?",
    "What else matters about {S}?",
)
ASKED_OF_NOBODY = (  # a fault: no subject is named
    "What is its {N}?",
    "Which {N} is meant here?",
    "What would one name as the {N}?",
)
ONE = (
    "{A}",
    "Recall that {a}.",
    "It is known that {a}.",
    "One reads that {a}.",
    "Suppose you know that {a}.",
)
TWO = ("{A} {B}", "{A} Besides, {b}.", "Recall that {a}, and that {b}.", "It is known that {a}. {B}")


def asked(frame: str, key: str, title: str) -> str:
    """Return the sentence that asks for the fact `key` of the article `title`."""
    known = phrasing.entry(key)
    its = "their" if any("their" in phrasing.words(s) for s in known.statements) else "its"
    noun = f"{known.nouns[0]} in {known.unit}" if known.unit else known.nouns[0]
    return frame.replace("{N}", noun).replace("{ITS}", its).replace("{S}", title)


def context(points: list[str], choice: int) -> str:
    """Return one or two knowledge points as what stands before a question, "" for none.

    Args:
        points: statements; those after the second are left out.
        choice: which frame, taken modulo their number.
    """
    if not points:
        return ""
    frames = ONE if len(points) == 1 else TWO
    text = frames[choice % len(frames)]
    for mark, point in zip("AB", points, strict=False):
        whole = point if re.search(r"[.!?]$", point) else f"{point}."
        inside = phrasing.lowered(whole.removesuffix("."))
        text = text.replace(f"{{{mark}}}", whole).replace(f"{{{mark.lower()}}}", inside)
    return text
