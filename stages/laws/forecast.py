"""Predict the loss at a budget that was not fitted, and hold it against what was then measured."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stages.laws.curves import Array, Point
from stages.laws.fitting import REFUSALS, Fit, Status, allowed_rise

ForecastStatus = Literal["ok", "no_interval", "refused"]


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


@dataclass(frozen=True)
class Outcome:
    """A forecast beside the measurement."""

    forecast: Forecast
    observed: float  # mean loss over the seeds, nats per answer token
    std: float | None  # over the seeds, n − 1; None for one seed
    error: float | None  # forecast minus observed, nats per answer token
    relative_error: float | None  # error / observed
    covered: bool | None  # the interval holds the observed mean


def forecast(fit: Fit, r: float, seeds: int, level: float = 0.9) -> Forecast:
    """Predict the mean loss over `seeds` training seeds at budget r, with an interval.

    The interval holds every mean that, added to the measured ones as one more observation and fitted with
    them, raises the sum of squares by at most `sigma² F(level; 1, freedom)`: a profile predictive interval.
    It carries the parameters' uncertainty however crooked, walls included, and the noise of `seeds`
    replicates; for a law linear in its parameters it is the textbook t interval exactly. The mean is that of
    log loss, which lies below the log of the mean loss by half the seeds' variance, nothing beside it.

    It supposes that the law is true. Bootstraps of the residuals cover 60–80 % on published curves where
    they claim 90 %; how often this one covers has been checked where the law is true (by simulation), and
    remains to be calibrated by back-test where it is not.

    Args:
        fit: any fit.
        r: budget above 0.
        seeds: training seeds behind the mean to be predicted, ≥ 1.
        level: of the interval, 0 … 1.
    """
    if fit.optimum is None:
        return Forecast("refused", fit.status, r, seeds, None, None, None)
    point, ends = band(fit, np.array([r], float), seeds, level)
    if ends is None:
        return Forecast("no_interval", fit.status, r, seeds, float(point[0]), None, None)
    return Forecast("ok", fit.status, r, seeds, float(point[0]), *map(float, ends[0]))


def band(fit: Fit, r: Array, seeds: int, level: float = 0.9) -> tuple[Array, Array | None]:
    """Return the predicted losses and their intervals, shape (len(r), 2), as `forecast` at every r.

    Raises:
        ValueError: the fit was refused and has no curve.
    """
    if fit.optimum is None or fit.status in REFUSALS:
        raise ValueError(f"{fit.law.name}: no curve, the fit was refused ({fit.status})")
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
