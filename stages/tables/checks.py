"""Cells and ledgers that belong together, or a refusal that names the one that does not."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from stages.errors import BadInput
from stages.grid import PLAIN, Cut, Target, cell_name


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


def check(cells: Iterable[Cell], draws: pa.Table) -> None:
    """Refuse a grid whose parts do not belong together.

    Args:
        cells: each student's base model comes before its other cells.
        draws: of `ledgers.draws`, all densities.

    Raises:
        BadInput: a cell is empty or another's, a loss is no number, a cell's items are not the base model's,
            or a ledger is of another strategy, teacher or protocol than these tables compare, or missing.
    """
    base_items: dict[str, list[tuple[str, str]]] = {}
    _plain(draws)
    drawn = set(draws["density"].to_pylist())
    for cell in cells:
        own_rows(cell.name, cell.scores, _coordinates(cell))
        finite(cell.name, cell.scores)
        base_items.setdefault(cell.student, items(cell.scores))
        same_items(cell.name, cell.scores, base_items[cell.student], f"{cell.student}-base")
        if cell.density is not None and cell.density not in drawn:
            raise BadInput(
                f"{cell.name}: no responses of density {cell.density} in the ledgers; run `dvc repro respond`"
            )


def _plain(draws: pa.Table) -> None:
    """Refuse ledgers that a study compares: these tables are about levels of density and nothing else."""
    wanted = {"strategy": "density", "teacher": PLAIN.teacher, "protocol": PLAIN.protocol}
    for column, value in wanted.items():
        others = [found for found in pc.unique(draws[column]).to_pylist() if found != value]
        if others:
            raise BadInput(
                f"the ledger has responses of {column} '{others[0]}'; these tables compare levels of density "
                f"at {column} '{value}': name them under `densities`"
            )


def _coordinates(cell: Cell) -> dict[str, object]:
    """Return what every row of a cell of this grid must say: a level of density, a given number of steps."""
    share, budget = cell.cut if cell.cut else (None, 0)
    strategy = "base" if cell.density is None else "density"
    place = {"strategy": strategy, "density": cell.density, "share": share, "budget": budget, "tokens": None}
    arm = {} if cell.density is None else PLAIN._asdict()
    return {"student": cell.student, **place, **arm}


def sound(ledgers: Iterable[Mapping[str, Any]], budget: int) -> None:
    """Refuse a ledger in which a question lacks a response, has one too many, or has no rank of its own.

    A question lacks none where its protocol ends it, see `grid.stops_at`.

    Args:
        ledgers: rows of `soundness.sql`.
        budget: responses that every question needs.

    Raises:
        BadInput: there is such a ledger; the line names it and its first such question.
    """
    again = "remove the ledger and run `dvc repro respond`"
    for row in ledgers:
        coordinates = [row["teacher"], str(Target(row["strategy"], row["density"])), row["protocol"]]
        where = f"ledger {'-'.join(name for name in coordinates if name not in PLAIN)}"
        if row["moved"] is not None:
            raise BadInput(f"{where}: question {row['moved']} has several ranks; {again}")
        if row["repeated"] is not None:
            raise BadInput(f"{where}: question {row['repeated']} has a rollout twice; {again}")
        if row["short"] is not None:
            unended = f" and has not {row['stops']} accepted ones" if row["stops"] else ""
            raise BadInput(
                f"{where}: question {row['short']} lacks some of the {budget} rollouts that a cut takes (the "
                f"fewest of a question: {row['fewest_rollouts']}){unended}; run `dvc repro respond`"
            )
        if row["beyond"] is not None:
            raise BadInput(
                f"{where}: question {row['beyond']} has rollouts after the {row['stops']} accepted ones with "
                f"which it ends; {again}"
            )
        if not row["questions"] == row["ranks"] == row["highest_rank"] + 1:
            raise BadInput(
                f"{where}: {row['questions']} questions have {row['ranks']} ranks, the last of them "
                f"{row['highest_rank']}: a question is missing, or shares its rank; {again}"
            )


def typed(scores: pa.Table, schema: pa.Schema, where: str, stage: str = "score") -> pa.Table:
    """Return scores with exactly these columns and types.

    Args:
        scores: some columns of `ItemScore`, in the schema's order.
        schema: of them.
        where: names the file in a refusal.
        stage: that makes it, likewise.

    Raises:
        BadInput: a value has another type.
    """
    try:
        return scores.cast(schema)
    except (ValueError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise BadInput(f"{where}: no rows of ItemScore: {why}; run `dvc repro {stage}`") from error


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
