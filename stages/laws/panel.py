"""The study of many curves: every law fitted below the held-out budget and held against it."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from stages.laws import Config, combination
from stages.laws.calibration import Calibration, Outlook, shipped
from stages.laws.coverage import CoverageFit, CoverageLoss, Draws, fit_coverage, unsolved_share
from stages.laws.curves import Array, Law, Point, all_laws
from stages.laws.fitting import Fit, fit
from stages.laws.forecast import Outcome, band, combination_band, forecast, forecast_combination, judge
from stages.laws.measure import unsolved

_STEP = 2**0.25  # between the budgets of a plotted curve; powers of two are among them
_BEYOND = 2.0  # plotted budgets end at this multiple of the held-out one
Coordinates = Mapping[str, Any]  # such as teacher, student, domain and share, in the order they are written


@dataclass(frozen=True)
class Curve:
    """The measured losses of one student on one fixed source."""

    coordinates: Coordinates
    base_loss: float  # of the untrained student, nats per answer token
    points: list[Point]  # budgets up to the held-out one


@dataclass(frozen=True)
class Ledger:
    """The accept counts of one fixed source: of every curve that has its coordinates."""

    coordinates: Coordinates
    tallies: dict[int, list[Draws]]  # by draws counted per question
    truth: Mapping[str, float] | None = None  # a, b, pi, where the teacher is a simulator

    def is_of(self, curve: Curve) -> bool:
        """Tell whether the curve's students were trained on this source."""
        return all(curve.coordinates.get(name) == value for name, value in self.coordinates.items())


class BandRow(NamedTuple):
    """A point of a plotted curve; the row `observed` is the measured mean."""

    coordinates: Coordinates
    law: str
    budget: float
    loss: float
    low: float | None
    high: float | None


def study(
    curves: Sequence[Curve],
    ledgers: Sequence[Ledger],
    budget: int,
    config: Config,
    calibration: Calibration | None = None,
) -> tuple[dict[str, Any], list[BandRow]]:
    """Fit every law to every curve below `budget` and predict the mean loss there.

    The coverage law's F comes from the draws that the fitted budgets have paid for: at most as many per
    question as the largest of them. Intervals are calibrated where a law was back-tested, and say so; the
    coverage law's is a profile interval, for the published curves come without ledgers.

    Args:
        curves: each with losses at `budget` and at two or more budgets below.
        ledgers: tallies by draws, at the largest fitted budget and at `budget`; at most one of each curve.
        budget: the held-out response budget.
        config: settings.
        calibration: of the intervals, by default the one that comes with the package.

    Returns:
        What `laws.json` holds, floats at 6 significant digits, and the curves to plot.
    """
    calibration = calibration or shipped()
    # Curves of several students share a ledger: each is fitted once.
    covered = {
        (i, draws): fit_coverage(tallies, config.level)
        for i, ledger in enumerate(ledgers)
        for draws, tallies in ledger.tallies.items()
    }
    laws: list[dict[str, Any]] = []
    rows: list[BandRow] = []
    for curve in curves:
        below = [p for p in curve.points if p.r < budget]
        held = [p for p in curve.points if p.r == budget]
        paid = int(max(p.r for p in below))
        known = next((covered.get((i, paid)) for i, x in enumerate(ledgers) if x.is_of(curve)), None)
        candidates: list[Law] = all_laws(curve.base_loss)
        if known and known.theta:
            candidates.append(CoverageLoss(known.theta))
        outlook = Outlook(below, calibration)
        rows += _observed(curve)
        for law in candidates:
            fitted = fit(law, below, config.level)
            told = judge(forecast(fitted, held[0].r, len(held), config.level, outlook), held)
            laws.append(_entry(curve, told, law.name, fitted))
            rows += _plotted(curve, fitted, budget, len(held), config.level, outlook)
        told = judge(forecast_combination(outlook, held[0].r, len(held), config.level), held)
        laws.append(_entry(curve, told, combination.NAME, None))
        rows += _plotted_combination(curve, outlook, budget, len(held), config.level)
    entries = [
        _coverage_entry(ledger, n, covered[i, n], budget)
        for i, ledger in enumerate(ledgers)
        for n in sorted(ledger.tallies)
    ]
    document = {"level": config.level, "budget": budget, "laws": laws, "coverage": entries}
    return rounded(document), rows


def _entry(curve: Curve, outcome: Outcome, law: str, fitted: Fit | None) -> dict[str, Any]:
    """Return one law's entry; the combination has no fit of its own, and so no parameters."""
    predicted = outcome.forecast
    return {
        **curve.coordinates,
        "law": law,
        "status": fitted.status if fitted else predicted.reason,
        "message": fitted.message if fitted else "",
        "parameters": {name: e._asdict() for name, e in fitted.parameters.items()} if fitted else {},
        "prediction": {
            "status": predicted.status,
            "budget": int(predicted.r),
            "loss": predicted.loss,
            "low": predicted.low,
            "high": predicted.high,
            "source": predicted.source,
            "profile_low": predicted.profile_low,
            "profile_high": predicted.profile_high,
            "observed": outcome.observed,
            "observed_std": outcome.std,
            "seeds": predicted.seeds,
            "error": outcome.error,
            "relative_error": outcome.relative_error,
            "covered": outcome.covered,
        },
        "criteria": {
            "observations": fitted.n if fitted else None,
            "parameters": fitted.k if fitted else None,
            "log_likelihood": fitted.log_likelihood if fitted else None,
            "aic": fitted.aic if fitted else None,
            "aicc": fitted.aicc if fitted else None,
            "bic": fitted.bic if fitted else None,
        },
        "sigma": fitted.scale._asdict() if fitted and fitted.scale else None,
        "lack_of_fit_p": fitted.lack_of_fit if fitted else None,
        "residuals": [
            {"budget": int(e.r), "seed": e.seed, "residual": e.residual}
            for e in (fitted.residuals if fitted else [])
        ],
    }


def _coverage_entry(ledger: Ledger, draws: int, found: CoverageFit, budget: int) -> dict[str, Any]:
    """Return one ledger's entry: the law from `draws` draws, and what it says of `budget` draws."""
    top = ledger.tallies.get(budget)
    predicted = float(unsolved_share(found.theta, budget)) if found.theta else None
    return {
        **ledger.coordinates,
        "draws": draws,
        "questions": found.questions,
        "status": found.status,
        "message": found.message,
        "parameters": {name: e._asdict() for name, e in found.parameters.items()},
        "truth": dict(ledger.truth) if ledger.truth else None,
        "log_likelihood": found.log_likelihood,
        "unsolved": {"draws": budget, "predicted": predicted, "observed": unsolved(top) if top else None},
    }


def _observed(curve: Curve) -> list[BandRow]:
    budgets = sorted({p.r for p in curve.points})
    means = [float(np.mean([p.loss for p in curve.points if p.r == r])) for r in budgets]
    return [
        BandRow(curve.coordinates, "observed", r, loss, None, None)
        for r, loss in zip(budgets, means, strict=True)
    ]


def _plotted(
    curve: Curve, fitted: Fit, budget: int, seeds: int, level: float, outlook: Outlook
) -> list[BandRow]:
    """Return the law from the smallest budget to beyond the held-out one; nothing of a refused fit."""
    if fitted.optimum is None:
        return []
    r = _budgets(curve, budget)
    return _rows(curve, fitted.law.name, r, *band(fitted, r, seeds, level, outlook))


def _plotted_combination(
    curve: Curve, outlook: Outlook, budget: int, seeds: int, level: float
) -> list[BandRow]:
    """Return the combination from the largest fitted budget on: it is a forecast, not a curve to fit."""
    if not outlook.known:
        return []
    r = _budgets(curve, budget)
    r = r[r >= outlook.means.r[-1] * (1 - 1e-9)]
    return _rows(curve, combination.NAME, r, *combination_band(outlook, r, seeds, level))


def _budgets(curve: Curve, budget: int) -> Array:
    first = min(p.r for p in curve.points)
    steps = round(np.log(_BEYOND * budget / first) / np.log(_STEP))
    return np.asarray(first * _STEP ** np.arange(steps + 1))


def _rows(curve: Curve, law: str, r: Array, loss: Array, ends: Array | None) -> list[BandRow]:
    sides = np.full((len(r), 2), np.nan) if ends is None else ends
    low, high = ([None if np.isnan(x) else float(x) for x in side] for side in sides.T)
    return [
        BandRow(curve.coordinates, law, float(r[i]), float(loss[i]), low[i], high[i]) for i in range(len(r))
    ]


def to_csv(rows: Sequence[BandRow]) -> str:
    """Return the plotted curves as CSV at 6 significant digits, one row per coordinates, law and budget."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    coordinates = list(rows[0].coordinates) if rows else []
    writer.writerow([*coordinates, *BandRow._fields[1:]])
    for row in rows:
        values = [*row.coordinates.values(), *row[1:]]
        writer.writerow(["" if v is None else rounded(v) for v in values])
    return text.getvalue()


def headline(document: dict[str, Any]) -> str:
    """Return the study in one line: how far the rectified law was off at the held-out budget."""
    entries = [e for e in document["laws"] if e["law"] == "rectified"]
    known = [e["prediction"]["relative_error"] for e in entries]
    errors = [f"{e:+.1%}".replace("%", " %").replace("-", "−") for e in known if e is not None]
    silent = sorted({e["status"] for e, x in zip(entries, known, strict=True) if x is None})
    says = (
        f"rectified errs {', '.join(errors[:-1])}{' and ' if errors[:-1] else ''}{errors[-1]}"
        if errors
        else ""
    )
    refused = f"{len(entries) - len(errors)} without a forecast ({', '.join(silent)})" if silent else ""
    count = f"{len(entries)} curve{'s' if len(entries) != 1 else ''}"
    return f"{count}, held-out budget {document['budget']}: {'; '.join(x for x in (says, refused) if x)}"


def rounded(value: Any) -> Any:
    """Return the value with every float at 6 significant digits."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
