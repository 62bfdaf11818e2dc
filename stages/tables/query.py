"""Run the SQL files over Arrow tables."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from stages.tables import PUBLISHED, paired, statement
from stages.tables.checks import Cell, check
from stages.tables.figures import rounded
from stages.tables.ledgers import Ledger, draws

_CELL = ("student", "density", "share", "budget")
_SIDES = tuple(f"{side}_{name}" for side in ("left", "right") for name in ("density", "share", "budget"))
_FIGURES = ("difference", "low", "high", "p", "p_holm")
_COMPARISONS = pa.schema(
    [("student", pa.string()), ("matched", pa.string()), ("sample_budget", pa.int64())]
    + [(name, pa.int64() if name.endswith("budget") else pa.float64()) for name in _SIDES]
    + [(f"{measure}_{figure}", pa.float64()) for measure in ("loss", "accuracy") for figure in _FIGURES]
)


def run(name: str, relations: Mapping[str, pa.Table], folder: str = "stages.tables") -> pa.Table:
    """Run `NAME.sql` over the relations it names and return its rows.

    One thread: sums of floats then have one order, and tables do not depend on the machine's cores.

    Args:
        name: of a file, without its suffix.
        relations: Arrow tables by the names the file uses.
        folder: the package that holds the file.
    """
    import duckdb

    with duckdb.connect(config={"threads": 1}) as connection:
        for relation, table in relations.items():
            connection.register(relation, table)
        return connection.sql(statement(name, folder)).to_arrow_table()


def build(cells: Sequence[Cell], ledger: Ledger) -> dict[str, pa.Table]:
    """Return every published table of a grid, by name, floats at 6 significant digits.

    Args:
        cells: the grid's cells, each student's base model first.
        ledger: rows of `Response`, all densities; an Arrow table, or the Parquet files that hold them.

    Raises:
        BadInput: a ledger is not sound, or the cells do not belong together; see `ledgers.draws`,
            `checks.check` and `paired.compare`.
    """
    drawn = draws(ledger, {cell.cut for cell in cells if cell.cut})
    check(cells, drawn)
    made = {"item_scores": pa.concat_tables([cell.scores for cell in cells]), "draws": drawn}
    for name in ("seeds", "expansion"):
        made[name] = run(name, made)
    made["expansion"] = _with_mcnemar(made["expansion"])
    for name in ("cells", "benchmarks", "pairs"):
        made[name] = run(name, made)
    made["comparisons"] = _compared(made["pairs"].to_pylist(), cells, made["cells"])
    for name in ("density_by_budget", "matched_budget", "matched_density"):
        made[name] = run(name, made)
    return {name: rounded(made[name]) for name in PUBLISHED}


def _with_mcnemar(expansion: pa.Table) -> pa.Table:
    pairs = zip(*(expansion[f"{side}_majority"].to_pylist() for side in ("gained", "lost")), strict=True)
    p = pa.array([paired.mcnemar(gained, lost) for gained, lost in pairs], pa.float64())
    return expansion.append_column("mcnemar_p", p)


def _compared(pairs: list[dict[str, Any]], cells: Sequence[Cell], measured: pa.Table) -> pa.Table:
    """Return the pairs with their paired comparisons; Holm's family is one table's tests of one measure."""
    N = {tuple(row[name] for name in _CELL): row["sample_budget"] for row in measured.to_pylist()}
    by_place = {(c.student, c.density, *c.cut): c for c in cells if c.cut}

    @cache
    def at(*place: Any) -> paired.Arm:
        return arm(by_place[place], N[place])

    rows = []
    for pair in pairs:
        left, right = (
            at(pair["student"], *(pair[f"{side}_{name}"] for name in _CELL[1:])) for side in ("left", "right")
        )
        found = paired.compare(left, right)._asdict()
        rows.append(
            pair
            | {
                f"{measure}_{figure}": value
                for measure, result in found.items()
                for figure, value in zip(_FIGURES[:4], result, strict=True)
            }
        )
    for matched in ("budget", "density"):
        family = [row for row in rows if row["matched"] == matched]
        for measure in ("loss", "accuracy"):
            adjusted = paired.holm([row[f"{measure}_p"] for row in family])
            for row, p in zip(family, adjusted, strict=True):
                row[f"{measure}_p_holm"] = p
    return pa.Table.from_pylist(rows, schema=_COMPARISONS)


def arm(cell: Cell, sample_budget: int) -> paired.Arm:
    """Return a checked cell as one arm of a comparison, seeds and items in order."""
    rows = cell.scores.sort_by([(name, "ascending") for name in ("seed", "benchmark", "item_id")])
    seeds = sorted(set(rows["seed"].to_pylist()))
    shape = (len(seeds), len(rows) // len(seeds))
    items = zip(
        rows["benchmark"][: shape[1]].to_pylist(), rows["item_id"][: shape[1]].to_pylist(), strict=True
    )
    return paired.Arm(
        name=cell.name,
        sample_budget=sample_budget,
        seeds=tuple(seeds),
        items=tuple(items),
        correct=np.asarray(rows["correct"], float).reshape(shape),
        loss=np.asarray(rows["answer_loss"], float).reshape(shape),
        tokens=np.asarray(rows["answer_tokens"], float)[: shape[1]],
    )
