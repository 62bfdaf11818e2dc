"""The grid's coordinates: cuts of a pool, and the names of cells."""

import re
from typing import NamedTuple

import click

from stages.errors import BadInput


class Cut(NamedTuple):
    """How much of a pool a training set uses: written `SHARExBUDGET`, as in `0.25x4`."""

    share: float  # of the pool's questions, 0 < share ≤ 1
    budget: int  # responses drawn per question

    @classmethod
    def parse(cls, text: str) -> "Cut":
        """Read a cut.

        Raises:
            BadInput: `text` is not SHARExBUDGET, the share is outside (0, 1], or the budget is no positive
                whole number.
        """
        found = re.fullmatch(r"(\d*\.?\d+)x(.+)", text)
        if not found:
            raise BadInput(f"cut '{text}': expected SHARExBUDGET, such as 0.25x4")
        share, budget = float(found[1]), found[2]
        if not 0 < share <= 1:
            raise BadInput(f"cut '{text}': share {found[1]} is not above 0 and at most 1")
        if not re.fullmatch(r"[1-9]\d*", budget):
            raise BadInput(f"cut '{text}': budget '{budget}' is not a positive whole number; set `budget`")
        return cls(share, int(budget))

    def __str__(self) -> str:
        return f"{self.share:g}x{self.budget}"


class CutType(click.ParamType):
    """A click option type for cuts."""

    name = "cut"

    def convert(self, value: str | Cut, param: click.Parameter | None, ctx: click.Context | None) -> Cut:
        """Parse the option's text."""
        return value if isinstance(value, Cut) else Cut.parse(value)


def cell_name(student: str, density: float, cut: Cut) -> str:
    """Return a cell's file stem, such as `tiny-3.4-1x16`."""
    return f"{student}-{density}-{cut}"


def distinct(cuts: tuple[Cut, ...]) -> list[Cut]:
    """Return the cuts in order without repetitions: `-S budget=8` names 1x8 twice."""
    return list(dict.fromkeys(cuts))
