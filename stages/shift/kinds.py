"""What kind of answer a text is, by its form alone."""

import re

KINDS = ("integer", "year", "decimal", "fraction", "quantity", "percentage", "expression", "word", "words")

_NUMBER = r"[+\-−]?(?:\d{1,3}(?:,\d{3})+|\d+)"
_FORMS = (
    ("year", re.compile(r"1\d{3}|20\d\d")),
    ("integer", re.compile(_NUMBER)),
    ("decimal", re.compile(rf"(?:{_NUMBER})?\.\d+|{_NUMBER}(?:\.\d+)?(?:e|\s*(?:\\times|×)\s*10\^)\S+")),
    ("fraction", re.compile(rf"{_NUMBER}\s*/\s*\d+|[+\-−]?\\[dt]?frac\{{[^{{}}]*\}}\{{[^{{}}]*\}}")),
    # A plus sign, or a minus that is no exponent's, makes it a sum: "6x+2", "6x − 2".
    (
        "quantity",
        re.compile(rf"{_NUMBER}(?:\.\d+)?(?:e[+-]?\d+)?\s*(?!.*[^\^][+\-−]\s*\d)[^\W\d_][^+=\\()]*"),
    ),
    ("percentage", re.compile(rf"{_NUMBER}(?:\.\d+)?\s*\\?%")),
    ("expression", re.compile(r".*[\\^=+*/(){}\d].*")),
    ("word", re.compile(r"\S+")),
)


def kind(answer: str) -> str:
    """Return one of `KINDS` (defined here): the first form that the whole answer has.

    "12.5 m/s" is a quantity, "x + 2" an expression, "1912" a year, "1,912" an integer.
    """
    text = answer.strip().strip("$")
    for name, form in _FORMS:
        if form.fullmatch(text):
            return name
    return "words"
