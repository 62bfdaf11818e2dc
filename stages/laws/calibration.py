"""Prediction intervals as wide as back-tests on published curves say they must be.

A law's interval at a budget is `exp(log L̂ ± q · scale)`. The scale is the curve's own,
`scale² = sd² + (log L̂ − m)²` (defined here), with m and sd the mean and standard deviation of the local
curve (`stages.laws.local`): what the curve's course so far leaves open, its seeds' noise, and how far the law
departs from that course. q is a quantile of |log error| / scale over the back-tests of that law at that
horizon: split conformal prediction with normalised scores (Lei et al. 2018, arXiv 1604.04173, section 5.2).
Held-out curves are covered as often as claimed if they are like the ones q was derived from; studies/laws
tests that across model families and across data sets.

A curve back-tests itself, too: the weights of the local curve's cells are their one-step forecasts within it.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from stages.laws import local
from stages.laws.curves import Array, Point
from stages.laws.least_squares import average
from stages.laws.local import Reach

LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
HORIZONS = (1, 2, 3, 4, 5)  # doublings of the largest fitted budget
_FLAT_CURVES = 30.0  # weight of the flat prior in the learnt one; half as much as the 60 published curves


@dataclass(frozen=True)
class Calibration:
    """What was derived from back-tests; the same for every curve."""

    prior: Array  # of the local curve's cells
    quantiles: dict[str, Array]  # of the normalised scores by law, shape (HORIZONS, LEVELS)
    provenance: dict[str, Any]

    def quantile(self, law: str, doublings: Array, level: float) -> Array:
        """Return q at each horizon: linear between those back-tested, NaN where there is none.

        Args:
            law: its name; one that was not back-tested has no q.
            doublings: of the largest fitted budget, shape (n,); within the fitted range there is no q.
            level: of the interval, 0 … 1.
        """
        if law not in self.quantiles or not LEVELS[0] <= level <= LEVELS[-1]:
            return np.full(len(doublings), np.nan)
        at_level = [np.interp(level, LEVELS, row) for row in self.quantiles[law]]
        known = (doublings > 1e-9) & (doublings <= HORIZONS[-1] + 1e-9)
        return np.where(known, np.interp(doublings, HORIZONS, at_level), np.nan)


class Outlook:
    """One curve as the calibration sees it."""

    def __init__(self, points: list[Point], calibration: Calibration) -> None:
        """Take the fitted losses of all budgets; fewer than `local.FEWEST` budgets leave nothing to say."""
        self.calibration = calibration
        self.means, self.within = average(points)
        self.known = len(self.means.r) >= local.FEWEST

    def reach(self, r: Array, seeds: int) -> Reach | None:
        """Return what the local curve says of budgets r; None where the curve is too short."""
        if not self.known:
            return None
        return local.mix(local.local_cells(self.means, self.within, r, float(seeds)), self.calibration.prior)

    def ends(self, law: str, log_loss: Array, r: Array, seeds: int, level: float) -> Array:
        """Return a law's calibrated interval of the mean log loss over `seeds` new seeds.

        Args:
            law: its name.
            log_loss: predicted by it, shape (n,).
            r: budgets, likewise.
            seeds: behind each mean, ≥ 1.
            level: of the interval, 0 … 1.

        Returns:
            Lowest and highest, shape (n, 2); NaN within the fitted range and where there is no back-test.
        """
        ends = np.full((len(r), 2), np.nan)
        q = self.calibration.quantile(law, np.log2(r / self.means.r[-1]), level)
        beyond = ~np.isnan(q)
        reach = self.reach(r[beyond], seeds) if beyond.any() else None
        if reach is not None:
            half = q[beyond] * scale(log_loss[beyond], reach)
            ends[beyond] = np.stack([log_loss[beyond] - half, log_loss[beyond] + half], axis=1)
        return ends


def scale(log_loss: Array, reach: Reach) -> Array:
    """Return the scale of a prediction's log error."""
    return np.hypot(reach.sd, log_loss - reach.log_loss)


def learn_prior(log_evidence: Array) -> Array:
    """Return the prior of the local curve's cells under which these curves are likely.

    Args:
        log_evidence: of every whole curve, shape (curves, cells).
    """
    return local.learn(log_evidence, _FLAT_CURVES)


def score_quantiles(score: Array, horizon: Array, curves: int) -> Array:
    """Return the quantiles of one law's scores, shape (HORIZONS, LEVELS).

    The rank is that of split conformal prediction for so many curves, `ceil((n + 1) level) / n`: cut-offs of
    one curve are not independent, so curves count.

    Args:
        score: |log error| / scale of every case; NaN where the law said nothing.
        horizon: of every case, doublings.
        curves: they come from.
    """
    rank = np.minimum(np.ceil((curves + 1) * np.array(LEVELS)) / curves, 1.0)
    found = np.full((len(HORIZONS), len(LEVELS)), np.nan)
    for i, h in enumerate(HORIZONS):
        known = score[(horizon == h) & ~np.isnan(score)]
        if len(known):
            found[i] = np.quantile(known, rank, method="inverted_cdf")
    return found


def document(calibration: Calibration) -> dict[str, Any]:
    """Return what calibration.json holds, floats at 6 significant digits."""
    return {
        "provenance": calibration.provenance,
        "levels": list(LEVELS),
        "horizons": list(HORIZONS),
        "quantiles": {
            law: [[None if np.isnan(q) else float(f"{q:.6g}") for q in row] for row in rows]
            for law, rows in calibration.quantiles.items()
        },
        "prior": [float(f"{p:.6g}") for p in calibration.prior],
    }


@cache
def shipped() -> Calibration:
    """Return the calibration that comes with the package; `python -m stages.backtest` derives it.

    Raises:
        ValueError: it was derived for other levels, horizons or cells.
    """
    text = resources.files("stages.laws").joinpath("calibration.json").read_text(encoding="utf-8")
    held = json.loads(text)
    if (tuple(held["levels"]), tuple(held["horizons"])) != (LEVELS, HORIZONS):
        raise ValueError("calibration.json was derived for other levels or horizons; derive it again")
    if len(held["prior"]) != local.CELLS:
        raise ValueError("calibration.json was derived for other cells; derive it again")
    prior = np.array(held["prior"])
    return Calibration(
        prior / prior.sum(),
        {law: np.array(rows, float) for law, rows in held["quantiles"].items()},
        held["provenance"],
    )
