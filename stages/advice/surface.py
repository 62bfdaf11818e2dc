"""The loss over question share and response budget, as curves in the covered share of the source."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.grid import Cut
from stages.laws.coverage import unsolved_share

Floats = NDArray[np.float64]
Theta = tuple[float, float, float]  # a, b, pi of the coverage law
Status = Literal[
    "ok",
    "no_coverage_law",  # the ledger does not say what share further draws would solve
    "too_few_cells",  # fewer than four: two parameters leave too little to judge them by
]
FEWEST = 4  # cells
_TINY = 1e-24  # mean square of residuals at which a fit counts as exact
Form = Literal["line", "decay", "power"]
FORMS: dict[Form, str] = {
    "line": "E0 − κ·C",
    "decay": "E0·exp(−κ·C)",
    "power": "E0·C^(−κ)",
}


class Measured(NamedTuple):
    """The eval loss of one cell."""

    cut: Cut
    loss: float  # mean over training seeds, nats per answer token
    seeds: int


class Change(NamedTuple):
    """A difference of losses, new minus held: negative is a gain."""

    estimate: float  # nats per answer token
    error: float  # its standard error
    freedom: float  # degrees of freedom of the error


class Curve(NamedTuple):
    """The loss as a function of the covered share C, in one of the `FORMS`, fitted to some cells."""

    form: Form
    weight: float  # probability among the forms that were fitted to the same cells
    E0: float  # nats per answer token, where nothing is covered; of a power where all is
    kappa: float
    kappa_error: float  # standard error
    sigma: float  # of a cell about the curve: misfit, its training set and its seeds; relative but for a line
    x: tuple[float, ...]  # of the fitted cells: C, or its logarithm

    def loss(self, covered: float) -> float:
        """Return the loss on the curve, nats per answer token."""
        step = -self.kappa * _abscissa(self.form, covered)
        return self.E0 + step if self.form == "line" else self.E0 * math.exp(step)

    def change(self, held: float, bought: float, loss: float, fitted: bool) -> tuple[float, float]:
        """Return by how much the loss will change, and the standard error of that, nats per answer token.

        Args:
            held: covered share to start from.
            bought: covered share to go to.
            loss: of `held`, nats per answer token, which a change of ln L multiplies.
            fitted: `held` is one of the fitted cells.
        """
        x = np.array(self.x)
        Sxx = float(np.square(x - x.mean()).sum())
        at = _abscissa(self.form, held)
        d = _abscissa(self.form, bought) - at
        shared = 2 * d * (at - float(x.mean())) if fitted else 0.0
        shift, error = -self.kappa * d, self.sigma * math.sqrt(2 + (d * d + shared) / Sxx)
        if self.form == "line":
            return shift, error
        return loss * math.expm1(shift), loss * math.exp(shift) * error


class Surface(NamedTuple):
    """The loss over question share s and response budget r, as curves in the covered share `1 − U(s, r)`.

    Fitted to the cells of one teacher, student and domain. There is no curve unless `status` is "ok".
    """

    status: Status
    cells: int
    shares: int  # distinct
    theta: Theta | None
    curves: tuple[Curve, ...] = ()  # the likeliest first; their weights sum to 1

    @property
    def freedom(self) -> int:
        """Return the degrees of freedom behind a curve's sigma."""
        return self.cells - 2

    def loss(self, cut: Cut) -> float | None:
        """Return the loss on the curves, weighted, nats per answer token."""
        if self.theta is None or not self.curves:
            return None
        C = 1 - uncovered(self.theta, cut)
        return sum(curve.weight * curve.loss(C) for curve in self.curves)

    def scatter(self, loss: float) -> float | None:
        """Return the standard deviation of a cell at a loss, nats per answer token."""
        parts = [c.weight * (c.sigma * (1 if c.form == "line" else loss)) ** 2 for c in self.curves]
        return math.sqrt(sum(parts)) if parts else None

    def change(self, held: Cut, bought: Cut, loss: float | None = None, fitted: bool = True) -> Change | None:
        """Predict by how much the measured loss of `bought` will differ from that of `held`.

        Both ends are taken on a curve, so that a lucky training of the held cell does not pass for a poor
        purchase. With x = C, or ln C of a power, and `d = x(bought) − x(held)`, what will be measured differs
        from `−kappa d` by

            variance = sigma² (2 + d² / Sxx + 2 d (x(held) − mean x) / Sxx):

        the scatter of either cell, the slope's error, and what the two share where `held` is `fitted`, one
        of the surface's cells. But for a line that is a change of ln L. The curves' changes are weighted, and
        their differences from one another add to the variance (Buckland, Burnham and Augustin 1997).

        Args:
            held: cut to start from.
            bought: cut to go to.
            loss: of `held`, nats per answer token; by default that on the curves.
            fitted: `held` is one of the surface's cells.
        """
        base = self.loss(held) if loss is None else loss
        if self.theta is None or base is None or not self.curves:
            return None
        C = [1 - uncovered(self.theta, cut) for cut in (held, bought)]
        changes, errors = np.transpose([curve.change(C[0], C[1], base, fitted) for curve in self.curves])
        weights = np.array([curve.weight for curve in self.curves])
        estimate = float(weights @ changes)
        variance = float(weights @ (np.square(errors) + np.square(changes - estimate)))
        return Change(estimate, math.sqrt(variance), self.freedom)


def _abscissa(form: Form, covered: float) -> float:
    return math.log(covered) if form == "power" else covered


def uncovered(theta: Theta, cut: Cut) -> float:
    """Return `U(s, r) = 1 − s (1 − F(r))` (defined here).

    F is the coverage law, so `s (1 − F(r))` is the share of the full source that has an accepted response
    once r responses are drawn to each of a random share s of its questions. A share above 1 stands for new
    questions like those of the source; then U may be negative.
    """
    return 1 - cut.share * (1 - float(unsolved_share(theta, cut.budget)))


def fit(cells: Sequence[Measured], theta: Theta | None) -> Surface:
    """Fit every form by least squares, one observation per cell, and weigh them (defined here).

    With the share fixed the line is the coverage law `L(r) = E0' + kappa' F(r)`; the surface adds that all
    shares lie on one curve. A straight line promises too much where the loss flattens out: a decay and a
    power never fall below 0. All have two parameters and are weighed by their likelihoods, as Akaike weights
    are (Burnham and Anderson 2002); those of ln L carry its Jacobian, the sum of −ln L (Box and Cox 1964).
    Theta comes from the ledger, and is taken as known: what its error and the misfit add at a distance is
    left to the back-test.

    Args:
        cells: of one teacher, student and domain, with rejection sampling; finite losses above 0.
        theta: a, b, pi of the coverage law; None if it was refused.
    """
    shares = len({cell.cut.share for cell in cells})
    if theta is None:
        return Surface("no_coverage_law", len(cells), shares, None)
    C = np.array([1 - uncovered(theta, cell.cut) for cell in cells])
    if len(cells) < FEWEST or np.ptp(C) <= 1e-9:
        return Surface("too_few_cells", len(cells), shares, theta)
    L = np.array([cell.loss for cell in cells])
    fits = sorted((_fit(form, C, L) for form in FORMS), key=lambda found: -found[0])
    likelihoods = np.array([likelihood for likelihood, _ in fits])
    weights = np.exp(likelihoods - likelihoods.max())
    curves = [
        curve._replace(weight=float(w)) for (_, curve), w in zip(fits, weights / weights.sum(), strict=True)
    ]
    return Surface("ok", len(cells), shares, theta, tuple(curves))


def _fit(form: Form, C: Floats, L: Floats) -> tuple[float, Curve]:
    """Return the log likelihood of one form, up to a constant, and its curve."""
    x = np.log(C) if form == "power" else C
    y = L if form == "line" else np.log(L)
    n, from_mean = len(L), x - x.mean()
    Sxx = float(from_mean @ from_mean)
    kappa = -float(from_mean @ y) / Sxx
    level = float(y.mean() + kappa * x.mean())
    squares = float(np.square(y - level + kappa * x).sum())
    jacobian = 0.0 if form == "line" else float(np.log(L).sum())
    likelihood = -n / 2 * math.log(max(squares / n, _TINY)) - jacobian
    sigma = math.sqrt(squares / (n - 2))
    E0 = level if form == "line" else math.exp(level)
    return likelihood, Curve(form, 1.0, E0, kappa, sigma / math.sqrt(Sxx), sigma, tuple(x.tolist()))
