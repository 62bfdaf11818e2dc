"""The cells' results item by item, or a refusal that names the cell that does not belong."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.errors import BadInput
from stages.records import ItemScore
from stages.scaling.places import Place
from stages.tables import checks, paired

COLUMNS = tuple(name for name in ItemScore.model_fields if name != "prediction")
SCHEMA = pa.schema([ItemScore.arrow_schema().field(name) for name in COLUMNS])
_ORDER = ("seed", "benchmark", "item_id")


def bases(
    scores: Mapping[str, pa.Table], domains: Collection[str], benchmarks: Mapping[str, str]
) -> dict[tuple[str, str], paired.Arm]:
    """Return each untrained student on the items of each domain.

    Args:
        scores: of the base models, by student.
        domains: whose items are wanted; "mixed" has those of all of them.
        benchmarks: the domain of each benchmark.

    Raises:
        BadInput: rows that are not a base model's, a loss that is no number, a benchmark of no domain, a
            domain without items, or students scored on different items.
    """
    found = {}
    standard = next(iter(scores))
    items = checks.items(scores[standard])
    for student, rows in scores.items():
        name = f"{student}-base"
        own = {"student": student, "strategy": "base", "share": None, "budget": 0, "tokens": None}
        checks.own_rows(name, rows, own)
        checks.finite(name, rows)
        checks.same_items(name, rows, items, f"{standard}-base")
        of_row = [benchmarks.get(benchmark) for benchmark in rows["benchmark"].to_pylist()]
        if None in of_row:
            odd = rows["benchmark"][of_row.index(None)].as_py()
            raise BadInput(f"{name}: benchmark {odd} is of no domain; name it in `stages.benchmarks`")
        for domain in domains:
            kept = rows if domain == "mixed" else rows.filter(pa.array([of == domain for of in of_row]))
            if not len(kept):
                raise BadInput(f"{name}: no benchmark item of {domain}; run `dvc repro score-base`")
            found[student, domain] = _arm(name, kept, 0)
    return found


def arm(
    place: Place, scores: pa.Table, base: paired.Arm, seeds: Sequence[int], sample_budget: int
) -> paired.Arm:
    """Return a cell's results as an arm of comparisons, seeds and items in order.

    Args:
        place: the cell.
        scores: its rows.
        base: the untrained student on the cell's items.
        seeds: the training seeds it must have.
        sample_budget: N.

    Raises:
        BadInput: rows of another cell, a loss that is no number, a training seed or an item too many or too
            few, or other answer tokens than the base model's.
    """
    checks.own_rows(place.name, scores, place.columns | {"tokens": None})
    checks.finite(place.name, scores)
    found = set(pc.unique(scores["seed"]).to_pylist())
    if found != set(seeds):
        odd = min(found ^ set(seeds))
        what = "unknown" if odd in found else "missing"
        raise BadInput(f"{place.name}: training seed {odd} is {what}; run `dvc repro train score`")
    checks.same_items(place.name, scores, sorted(base.items), base.name)
    return _arm(place.name, scores, sample_budget, base)


def _arm(name: str, scores: pa.Table, sample_budget: int, base: paired.Arm | None = None) -> paired.Arm:
    rows = scores.sort_by([(column, "ascending") for column in _ORDER])
    seeds = sorted(pc.unique(rows["seed"]).to_pylist())
    n = len(rows) // len(seeds)
    items = zip(rows["benchmark"][:n].to_pylist(), rows["item_id"][:n].to_pylist(), strict=True)
    tokens = np.asarray(rows["answer_tokens"], float).reshape(-1, n)
    if base and (tokens != base.tokens).any():
        raise BadInput(f"{name} and {base.name}: different answer tokens; score both with one tokenizer")
    return paired.Arm(
        name=name,
        sample_budget=sample_budget,
        seeds=tuple(seeds),
        items=tuple(items),
        correct=np.asarray(rows["correct"], float).reshape(-1, n),
        loss=np.asarray(rows["answer_loss"], float).reshape(-1, n),
        tokens=tokens[0],
    )


def eval_losses(arm: paired.Arm) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return each training seed's eval loss: nats per answer token, all items alike."""
    losses: np.ndarray[Any, np.dtype[np.float64]] = arm.loss.sum(axis=1) / arm.tokens.sum()
    return losses


def training(place: Place, written: Any, tokens_per_second: float | None) -> dict[str, Any]:
    """Return what the costs table says of a cell's training.

    Args:
        place: the cell.
        written: what `train` wrote beside its models.
        tokens_per_second: of training this student; None leaves the seconds null.

    Raises:
        BadInput: it is another cell's, or tells no runs.
    """
    if not isinstance(written, dict) or not written.get("runs"):
        raise BadInput(f"{place.name}: its training tells no runs; run `dvc repro train`")
    for column, wanted in place.columns.items():
        if written.get(column, "absent") != wanted:
            raise BadInput(
                f"{place.name}: its training is of {column} {written.get(column)}, not {wanted}; "
                "run `dvc repro train`"
            )
    tokens = sum(run["tokens"] for run in written["runs"])
    return {
        "cell": place.name,
        "examples": written["rows"],
        "training_tokens": tokens,
        "training_seconds": tokens / tokens_per_second if tokens_per_second else None,
    }
