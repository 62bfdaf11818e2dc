"""Predict the loss at a budget that was not fitted, and hold it against what was then measured."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.laws import combination
from stages.laws.calibration import Outlook
from stages.laws.curves import Array, LastTwo, Point
from stages.laws.fitting import REFUSALS, Fit, Status, allowed_rise
from stages.laws.local import FEWEST

ForecastStatus = Literal["ok", "no_interval", "refused"]
Source = Literal["calibrated", "profile"]


@dataclass(frozen=True)
class Forecast:
    """A law's word on the mean loss over `seeds` training seeds at budget r."""

    status: ForecastStatus  # "no_interval": a point without an error estimate; "refused": no fit
    reason: Status  # of the fit
    r: float
    seeds: int
    loss: float | None  # nats per answer token
    low: float | None
    high: float | None
    source: Source | None = None  # of low and high
    profile_low: float | None = None  # the interval that supposes the law is true
    profile_high: float | None = None


@dataclass(frozen=True)
class Outcome:
    """A forecast beside the measurement."""

    forecast: Forecast
    observed: float  # mean loss over the seeds, nats per answer token
    std: float | None  # over the seeds, n − 1; None for one seed
    error: float | None  # forecast minus observed, nats per answer token
    relative_error: float | None  # error / observed
    covered: bool | None  # the interval holds the observed mean


def forecast(fit: Fit, r: float, seeds: int, level: float = 0.9, outlook: Outlook | None = None) -> Forecast:
    """Predict the mean loss over `seeds` training seeds at budget r, with an interval.

    With an outlook the interval is calibrated where the law has been back-tested at that horizon (see
    `stages.laws.calibration`), and it needs no error estimate of the fit: one training seed is enough. The
    profile interval stands beside it.

    The profile interval holds every mean that, added to the measured ones as one more observation and fitted
    with them, raises the sum of squares by at most `sigma² F(level; 1, freedom)`: a profile predictive
    interval. It carries the parameters' uncertainty however crooked, walls included, and the noise of `seeds`
    replicates; for a law linear in its parameters it is the textbook t interval exactly. The mean is that of
    log loss, which lies below the log of the mean loss by half the seeds' variance, nothing beside it.

    It supposes that the law is true, and covers as claimed where it is (checked by simulation). On published
    curves, where it is not, it covers less the further ahead it looks; bootstraps of the residuals less still
    (tables in studies/laws).

    Args:
        fit: any fit.
        r: budget above 0.
        seeds: training seeds behind the mean to be predicted, ≥ 1.
        level: of the interval, 0 … 1.
        outlook: the curve that was fitted, all of its budgets.
    """
    if fit.optimum is None:
        return Forecast("refused", fit.status, r, seeds, None, None, None)
    point, profile = _profile(fit, np.array([r], float), seeds, level)
    told = None if profile is None else (float(profile[0, 0]), float(profile[0, 1]))
    ends = outlook.ends(fit.law.name, np.log(point), np.array([r], float), seeds, level) if outlook else None
    return _with_interval(fit.status, r, seeds, float(point[0]), ends, told)


def _with_interval(
    reason: Status, r: float, seeds: int, loss: float, ends: Array | None, told: tuple[float, float] | None
) -> Forecast:
    """Return the forecast with the calibrated interval of log loss, else the profile one, else none."""
    sides = told or (None, None)
    if ends is not None and not np.isnan(ends).any():
        low, high = map(float, np.exp(ends[0]))
        return Forecast("ok", reason, r, seeds, loss, low, high, "calibrated", *sides)
    if told is None:
        return Forecast("no_interval", reason, r, seeds, loss, None, None)
    return Forecast("ok", reason, r, seeds, loss, *told, "profile", *told)


def forecast_combination(outlook: Outlook, r: float, seeds: int, level: float = 0.9) -> Forecast:
    """Predict by the combination of forecasts (`stages.laws.combination`); arguments as for `forecast`."""
    if not outlook.known:
        return Forecast("refused", "too_few_budgets", r, seeds, None, None, None)
    loss, ends = combination_band(outlook, np.array([r], float), seeds, level)
    return _with_interval("ok", r, seeds, float(loss[0]), np.log(ends), None)


def combination_band(outlook: Outlook, r: Array, seeds: int, level: float = 0.9) -> tuple[Array, Array]:
    """Return the combination's losses and calibrated intervals at budgets r, as `band`; NaN without one.

    Raises:
        ValueError: the curve has fewer than `stages.laws.local.FEWEST` budgets.
    """
    near = outlook.reach(r, seeds)
    if near is None:
        raise ValueError(f"a combination needs {FEWEST} budgets")
    law, means = LastTwo(), outlook.means
    line = law.log_loss(law.starts(means.r, means.loss)[0], r)
    log_loss = combination.joined(line, near.log_loss)
    return np.exp(log_loss), np.exp(outlook.ends(combination.NAME, log_loss, r, seeds, level))


def band(
    fit: Fit, r: Array, seeds: int, level: float = 0.9, outlook: Outlook | None = None
) -> tuple[Array, Array | None]:
    """Return the predicted losses and their intervals, shape (len(r), 2), as `forecast` at every r.

    Within the fitted range, and where a law was not back-tested, the interval is the profile one; a side is
    NaN where there is neither.

    Raises:
        ValueError: the fit was refused and has no curve.
    """
    if fit.optimum is None or fit.status in REFUSALS:
        raise ValueError(f"{fit.law.name}: no curve, the fit was refused ({fit.status})")
    point, profile = _profile(fit, r, seeds, level)
    if outlook is None:
        return point, profile
    ends = np.exp(outlook.ends(fit.law.name, np.log(point), r, seeds, level))
    if profile is not None:
        ends = np.where(np.isnan(ends), profile, ends)
    return point, None if np.isnan(ends).all() else ends


def _profile(fit: Fit, r: Array, seeds: int, level: float) -> tuple[Array, Array | None]:
    """Return the predicted losses and their profile predictive intervals."""
    assert fit.optimum is not None
    point = np.exp(fit.law.log_loss(fit.optimum.phi, r))
    if fit.scale is None:
        return point, None
    ends = fit.surface.supposed_ends(fit.optimum, r, float(seeds), allowed_rise(fit.scale, level))
    return point, np.exp(ends)


def judge(predicted: Forecast, measured: list[Point]) -> Outcome:
    """Hold a forecast against the losses measured at its budget, one per training seed.

    Raises:
        ValueError: no loss, or one at another budget.
    """
    if not measured or any(p.r != predicted.r for p in measured):
        raise ValueError(f"losses at budget {predicted.r} expected, got {sorted({p.r for p in measured})}")
    losses = np.array([p.loss for p in measured])
    observed = float(losses.mean())
    std = float(losses.std(ddof=1)) if len(losses) > 1 else None
    if predicted.loss is None:
        return Outcome(predicted, observed, std, None, None, None)
    error = predicted.loss - observed
    covered = None
    if predicted.low is not None and predicted.high is not None:
        covered = predicted.low <= observed <= predicted.high
    return Outcome(predicted, observed, std, error, error / observed, covered)
