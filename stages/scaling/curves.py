"""The laws of a study: fitted to its cells' losses, and to the accept counts of its ledgers."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.errors import BadInput
from stages.laws import Config, panel
from stages.laws.curves import Point
from stages.scaling import forecasts, results
from stages.scaling.ledgers import tallies
from stages.scaling.places import Place
from stages.scaling.study import Study

PLAIN = ("teacher", "student", "domain", "share")  # coordinates of a curve
VARIED = (*PLAIN, "protocol")  # of one that is drawn or judged otherwise
Truths = Mapping[str, Mapping[str, float] | None]  # a, b, pi by teacher; None where they are not known


def study(
    measured: Study,
    curves: Sequence[Sequence[Place]],
    names: Sequence[str],
    truths: Truths,
    budget: int,
    config: Config,
) -> tuple[dict[str, Any], list[panel.BandRow]]:
    """Fit every law to every curve below the held-out budget; see `laws.panel.study` for what is returned.

    Args:
        measured: the study's results.
        curves: the cells of each, budgets ascending.
        names: `PLAIN` or `VARIED`.
        truths: what the teachers' accept counts are drawn from.
        budget: held out.
        config: settings.

    Raises:
        BadInput: a loss of zero, of which the laws have no logarithm.
    """
    made = [
        panel.Curve(_coordinates(cells[0], names), _base_loss(measured, cells[0]), _points(measured, cells))
        for cells in curves
    ]
    sources = {cells[0]._replace(student=""): cells for cells in curves}  # students share their ledgers
    ledgers = []
    for place, cells in sources.items():
        draws = (cells[-2].cut.budget, budget)  # the largest that is fitted, and the one held out
        counted = tallies(measured.paths[place.ledger], place.cut.share, draws)
        known = _coordinates(place, [name for name in names if name != "student"])
        ledgers.append(panel.Ledger(known, counted, truths[place.teacher]))
    return panel.study(made, ledgers, budget, config)


def varied(
    measured: Study, truths: Truths, temperatures: Mapping[str, float], budget: int, config: Config
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Fit every law to the curves of the plan's variants, and to the plain ones beside them.

    Args:
        measured: the study's results.
        truths: what the teachers' accept counts are drawn from.
        temperatures: by teacher.
        budget: held out.
        config: settings.

    Returns:
        What `laws.panel.study` says of them, None if there is no variant; and rows of the table `variants`.
    """
    plan = measured.plan
    if not plan.variants:
        return None, []
    document, _ = study(measured, [*map(plan.varied, plan.variations)], VARIED, truths, budget, config)
    return document, forecasts.variants(document, plan.variations, temperatures, plan.budgets[-2])


def _coordinates(place: Place, names: Sequence[str]) -> dict[str, Any]:
    return {name: place.cut.share if name == "share" else getattr(place, name) for name in names}


def _base_loss(measured: Study, place: Place) -> float:
    return float(results.eval_losses(measured.bases[place.student, place.domain])[0])


def _points(measured: Study, cells: Sequence[Place]) -> list[Point]:
    points = []
    for place in cells:
        losses = results.eval_losses(measured.arms[place])
        for seed, loss in zip(measured.seeds, losses, strict=True):
            if not loss > 0:
                raise BadInput(f"{place.name}: eval loss of training seed {seed} is 0; train that cell again")
            points.append(Point(float(place.cut.budget), float(loss), seed))
    return points
