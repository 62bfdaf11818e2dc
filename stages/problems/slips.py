"""How a solver slips: one value goes wrong in a way that people and models get values wrong."""

from collections.abc import Iterator
from fractions import Fraction

from stages.problems import arithmetic
from stages.teacher.competence import stable_hash, uniform

# A relative difference above this is a slip. In physics graders accept 5 %, and no slip may pass for right.
_NOTICED, _NOTICED_IN_PHYSICS = Fraction(5, 1000), Fraction(55, 1000)
ROUNDING = 1 / 3  # share of the slips in physics that are a small error of the last value
_SMALLEST, _LARGEST = 0.07, 0.24  # of such an error, relative: 6–25 % after rounding to three digits


def differs(value: Fraction, truth: Fraction, physics: bool) -> bool:
    """Say whether a value is wrong by more than rounding, in physics by more than graders accept."""
    return abs(value - truth) > (_NOTICED_IN_PHYSICS if physics else _NOTICED) * abs(truth)


def wrong_values(value: Fraction, *draw: object, physics: bool) -> Iterator[Fraction]:
    """Yield wrong values in the order of the draw: each kind of slip once, then one that is always wrong.

    Args:
        value: the right one.
        draw: decides the order; anything whose text is stable.
        physics: slip by a unit prefix too.
    """
    kinds = [_off_by_one, _swapped, _off_by_one, _negative, _off_by_ten, _times_ten]
    if physics:
        kinds += [_prefix, _prefix]
    start = stable_hash(*draw, "kind")
    for place in range(len(kinds)):
        wrong = kinds[(start + place) % len(kinds)](value, start >> 32)
        if differs(wrong, value, physics):
            yield wrong
    yield 2 * value + 1 if value >= 0 else 2 * value - 1


def rounded_badly(value: Fraction, *draw: object) -> Fraction:
    """Return a value that is wrong by a few per cent, up or down."""
    size = _SMALLEST + (_LARGEST - _SMALLEST) * uniform(*draw, "size")
    sign = 1 if uniform(*draw, "sign") < 0.5 else -1
    return value * (1 + sign * Fraction(round(size * 1000), 1000))


def _off_by_one(value: Fraction, chance: int) -> Fraction:
    # A broken number is off by one in its last digit but one: 12.5 → 13.5, 0.375 → 0.475.
    unit = Fraction(1)
    while value and unit > abs(value):
        unit /= 10
    return value + (unit if chance % 2 else -unit)


def _off_by_ten(value: Fraction, chance: int) -> Fraction:
    return value + (10 if chance % 2 else -10) if abs(value) > 20 else value


def _swapped(value: Fraction, chance: int) -> Fraction:
    """Swap two neighbouring digits that differ."""
    written = arithmetic.decimal(value)
    pairs = [
        i for i in range(len(written) - 1) if written[i : i + 2].isdigit() and written[i] != written[i + 1]
    ]
    if not pairs:
        return value
    at = pairs[chance % len(pairs)]
    return Fraction(written[:at] + written[at + 1] + written[at] + written[at + 2 :])


def _negative(value: Fraction, chance: int) -> Fraction:
    return -value


def _times_ten(value: Fraction, chance: int) -> Fraction:
    return value * 10 if chance % 2 else value / 10


def _prefix(value: Fraction, chance: int) -> Fraction:
    return value * 1000 if chance % 2 else value / 1000
