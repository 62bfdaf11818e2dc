"""Fit a law to measured losses: what the data say of its parameters, and where they say nothing."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from stages.laws.curves import Law, Point
from stages.laws.least_squares import Descent, Means, Surface, average

# One-sided level of the tests below; fixed, so that a wider interval never turns a status.
SIGNIFICANCE = 0.05
_BETTER = 1e-4  # share of the allowed rise by which a profile may undercut the optimum before it is redone
_WALL = 1e-6  # of a working parameter: nearer to its wall is at it

Status = Literal[
    "ok",
    "weakly_identified",  # an interval has no end: the law fits with that parameter at zero or infinity
    "at_bound",  # the best fit has a parameter at zero or infinity
    "no_error_estimate",  # as many parameters as budgets and one seed each: nothing left to judge by
    "not_converged",
    "too_few_budgets",  # fewer distinct budgets than parameters
    "no_trend",  # no fall distinguishable from the scatter of the seeds
    "increasing",  # the loss rises with the budget
    "above_base_loss",  # no budget's loss is below the untrained student's, to which the law is tied
]
# With these there is no fit, and no number of it is given.
REFUSALS: tuple[Status, ...] = (
    "not_converged",
    "too_few_budgets",
    "no_trend",
    "increasing",
    "above_base_loss",
)


class Estimate(NamedTuple):
    """One parameter; None stands for what the data do not say, and for an interval's open side."""

    estimate: float | None
    low: float | None  # of the profile interval
    high: float | None
    standard_error: float | None


class Scale(NamedTuple):
    """The error of one log loss."""

    sigma: float  # standard deviation of one log loss, about a relative error
    freedom: int  # degrees of freedom behind it
    source: Literal["replicates", "lack_of_fit", "residuals"]


class Residual(NamedTuple):
    """Measured minus fitted log loss of one trained student."""

    r: float
    seed: int
    residual: float


@dataclass(frozen=True)
class Fit:
    """One law fitted to one curve.

    `status` speaks of the parameters. A law whose parameters trade off against each other may still predict
    well; `stages.laws.forecast` judges that apart.
    """

    law: Law
    status: Status
    message: str
    parameters: dict[str, Estimate]
    optimum: Descent | None  # None where the fit was refused
    means: Means
    within: float  # sum of squares within budgets
    scale: Scale | None
    lack_of_fit: float | None  # p-value of the budgets' means about the law, against the seeds' scatter
    residuals: list[Residual]
    n: int  # log losses fitted
    k: int  # parameters of the law, without sigma
    log_likelihood: float | None = None
    aic: float | None = None
    aicc: float | None = None
    bic: float | None = None

    @property
    def surface(self) -> Surface:
        """Return the sum of squares this fit is the minimum of."""
        return Surface(self.law, self.means, self.within)


def fit(law: Law, points: list[Point], level: float = 0.9) -> Fit:
    """Fit by maximum likelihood with Gaussian errors of equal size in log loss.

    The variance of one log loss comes from the training seeds (pure error, `n − budgets` degrees of freedom).
    If the budgets' means lie further from the law than that allows (F test at 5 %), their own scatter about
    the law is taken instead; with one seed per budget it is all there is. Seeds at one budget share their
    training set, so what that set adds to all of them is visible only as lack of fit: with as many
    parameters as budgets it is not visible at all, and the intervals are too narrow by it.

    Intervals are profile intervals: the parameter values at which the sum of squares, all others refitted,
    is less than `sigma² F(level; 1, freedom)` above its minimum (Bates & Watts 1988, ch. 6). Standard errors
    are those of the likelihood's curvature, brought to the same sigma. Information criteria count sigma as a
    parameter and every trained student as an observation; they are None for a law on part of the budgets.

    Args:
        law: the law.
        points: positive finite losses, any order.
        level: of the intervals, 0 … 1.

    Raises:
        ValueError: a loss or a budget is not positive and finite.
    """
    if any(not (0 < p.loss < np.inf and 0 < p.r < np.inf) for p in points):
        raise ValueError(f"{law.name}: losses and budgets must be positive and finite")
    if law.last_budgets:
        kept = sorted({p.r for p in points})[-law.last_budgets :]
        points = [p for p in points if p.r in kept]
    points = sorted(points)
    means, within = average(points)
    refusal = _refusal(law, means, within, len(points))
    if refusal:
        return _refused(law, *refusal, means, within, len(points))
    surface = Surface(law, means, within)
    optimum = surface.minimise()
    for _ in range(3):
        scale, lack_of_fit = _scale(optimum.squares, within, len(points), len(means.r), len(optimum.phi))
        ends = np.full((len(optimum.phi), 2), np.nan)
        if scale is None:
            break
        rise = allowed_rise(scale, level)
        ends, lowest = surface.profile_ends(optimum, rise)
        if lowest.squares >= optimum.squares - _BETTER * rise:
            break
        # The profile came past a deeper valley than any start led to: go down there.
        optimum = surface.minimise(lowest.phi[None])
    if not optimum.converged:
        return _refused(law, "not_converged", "the search did not settle", means, within, len(points))
    return _described(law, points, means, within, optimum, ends, scale, lack_of_fit)


def allowed_rise(scale: Scale, level: float) -> float:
    """Return how far the sum of squares may rise within an interval, `sigma² F(level; 1, freedom)`."""
    from scipy.stats import f

    return float(scale.sigma**2 * f.ppf(level, 1, scale.freedom))


def _refusal(law: Law, means: Means, within: float, n: int) -> tuple[Status, str] | None:
    """Return why no fit is possible."""
    m, k = len(means.r), len(law.parameters)
    if m < k:
        return "too_few_budgets", f"{k} parameters need {k} budgets, there are {m}"
    if law.base_loss is not None and means.loss.min() >= law.base_loss:
        return "above_base_loss", f"every loss is at or above the untrained {law.base_loss:.4g}"
    if not law.decreasing:
        return None
    t, p = _trend(means, within, n)
    if p is not None and p > 1 - SIGNIFICANCE:
        return "increasing", f"log loss rises with log budget (t = {t:.2g})"
    if p is None and means.y[-1] >= means.y[0]:
        return "no_trend", "the last budget's loss is no lower than the first's"
    if p is not None and p > SIGNIFICANCE:
        return "no_trend", f"no fall distinguishable from the scatter (t = {t:.2g}, p = {p:.2g})"
    return None


def _trend(means: Means, within: float, n: int) -> tuple[float, float | None]:
    """Return t and the one-sided p of a falling straight line in log loss against log budget.

    The yardstick is the seeds' scatter; without replicates, the scatter about the line.
    """
    from scipy.stats import t as student

    r, y, weight = np.log(means.r), means.y, means.seeds
    x = r - np.average(r, weights=weight)
    spread = float((weight * x**2).sum())
    slope = float((weight * x * y).sum()) / spread
    about = float((weight * (y - np.average(y, weights=weight) - slope * x) ** 2).sum())
    squares, freedom = (within, n - len(r)) if n > len(r) else (about, len(r) - 2)
    if freedom < 1:
        return 0.0, None
    t = slope / max(np.sqrt(squares / freedom / spread), 1e-300)
    return t, float(student.cdf(t, freedom))


def _scale(squares: float, within: float, n: int, m: int, k: int) -> tuple[Scale | None, float | None]:
    """Return the error of one log loss, and the p-value of the lack of fit where it can be tested."""
    from scipy.stats import f

    replicated, spare = n - m, m - k
    if replicated and within > 0:
        pure = within / replicated
        if not spare:
            return Scale(float(np.sqrt(pure)), replicated, "replicates"), None
        p = float(f.sf(squares / spare / pure, spare, replicated))
        if p >= SIGNIFICANCE:
            return Scale(float(np.sqrt(pure)), replicated, "replicates"), p
        return Scale(float(np.sqrt(squares / spare)), spare, "lack_of_fit"), p
    if spare and squares > 0:
        return Scale(float(np.sqrt(squares / spare)), spare, "residuals"), None
    return None, None


def _refused(law: Law, status: Status, message: str, means: Means, within: float, n: int) -> Fit:
    """Return a fit without numbers."""
    none = {name: Estimate(None, None, None, None) for name in law.parameters}
    k = len(law.parameters)
    return Fit(law, status, message, none, None, means, within, None, None, [], n, k)


def _described(
    law: Law,
    points: list[Point],
    means: Means,
    within: float,
    optimum: Descent,
    ends: np.ndarray,
    scale: Scale | None,
    lack_of_fit: float | None,
) -> Fit:
    """Return the fit with every number the data support, and none other."""
    from stages.laws.likelihood import summarise

    r, y = np.array([p.r for p in points], float), np.log([p.loss for p in points])
    likelihood = summarise(law, optimum.phi, r, y)
    theta, box = law.theta(optimum.phi), law.box(means.r, means.loss)
    at_wall = (optimum.phi <= box.low + _WALL) | (optimum.phi >= box.high - _WALL)
    errors = None if at_wall.any() else likelihood.standard_errors  # at a wall the curvature means nothing
    if errors is not None and scale is not None:
        squares = float(np.square(y - law.log_loss(optimum.phi, r)).sum())
        errors = errors * law.theta_slope(optimum.phi) * scale.sigma / np.sqrt(squares / len(points))
    parameters = {}
    for j, name in enumerate(law.parameters):
        low, high = (None if np.isnan(x) else float(law.theta(_put(optimum.phi, j, x))[j]) for x in ends[j])
        open_sides = scale is not None and (low is None) + (high is None)
        hidden = at_wall[j] or open_sides == 2
        error = None if errors is None or scale is None or hidden or open_sides else float(errors[j])
        parameters[name] = Estimate(None if hidden else float(theta[j]), low, high, error)
    status, message = _status(law, parameters, at_wall, scale)
    residuals = [
        Residual(p.r, p.seed, float(e)) for p, e in zip(points, y - law.log_loss(optimum.phi, r), strict=True)
    ]
    criteria = (None,) * 3 if law.last_budgets else (likelihood.aic, likelihood.aicc, likelihood.bic)
    return Fit(
        law,
        status,
        message,
        parameters,
        optimum,
        means,
        within,
        scale,
        lack_of_fit,
        residuals,
        len(points),
        len(law.parameters),
        None if law.last_budgets else likelihood.log_likelihood,
        *criteria,
    )


def _put(phi: np.ndarray, j: int, value: float) -> np.ndarray:
    changed = phi.copy()
    changed[j] = value
    return changed


def _status(
    law: Law, parameters: dict[str, Estimate], at_wall: np.ndarray, scale: Scale | None
) -> tuple[Status, str]:
    """Return the status of the parameters, and which of them it is about."""
    walled = [name for name, wall in zip(law.parameters, at_wall, strict=True) if wall]
    if walled:
        return "at_bound", f"best at its bound: {', '.join(walled)}"
    if scale is None:
        return "no_error_estimate", "no scatter is left to judge the parameters by"
    loose = [name for name, e in parameters.items() if e.low is None or e.high is None]
    if loose:
        return "weakly_identified", f"no end to the interval of {', '.join(loose)}"
    return "ok", ""
