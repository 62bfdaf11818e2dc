"""Grading of mathematical answers: equal as expressions, by math-verify, in bounded time.

Texts and plain numbers are compared without it, so that most gradings cost microseconds. What could keep a
single operation of C code busy for long (towers of powers, huge integers, deep nesting) is recognised in
the text and never parsed; the rest is under a deadline. Such an answer is right only as a text.
"""

import functools
import logging
import math
import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import Any

from stages.grading import deadline

SECONDS = 1.0  # CPU time of one comparison by math-verify, beyond which the answer is wrong
_LONGEST = 400  # characters of an answer that is parsed; the longest of MATH-500 has 60
_DEEPEST = 12  # brackets in brackets
_COMMANDS = 60  # LaTeX commands
_DIGITS = 40  # of one integer
_POWER_DIGITS = 100_000  # of any integer that the powers in an answer could make

_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d*)?")
_AMOUNT = re.compile(r"(?P<number>[^a-zA-Z]*\d\.?)\s*(?:[a-zA-Z]{2,}(?:[ -][a-zA-Z]{2,})*\.?)?")
_WRAPPED = re.compile(r"\$\$?(.*?)\$\$?|\\\((.*)\\\)|\\\[(.*)\\\]|\\boxed\s*\{(.*)\}", re.DOTALL)
_TEXT = re.compile(r"\\(?:text|mbox|textbf|mathrm|textit)\s*\{([^{}]*)\}")
_WORD = re.compile(r"[^\W\d_]{3,}")
_SPACING = re.compile(r"\\[!,;: ]|~|\\q?quad\b")
_NAMED = re.compile(r"(?<![\\a-zA-Z])(?=(?:pi|sin|cos|tan|cot|sec|csc|ln|log|exp)\b)")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")


def equal(answer: str, reference: str) -> bool:
    """Say whether an answer states the reference: as a text, a number or an expression.

    LaTeX with or without "$" or "\\boxed", and plain expressions: "0.5" is "\\frac{1}{2}", "$72" and "72
    clips" are "72", "x=5" is "5". A word is compared as a text only. Never raises, and takes about
    `SECONDS` at most, whatever the answer and in whatever thread.

    Args:
        answer: the final answer alone.
        reference: the reference answer.
    """
    said, wanted = _bare(answer), _bare(reference)
    if not said or not wanted:
        return False
    if said == wanted:
        return True
    numbers = _number(said), _number(wanted)
    if None not in numbers:
        return numbers[0] == numbers[1]
    words = _words(said), _words(wanted)
    if words[0] or words[1]:
        return (words[0] or said) == (words[1] or wanted)
    return _safe(said) and _safe(wanted) and _verified(said, wanted)


def second_opinion(answer: str, reference: str) -> bool:
    """Grade as the MATH benchmark's own script does: normalised texts, else numbers; no algebra.

    After `is_equiv` of Hendrycks et al. 2021 and the normalisation of Lewkowycz et al. 2022 (Minerva, app.
    D.1): spaces, "$", "\\left", "\\text", units and degrees dropped, "\\frac12" completed, "x=" removed.
    Written here, sharing nothing with `equal`, so that their disagreement shows where either errs.
    """
    if max(len(answer), len(reference)) > _LONGEST:
        return answer.strip() == reference.strip()
    said, wanted = _canonical(answer), _canonical(reference)
    if not said or not wanted:
        return False
    values = _fraction(said), _fraction(wanted)
    return said == wanted or (None not in values and values[0] == values[1])


@functools.lru_cache(maxsize=1 << 16)
def _verified(said: str, wanted: str) -> bool:
    libraries = _libraries()

    def compute() -> bool:
        gold, target = (libraries.parse(f"${_latex(text)}$", parsing_timeout=None) for text in (wanted, said))
        return bool(gold) and bool(libraries.verify(gold, target, timeout_seconds=None))

    return deadline.within(SECONDS, compute)


@functools.cache
def _libraries() -> Any:
    """Import math-verify and build its tables, which takes longer than a comparison may."""
    import math_verify

    # It warns that we set no timeout, and logs every answer it cannot parse.
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    one = math_verify.parse(r"$\frac{1}{2}+x$", parsing_timeout=None)
    math_verify.verify(one, one, timeout_seconds=None)
    return math_verify


def _bare(text: str) -> str:
    """Return a text without wrapping, final point and spacing commands."""
    text = text.translate(_DASHES).strip()
    while len(text) <= _LONGEST and (wrapped := _WRAPPED.fullmatch(text)):
        text = next(part for part in wrapped.groups() if part is not None).strip()
    if text.isdecimal():
        return text
    text = re.sub(r",\\!\s*", ",", text.replace("\\$", "").removeprefix("$"))
    return " ".join(_SPACING.sub(" ", text).split()).removesuffix(".")


def _number(text: str) -> Decimal | None:
    """Return the value of a plain number with or without a unit in words; None of anything else."""
    if text.isdecimal():
        return Decimal(text)
    amount = _AMOUNT.fullmatch(text) if len(text) <= _LONGEST else None
    number = amount["number"] if amount else text
    if not _NUMBER.fullmatch(number) or not any(c.isdecimal() for c in number):
        return None
    return Decimal(number.replace(",", ""))


def _words(text: str) -> str:
    """Return the text in one spelling where it is of words or a choice's letter, else nothing."""
    if len(text) > _LONGEST:
        return text
    plain = _TEXT.sub(r"\1", text)
    choice = re.fullmatch(r"(\()?([A-Z])(?(1)\))", plain)
    if choice and plain + text != 2 * choice[2]:  # a letter alone is a variable
        return choice[2]
    if "\\" in plain or any(c in "=^+*/<>|{}[]()," or c.isdecimal() for c in plain):
        return ""
    is_word = plain != text or (_WORD.search(plain) and not _NAMED.search(plain))
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split()) if is_word else ""


def _latex(text: str) -> str:
    """Return a plain expression as LaTeX; LaTeX as it is."""
    return text if "\\" in text else _NAMED.sub(r"\\", text.replace("**", "^"))


def _safe(text: str) -> bool:
    """Say whether every operation on what the text denotes is small."""
    if len(text) > _LONGEST or text.count("\\") > _COMMANDS or _depth(text) > _DEEPEST:
        return False
    text = text.replace("**", "^").replace(" ", "")
    integers = re.findall(r"\d+", text)
    largest = max(map(len, integers), default=1)
    if largest > _DIGITS or re.search(r"\d[eE][+-]?\d{3}", text):
        return False
    # Sums, products, factorials and binomials run to their operands; no factorial of a factorial.
    counted = re.search(r"!|binom|choose|\\sum|\\prod|\\int|\\lim", text)
    if counted and (largest > 3 or re.search(r"[!})\]]!", text)):
        return False
    if text.count("exp") > 2:
        return False
    powers = 1
    for found in re.finditer(r"\^", text):
        exponent = _operand(text, found.end())
        if "!" in exponent or not _flat(exponent):
            return False
        if found.start() and not text[found.start() - 1].isalpha():
            powers *= math.prod(max(1, int(n)) for n in re.findall(r"\d+", exponent))
    return powers * largest <= _POWER_DIGITS


def _flat(exponent: str) -> bool:
    """Say whether an exponent has no power of a number in it and no third level: "x^2", not "9^9"."""
    inner = [(found.start(), _operand(exponent, found.end())) for found in re.finditer(r"\^", exponent)]
    return all(at and exponent[at - 1].isalpha() and "^" not in operand for at, operand in inner)


def _operand(text: str, start: int) -> str:
    """Return the group, command or run of characters that an exponent applies, with its own exponents."""
    depth, at = 0, start
    while at < len(text):
        depth += (text[at] in "{([") - (text[at] in "})]")
        if depth < 0 or (depth == 0 and text[at] in "+-=,<>" and at > start):
            break
        at += 1
    return text[start:at]


def _depth(text: str) -> int:
    depth = deepest = 0
    for c in text:
        depth += (c in "{([") - (c in "})]")
        deepest = max(deepest, depth)
    return deepest


_DROPPED = re.compile(
    r"\\left|\\right|\\[!,;: ]|\\\$|\$|~|\\displaystyle|\^\{?\\circ\}?|°|\\?%|(?<=\d),(?=\d{3}(?!\d))"
)
_TRAILING_UNIT = re.compile(r"(?<=[\d}])\s*\\(?:text|mbox|mathrm)\s*\{[^{}]*\}(?:\^\{?\d\}?)?$")
_TRAILING_WORDS = re.compile(r"(?<=\d)\s+[a-zA-Z]{2,}(?:\s[a-zA-Z]{2,})*$")


def _canonical(text: str) -> str:
    text = _DROPPED.sub("", text.translate(_DASHES).replace(",\\!", "")).strip().rstrip(".")
    text = re.sub(r"^\\boxed\s*\{(.*)\}$", r"\1", text)
    text = _TRAILING_WORDS.sub("", _TRAILING_UNIT.sub("", text))
    text = re.sub(r"\\(?:text|mbox|mathrm|textbf)\s*\{([^{}]*)\}", r"\1", text)
    text = re.sub(r"\\[dt]frac", r"\\frac", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\d)", r"\\frac{\1}{\2}", text)
    text = re.sub(r"\\frac\s*(\{[^{}]*\})\s*(\d)", r"\\frac\1{\2}", text)
    text = re.sub(r"\\frac\s*(\d)\s*(\{[^{}]*\})", r"\\frac{\1}\2", text)
    text = re.sub(r"\\sqrt\s*(\w)", r"\\sqrt{\1}", text)
    text = re.sub(r"^[a-zA-Z]\s*(?:=|\\in\b)", "", text)
    text = re.sub(r"(?<![\d.])(-?\d+)/(\d+)(?![\d.])", r"\\frac{\1}{\2}", text)
    text = re.sub(r"-\\frac\{(\d+)\}|\\frac\{-(\d+)\}", lambda f: rf"\frac{{-{f[1] or f[2]}}}", text)
    text = re.sub(r"(?<![\d.])\.(?=\d)", "0.", text)
    text = re.sub(r"(\.\d*?)0+(?!\d)", r"\1", text)
    text = re.sub(r"\.(?!\d)", "", text)
    return re.sub(r"\s+", "", text).casefold()


def _fraction(text: str) -> Fraction | None:
    """Return the value of a decimal number or of a fraction of integers, mixed or not."""
    found = re.fullmatch(r"(-?\d+)?\\frac\{(-?\d+)\}\{(\d+)\}|(-?\d*\.?\d+)", text)
    if not found or (found[3] and not int(found[3])):
        return None
    if found[4]:
        return Fraction(found[4])
    part = Fraction(int(found[2]), int(found[3]))
    whole = int(found[1] or 0)
    return whole + (-part if whole < 0 else part)
