"""The loss over question share and response budget, as a straight line in the share left uncovered."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from stages.grid import Cut
from stages.laws.coverage import unsolved_share

Theta = tuple[float, float, float]  # a, b, pi of the coverage law
Status = Literal[
    "ok",
    "no_coverage_law",  # the ledger does not say what share further draws would solve
    "too_few_cells",  # fewer than four: two parameters leave too little to judge them by
]
FEWEST = 4  # cells


class Measured(NamedTuple):
    """The eval loss of one cell."""

    cut: Cut
    loss: float  # mean over training seeds, nats per answer token
    seeds: int


class Change(NamedTuple):
    """A difference of losses, new minus held: negative is a gain. None where there is no telling."""

    estimate: float  # nats per answer token
    error: float  # its standard error
    freedom: float  # degrees of freedom of the error


class Surface(NamedTuple):
    """`L(s, r) = E0 + kappa U(s, r)` fitted to the cells of one teacher, student and domain.

    Numbers are None unless `status` is "ok".
    """

    status: Status
    cells: int
    shares: int  # distinct
    theta: Theta | None
    E0: float | None = None  # nats per answer token
    kappa: float | None = None
    kappa_error: float | None = None  # standard error
    sigma: float | None = None  # of a cell's loss about the line: misfit, its training set and its seeds
    U: tuple[float, ...] = ()  # of the fitted cells

    @property
    def freedom(self) -> int:
        """Return the degrees of freedom behind sigma."""
        return self.cells - 2

    def loss(self, cut: Cut) -> float | None:
        """Return the loss on the line."""
        if self.E0 is None or self.kappa is None or self.theta is None:
            return None
        return self.E0 + self.kappa * uncovered(self.theta, cut)

    def change(self, held: Cut, bought: Cut, fitted: bool = True) -> Change | None:
        """Predict by how much the measured loss of `bought` will differ from that of `held`.

        Both ends are taken on the line, so that a lucky training of the held cell does not pass for a poor
        purchase. With `d = U(bought) − U(held)`, what will be measured differs from `kappa d` by

            variance = sigma² (2 + d² / Sxx + 2 d (U(held) − mean U) / Sxx):

        the scatter of either cell, the slope's error, and what the two share where `held` is `fitted`, one
        of the surface's cells.
        """
        if self.theta is None or self.kappa is None or self.sigma is None:
            return None
        U = np.array(self.U)
        Sxx = float(np.square(U - U.mean()).sum())
        at = uncovered(self.theta, held)
        d = uncovered(self.theta, bought) - at
        shared = 2 * d * (at - float(U.mean())) if fitted else 0.0
        variance = self.sigma**2 * (2 + (d * d + shared) / Sxx)
        return Change(self.kappa * d, float(np.sqrt(variance)), self.freedom)


def uncovered(theta: Theta, cut: Cut) -> float:
    """Return `U(s, r) = 1 − s (1 − F(r))` (defined here).

    F is the coverage law, so `s (1 − F(r))` is the share of the full source that has an accepted response
    once r responses are drawn to each of a random share s of its questions. A share above 1 stands for new
    questions like those of the source; then U may be negative.
    """
    return 1 - cut.share * (1 - float(unsolved_share(theta, cut.budget)))


def fit(cells: Sequence[Measured], theta: Theta | None) -> Surface:
    """Fit the line by least squares, one observation per cell (defined here).

    With the share fixed this is the coverage law `L(r) = E0' + kappa' F(r)`; the surface adds that all shares
    lie on one line. Its theta comes from the ledger, and is taken as known: what theta's error and the
    line's misfit add at a distance is left to the back-test.

    Args:
        cells: of one teacher, student and domain, with rejection sampling; finite losses.
        theta: a, b, pi of the coverage law; None if it was refused.
    """
    shares = len({cell.cut.share for cell in cells})
    if theta is None:
        return Surface("no_coverage_law", len(cells), shares, None)
    U = np.array([uncovered(theta, cell.cut) for cell in cells])
    if len(cells) < FEWEST or np.ptp(U) <= 1e-9:
        return Surface("too_few_cells", len(cells), shares, theta)
    L = np.array([cell.loss for cell in cells])
    x = U - U.mean()
    Sxx = float(x @ x)
    kappa = float(x @ L) / Sxx
    E0 = float(L.mean() - kappa * U.mean())
    sigma = float(np.sqrt(np.square(L - E0 - kappa * U).sum() / (len(cells) - 2)))
    error = sigma / Sxx**0.5
    return Surface("ok", len(cells), shares, theta, E0, kappa, error, sigma, tuple(U.tolist()))
