"""A family of problems: the same question about other numbers, with its truth, its steps and its wordings.

A family is data. Its truth is a formula that sympy (mathematics) or pint (physics) computes; its steps are
plain arithmetic, so that a slip at one of them can be carried through the others. That both agree on every
instance is tested.
"""

import functools
import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from stages.problems import arithmetic
from stages.teacher.competence import stable_hash

_SLOT = re.compile(r"<(\w+)>")


class Step(NamedTuple):
    """One computation of a solution."""

    name: str  # of the value that it computes
    formula: str  # of the given numbers and the earlier values
    sentence: str  # with <slots> for the numbers, the computed one among them


@dataclass(frozen=True, eq=False)
class Family:
    """One kind of problem; every text holds <slots> for what is given."""

    name: str
    space: Mapping[str, tuple[str | int, ...]]  # what is chosen → its values
    truth: str  # formula of the given numbers; for sympy, or for pint where they have units
    steps: tuple[Step, ...]
    source: tuple[str, ...]  # wordings of the source
    held_out: tuple[str, ...]  # wordings of the benchmarks, which no source uses
    answer: str  # with a slot for the value of the last step
    derived: Mapping[str, str] = field(default_factory=dict)  # given too: name → formula of what is chosen
    units: Mapping[str, str] = field(default_factory=dict)  # of the given numbers; empty in mathematics
    unit: str = ""  # of the answer
    fractions: bool = False  # write broken numbers as LaTeX fractions, not as decimals

    @property
    def domain(self) -> str:
        """Return "physics" where the answer has a unit, else "mathematics"."""
        return "physics" if self.unit else "mathematics"


@dataclass(frozen=True)
class Instance:
    """One problem of a family, in no particular words."""

    family: Family
    place: str  # where it happens: no other problem of the domain does there
    chosen: tuple[tuple[str, str], ...]  # name → number

    @functools.cached_property
    def numbers(self) -> dict[str, Fraction]:
        """Return the given numbers, exact."""
        found = {name: Fraction(value) for name, value in self.chosen}
        for name, formula in self.family.derived.items():
            found[name] = arithmetic.evaluate(formula, found)
        return found

    @functools.cached_property
    def given(self) -> dict[str, str]:
        """Return what fills the slots: the place, and the numbers as they are written."""
        return {n: arithmetic.decimal(v) for n, v in self.numbers.items()} | {"place": self.place}

    def phrase(self, wording: str) -> str:
        """Return the question in one of the family's wordings."""
        return filled(wording, self.given)

    @functools.cached_property
    def truth(self) -> str:
        """Return the reference answer, without its unit, computed by sympy or pint."""
        return _with_units(self) if self.family.unit else _symbolic(self)

    def values(self, slip: tuple[int, Fraction] | None = None) -> list[Fraction]:
        """Return the value of each step, after a slip too.

        Args:
            slip: (place of a step, what it gives in place of its value); later steps go on with that.

        Raises:
            ValueError: the slip makes a later step impossible.
        """
        known, found = dict(self.numbers), []
        for place, step in enumerate(self.family.steps):
            slipped = slip is not None and place == slip[0]
            value = slip[1] if slip and slipped else arithmetic.evaluate(step.formula, known)
            known[step.name] = value
            found.append(value)
        return found

    def written(self, values: list[Fraction]) -> tuple[tuple[str, ...], str]:
        """Return the sentences of the steps and the answer (without its unit) for the steps' values."""
        family, known = self.family, dict(self.given)
        sentences = []
        for place, (step, value) in enumerate(zip(family.steps, values, strict=True), start=1):
            if family.unit:
                known[step.name] = arithmetic.significant(value, 3 if place == len(values) else 5)
            else:
                known[step.name] = (arithmetic.latex if family.fractions else arithmetic.decimal)(value)
            sentences.append(tidy(filled(step.sentence, known)))
        return tuple(sentences), tidy(filled(family.answer, known))


def filled(wording: str, known: Mapping[str, str]) -> str:
    """Return a text with its <slots> filled."""
    return _SLOT.sub(lambda slot: known[slot[1]], wording)


def tidy(text: str) -> str:
    """Write "+-3" as "-3", as a negative number in a sum is written."""
    return text.replace("+-", "-").replace("+ -", "- ")


def sample(family: Family, size: int) -> list[tuple[tuple[str, str], ...]]:
    """Return what is chosen in `size` problems of the family: a fixed sample of the possible choices."""
    possible = [
        tuple(zip(family.space, map(str, values), strict=True))
        for values in itertools.product(*family.space.values())
    ]
    return sorted(possible, key=lambda chosen: stable_hash(family.name, chosen))[:size]


def _symbolic(one: Instance) -> str:
    import sympy

    given: dict[str, Any] = {n: sympy.Rational(v.numerator, v.denominator) for n, v in one.numbers.items()}
    # A formula of ours, never a user's text: sympify evaluates it.
    result = sympy.sympify(one.family.truth, locals=given)
    return re.sub(r"\^\{(\w)\}", r"^\1", sympy.latex(result).replace(" ", ""))


def _with_units(one: Instance) -> str:
    unit = _registry()
    given = {n: unit.Quantity(v, one.family.units[n]) for n, v in one.numbers.items()}
    result = arithmetic.evaluate(one.family.truth, given).to(one.family.unit)
    return arithmetic.significant(Fraction(result.magnitude), 3)


@functools.cache
def _registry() -> Any:
    import pint

    return pint.UnitRegistry(non_int_type=Fraction)  # exact, so that rounding is the same everywhere
