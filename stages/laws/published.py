"""Published curves of loss against data size, and every law's forecasts along each of them."""

import csv
import io
from typing import NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.laws.calibration import HORIZONS
from stages.laws.curves import Array, Law, Point, all_laws
from stages.laws.fitting import Fit, fit
from stages.laws.forecast import band
from stages.laws.least_squares import average, optima_along
from stages.laws.local import FEWEST, Cells, local_cells

LAWS = tuple(law.name for law in all_laws(1.0))
LEVEL = 0.9  # of the intervals held against each other
PROFILED = (5, 11)  # sizes fitted where intervals of the rivals are computed
COMPARED = 3  # horizons at which intervals are held against each other: 2, 4 and 8 times
SIZES = 5  # of a curve at least: four are fitted where forecasts are compared, one is foretold
_DRAWS = 200  # of a bootstrap


class Published(NamedTuple):
    """One measured curve."""

    dataset: str
    model: str
    family: str
    base_loss: float  # of the untrained model, nats per token
    points: list[Point]  # r is the number of fine-tuning examples; one seed each


class Forecasts(NamedTuple):
    """Every law fitted to the smallest sizes of one curve, and what it says of the sizes beyond."""

    fitted: int  # sizes
    horizon: Array  # doublings of the largest fitted size, shape (n,)
    observed: Array  # log loss, likewise
    predicted: Array  # log loss, shape (n, laws); NaN where there are fewer sizes than parameters
    cells: Cells  # of the local curve


class Interval(NamedTuple):
    """One law's interval of one held-out log loss."""

    law: str
    kind: str  # "profile", "bootstrap"
    fitted: int
    horizon: int
    low: float
    high: float


class Described(NamedTuple):
    """One law fitted to so many sizes of a curve."""

    law: str
    fitted: int
    status: str
    log_rmsd: float | None  # root mean squared log residual
    parameters: dict[str, float | None]


class Traced(NamedTuple):
    """Everything that is computed of one curve by itself."""

    forecasts: list[Forecasts]
    log_evidence: Array  # of the whole curve, by cell of the local curve
    intervals: list[Interval]
    fits: list[Described]


def read(text: str, dataset: str, where: str) -> list[Published]:
    """Read curves: a column for each data size named by it, `0` the untrained model, `config name`, `family`.

    Args:
        text: CSV.
        dataset: names the curves' data set.
        where: names the file in a refusal.

    Raises:
        BadInput: a column is missing, a loss is not positive and finite, or there are too few sizes.
    """
    rows = list(csv.DictReader(io.StringIO(text)))
    columns = list(rows[0]) if rows else []
    sizes = sorted((c for c in columns if c.isdigit() and c != "0"), key=int)
    missing = [c for c in ("config name", "family", "0") if c not in columns]
    if missing or len(sizes) < SIZES:
        lacks = f"no column {missing[0]!r}" if missing else f"{len(sizes)} data sizes"
        raise BadInput(
            f"{where}: {lacks}; curves need `config name`, `family`, `0` and {SIZES} data sizes or more"
        )
    curves = []
    for row in rows:
        try:
            losses = [float(row[c]) for c in ("0", *sizes)]
        except (TypeError, ValueError):
            losses = [np.nan]
        if not all(0 < loss < np.inf for loss in losses):
            name = row["config name"]
            raise BadInput(f"{where}: {name}: a loss is not positive and finite; leave the curve out")
        points = [Point(float(c), loss, 0) for c, loss in zip(sizes, losses[1:], strict=True)]
        curves.append(Published(dataset, row["config name"], row["family"], losses[0], points))
    return curves


def trace(curve: Published) -> Traced:
    """Fit every law below every cut-off of a curve and predict beyond it; deterministic."""
    points = curve.points
    laws = all_laws(curve.base_loss)
    means, within = average(points)
    whole = local_cells(means, within, means.r[-1:], 1.0)
    intervals: list[Interval] = []
    fits: list[Described] = []
    for fitted in (*(n for n in PROFILED if n < len(points)), len(points)):
        for law in laws:
            found = fit(law, points[:fitted], LEVEL)
            fits.append(_described(found, fitted))
            intervals += _rivals(found, points, fitted)
    return Traced(_forecasts(points, laws), whole.log_evidence, intervals, fits)


def _beyond(points: list[Point], fitted: int) -> tuple[list[int], list[Point]]:
    """Return the horizons whose size was measured, in doublings of the last fitted one, with the points."""
    by_size = {p.r: p for p in points[fitted:]}
    last = points[fitted - 1].r
    known = [h for h in HORIZONS if last * 2**h in by_size]
    return known, [by_size[last * 2**h] for h in known]


def _forecasts(points: list[Point], laws: list[Law]) -> list[Forecasts]:
    """Return the forecasts from every number of smallest sizes, at the optimum of every law."""
    means, _ = average(points)
    sizes = [n for n in range(FEWEST, len(points)) if _beyond(points, n)[0]]
    optima: dict[tuple[str, int], Array] = {}
    for law in laws:
        enough = [n for n in sizes if n >= len(law.parameters)]
        if law.last_budgets:
            found = [law.starts(means.r[:n], means.loss[:n])[0] for n in enough]
        else:
            found = list(optima_along(law, means, enough))
        optima |= {(law.name, n): phi for n, phi in zip(enough, found, strict=True)}
    forecasts = []
    for n in sizes:
        horizon, ahead = _beyond(points, n)
        r = np.array([p.r for p in ahead])
        told = [
            law.log_loss(optima[law.name, n], r) if (law.name, n) in optima else np.nan * r for law in laws
        ]
        cells = local_cells(*average(points[:n]), r, 1.0)
        observed = np.log([p.loss for p in ahead])
        forecasts.append(Forecasts(n, np.array(horizon, float), observed, np.stack(told, axis=1), cells))
    return forecasts


def _described(found: Fit, fitted: int) -> Described:
    squares = [e.residual**2 for e in found.residuals]
    return Described(
        found.law.name,
        fitted,
        found.status,
        float(np.sqrt(np.mean(squares))) if squares else None,
        {name: e.estimate for name, e in found.parameters.items()},
    )


def _rivals(found: Fit, points: list[Point], fitted: int) -> list[Interval]:
    """Return the profile predictive intervals and those of a plain residual bootstrap."""
    horizon, ahead = _beyond(points, fitted)
    horizon, ahead = horizon[:COMPARED], ahead[:COMPARED]
    if found.optimum is None or found.scale is None or not ahead:
        return []
    r = np.array([p.r for p in ahead])
    ends = band(found, r, 1, LEVEL)[1]
    assert ends is not None  # there is a scale
    kinds = {"profile": np.log(ends), "bootstrap": _bootstrap(found, r)}
    return [
        Interval(found.law.name, kind, fitted, horizon[i], float(both[i, 0]), float(both[i, 1]))
        for kind, both in kinds.items()
        for i in range(len(r))
    ]


def _bootstrap(found: Fit, r: Array) -> Array:
    """Return percentile intervals of the log loss at r: residuals drawn again, refitted, and added.

    The rival that is plain: residuals as they are, drawn with replacement.
    """
    assert found.optimum is not None
    rng = np.random.default_rng(0)
    surface = found.surface
    curve = found.law.log_loss(found.optimum.phi, found.means.r)
    residuals = found.means.y - curve
    again = curve + rng.choice(residuals, (_DRAWS, len(residuals)))
    phi = surface.refit(found.optimum.phi, again)
    ahead = found.law.log_loss(phi, np.repeat(r[None], _DRAWS, axis=0)) + rng.choice(
        residuals, (_DRAWS, len(r))
    )
    return np.quantile(ahead, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).T
