"""Cells and ledgers that belong together, or a refusal that names the one that does not."""

from collections.abc import Iterable, Mapping
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
            the ledger has a strategy other than "density", or does not reach a cell's budget.
    """
    base_items: dict[str, list[tuple[str, str]]] = {}
    others = [name for name in pc.unique(ledger["strategy"]).to_pylist() if name != "density"]
    if others:
        raise BadInput(
            f"the ledger has responses of strategy '{others[0]}'; these tables compare levels of density: "
            "name them under `densities`"
        )
    draws = _draws(ledger)
    for cell in cells:
        own_rows(cell.name, cell.scores, _coordinates(cell))
        finite(cell.name, cell.scores)
        base_items.setdefault(cell.student, items(cell.scores))
        same_items(cell.name, cell.scores, base_items[cell.student], f"{cell.student}-base")
        if cell.cut is None or cell.density is None:
            continue
        if draws.get(cell.density, 0) < cell.cut.budget:
            raise BadInput(
                f"{cell.name}: the ledger of density {cell.density} has {draws.get(cell.density, 0)} draws "
                f"for some question, the cell needs {cell.cut.budget}; run `dvc repro respond`"
            )


def _coordinates(cell: Cell) -> dict[str, object]:
    """Return what every row of a cell of this grid must say: a level of density, a given number of steps."""
    share, budget = cell.cut if cell.cut else (None, 0)
    strategy = "base" if cell.density is None else "density"
    place = {"strategy": strategy, "density": cell.density, "share": share, "budget": budget, "tokens": None}
    return {"student": cell.student, **place}


def own_rows(name: str, scores: pa.Table, wanted: Mapping[str, object]) -> None:
    """Refuse scores of another cell than the one named.

    Args:
        name: of the cell.
        scores: its rows of `ItemScore`.
        wanted: the one value of each column.

    Raises:
        BadInput: there are no rows, or a row has another value.
    """
    if not len(scores):
        raise BadInput(f"{name}: no scores in it; run `dvc repro score`")
    for column, value in wanted.items():
        found = pc.unique(scores[column]).to_pylist()
        if found != [value]:
            odd = next(x for x in found if x != value)
            raise BadInput(f"{name}: its rows are of {column} {odd}, not {value}; run `dvc repro score`")


def finite(name: str, scores: pa.Table) -> None:
    """Refuse a loss that is no number, or that no answer token stands under.

    Args:
        name: of the cell.
        scores: its rows of `ItemScore`.

    Raises:
        BadInput: there is such a row; the line names the first.
    """
    loss, tokens = scores["answer_loss"], scores["answer_tokens"]
    # Written so that NaN and null fail it.
    good = pc.and_(pc.and_(pc.greater_equal(loss, 0.0), pc.is_finite(loss)), pc.greater(tokens, 0))
    bad = scores.filter(pc.invert(pc.fill_null(good, False)))
    if len(bad):
        row = bad.slice(0, 1).to_pylist()[0]
        raise BadInput(
            f"{name}: loss {row['answer_loss']} over {row['answer_tokens']} tokens on item "
            f"{row['benchmark']}/{row['item_id']} of training seed {row['seed']} ({len(bad)} such rows); "
            "if training diverged, lower the student's learning rate and train again"
        )


def items(scores: pa.Table) -> list[tuple[str, str]]:
    """Return the sorted (benchmark, item id) of the first row's training seed."""
    first = scores.filter(pc.equal(scores["seed"], scores["seed"][0]))
    return _sorted_items(first)


def same_items(name: str, scores: pa.Table, wanted: list[tuple[str, str]], standard: str) -> None:
    """Refuse a training seed that was scored on other items than the standard.

    Args:
        name: of the cell.
        scores: its rows of `ItemScore`, each item once per training seed.
        wanted: the items, sorted.
        standard: the name of the cell whose items they are.

    Raises:
        BadInput: an item is missing, foreign or there twice.
    """
    for seed in sorted(pc.unique(scores["seed"]).to_pylist()):
        found = _sorted_items(scores.filter(pc.equal(scores["seed"], seed)))
        if found == wanted:
            continue
        odd = sorted(set(found) ^ set(wanted))
        first = f", {len(odd)} differ, first {'/'.join(odd[0])}" if odd else ", one is there twice"
        raise BadInput(
            f"{name}: items of training seed {seed} are not those of {standard}{first}; run `dvc repro score`"
        )


def _sorted_items(rows: pa.Table) -> list[tuple[str, str]]:
    return sorted(zip(rows["benchmark"].to_pylist(), rows["item_id"].to_pylist(), strict=True))


def _draws(ledger: pa.Table) -> dict[float, int]:
    """Return the fewest draws that any question of each density has."""
    per_question = ledger.group_by(["density", "question_id"]).aggregate([("rollout", "count")])
    fewest = per_question.group_by("density").aggregate([("rollout_count", "min")])
    return {row["density"]: row["rollout_count_min"] for row in fewest.to_pylist()}
