"""Acceptable ranges: the numeric answers of SimpleQA Verified that are right within stated bounds.

The official answer reads "120 (acceptable range: anything between 118 and 122)". The published grading is
by a judge model that is shown this text; here the bounds are read and applied as numbers.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

_STATED = re.compile(r"(?P<reference>.*?)\s*\(acceptable range:\s*(?P<bounds>.*)\)\s*", re.DOTALL)
_QUANTITY = (
    r"(?<![\w.,:])(?<!\d-)(?P<sign{0}>(?<!\w)[-−])?[₹$€£]?"
    r"(?P<number{0}>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?::\d\d)+|\d+(?:\.\d+)?)(?![\d:]|[.,]\d)"
    r"(?:st|nd|rd|th)?(?:\s*(?P<scale{0}>thousand|million|billion|trillion)\b)?"
)
_ONE = re.compile(_QUANTITY.format(0), re.IGNORECASE)
_INTERVAL = re.compile(
    r"between\s+{}\s*[^\W\d]*%?\s+and\s+{}|{}\s*-\s*{}|{}".format(
        *(_QUANTITY.replace(r"(?<!\d-)", "").format(i) for i in range(1, 6))
    ),
    re.IGNORECASE,
)
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_WORD = re.compile(r"[^\W\d_]+(?:[23](?!\d))?|[%₹$€£°]")
_FILLERS = frozenset({"anything", "between", "and", "to", "x", "by", "a", "an", "the", "degree", "°"})
# One spelling for each unit that the official answers use in more than one.
_UNITS = {
    **dict.fromkeys(("m", "meter"), "metre"),
    **dict.fromkeys(("km", "kilometer"), "kilometre"),
    **dict.fromkeys(("cm", "centimeter"), "centimetre"),
    **dict.fromkeys(("mm", "millimeter"), "millimetre"),
    "km2": "square kilometre",
    "m2": "square metre",
    **dict.fromkeys(("ft", "feet"), "foot"),
    **dict.fromkeys(("in", "inches"), "inch"),
    **dict.fromkeys(("%", "percentage"), "percent"),
    **dict.fromkeys(("usd", "$", "us"), "dollar"),
    **dict.fromkeys(("₹", "inr"), "rupee"),
    **dict.fromkeys(("£", "gbp"), "pound"),
    **dict.fromkeys(("€", "eur"), "euro"),
    "hp": "horsepower",
    "min": "minute",
    **dict.fromkeys(("h", "hr"), "hour"),
    "w": "watt",
    "f": "fahrenheit",
    "c": "celsius",
}


class Interval(NamedTuple):
    """Closed bounds of one quantity; equal where only one value is accepted."""

    low: Decimal
    high: Decimal


class AcceptableRange(NamedTuple):
    """What a numeric answer may be: one interval per quantity, in order, and the units it may name."""

    intervals: tuple[Interval, ...]
    units: tuple[str, ...]  # singular, one spelling each, in order; empty where the answer names none


def split(answer: str) -> tuple[str, str | None]:
    """Return the reference alone, and the bounds as stated or None: ("120", "anything between …")."""
    stated = _STATED.fullmatch(answer)
    return (stated["reference"], stated["bounds"]) if stated else (answer, None)


def parse(answer: str) -> AcceptableRange | None:
    """Read the acceptable range of an official answer; None where it states none.

    Bounds come as "between 52nd and 54th minute", "[26-28] x [39-41] inches", "1 year, anything between
    160 and 162 days"; a quantity without bounds must be met exactly. "41:17" counts seconds (or minutes).

    Raises:
        ValueError: bounds are stated but cannot be read, or they exclude the reference itself.
    """
    reference, bounds = split(answer)
    if bounds is None:
        return None
    intervals = tuple(_interval(found) for found in _INTERVAL.finditer(bounds))
    found = AcceptableRange(intervals, _units(f"{reference} {bounds}"))
    if not intervals or not _inside(intervals, _quantities(reference)):
        raise ValueError(f"the acceptable range of '{answer}' does not bound its own reference")
    return found


def contains(accepted: AcceptableRange, prediction: str, question: str = "") -> bool:
    """Say whether a prediction names exactly the quantities wanted, each within its bounds.

    A unit may be left out, since the question asks for it; another unit than the official answer's (or,
    where that has none, than the question's) is wrong: "390 feet" is not "390 metres".

    Args:
        accepted: bounds and units.
        prediction: a short answer; further words make it wrong.
        question: the question, for its units.
    """
    allowed = iter(accepted.units or _units(question))
    in_order = all(unit in allowed for unit in _units(prediction))  # consumes: "161 years 1 day" fails
    return in_order and _inside(accepted.intervals, _quantities(prediction))


def _inside(intervals: Iterable[Interval], quantities: Iterable[Decimal]) -> bool:
    pairs = list(intervals), list(quantities)
    return len(pairs[0]) == len(pairs[1]) and all(i.low <= q <= i.high for i, q in zip(*pairs, strict=True))


def _interval(found: re.Match[str]) -> Interval:
    values = [_value(found, i) for i in range(1, 6) if found[f"number{i}"]]
    return Interval(values[0], values[-1])


def _quantities(text: str) -> list[Decimal]:
    return [_value(found, 0) for found in _ONE.finditer(text)]


def _value(found: re.Match[str], index: int) -> Decimal:
    number, scale = found[f"number{index}"], found[f"scale{index}"]
    value = Decimal(0)
    for part in number.replace(",", "").split(":"):
        value = value * 60 + Decimal(part)
    return value * _SCALES.get((scale or "").lower(), 1) * (-1 if found[f"sign{index}"] else 1)


def _units(text: str) -> tuple[str, ...]:
    """Return the distinct words that are neither numbers nor fillers, singular, in one spelling, in order."""
    bare = _ONE.sub(lambda found: " " + re.sub(r"[^₹$€£]", "", found[0]) + " ", text.replace("²", "2"))
    words = (word.lower() for word in _WORD.findall(bare))
    singular = (word if word in _UNITS else word.removesuffix("s") for word in words)
    units = " ".join(_UNITS.get(word, word) for word in singular if word not in _FILLERS)
    return tuple(dict.fromkeys(re.sub(r"\b(square|cubic) ", r"\1-", units).split()))
