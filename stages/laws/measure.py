"""From the rows of scores and ledgers to what the laws are fitted to; Arrow tables in, points out."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from stages.errors import BadInput
from stages.grid import stops_at
from stages.laws.coverage import Draws
from stages.laws.curves import Point


class Cell(NamedTuple):
    """Coordinates that every row of a cell's scores carries."""

    student: str
    density: float | None  # None for the untrained student, as its share
    share: float | None
    budget: int


_PLACE = ("student", "strategy", "density", "share", "budget", "tokens")
SCORE_COLUMNS = (*_PLACE, "seed", "answer_loss", "answer_tokens")
LEDGER_COLUMNS = ("protocol", "question_id", "rollout", "accepted", "reason")


def eval_losses(scores: pa.Table, where: str, cell: Cell) -> list[Point]:
    """Return each training seed's eval loss: summed answer loss over summed answer tokens, all items.

    Args:
        scores: rows of `ItemScore`.
        where: names the table in a refusal.
        cell: whose scores they must be.

    Raises:
        BadInput: no rows, another cell's rows, no answer tokens, or a loss that is not positive and finite.
    """
    # The laws are of one density each, trained for a given number of steps.
    kind = {"strategy": "base" if cell.density is None else "density", "tokens": None}
    for name, value in (cell._asdict() | kind).items():
        others = [found for found in pc.unique(scores[name]).to_pylist() if found != value]
        if others or not len(scores):
            is_not = f"{name} is {others[0]}, not {value}" if others else "no rows"
            raise BadInput(f"{where}: {is_not}; run `dvc repro score`")
    sums = scores.group_by("seed").aggregate([("answer_loss", "sum"), ("answer_tokens", "sum")])
    points = []
    for row in sums.sort_by("seed").to_pylist():
        loss = row["answer_loss_sum"] / row["answer_tokens_sum"] if row["answer_tokens_sum"] else math.nan
        if not 0 < loss < math.inf:
            raise BadInput(
                f"{where}: eval loss of training seed {row['seed']} is {loss}; train that cell again"
            )
        points.append(Point(float(cell.budget), loss, row["seed"]))
    return points


def tallies(ledger: pa.Table, draws: int, where: str) -> list[Draws]:
    """Return how many of every question's first `draws` rollouts were right, in question order.

    A right answer in words that were drawn before ("duplicate") adds no training example, but the question
    was solved by that draw too.

    A question that its protocol ended with its N-th acceptance has fewer draws, and is counted with those it
    has: what was drawn decides when to stop, so its likelihood is in proportion to the one of as many draws
    made in any case (`coverage.fit_coverage`), and since N ≥ 1 it is solved, so that `unsolved` is what it
    would be had it been drawn on. The mean of k / n is neither: it puts every question too high.

    Args:
        ledger: rows of `Response`, one pool's.
        draws: rollouts to count.
        where: names the table in a refusal.

    Raises:
        BadInput: no rows, or a question has fewer and did not end with an acceptance: whether further draws
            would solve it is not known.
    """
    if not len(ledger):
        raise BadInput(f"{where}: no responses; run `dvc repro respond`")
    stops = stops_at(ledger["protocol"][0].as_py())
    first = ledger.filter(pc.less(ledger["rollout"], draws))
    kept = pc.cast(first["accepted"], pa.int64())
    right = pc.cast(pc.or_(first["accepted"], pc.equal(first["reason"], "duplicate")), pa.int64())
    counted = first.append_column("kept", kept).append_column("right", right)
    groups = counted.group_by("question_id").aggregate(
        [("kept", "sum"), ("right", "sum"), ("right", "count")]
    )
    rows = groups.sort_by("question_id").to_pylist()
    for row in rows:
        made, accepted = row["right_count"], row["kept_sum"]
        if made < draws and (stops is None or accepted < stops):
            ended = "" if stops is None else f" and {accepted} of {stops} accepted responses"
            raise BadInput(
                f"{where}: question {row['question_id']} has {made} of {draws} draws{ended}: what more draws "
                f"would solve is not known; run `respond` with budget {draws}"
            )
    return [Draws(row["right_sum"], row["right_count"]) for row in rows]


def unsolved(draws: Iterable[Draws]) -> float:
    """Return the share of questions without an accepted draw; a question may end once it has one."""
    counts = [d.k == 0 for d in draws]
    return sum(counts) / len(counts)
