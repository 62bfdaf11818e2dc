"""The Gaussian likelihood of log loss, as a statsmodels model: standard errors and information criteria.

Imported only by a fit: statsmodels takes two seconds.
"""

from typing import NamedTuple

import numpy as np
from statsmodels.base.model import GenericLikelihoodModel
from statsmodels.tools.eval_measures import aic, aicc, bic
from statsmodels.tools.numdiff import approx_fprime

from stages.laws.curves import Array, Law

_WORST_CONDITION = 1e12  # of the scaled information: beyond it, half the digits are gone


class LogLoss(GenericLikelihoodModel):
    """`log loss_ij = log L(r_i; theta) + e_ij, e_ij ~ N(0, sigma²)`, independent over budgets i and seeds j.

    Its parameters are the law's working parameters and log sigma.
    """

    def __init__(self, law: Law, r: Array, log_loss: Array) -> None:
        """Take one row per trained student.

        Args:
            law: the law.
            r: budgets.
            log_loss: log of nats per answer token.
        """
        names = [*(f"phi_{name}" for name in law.parameters), "log_sigma"]
        super().__init__(log_loss, extra_params_names=names)
        self.law, self.r = law, r

    def loglikeobs(self, params: Array) -> Array:
        """Return the log-likelihood of each row."""
        z = (self.endog - self.law.log_loss(params[:-1], self.r)) / np.exp(params[-1])
        return np.asarray(-0.5 * np.square(z) - params[-1] - 0.5 * np.log(2 * np.pi))

    def score(self, params: Array) -> Array:
        """Return the gradient of the log-likelihood."""
        variance = np.exp(2 * params[-1])
        residual = self.endog - self.law.log_loss(params[:-1], self.r)
        by_law = residual @ self.law.gradient(params[:-1], self.r) / variance
        return np.append(by_law, (np.square(residual) / variance - 1).sum())

    def hessian(self, params: Array) -> Array:
        """Return the Hessian, by differences of the exact gradient."""
        H = approx_fprime(params, self.score, centered=True)
        return np.asarray((H + H.T) / 2)


class Summary(NamedTuple):
    """What the likelihood says of a fit; None where it says nothing."""

    log_likelihood: float | None
    aic: float | None
    aicc: float | None
    bic: float | None
    standard_errors: Array | None  # of phi, at the maximum-likelihood sigma


def summarise(law: Law, phi: Array, r: Array, log_loss: Array) -> Summary:
    """Evaluate the likelihood at its maximum `phi`; sigma counts as a parameter in the criteria."""
    squares = float(np.square(log_loss - law.log_loss(phi, r)).sum())
    if squares <= 1e-20 * len(r):  # a curve through every point: the likelihood has no bound
        return Summary(None, None, None, None, None)
    at = np.append(phi, 0.5 * np.log(squares / len(r)))
    # The maximum is known from the search in the box, which statsmodels' own optimisers do not respect.
    model = LogLoss(law, r, log_loss)
    llf, n, k = float(model.loglike(at)), len(r), len(at)
    small = float(aicc(llf, n, k))
    errors = _standard_errors(-model.hessian(at))
    return Summary(
        log_likelihood=llf,
        aic=float(aic(llf, n, k)),
        aicc=small if np.isfinite(small) else None,
        bic=float(bic(llf, n, k)),
        standard_errors=None if errors is None else errors[:-1],
    )


def _standard_errors(information: Array) -> Array | None:
    """Return the roots of the inverse's diagonal; None where the information is singular."""
    scale = np.sqrt(np.abs(np.diag(information)))
    if not np.isfinite(information).all() or (scale == 0).any():
        return None
    scaled = information / np.outer(scale, scale)
    eigenvalues = np.linalg.eigvalsh(scaled)
    if eigenvalues[0] <= 0 or eigenvalues[-1] > _WORST_CONDITION * eigenvalues[0]:
        return None
    errors: Array = np.sqrt(np.diag(np.linalg.inv(scaled))) / scale
    return errors
