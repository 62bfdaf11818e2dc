"""The grid's coordinates: targets of pools, cuts of them, and the names of cells."""

import math
import re
from collections.abc import Callable
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
        share = float(found[1])
        if not 0 < share <= 1:
            raise BadInput(f"cut '{text}': share {found[1]} is not above 0 and at most 1")
        return cls(share, budget(found[2]))

    def __str__(self) -> str:
        return f"{self.share:g}x{self.budget}"


DOMAINS = ("knowledge", "mathematics", "physics")  # of questions, each with a grader of its own
SOURCES = (
    *DOMAINS,
    "mixed",
)  # fixed sources: a domain's seed questions as they are, or all domains' together
STRATEGIES = ("uniform", "groups", "random", "fixed_tokens", "fixed_ratio", *SOURCES)  # beside a level in dex


class Target(NamedTuple):
    """What a pool is steered to: a density in dex, or one of `STRATEGIES`.

    "density" steers to the level `density`; "uniform" to the same density everywhere; "groups" to the
    densities of a table; "random", "fixed_tokens" and "fixed_ratio" are unsteered baselines; a name of
    `SOURCES` is a fixed source, its seed questions as they are.
    """

    strategy: str
    density: float | None  # dex; None unless the strategy is "density"

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read a target.

        Raises:
            BadInput: `text` is neither a finite number nor the name of a strategy.
        """
        if text in STRATEGIES:
            return cls(text, None)
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise BadInput(
                f"target '{text}': neither a finite number of dex nor one of {', '.join(STRATEGIES)}; "
                "set targets under `densities`"
            )
        return cls("density", value)

    def __str__(self) -> str:
        return self.strategy if self.density is None else str(self.density)


def budget(text: str) -> int:
    """Read a response budget.

    Raises:
        BadInput: `text` is no positive whole number.
    """
    if not re.fullmatch(r"[1-9]\d*", text):
        raise BadInput(
            f"budget '{text}': not a positive whole number of responses; set `budget` in params.yaml"
        )
    return int(text)


class Coordinate(click.ParamType):
    """A click option type for a coordinate, read by one of this module's functions."""

    def __init__(self, read: Callable[[str], object], name: str) -> None:
        self.read, self.name = read, name

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        """Read the option's text; its faults are one line, without click's usage."""
        return self.read(value) if isinstance(value, str) else value


CUT = Coordinate(Cut.parse, "cut")
BUDGET = Coordinate(budget, "budget")
TARGET = Coordinate(Target.parse, "target")


class Arm(NamedTuple):
    """How a cell's training set was made of its pool, where a study varies that."""

    teacher: str  # name of its section: "teacher", or one of `teachers`
    protocol: str  # as `stages.protocols.parse` reads it
    matched: str = "samples"  # what is held equal between protocols: "samples", or "tokens" of the teacher


PLAIN = Arm("teacher", "rejection_sampling")
STOPPING = "until_accepted"  # the name, before its N, of the protocol that `stops_at` reads


def stops_at(protocol: str) -> int | None:
    """Return the N of `until_accepted_N`: the accepted responses with which a question's calls end.

    None of every other protocol: their ledgers hold as many calls of each question as the budget says.
    """
    found = re.fullmatch(rf"{STOPPING}_([1-9]\d*)", protocol)
    return int(found[1]) if found else None


def cell_name(student: str, target: Target | float, cut: Cut, arm: Arm = PLAIN) -> str:
    """Return a cell's file stem, such as `tiny-3.4-1x16` or `strong-tiny-physics-1x8-self_refine-tokens`.

    What is as in `PLAIN` is not named.
    """
    teacher = "" if arm.teacher == PLAIN.teacher else f"{arm.teacher}-"
    protocol = "" if arm.protocol == PLAIN.protocol else f"-{arm.protocol}"
    matched = "" if arm.matched == PLAIN.matched else f"-{arm.matched}"
    return f"{teacher}{student}-{target}-{cut}{protocol}{matched}"


def distinct(cuts: tuple[Cut, ...]) -> list[Cut]:
    """Return the cuts in order without repetitions: `-S budget=8` names 1x8 twice."""
    return list(dict.fromkeys(cuts))
