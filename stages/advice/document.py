"""The advice and its back-test as plain columns: what `advice.json` holds."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.advice.backtest import AXES, Told
from stages.advice.costs import Unit
from stages.advice.purchases import Group, Purchase
from stages.advice.spending import Spending
from stages.advice.study import Advice
from stages.advice.surface import fit
from stages.errors import BadInput
from stages.grid import Cut
from stages.laws.panel import rounded

UNITS: tuple[Unit, ...] = ("usd", "million_tokens")


def document(
    advice: Advice, laws: dict[str, Any], budget: int, simulator: bool, bought: Spending | None = None
) -> dict[str, Any]:
    """Return what `advice.json` holds, floats at 6 significant digits.

    Args:
        advice: the advice.
        laws: the document `laws.json`.
        budget: the highest response budget, held out by the laws.
        simulator: the teacher is the embedded one.
        bought: what a sum buys.
    """
    value: dict[str, Any] = {
        "level": advice.level,
        "budget": budget,
        "simulator": simulator,
        "unit": advice.unit,
        "surfaces": [_surface(of) for of in advice.groups],
        "widening": [factor._asdict() for factor in advice.factors],
        "purchases": [flat(row) for row in advice.purchases],
        "back_test": {
            "trials": [entry for scope in scopes(budget) for entry in trials_summary(advice, scope)],
            "choices": [choices_summary(advice, scope) for scope in scopes(budget)],
            "laws": against_laws(advice.groups, laws, budget),
            "outcomes": [_outcome(told) for told in advice.told],
        },
    }
    if bought:
        value["spend"] = {
            "amount": bought.amount,
            "unit": bought.unit,
            "left": bought.left,
            "best": flat(bought.best) if bought.best else None,
            "affordable": [flat(row) for row in bought.affordable],
        }
    found: dict[str, Any] = rounded(value)
    return found


class Scope(NamedTuple):
    """Which trials a summary is of."""

    name: str
    budget: int | None  # outcomes at this budget or, of questions, just below; None is all


def scopes(budget: int) -> tuple[Scope, Scope]:
    """Return the top budget alone, and every budget."""
    return Scope("top_budget", budget), Scope("all", None)


def _within(advice: Advice, scope: Scope, held: Cut) -> bool:
    """Return whether a trial from `held` belongs: for the top budget, from the measured one below it."""
    below = {t.trial.held.budget for t in advice.told if scope.budget and t.trial.held.budget < scope.budget}
    return scope.budget is None or held.budget == max(below, default=0)


def trials_summary(advice: Advice, scope: Scope) -> list[dict[str, Any]]:
    """Return errors and interval coverage along each axis, with the interval of independent trials."""
    found = []
    for axis in AXES:
        told = [t for t in advice.told if t.trial.axis == axis and _within(advice, scope, t.trial.held)]
        errors = np.array([t.trial.error for t in told])
        covered = sum(t.covered for t in told)
        found.append(
            {
                "scope": scope.name,
                "axis": axis,
                "trials": len(told),
                "mean_error": float(errors.mean()) if told else None,
                "median_absolute_error": float(np.median(np.abs(errors))) if told else None,
                "covered": covered,
                **_share("coverage", covered, len(told), advice.level),
            }
        )
    return found


def choices_summary(advice: Advice, scope: Scope) -> dict[str, Any]:
    """Return how often the axis ranked first at equal N was the better one as measured, and the regret."""
    pairs = [pair for pair in advice.pairs if _within(advice, scope, pair.responses.held)]
    right = sum(pair.chosen == pair.best for pair in pairs)
    apart = [pair for pair in pairs if pair.told_apart]
    return {
        "scope": scope.name,
        "choices": len(pairs),
        "right": right,
        **_share("share_right", right, len(pairs), advice.level),
        "told_apart": len(apart),
        "right_where_told_apart": sum(pair.chosen == pair.best for pair in apart),
        "questions_best": sum(pair.best == "questions" for pair in pairs),
        "regret_mean": float(np.mean([pair.regret for pair in pairs])) if pairs else None,
        "regret_worst": max((pair.regret for pair in pairs), default=None),
    }


def against_laws(groups: Sequence[Group], laws: dict[str, Any], budget: int) -> list[dict[str, Any]]:
    """Hold the surface, fitted below `budget`, against every law of one share at the held-out budget.

    Raises:
        BadInput: the laws are not of such a study.
    """
    try:
        entries = [
            (e["teacher"], e["student"], e["domain"], e["share"], e["law"], e["prediction"])
            for e in laws["laws"]
        ]
        errors = {entry[:5]: entry[5]["relative_error"] for entry in entries if entry[5]["budget"] == budget}
    except (KeyError, TypeError) as error:
        raise BadInput(
            f"the laws have no {error} per teacher, domain and share; run `dvc repro weigh`"
        ) from error
    both: dict[str, list[tuple[float, float]]] = {}
    for of in groups:
        panel = of.panel
        below = fit([c for c in panel.cells if c.cut.budget < budget], panel.law(budget))
        for cell in panel.cells:
            predicted = below.loss(cell.cut) if cell.cut.budget == budget else None
            for key, theirs in errors.items():
                if predicted is not None and theirs is not None and key[:4] == (*panel[:3], cell.cut.share):
                    both.setdefault(key[4], []).append((abs(predicted / cell.loss - 1), abs(theirs)))
    return [
        {
            "law": name,
            "curves": len(found),
            "law_median_error": float(np.median([theirs for _, theirs in found])),
            "surface_median_error": float(np.median([ours for ours, _ in found])),
            "surface_closer": sum(ours < theirs for ours, theirs in found),
        }
        for name, found in both.items()
    ]


def _share(name: str, k: int, n: int, level: float) -> dict[str, float | None]:
    """Return k of n with its exact binomial interval (Clopper and Pearson 1934)."""
    from scipy.stats import binomtest

    if not n:
        return {name: None, f"{name}_low": None, f"{name}_high": None}
    ends = binomtest(k, n).proportion_ci(level, method="exact")
    return {name: k / n, f"{name}_low": float(ends.low), f"{name}_high": float(ends.high)}


def flat(row: Purchase) -> dict[str, Any]:
    """Return a purchase as one row of plain columns."""
    found: dict[str, Any] = {
        "rank": row.rank,
        "rank_in_group": row.rank_in_group,
        "teacher": row.teacher,
        "student": row.student,
        "domain": row.domain,
        "kind": row.kind,
        "held_share": row.held.share,
        "held_budget": row.held.budget,
        "share": row.bought.share,
        "budget": row.bought.budget,
        "name": row.name,
        "change": row.change,
        "low": row.low,
        "high": row.high,
        "level": row.level,
        "back_tested": row.back_tested,
        "calls": row.cost.calls,
        "prompt_tokens": row.cost.prompt_tokens,
        "completion_tokens": row.cost.completion_tokens,
        "cost_usd": row.cost.usd,
    }
    for unit in UNITS:
        names = (f"gain_per_{unit}", f"gain_per_{unit}_low", f"gain_per_{unit}_high")
        found |= zip(names, row.gain_per(unit), strict=True)
    return found | {"verdict": row.verdict, "reason": row.reason}


def _surface(of: Group) -> dict[str, Any]:
    surface = of.surface
    return {
        **dict(zip(("teacher", "student", "domain"), of.panel[:3], strict=True)),
        "status": surface.status,
        "cells": surface.cells,
        "shares": surface.shares,
        "seeds": min(cell.seeds for cell in of.panel.cells),
        "coverage": dict(zip(("a", "b", "pi"), surface.theta, strict=True)) if surface.theta else None,
        "curves": [
            {name: value for name, value in curve._asdict().items() if name != "x"}
            for curve in surface.curves
        ],
    }


def _outcome(told: Told) -> dict[str, Any]:
    trial = told.trial
    return {
        **dict(zip(("teacher", "student", "domain"), trial[:3], strict=True)),
        "held_share": trial.held.share,
        "held_budget": trial.held.budget,
        "share": trial.bought.share,
        "budget": trial.bought.budget,
        "axis": trial.axis,
        "predicted": trial.predicted.estimate,
        "low": told.low,
        "high": told.high,
        "observed": trial.observed,
        "covered": told.covered,
    }
