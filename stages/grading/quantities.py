"""Grading of physical quantities: a number within a relative tolerance *and* a unit that converts."""

import functools
import math
import re
from typing import Any, NamedTuple

_LONGEST = 200  # characters of an answer
_MARKS = str.maketrans("‐‑‒–—−⋅·×μ", "------***µ") | {ord("℃"): "°C", ord("℉"): "°F"}
_SUPERSCRIPT = re.compile(r"[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_WRAPPED = re.compile(r"\\(?:mathrm|text|mathbf|mathit|operatorname|boxed|left|right)\b\s*(?:\{([^{}]*)\})?")
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_LATEX = (  # in this order
    (re.compile(r"\\hat\s*\{[^{}]*\}|\\[,;:! ]|\\\(|\\\)|\\\[|\\\]|~|\{\s*\}"), " "),
    (re.compile(r"\^?\s*\{?\s*\\circ\b\s*\}?|\\degree\b|º"), "°"),
    (re.compile(r"\\mu\b\s*"), "µ"),
    (re.compile(r"\\Omega\b"), "Ω"),
    (re.compile(r"\\AA\b"), "Å"),
    (re.compile(r"\\%"), "%"),
    (re.compile(r"\\cdot\b|\\times\b|\*(?!\*)(?<!\*\*)"), "*"),
    (re.compile(r"\s*(?:\^|\*\*)\s*\{?\s*([+-]?)\s*(\d+)\s*\}?"), r"^\1\2"),
    (re.compile(r"\s+per\s+"), "/"),
)
_NUMBER = re.compile(
    r"(?=[+-]?\s*\.?\d)([+-]?)\s*((?:\d{1,3}(?:,\d{3})+(?!\d)|\d*)(?:\.\d*)?)(?:[eE]([+-]?\d{1,3})(?!\d))?"
)
_POWER_OF_TEN = re.compile(r"\s*[*x]?\s*10\^([+-]?\d{1,3})(?!\d)")
_TOKEN = re.compile(r"[A-Za-zµΩÅ°%_]+(?:\^-?\d{1,2}(?![\d^]))?|[*/()]|1(?=/)")  # no power of a power
_SPELLINGS = {
    "°C": "degC",
    "°F": "degF",
    "°": "degree",
    "AU": "astronomical_unit",
    "KJ": "kJ",
    "kPA": "kPa",
    "%": "percent",
}


class Quantity(NamedTuple):
    """A number and the text of its unit, such as "kJ*mol^-1"; empty where there is none."""

    value: float
    unit: str


def equal(answer: str, reference: str, unit: str, tolerance: float = 0.05) -> bool:
    """Say whether an answer states the reference quantity: |a - b| ≤ tolerance·|b| in the reference's unit.

    Units are converted before the comparison: "3.6 km/h" is "1 m/s". Where the reference has a unit, a
    number alone is wrong; where it has none, so is an answer with one. A power of ten that SciBench writes
    into the unit belongs to the number. Temperatures are converted with their offset, "298.15 K" is "25
    °C", even where they are differences. A unit that cannot be read is compared as a text. Never raises.

    Args:
        answer: number and unit, in plain text or LaTeX.
        reference: the number.
        unit: its unit, as the source writes it; empty where it has none.
        tolerance: relative; absolute, in the reference's unit, where the reference is 0.
    """
    wanted, said = parse(f"{reference.strip()} {unit.strip()}"), parse(answer)
    if wanted is None or said is None or bool(said.unit) != bool(wanted.unit):
        return False
    value = said.value if said.unit == wanted.unit else _converted(said, wanted.unit)
    return value is not None and _close(value, wanted.value, tolerance)


def second_opinion(answer: str, reference: str, unit: str, tolerance: float = 0.05) -> bool:
    """Grade as `equal`, without conversion: the units must be one text but for spaces and LaTeX."""
    wanted, said = parse(f"{reference.strip()} {unit.strip()}"), parse(answer)
    return (
        wanted is not None
        and said is not None
        and said.unit.replace("*", "") == wanted.unit.replace("*", "")
        and _close(said.value, wanted.value, tolerance)
    )


@functools.lru_cache(maxsize=1 << 14)
def parse(text: str) -> Quantity | None:
    """Read "1.5 \\times 10^3 \\mathrm{~m}", "v = +65.49 m/s" or "$72"; None without a finite number.

    Powers of ten after the number are multiplied into it.
    """
    if len(text) > _LONGEST:
        return None
    text = _plain(text).rpartition("=")[2].strip()
    text, currency = text.removeprefix("USD").lstrip(), text.startswith("USD")
    value = 1.0
    if not _POWER_OF_TEN.match(text):
        number = _NUMBER.match(text)
        if not number:
            return None
        value = float(f"{number[1]}{number[2].replace(',', '')}e{number[3] or 0}")
        text = text[number.end() :]
    while ten := _POWER_OF_TEN.match(text):
        value *= float(f"1e{ten[1]}")
        text = text[ten.end() :]
    unit = _joined(text)
    return Quantity(value, "USD" if currency and not unit else unit) if math.isfinite(value) else None


def _plain(text: str) -> str:
    """Return a text without LaTeX: "10^-3 m/s^2"; dollars are "USD"."""
    text = text.translate(_MARKS).replace("\\$", " USD ").replace("$$", "$")
    text = _SUPERSCRIPT.sub(lambda found: "^" + found[0].translate(_RAISED), text)
    text = text.replace("$", " USD " if text.count("$") == 1 else " ")
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    for _ in range(3):
        text = _WRAPPED.sub(lambda found: found[1] or "", _FRACTION.sub(r"(\1)/(\2)", text))
    for pattern, plain in _LATEX:
        text = pattern.sub(plain, text)
    return text.replace("{", "").replace("}", "").strip()


def _joined(text: str) -> str:
    """Return a unit's text with "*" for every product: "m s-2" is "m*s^-2"."""
    text = re.sub(r"\s*([*/()^])\s*", r"\1", text.strip(" \n\r\t.,;*"))
    text = re.sub(r"°\s+(?=[CF]\b)", "°", text)
    text = re.sub(r"(?<=[A-Za-zµΩÅ])(-?\d)", r"^\1", text)
    if text in ("ft-lb", "ft*lb", "ft lb"):  # work, not a mass times a length
        return "ft*lbf"
    text = re.sub(r"\s+|(?<=[A-Za-z])-(?=[A-Za-z])|(?<=[A-Za-z])(?=°)", "*", text)
    return re.sub(r"\bJ(?=K\b|mol\b)", "J*", text)  # as SciBench writes it


@functools.lru_cache(maxsize=1 << 12)
def unit_of(text: str) -> Any | None:
    """Return the pint unit of a `Quantity`'s unit text; None where it cannot be read.

    Only names, whole powers, products and quotients are handed to pint.
    """
    tokens = _TOKEN.findall(text)
    if not tokens or "".join(tokens) != text:
        return None
    registry = _registry()
    names = [_name(token) for token in tokens]
    if len(tokens) > 1:  # an offset has no meaning in a product
        names = [f"delta_{name}" if name.startswith(("degC", "degF")) else name for name in names]
    try:
        return registry.parse_units("".join(names))
    except Exception:  # pint's parser raises many kinds
        return None


def _name(token: str) -> str:
    token, power, exponent = token.partition("^")
    name = _SPELLINGS.get(token, token)
    if len(name) > 2 and not _registry().parse_unit_name(name):
        name = name.lower()
    return f"{name}**{exponent}" if power else name


@functools.cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry()
    registry.define("dollar = [currency] = USD")
    registry.define("photon = count")
    registry.define("electron = count")
    return registry


def _converted(said: Quantity, wanted: str) -> float | None:
    """Return the value in another unit; None where it does not convert."""
    units = unit_of(said.unit), unit_of(wanted)
    if None in units:
        return None
    try:
        return float(_registry().Quantity(said.value, units[0]).to(units[1]).magnitude)
    except Exception:  # of another dimension, or too large
        return None


def _close(value: float, wanted: float, tolerance: float) -> bool:
    return math.isfinite(value) and abs(value - wanted) <= tolerance * (abs(wanted) or 1.0)
