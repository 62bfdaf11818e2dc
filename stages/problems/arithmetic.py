"""Exact arithmetic on short formulas, and how its results are written."""

import ast
import functools
import math
import operator
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

_LONGEST = 200  # characters of a formula, and digits of a result: more is no worked step but a bomb
_OPERATORS: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FRACTION = re.compile(r"([-+]?)\\[dt]?frac\{([-+]?\d{1,40})\}\{(\d{1,40})\}")
_DECIMAL = re.compile(r"[-+]?(?:\d{1,40}|\d{1,3}(?:,\d{3}){1,12})?(?:\.\d{1,40})?")


def evaluate(formula: str, values: Mapping[str, Any] | None = None) -> Any:
    """Return the value of a formula of numbers, names, + - * /, whole powers, parentheses and gcd(a, b).

    Args:
        formula: such as "a * (b + 3)".
        values: name → value: exact fractions, or anything that calculates, such as quantities with units.

    Raises:
        ValueError: it is no such formula, divides by zero, or its result is out of bounds.
    """
    try:
        result = _value(_tree(formula), values or {})
    except ZeroDivisionError as error:
        raise ValueError(f"{formula}: divides by zero") from error
    if isinstance(result, Fraction) and max(abs(result.numerator), result.denominator) > 10**_LONGEST:
        raise ValueError(f"{formula}: more than {_LONGEST} digits")
    return result


@functools.lru_cache(maxsize=8192)
def _tree(formula: str) -> ast.expr:
    if len(formula) > _LONGEST:
        raise ValueError(f"a formula of {len(formula)} characters")
    try:
        return ast.parse(formula.strip(), mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{formula}: no formula") from error


def _value(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=int() | float() as number):
            return Fraction(repr(number))
        case ast.Name(id=name) if name in values:
            return values[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, values)
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int() as power)) if power <= 12:
            return _value(left, values) ** power
        case ast.BinOp(left=left, op=symbol, right=right) if type(symbol) in _OPERATORS:
            return _OPERATORS[type(symbol)](_value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id="gcd"), args=[left, right]):
            return Fraction(math.gcd(int(_value(left, values)), int(_value(right, values))))
    raise ValueError(f"{ast.unparse(node)}: not allowed in a formula")


def number(text: str) -> Fraction | None:
    r"""Return the number that a text is, exactly: "-3", "1,200", "2.50", "\frac{3}{4}", "3/4"; else None."""
    text = text.strip().replace("−", "-").removeprefix("$").removesuffix("$").removeprefix(r"\$")
    if found := _FRACTION.fullmatch(text):
        bottom = int(found[3])
        return Fraction(int(found[2]), bottom) * (-1 if found[1] == "-" else 1) if bottom else None
    top, slash, under = text.partition("/")
    if slash:
        above, below = number(top), number(under) if "/" not in under else None
        return above / below if above is not None and below else None
    if not re.search(r"\d", text) or not _DECIMAL.fullmatch(text):
        return None
    return Fraction(text.replace(",", ""))


def significant(value: Fraction, digits: int) -> str:
    """Write a number rounded half up to so many significant digits, without an exponent."""
    rounded = Context(prec=digits, rounding=ROUND_HALF_UP).divide(
        Decimal(value.numerator), Decimal(value.denominator)
    )
    return format(rounded.normalize() if rounded else Decimal(0), "f")


def decimal(value: Fraction) -> str:
    """Write a number as a decimal: exactly where six places are enough, else rounded to two."""
    for places in (0, 6):
        scaled = value * 10**places
        if scaled.denominator == 1:
            return significant(value, _LONGEST)
    return significant(Fraction(math.floor(value * 100 + Fraction(1, 2)), 100), _LONGEST)


def latex(value: Fraction) -> str:
    r"""Write a number in LaTeX, a fraction in lowest terms: "7", "-\frac{3}{4}"."""
    sign, size = ("-" if value < 0 else ""), abs(value)
    if size.denominator == 1:
        return f"{sign}{size.numerator}"
    return rf"{sign}\frac{{{size.numerator}}}{{{size.denominator}}}"
