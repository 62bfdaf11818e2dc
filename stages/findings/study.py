"""The cells of a study as arrays, or a refusal that names the one that does not belong."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from stages.errors import BadInput
from stages.grid import Cut, Target, cell_name
from stages.records import ItemScore
from stages.tables import checks

Array = NDArray[np.float64]

TOLERANCE = 0.02  # by which the training tokens of two runs of one budget may differ, as a share
_ORDER = ("tokens", "seed", "benchmark", "item_id")
_SAME = ("teacher", "protocol", "matched", "prediction")  # not read: the study does not vary them
COLUMNS = tuple(name for name in ItemScore.model_fields if name not in _SAME)
SCHEMA = pa.schema([ItemScore.arrow_schema().field(name) for name in COLUMNS])


class Cell(NamedTuple):
    """One student trained on one target's pool, all its runs; a base model has no target or training."""

    student: str
    target: Target | None
    cut: Cut
    scores: pa.Table  # the `COLUMNS` of `ItemScore`
    training: Mapping[str, Any] | None  # what `train` wrote beside the models
    family: str  # architecture, as its configuration names it; empty for the base model

    @property
    def name(self) -> str:
        """Return the cell's file stem."""
        return (
            f"{self.student}-base" if self.target is None else cell_name(self.student, self.target, self.cut)
        )


class Panel(NamedTuple):
    """All results of one student: the axes, and the arrays over targets × token budgets × seeds × items."""

    student: str
    family: str
    parameters: int
    active_parameters: int
    targets: tuple[Target, ...]
    tokens: tuple[int, ...]  # budgets, ascending
    seeds: tuple[int, ...]
    items: tuple[tuple[str, str], ...]  # (benchmark, item id), sorted
    loss: Array  # nats summed over the answer's tokens
    correct: Array  # 0 or 1
    weight: Array  # items: answer tokens
    base_correct: Array  # items

    @property
    def eval_loss(self) -> Array:
        """Return targets × token budgets: nats per answer token, all items alike, mean over seeds."""
        pooled: Array = self.loss.sum(axis=-1) / self.weight.sum()
        return pooled.mean(axis=-1)

    @property
    def levels(self) -> list[int]:
        """Return the places of the targets that are a level of density, sparse to dense."""
        found = [i for i, target in enumerate(self.targets) if target.density is not None]
        return sorted(found, key=lambda i: self.targets[i].density or 0.0)


def panels(
    cells: Sequence[Cell], tokens: Sequence[int], seeds: Sequence[int], pools: Mapping[str, Any]
) -> list[Panel]:
    """Return one panel per student, in order; refuse a study whose cells do not belong together.

    Args:
        cells: each student's base model, then its cell at every target.
        tokens: the training-token budgets, ascending.
        seeds: the training seeds.
        pools: what `synthesize` wrote of each target, by its name.

    Raises:
        BadInput: pools of unequal size; a cell that is empty, another's, or short of a budget, seed or item;
            a loss that is no number; runs of one budget that were shown unequal numbers of tokens.
    """
    equal_pools(pools)
    items, made = checks.items(cells[0].scores), []
    for student in dict.fromkeys(cell.student for cell in cells):
        base, *trained = (cell for cell in cells if cell.student == student)
        for cell in (base, *trained):
            _check(cell, tokens, seeds, items, cells[0].name)
        equal_tokens(trained, tokens)
        made.append(_panel(base, trained, tokens, seeds, items))
    return made


def equal_pools(pools: Mapping[str, Any]) -> None:
    """Refuse pools of unequal numbers of questions: at one cut they are unequal sample budgets.

    Raises:
        BadInput: two pools differ.
    """
    for name, pool in pools.items():
        if not isinstance(pool, dict) or "questions" not in pool:
            raise BadInput(f"pool {name}: no number of questions in its JSON; run `dvc repro synthesize`")
    first, *others = pools
    for other in others:
        if pools[other]["questions"] != pools[first]["questions"]:
            raise BadInput(
                f"pools {first} and {other}: unequal sample budgets, {pools[first]['questions']} and "
                f"{pools[other]['questions']} questions; lower `synthesize.questions` to what every target "
                "reaches"
            )


def equal_tokens(cells: Sequence[Cell], tokens: Sequence[int]) -> None:
    """Refuse runs of one student and budget that were shown unequal numbers of training tokens.

    Raises:
        BadInput: two runs differ by more than `TOLERANCE` of the larger.
    """
    for budget in tokens:
        shown = [(n, cell.name) for cell in cells for n in _shown(cell, budget)]
        (least, short), (most, long) = min(shown), max(shown)
        if most - least > TOLERANCE * most:
            raise BadInput(
                f"{short} and {long}: unequal training tokens at budget {budget}, {least} and {most} shown; "
                "train both again with the same `train` settings"
            )


def trained(cells: Sequence[Cell], tokens: Sequence[int]) -> pa.Table:
    """Return one row per student × target × budget: model size, and tokens shown as a mean over seeds."""
    rows = [
        {
            "student": cell.student,
            "target": str(cell.target),
            "tokens": budget,
            "parameters": cell.training["size"]["parameters"],
            "active_parameters": cell.training["size"]["active_parameters"],
            "tokens_shown": float(np.mean(_shown(cell, budget))),
        }
        for cell in cells
        if cell.training
        for budget in tokens
    ]
    return pa.Table.from_pylist(rows)


def _shown(cell: Cell, budget: int) -> list[int]:
    runs = cell.training["runs"] if cell.training else []
    found = [run["tokens"] for run in runs if run["tokens_budget"] == budget]
    if not found:
        raise BadInput(f"{cell.name}: no run of {budget} training tokens; run `dvc repro train`")
    return found


def _check(
    cell: Cell, tokens: Sequence[int], seeds: Sequence[int], items: list[tuple[str, str]], standard: str
) -> None:
    if cell.target is None:
        place: dict[str, object] = {"strategy": "base", "density": None, "share": None, "budget": 0}
        place["tokens"] = None
    else:
        place = {"strategy": cell.target.strategy, "density": cell.target.density, **cell.cut._asdict()}
    checks.own_rows(cell.name, cell.scores, {"student": cell.student, **place})
    checks.finite(cell.name, cell.scores)
    if cell.target is None:
        checks.same_items(cell.name, cell.scores, items, standard)
        return
    _own_training(cell)
    for column, wanted in (("tokens", list(tokens)), ("seed", list(seeds))):
        found = set(pc.unique(cell.scores[column]).to_pylist())
        if found != set(wanted):
            odd = sorted(found ^ set(wanted), key=str)[0]
            what = "unknown" if odd in found else "missing"
            raise BadInput(f"{cell.name}: {column} {odd} is {what}; run `dvc repro train score`")
    for budget in tokens:
        runs = cell.scores.filter(pc.equal(cell.scores["tokens"], budget))
        missing = set(seeds) - set(pc.unique(runs["seed"]).to_pylist())
        if missing:
            raise BadInput(
                f"{cell.name}: training seed {min(missing)} is missing at {budget} tokens; "
                "run `dvc repro score`"
            )
        checks.same_items(f"{cell.name} at {budget} tokens", runs, items, standard)


def _own_training(cell: Cell) -> None:
    """Refuse what `train` wrote of another cell, or before it told models' sizes and token budgets."""
    training = cell.training or {}
    place = {"student": cell.student, **(cell.target._asdict() if cell.target else {}), **cell.cut._asdict()}
    for column, wanted in place.items():
        if training.get(column, "absent") != wanted:
            raise BadInput(
                f"{cell.name}: its training is of {column} {training.get(column)}, not {wanted}; "
                "run `dvc repro train`"
            )
    if not training.get("size") or not all("tokens_budget" in run for run in training.get("runs", [{}])):
        raise BadInput(f"{cell.name}: its training tells no size or token budgets; run `dvc repro train`")


def _panel(
    base: Cell,
    cells: Sequence[Cell],
    tokens: Sequence[int],
    seeds: Sequence[int],
    items: list[tuple[str, str]],
) -> Panel:
    shape = (len(tokens), len(seeds), len(items))
    loss, correct = (np.empty((len(cells), *shape)) for _ in range(2))
    base_rows = base.scores.sort_by([(name, "ascending") for name in _ORDER[2:]])
    weight = np.asarray(base_rows["answer_tokens"], float)
    for i, cell in enumerate(cells):
        rows = cell.scores.sort_by([(name, "ascending") for name in _ORDER])
        loss[i] = np.asarray(rows["answer_loss"], float).reshape(shape)
        correct[i] = np.asarray(rows["correct"], float).reshape(shape)
        if not np.array_equal(
            np.asarray(rows["answer_tokens"], float).reshape(shape), np.broadcast_to(weight, shape)
        ):
            raise BadInput(
                f"{cell.name} and {base.name}: different answer tokens; score both with one tokenizer"
            )
    size = (cells[0].training or {})["size"]
    return Panel(
        student=base.student,
        family=cells[0].family,
        parameters=size["parameters"],
        active_parameters=size["active_parameters"],
        targets=tuple(cell.target for cell in cells if cell.target),
        tokens=tuple(tokens),
        seeds=tuple(seeds),
        items=tuple(items),
        loss=loss,
        correct=correct,
        weight=weight,
        base_correct=np.asarray(base_rows["correct"], float),
    )
