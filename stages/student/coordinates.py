"""The models of a cell: where each stands in the grid, and in its folder."""

from typing import Any, NamedTuple

from stages.errors import BadInput
from stages.grid import PLAIN, Cut, Target
from stages.student.runs import Job


class Cell(NamedTuple):
    """One model to score: its coordinates, and its folder inside the cell's."""

    strategy: str
    density: float | None
    share: float | None
    budget: int
    protocol: str
    tokens: int | None  # training-token budget
    seed: int
    folder: str
    teacher: str = PLAIN.teacher
    matched: str = PLAIN.matched


BASE = Cell(
    strategy="base",
    density=None,
    share=None,
    budget=0,
    protocol="base",
    tokens=None,
    seed=0,
    folder=".",
    teacher="base",
)


def cells(
    training: dict[str, Any], where: str, target: Target | None = None, cut: Cut | None = None
) -> list[Cell]:
    """Return the models of a cell, one per token budget and training seed.

    Args:
        training: what `train` wrote beside them.
        where: named in the message of a refusal.
        target: of the pool they must have been trained on; None asks nothing.
        cut: what they must have been trained on; None asks nothing.

    Raises:
        BadInput: they were trained on another cell.
    """
    pool = Target(training["strategy"], training["density"])
    trained = Cut(training["share"], training["budget"])
    if target not in (None, pool) or cut not in (None, trained):
        raise BadInput(
            f"{where}: trained on target {pool} and cut {trained}, "
            f"not on {target or pool} and {cut or trained}; train this cell again"
        )
    jobs = [Job(run["seed"], run["tokens_budget"]) for run in training["runs"]]
    return [
        Cell(
            *pool,
            *trained,
            training["protocol"],
            job.tokens,
            job.seed,
            job.folder,
            training["teacher"],
            training["matched"],
        )
        for job in jobs
    ]
