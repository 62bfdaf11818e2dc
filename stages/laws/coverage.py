"""The coverage law: which share of a fixed source's questions stays unsolved after r draws each."""

from collections import Counter
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from stages.laws.curves import Array, Box, Law
from stages.laws.fitting import Estimate

NAMES = ("a", "b", "pi")
CoverageStatus = Literal[
    "ok",
    "at_bound",  # pi is best at 0: its interval starts there, a and b are as if it were 0
    "weakly_identified",  # an interval has no end
    "too_few_draws",  # fewer than three draws of every question: the three parameters leave no trace
    "no_accepts",
    "no_rejects",
    "not_converged",
]
_LOG_WALLS = (np.log(1e-3), np.log(1e4))  # of a and b: beyond, all questions are alike, or all 0 or 1
_STARTS = ((0.3, 0.3), (0.3, 3.0), (1.0, 1.0), (3.0, 1.0), (3.0, 10.0))  # a, b
_SHARES = (0.05, 0.5)  # starting pi, as a share of the questions without an accept


class Draws(NamedTuple):
    """One question's tally: k accepted of n draws."""

    k: int
    n: int


@dataclass(frozen=True)
class CoverageFit:
    """The coverage law of one ledger; numbers are None where the ledger does not say."""

    status: CoverageStatus
    message: str
    parameters: dict[str, Estimate]
    theta: tuple[float, float, float] | None  # the maximum, for predictions
    questions: int
    log_likelihood: float | None


def unsolved_share(theta: ArrayLike, r: ArrayLike) -> Array:
    """Return `F(r) = pi + (1 − pi) B(a, b + r) / B(a, b)` (defined here; B is the Beta function).

    A share pi of the questions is never solved; the others' success per draw is p ~ Beta(a, b), and
    `E[(1 − p)^r]` is the quotient. The tail is r^−a.

    Args:
        theta: a, b, pi.
        r: draws per question, ≥ 0.
    """
    from scipy.special import betaln

    a, b, pi = np.asarray(theta, float)
    share: Array = pi + (1 - pi) * np.exp(betaln(a, b + np.asarray(r, float)) - betaln(a, b))
    return share


@dataclass(frozen=True)
class CoverageLoss(Law):
    """Loss in proportion to what the ledger leaves unsolved, `L(r) = E0 + kappa F(r)` (defined here).

    F is known from the accept counts before any student is trained, so two parameters remain.
    """

    coverage: tuple[float, float, float]  # a, b, pi of F
    name = "coverage"
    parameters = ("E0", "kappa")
    scales = ("linear", "log")

    def log_loss(self, phi: Array, r: Array) -> Array:
        """Return log L(r)."""
        return np.log(phi[..., 0, None] + np.exp(phi[..., 1, None]) * unsolved_share(self.coverage, r))

    def gradient(self, phi: Array, r: Array) -> Array:
        """Return d log L(r) / d phi."""
        reducible = np.exp(phi[..., 1, None]) * unsolved_share(self.coverage, r)
        loss = phi[..., 0, None] + reducible
        return np.stack([np.ones_like(loss), reducible], axis=-1) / loss[..., None]

    def starts(self, r: Array, loss: Array) -> Array:
        """Return lines through the first and the last loss, and from no floor at all."""
        F = unsolved_share(self.coverage, r)
        kappa = max((loss[0] - loss[-1]) / max(F[0] - F[-1], 1e-9), 1e-6)
        E0 = max(loss[-1] - kappa * F[-1], 0.0)
        return self.phi(np.array([[E0, kappa], [0.0, loss[0] / F[0]]]))

    def box(self, r: Array, loss: Array) -> Box:
        """E0 from zero, kappa positive."""
        F = unsolved_share(self.coverage, r)
        walls = [(0.0, loss.max()), (1e-9 * loss.min(), 1e6 * loss.max() / F[-1])]
        return Box(*(self.phi(wall) for wall in np.array(walls).T))


def fit_coverage(draws: list[Draws], level: float = 0.9) -> CoverageFit:
    """Estimate a, b, pi from a ledger by maximum likelihood.

    A question with k of n draws accepted contributes
    `pi [k = 0] + (1 − pi) C(n, k) B(a + k, b + n − k) / B(a, b)`: a zero-inflated beta-binomial. Intervals
    are profile-likelihood intervals with the χ²(1) threshold (questions are many); standard errors come from
    the Hessian. pi = 0 is a value like any other: an interval may start there, and is then conservative.

    When to stop drawing may depend on what was drawn: a question drawn until its N-th acceptance has
    `(1 − pi) C B(a + k, b + n − k) / B(a, b)` with a C that no parameter is in, so that neither the maximum
    nor an interval changes, only the log-likelihood by a constant. Without an accept n was fixed and C is 1.

    Args:
        draws: one tally per question, 0 ≤ k ≤ n, n ≥ 1; stopped by a rule that looks at nothing but draws,
            and not before an accept.
        level: of the intervals, 0 … 1.

    Raises:
        ValueError: a tally is impossible.
    """
    if not draws or any(not 0 <= d.k <= d.n or d.n < 1 for d in draws):
        raise ValueError("tallies must be one or more, with 0 <= k <= n and n >= 1")
    if max(d.n for d in draws) < 3:
        return _nothing("too_few_draws", "a, b and pi need at least 3 draws per question", len(draws))
    if not any(d.k for d in draws):
        return _nothing("no_accepts", "no draw of any question was accepted", len(draws))
    if all(d.k == d.n for d in draws):
        return _nothing("no_rejects", "every draw of every question was accepted", len(draws))
    likelihood = _Likelihood(draws)
    phi, cost = likelihood.minimise()
    if not np.isfinite(cost):
        return _nothing("not_converged", "the search did not settle", len(draws))
    return _described(likelihood, phi, cost, len(draws), level)


def best(draws: list[Draws], all_solvable: bool = False) -> tuple[float, float, float] | None:
    """Return the likeliest a, b, pi, as `fit_coverage` without intervals; None where the search fails.

    Args:
        draws: one tally per question.
        all_solvable: hold pi at 0.
    """
    phi, cost = _Likelihood(draws).minimise(all_solvable)
    return (float(np.exp(phi[0])), float(np.exp(phi[1])), float(phi[2])) if np.isfinite(cost) else None


class _Likelihood:
    """Minus the log-likelihood in phi = (log a, log b, pi), over distinct tallies."""

    def __init__(self, draws: list[Draws]) -> None:
        counts = sorted(Counter(draws).items())
        self.k = np.array([d.k for d, _ in counts], float)
        self.n = np.array([d.n for d, _ in counts], float)
        self.times = np.array([c for _, c in counts], float)
        self.zero_share = float(self.times[self.k == 0].sum() / self.times.sum())
        self.walls = [_LOG_WALLS, _LOG_WALLS, (0.0, 1.0 - 1e-9)]

    def __call__(self, phi: Array) -> tuple[float, Array]:
        """Return the value and its gradient."""
        from scipy.special import betaln, gammaln, psi

        a, b, pi = np.exp(phi[0]), np.exp(phi[1]), phi[2]
        k, n = self.k, self.n
        choices = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        solvable = np.exp(choices + betaln(a + k, b + n - k) - betaln(a, b))
        mixed = np.maximum(pi * (k == 0) + (1 - pi) * solvable, 1e-300)
        both = psi(a + b) - psi(a + b + n)
        by_a = a * (psi(a + k) - psi(a) + both)
        by_b = b * (psi(b + n - k) - psi(b) + both)
        weight = self.times / mixed
        part = weight * (1 - pi) * solvable
        gradient = -np.array([part @ by_a, part @ by_b, weight @ ((k == 0) - solvable)])
        return -float(self.times @ np.log(mixed)), gradient

    def descend(self, start: Array, held: int | None = None) -> tuple[Array, float]:
        """Minimise over all parameters but `held`."""
        from scipy.optimize import minimize

        free = [j for j in range(3) if j != held]

        def full(u: Array) -> Array:
            phi = start.copy()
            phi[free] = u
            return phi

        walls = [self.walls[j] for j in free]
        # L-BFGS-B gives the same at ten times the cost: its linear algebra wakes every BLAS thread.
        stop = {"ftol": 1e-12, "gtol": 1e-6, "maxfun": 2000}

        def there(u: Array) -> tuple[float, Array]:
            value, gradient = self(full(u))
            return value, gradient[free]

        end = minimize(there, start[free], jac=True, method="TNC", bounds=walls, options=stop)
        return full(end.x), float(end.fun)

    def minimise(self, all_solvable: bool = False) -> tuple[Array, float]:
        """Return the lowest of the descents from all starts, pi held at 0 if all are solvable."""
        shares, held = ((0.0,), 2) if all_solvable else (_SHARES, None)
        starts = [np.array([np.log(a), np.log(b), s * self.zero_share]) for a, b in _STARTS for s in shares]
        return min((self.descend(s, held) for s in starts), key=lambda end: end[1])

    def interval(self, phi: Array, cost: float, j: int, level: float) -> tuple[float | None, float | None]:
        """Return parameter j's profile interval in phi; None for a side without an end."""
        from scipy.optimize import brentq
        from scipy.stats import chi2

        rise = float(chi2.ppf(level, 1)) / 2

        def excess(value: float) -> float:
            start = phi.copy()
            start[j] = value
            return self.descend(start, held=j)[1] - cost - rise

        ends: list[float | None] = []
        for wall in self.walls[j]:
            end, step = float(phi[j]), 0.05 if j == 2 else 0.3
            inner = end
            while end != wall:
                inner, end = end, max(end - step, wall) if wall < phi[j] else min(end + step, wall)
                step *= 2
                if excess(end) > 0:
                    ends.append(float(brentq(excess, inner, end, xtol=1e-5)))
                    break
            else:
                ends.append(None)
        return ends[0], ends[1]


def _described(likelihood: _Likelihood, phi: Array, cost: float, questions: int, level: float) -> CoverageFit:
    """Return the fit with every number the ledger supports."""
    at_zero = phi[2] <= 1e-9
    ends = [likelihood.interval(phi, cost, j, level) for j in range(3)]
    if at_zero or ends[2][0] is None:
        ends[2] = (0.0, ends[2][1])
    errors = _standard_errors(likelihood, phi, pi_at_zero=bool(at_zero))
    theta = np.array([np.exp(phi[0]), np.exp(phi[1]), phi[2]])
    slopes = np.array([theta[0], theta[1], 1.0])
    parameters = {}
    for j, name in enumerate(NAMES):
        low, high = (None if e is None else float(np.exp(e) if j < 2 else e) for e in ends[j])
        hidden = low is None and high is None
        error = None if errors[j] is None or low is None or high is None else float(errors[j] * slopes[j])
        parameters[name] = Estimate(None if hidden else float(theta[j]), low, high, error)
    loose = [name for name, e in parameters.items() if e.low is None or e.high is None]
    status: CoverageStatus = "weakly_identified" if loose else "at_bound" if at_zero else "ok"
    message = (
        f"no end to the interval of {', '.join(loose)}" if loose else "pi is best at 0" if at_zero else ""
    )
    values = (float(theta[0]), float(theta[1]), float(theta[2]))
    return CoverageFit(status, message, parameters, values, questions, -cost)


def _standard_errors(likelihood: _Likelihood, phi: Array, pi_at_zero: bool) -> list[float | None]:
    """Return those of phi from the Hessian; without pi's where it lies at its wall."""
    from statsmodels.tools.numdiff import approx_fprime

    free = 2 if pi_at_zero else 3
    H = approx_fprime(phi[:free], lambda u: likelihood(np.append(u, phi[free:]))[1][:free], centered=True)
    H = (H + H.T) / 2
    if not np.isfinite(H).all() or np.linalg.eigvalsh(H)[0] <= 0:
        return [None] * 3
    errors: list[float | None] = [float(e) for e in np.sqrt(np.diag(np.linalg.inv(H)))]
    return errors + [None] * (3 - free)


def _nothing(status: CoverageStatus, message: str, questions: int) -> CoverageFit:
    """Return a fit without numbers."""
    none = {name: Estimate(None, None, None, None) for name in NAMES}
    return CoverageFit(status, message, none, None, questions, None)
