"""Advise from part of the cells, and hold the advice against the cells that were kept back."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np

from stages.advice.surface import Change, Measured, Surface, Theta, fit
from stages.grid import Cut

Axis = Literal[
    "responses",
    "questions",  # to a share that was measured at some budget
    "new_questions",  # beyond every share that was measured
]
AXES: tuple[Axis, ...] = ("responses", "questions", "new_questions")


class Panel(NamedTuple):
    """The cells of one teacher, student and domain, with rejection sampling."""

    teacher: str
    student: str
    domain: str
    cells: tuple[Measured, ...]  # distinct cuts
    theta: Mapping[int, Theta | None]  # of the coverage law, by the draws per question that it was fitted to

    def law(self, below: float = math.inf) -> Theta | None:
        """Return the coverage law from the most draws that have one, fewer than `below`."""
        draws = [n for n, theta in self.theta.items() if theta and n < below]
        return self.theta[max(draws)] if draws else None


class Trial(NamedTuple):
    """One purchase that was advised on from part of the cells, and then measured."""

    teacher: str
    student: str
    domain: str
    held: Cut
    bought: Cut
    axis: Axis
    doublings: float  # of the sample budget
    surface: Surface  # fitted to what was visible
    predicted: Change
    observed: float  # change of the measured loss, nats per answer token
    score: float  # size of the error as a normal score: |N(0, 1)| where the surface is true

    @property
    def error(self) -> float:
        """Return predicted minus observed."""
        return self.predicted.estimate - self.observed


class Factor(NamedTuple):
    """By what to widen the interval of a purchase along one axis, at one distance."""

    axis: Axis
    doublings: float
    trials: int
    factor: float  # root mean square of the trials' scores, at least 1

    def reaches(self, doublings: float) -> bool:
        """Return whether the trials went as far."""
        return self.doublings >= doublings - 0.01


def axis_of(held: Cut, bought: Cut, visible: Iterable[Measured]) -> Axis | None:
    """Return along which axis a purchase goes; None where it changes neither or both.

    Args:
        held: cut to start from.
        bought: cut to go to.
        visible: the cells that the forecast is made from.
    """
    if bought.share == held.share:
        return "responses" if bought.budget > held.budget else None
    if bought.budget != held.budget or bought.share < held.share:
        return None
    return "questions" if bought.share <= max(c.cut.share for c in visible) else "new_questions"


def trials(panels: Iterable[Panel]) -> list[Trial]:
    """Hide and predict, from every cell whose budget has a coverage law.

    At the held cell (s, r) the surface sees the coverage law of the first r draws of each question and

    - for more responses and more questions the cells with smaller budgets and the held one: every other cell
      at r or beyond is hidden, so that both are forecasts;
    - for new questions the cells with neither a larger share nor a larger budget, as one sees none of the
      questions that are yet to be found.

    Where a single share is visible, more questions are not tried.
    """
    found = []
    for panel in panels:
        for held in panel.cells:
            share, budget = held.cut
            earlier = [c for c in panel.cells if c.cut.budget < budget or c is held]
            found += _from(panel, held, earlier, ("responses", "questions"))
            fewer = [c for c in panel.cells if c.cut.share <= share and c.cut.budget <= budget]
            found += _from(panel, held, fewer, ("new_questions",))
    return found


def _from(panel: Panel, held: Measured, visible: Sequence[Measured], axes: Sequence[Axis]) -> list[Trial]:
    """Return the trials from one held cell along some axes."""
    surface = fit(visible, panel.theta.get(held.cut.budget))
    found = []
    for other in panel.cells:
        axis = axis_of(held.cut, other.cut, visible)
        predicted = surface.change(held.cut, other.cut, held.loss)
        if axis is None or axis not in axes or predicted is None or predicted.error == 0:
            continue
        if axis != "responses" and surface.shares < 2:
            continue
        ratio = other.cut.share * other.cut.budget / (held.cut.share * held.cut.budget)
        found.append(
            Trial(
                panel.teacher,
                panel.student,
                panel.domain,
                held.cut,
                other.cut,
                axis,
                round(math.log2(ratio), 3),
                surface,
                predicted,
                observed=other.loss - held.loss,
                score=_score(predicted, other.loss - held.loss),
            )
        )
    return found


def _score(predicted: Change, observed: float) -> float:
    """Return the size of the error as a normal score."""
    from scipy.stats import norm, t

    tail = t.sf(abs(predicted.estimate - observed) / predicted.error, predicted.freedom)
    return float(norm.isf(max(float(tail), 1e-300)))


def factors(seen: Iterable[Trial]) -> list[Factor]:
    """Return by what the t intervals must be widened, per axis and distance, over all panels.

    The t interval supposes that the line and the coverage law are true. Where they are, the scores have
    mean square 1; what exceeds it is what they cost at that distance.
    """
    scores: dict[tuple[Axis, float], list[float]] = {}
    for trial in seen:
        scores.setdefault((trial.axis, trial.doublings), []).append(trial.score)
    return [
        Factor(axis, doublings, len(z), max(1.0, float(np.sqrt(np.mean(np.square(z))))))
        for (axis, doublings), z in sorted(scores.items())
    ]


def factor(known: Sequence[Factor], axis: Axis, doublings: float) -> Factor | None:
    """Return the nearest distance that reaches as far as `doublings`, else the longest; None if none is."""
    of_axis = sorted((f for f in known if f.axis == axis), key=lambda f: f.doublings)
    reaching = [f for f in of_axis if f.reaches(doublings)]
    return reaching[0] if reaching else of_axis[-1] if of_axis else None


def interval(change: Change, widening: float, level: float) -> tuple[float, float]:
    """Return the interval of the change that will be measured: Student's t, its half-width times a factor."""
    from scipy.stats import t

    half = widening * change.error * float(t.ppf((1 + level) / 2, change.freedom))
    return change.estimate - half, change.estimate + half


class Told(NamedTuple):
    """A trial with its interval."""

    trial: Trial
    low: float
    high: float

    @property
    def covered(self) -> bool:
        """Return whether the interval holds the observed change."""
        return self.low <= self.trial.observed <= self.high


class Pair(NamedTuple):
    """More responses or more questions from one held cell, at equal sample budgets; both were measured."""

    responses: Trial
    questions: Trial
    chosen: Axis  # the lower loss as predicted
    told_apart: bool  # the interval of their predicted difference excludes 0
    best: Axis  # the lower loss as measured
    regret: float  # measured loss of the chosen less that of the best, nats per answer token


def learned(seen: Sequence[Trial]) -> dict[int, list[Factor]]:
    """Return, per held budget, the factors from trials that were measured below it: no outcome foretold."""
    budgets = sorted({trial.held.budget for trial in seen})
    return {b: factors(trial for trial in seen if trial.bought.budget < b) for b in budgets}


def told(seen: Sequence[Trial], level: float) -> list[Told]:
    """Return every trial with the interval that could have been given then."""
    known = learned(seen)
    found = []
    for trial in seen:
        past = factor(known[trial.held.budget], trial.axis, trial.doublings)
        ends = interval(trial.predicted, past.factor if past else 1.0, level)
        found.append(Told(trial, *ends))
    return found


def pairs(seen: Sequence[Trial], level: float) -> list[Pair]:
    """Pair the two axes' trials from one held cell wherever their sample budgets are equal."""
    known = learned(seen)
    places = {(*trial[:4], trial.axis, trial.doublings): trial for trial in seen}
    found = []
    for one in (trial for trial in seen if trial.axis == "responses"):
        other = places.get((*one[:4], "questions", one.doublings))
        between = other and one.surface.change(one.bought, other.bought, fitted=False)
        if other is None or between is None:
            continue
        past = [factor(known[one.held.budget], t.axis, t.doublings) for t in (one, other)]
        low, high = interval(between, max((f.factor for f in past if f), default=1.0), level)
        chosen: Axis = "responses" if between.estimate > 0 else "questions"
        best: Axis = "responses" if one.observed < other.observed else "questions"
        regret = 0.0 if chosen == best else abs(one.observed - other.observed)
        found.append(Pair(one, other, chosen, low > 0 or high < 0, best, regret))
    return found
