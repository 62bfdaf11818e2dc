"""A study's cells and ledgers, read and checked."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from stages.scaling import ledgers, results
from stages.scaling.ledgers import Bill
from stages.scaling.places import Ledger, Place, Plan
from stages.tables import paired

Row = dict[str, Any]


class Study(NamedTuple):
    """What was measured of a study's grid; mappings have all of its cells, or ledgers."""

    plan: Plan
    seeds: tuple[int, ...]  # training seeds
    scores: Mapping[Place, pa.Table]  # `results.COLUMNS` of `ItemScore`
    bases: Mapping[tuple[str, str], paired.Arm]  # untrained students, by student and domain
    arms: Mapping[Place, paired.Arm]
    bills: Mapping[Place, Bill]
    trainings: Sequence[Row]  # of `results.training`
    paths: Mapping[Ledger, Path]
    totals: Mapping[Ledger, Row]  # of `ledgers.total`


def study(
    plan: Plan,
    seeds: Sequence[int],
    scores: Mapping[Place, pa.Table],
    base_scores: Mapping[str, pa.Table],
    trainings: Mapping[Place, Any],
    paths: Mapping[Ledger, Path],
    benchmarks: Mapping[str, str],
    tokens_per_second: Mapping[str, float],
) -> Study:
    """Return a study whose parts belong together.

    Args:
        plan: the grid.
        seeds: training seeds of every cell.
        scores: of every cell.
        base_scores: of the untrained students, by student.
        trainings: what `train` wrote beside every cell's models.
        paths: of every ledger.
        benchmarks: the domain of each benchmark.
        tokens_per_second: of training, by student; those without a rate get no seconds.

    Raises:
        BadInput: a part is another's, incomplete or damaged; see `results` and `ledgers`.
    """
    totals = {ledger: ledgers.total(ledger, path) for ledger, path in paths.items()}
    bills = ledgers.bills(plan.places, paths)
    domains = dict.fromkeys(place.domain for place in plan.places)
    bases = results.bases(base_scores, domains, benchmarks)
    arms = {
        place: results.arm(
            place, table, bases[place.student, place.domain], seeds, bills[place].sample_budget
        )
        for place, table in scores.items()
    }
    trained = [
        results.training(place, written, tokens_per_second.get(place.student))
        for place, written in trainings.items()
    ]
    return Study(plan, tuple(seeds), scores, bases, arms, bills, trained, paths, totals)
