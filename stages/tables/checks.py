"""Cells and ledgers that belong together, or a refusal that names the one that does not."""

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from stages.errors import BadInput
from stages.grid import Cut, cell_name


class Cell(NamedTuple):
    """One cell's coordinates and its rows of `ItemScore`; the base model has neither density nor cut."""

    student: str
    density: float | None
    cut: Cut | None
    scores: pa.Table

    @property
    def name(self) -> str:
        """Return the cell's file stem."""
        if self.density is None or self.cut is None:
            return f"{self.student}-base"
        return cell_name(self.student, self.density, self.cut)


def check(cells: Iterable[Cell], ledger: pa.Table) -> None:
    """Refuse a grid whose parts do not belong together.

    Args:
        cells: each student's base model comes before its other cells.
        ledger: rows of `Response`, all densities.

    Raises:
        BadInput: a cell is empty or another's, a loss is no number, a cell's items are not the base model's,
            or the ledger does not reach a cell's budget.
    """
    base_items: dict[str, pa.Array] = {}
    draws = _draws(ledger)
    for cell in cells:
        _own_rows(cell)
        _finite(cell)
        base_items.setdefault(cell.student, _items(cell.scores))
        _same_items(cell, base_items[cell.student])
        if cell.cut is None or cell.density is None:
            continue
        if draws.get(cell.density, 0) < cell.cut.budget:
            raise BadInput(
                f"{cell.name}: the ledger of density {cell.density} has {draws.get(cell.density, 0)} draws "
                f"for some question, the cell needs {cell.cut.budget}; run `dvc repro respond`"
            )


def _own_rows(cell: Cell) -> None:
    share, budget = cell.cut if cell.cut else (None, 0)
    wanted = {"student": cell.student, "density": cell.density, "share": share, "budget": budget}
    if not len(cell.scores):
        raise BadInput(f"{cell.name}: no scores in it; run `dvc repro score`")
    for column, value in wanted.items():
        found = pc.unique(cell.scores[column]).to_pylist()
        if found != [value]:
            odd = next(x for x in found if x != value)
            raise BadInput(f"{cell.name}: its rows are of {column} {odd}, not {value}; run `dvc repro score`")


def _finite(cell: Cell) -> None:
    loss, tokens = cell.scores["answer_loss"], cell.scores["answer_tokens"]
    # Written so that NaN and null fail it.
    good = pc.and_(pc.and_(pc.greater_equal(loss, 0.0), pc.is_finite(loss)), pc.greater(tokens, 0))
    bad = cell.scores.filter(pc.invert(pc.fill_null(good, False)))
    if len(bad):
        row = bad.slice(0, 1).to_pylist()[0]
        raise BadInput(
            f"{cell.name}: loss {row['answer_loss']} over {row['answer_tokens']} tokens on item "
            f"{row['benchmark']}/{row['item_id']} of training seed {row['seed']} ({len(bad)} such rows); "
            "if training diverged, lower the student's learning rate and train again"
        )


def _items(scores: pa.Table) -> list[tuple[str, str]]:
    first = scores.filter(pc.equal(scores["seed"], scores["seed"][0]))
    return sorted(zip(first["benchmark"].to_pylist(), first["item_id"].to_pylist(), strict=True))


def _same_items(cell: Cell, wanted: list[tuple[str, str]]) -> None:
    for seed in sorted(pc.unique(cell.scores["seed"]).to_pylist()):
        rows = cell.scores.filter(pc.equal(cell.scores["seed"], seed))
        found = sorted(zip(rows["benchmark"].to_pylist(), rows["item_id"].to_pylist(), strict=True))
        if found == wanted:
            continue
        odd = sorted(set(found) ^ set(wanted))
        first = f", {len(odd)} differ, first {'/'.join(odd[0])}" if odd else ", one is there twice"
        raise BadInput(
            f"{cell.name}: items of training seed {seed} are not those of {cell.student}-base{first}; "
            "run `dvc repro score`"
        )


def _draws(ledger: pa.Table) -> dict[float, int]:
    """Return the fewest draws that any question of each density has."""
    per_question = ledger.group_by(["density", "question_id"]).aggregate([("rollout", "count")])
    fewest = per_question.group_by("density").aggregate([("rollout_count", "min")])
    return {row["density"]: row["rollout_count_min"] for row in fewest.to_pylist()}
