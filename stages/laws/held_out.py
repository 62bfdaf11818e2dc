"""The study of a grid: every law fitted below the held-out budget and held against it."""

import csv
import io
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from stages.laws import Config
from stages.laws.coverage import CoverageFit, CoverageLoss, Draws, fit_coverage, unsolved_share
from stages.laws.curves import Law, Point, all_laws
from stages.laws.fitting import Fit, fit
from stages.laws.forecast import band, forecast, judge
from stages.laws.measure import unsolved

_STEP = 2**0.25  # between the budgets of a plotted curve; powers of two are among them
_BEYOND = 2.0  # plotted budgets end at this multiple of the held-out one


@dataclass(frozen=True)
class Curve:
    """The measured losses of one student on one density's pool, all of its questions asked."""

    student: str
    density: float
    base_loss: float  # of the untrained student, nats per answer token
    points: list[Point]  # budgets up to the held-out one


@dataclass(frozen=True)
class Ledger:
    """The accept counts of one density's pool."""

    density: float
    tallies: dict[int, list[Draws]]  # by draws counted per question


class BandRow(NamedTuple):
    """A point of a plotted curve; the row `observed` is the measured mean."""

    student: str
    density: float
    law: str
    budget: float
    loss: float
    low: float | None
    high: float | None


def study(
    curves: list[Curve], ledgers: list[Ledger], budget: int, config: Config
) -> tuple[dict[str, Any], list[BandRow]]:
    """Fit every law to every curve below `budget` and predict the mean loss there.

    The coverage law's F comes from the draws that the fitted budgets have paid for: at most as many per
    question as the largest of them.

    Args:
        curves: each with losses at `budget` and at two or more budgets below.
        ledgers: tallies of the densities in `curves`, by draws, at the largest fitted budget and at `budget`.
        budget: the held-out response budget.
        config: settings.

    Returns:
        What `laws.json` holds, floats at 6 significant digits, and the curves to plot.
    """
    coverage = {(x.density, n): fit_coverage(t, config.level) for x in ledgers for n, t in x.tallies.items()}
    laws, rows = [], []
    for curve in curves:
        below = [p for p in curve.points if p.r < budget]
        held = [p for p in curve.points if p.r == budget]
        known = coverage.get((curve.density, int(max(p.r for p in below))))
        candidates: list[Law] = all_laws(curve.base_loss)
        if known and known.theta:
            candidates.append(CoverageLoss(known.theta))
        rows += _observed(curve)
        for law in candidates:
            fitted = fit(law, below, config.level)
            laws.append(_entry(curve, fitted, held, config.level))
            rows += _plotted(curve, fitted, budget, len(held), config.level)
    covered = [
        _coverage_entry(x, n, coverage[x.density, n], budget) for x in ledgers for n in sorted(x.tallies)
    ]
    document = {"level": config.level, "budget": budget, "laws": laws, "coverage": covered}
    return _rounded(document), rows


def _entry(curve: Curve, fitted: Fit, held: list[Point], level: float) -> dict[str, Any]:
    """Return one law's entry."""
    outcome = judge(forecast(fitted, held[0].r, len(held), level), held)
    predicted = outcome.forecast
    return {
        "student": curve.student,
        "density": curve.density,
        "law": fitted.law.name,
        "status": fitted.status,
        "message": fitted.message,
        "parameters": {name: e._asdict() for name, e in fitted.parameters.items()},
        "prediction": {
            "status": predicted.status,
            "budget": int(predicted.r),
            "loss": predicted.loss,
            "low": predicted.low,
            "high": predicted.high,
            "observed": outcome.observed,
            "observed_std": outcome.std,
            "seeds": predicted.seeds,
            "error": outcome.error,
            "relative_error": outcome.relative_error,
            "covered": outcome.covered,
        },
        "criteria": {
            "observations": fitted.n,
            "parameters": fitted.k,
            "log_likelihood": fitted.log_likelihood,
            "aic": fitted.aic,
            "aicc": fitted.aicc,
            "bic": fitted.bic,
        },
        "sigma": fitted.scale._asdict() if fitted.scale else None,
        "lack_of_fit_p": fitted.lack_of_fit,
        "residuals": [{"budget": int(e.r), "seed": e.seed, "residual": e.residual} for e in fitted.residuals],
    }


def _coverage_entry(ledger: Ledger, draws: int, found: CoverageFit, budget: int) -> dict[str, Any]:
    """Return one ledger's entry: the law from `draws` draws, and what it says of `budget` draws."""
    top = ledger.tallies.get(budget)
    predicted = float(unsolved_share(found.theta, budget)) if found.theta else None
    parts = asdict(found)
    return {
        "density": ledger.density,
        "draws": draws,
        "questions": found.questions,
        "status": found.status,
        "message": found.message,
        "parameters": {name: e._asdict() for name, e in found.parameters.items()},
        "log_likelihood": parts["log_likelihood"],
        "unsolved": {"draws": budget, "predicted": predicted, "observed": unsolved(top) if top else None},
    }


def _observed(curve: Curve) -> list[BandRow]:
    budgets = sorted({p.r for p in curve.points})
    means = [float(np.mean([p.loss for p in curve.points if p.r == r])) for r in budgets]
    names = (curve.student, curve.density, "observed")
    return [BandRow(*names, r, loss, None, None) for r, loss in zip(budgets, means, strict=True)]


def _plotted(curve: Curve, fitted: Fit, budget: int, seeds: int, level: float) -> list[BandRow]:
    """Return the law from the smallest budget to beyond the held-out one; nothing of a refused fit."""
    if fitted.optimum is None:
        return []
    first = min(p.r for p in curve.points)
    steps = round(np.log(_BEYOND * budget / first) / np.log(_STEP))
    r = first * _STEP ** np.arange(steps + 1)
    loss, ends = band(fitted, r, seeds, level)
    low, high = (ends[:, 0], ends[:, 1]) if ends is not None else (None, None)
    return [
        BandRow(
            curve.student,
            curve.density,
            fitted.law.name,
            float(r[i]),
            float(loss[i]),
            None if low is None else float(low[i]),
            None if high is None else float(high[i]),
        )
        for i in range(len(r))
    ]


def to_csv(rows: list[BandRow]) -> str:
    """Return the plotted curves as CSV at 6 significant digits, one row per student, density, law, budget."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(BandRow._fields)
    writer.writerows(["" if v is None else _rounded(v) for v in row] for row in rows)
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


def _rounded(value: Any) -> Any:
    """Return the value with every float at 6 significant digits."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
