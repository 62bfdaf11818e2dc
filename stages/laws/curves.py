"""The laws of loss against response budget: equations, gradients, starting points; no data, no fitting.

Every law is fitted through working parameters phi, one for each of its own parameters theta, on the scale
named in `scales`. They lie in a box whose walls are zero, or so far out that no data could tell them from
infinity. A floor E or a head start D_l of zero stays reachable and can be left again: on a logarithmic
scale its gradient would vanish there, and the search would be caught.

Arrays broadcast: phi has shape (..., parameters), r has shape (..., budgets).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Scale = Literal["linear", "log", "log1p"]

_FLOORS = (0.0, 0.5, 0.9, 0.99)  # starting E as a share of the smallest loss
_EXPONENTS = (0.15, 0.4, 0.8, 1.6)  # starting beta
_BETA = (1e-2, 20.0)  # slower is a logarithm, faster is a step


class Box(NamedTuple):
    """Walls of the working parameters."""

    low: Array
    high: Array


class Point(NamedTuple):
    """One measured loss: a student trained with one seed at one budget."""

    r: float  # response budget, responses per question
    loss: float  # nats per answer token
    seed: int  # training seed


class Law(ABC):
    """One curve of loss against budget; `theta` are its parameters in the order of `parameters`."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    scales: ClassVar[tuple[Scale, ...]]
    last_budgets: ClassVar[int | None] = None  # the law uses only this many of the largest budgets
    decreasing: ClassVar[bool] = True  # the law can only fall, so that a rising curve is none of its own
    base_loss: float | None = None  # L(0) where the law is tied to it, nats per answer token

    @abstractmethod
    def log_loss(self, phi: Array, r: Array) -> Array:
        """Return log L(r), L in nats per answer token, shape (..., budgets)."""

    @abstractmethod
    def gradient(self, phi: Array, r: Array) -> Array:
        """Return d log L(r) / d phi, shape (..., budgets, parameters); r above 0."""

    @abstractmethod
    def starts(self, r: Array, loss: Array) -> Array:
        """Return starting points phi, shape (starts, parameters), for losses at increasing budgets."""

    @abstractmethod
    def box(self, r: Array, loss: Array) -> Box:
        """Return the walls for such data."""

    def theta(self, phi: Array) -> Array:
        """Return the law's own parameters."""
        return _by_scale(self.scales, phi, {"log": np.exp, "log1p": np.expm1})

    def phi(self, theta: ArrayLike) -> Array:
        """Return the working parameters."""
        return _by_scale(self.scales, np.asarray(theta, float), {"log": np.log, "log1p": np.log1p})

    def theta_slope(self, phi: Array) -> Array:
        """Return d theta / d phi, which turns standard errors of phi into those of theta."""
        slopes = {"log": np.exp, "log1p": np.exp, "linear": np.ones_like}
        return _by_scale(self.scales, phi, slopes)

    def predict(self, theta: ArrayLike, r: ArrayLike) -> Array:
        """Return L(r) in nats per answer token.

        Args:
            theta: the law's own parameters.
            r: responses per question (or examples), ≥ 0.
        """
        return np.exp(self.log_loss(self.phi(theta), np.atleast_1d(np.asarray(r, float))))

    def fit(self, points: list[Point], level: float = 0.9) -> Any:
        """Fit this law to measured losses; see `stages.laws.fitting.fit`."""
        from stages.laws.fitting import fit

        return fit(self, points, level)


def _by_scale(scales: tuple[Scale, ...], values: Array, change: dict[str, Any]) -> Array:
    columns = [change.get(s, np.positive)(values[..., j]) for j, s in enumerate(scales)]
    return np.stack(columns, axis=-1)


def _columns(phi: Array) -> list[Array]:
    """Return each parameter with an axis for the budgets."""
    return [phi[..., j, None] for j in range(phi.shape[-1])]


def _grid(*axes: ArrayLike) -> Array:
    return np.stack([a.ravel() for a in np.meshgrid(*map(np.asarray, axes), indexing="ij")], axis=1)


class Rectified(Law):
    """Rectified scaling law, `L(r) = B / (D_l + r^beta) + E`.

    Source: arXiv 2402.02314, there in the number D of fine-tuning examples; arXiv 2607.01727 carries it over
    to r responses per question of a fixed source. D_l is what the student already knows, in units of r^beta;
    E is the irreducible loss. Its beta is not the tail exponent a of the coverage law.
    """

    name = "rectified"
    parameters = ("B", "D_l", "beta", "E")
    scales = ("log", "log1p", "log", "linear")

    def log_loss(self, phi: Array, r: Array) -> Array:
        """Return log L(r)."""
        B, D_l, beta, E = _columns(phi)
        return np.log(np.exp(B - np.log(np.expm1(D_l) + r ** np.exp(beta))) + E)

    def gradient(self, phi: Array, r: Array) -> Array:
        """Return d log L(r) / d phi."""
        B, D_l, beta, E = _columns(phi)
        power = r ** np.exp(beta)
        denominator = np.expm1(D_l) + power
        reducible = np.exp(B - np.log(denominator))
        loss = reducible + E
        learnt = power / denominator * np.exp(beta) * np.log(r)
        columns = [reducible, -reducible * np.exp(D_l) / denominator, -reducible * learnt, np.ones_like(loss)]
        return np.stack(columns, axis=-1) / loss[..., None]

    def starts(self, r: Array, loss: Array) -> Array:
        """Cross floors, exponents and the budgets at which half of the reducible loss is gone."""
        half = (0.0, r[0] / 8, np.sqrt(r[0] * r[-1]), r[-1])
        grid = _grid(_FLOORS, _EXPONENTS, half)
        E, beta = grid[:, 0] * loss.min(), grid[:, 1]
        D_l = grid[:, 2] ** beta
        B = np.maximum(loss[0] - E, 1e-6) * (D_l + r[0] ** beta)
        return self.phi(np.stack([B, D_l, beta, E], axis=1))

    def box(self, r: Array, loss: Array) -> Box:
        """B follows from the losses and the denominator, whose own walls are wide."""
        D_high, B_high = 1e6 * r[-1] ** 2, 1e300
        walls = [(1e-9 * loss.min(), B_high), (0.0, D_high), _BETA, (0.0, loss.max())]
        return Box(*(self.phi(wall) for wall in np.array(walls).T))


@dataclass(frozen=True)
class RectifiedTied(Law):
    """Rectified law through the measured loss with no data, `B = D_l (L(0) − E)`: one parameter fewer.

    `L(r) = E + (L(0) − E) D_l / (D_l + r^beta)` with L(0) taken as exact: the untrained student has no
    training seeds to vary over. Source of the form as for `Rectified`; the tie is defined here.
    """

    base_loss: float  # L(0), nats per answer token
    name = "rectified_tied"
    parameters = ("D_l", "beta", "E")
    scales = ("log1p", "log", "linear")

    def log_loss(self, phi: Array, r: Array) -> Array:
        """Return log L(r)."""
        D_l, beta, E = _columns(phi)
        unlearnt = np.expm1(D_l) / (np.expm1(D_l) + r ** np.exp(beta))
        return np.log(E + (self.base_loss - E) * unlearnt)

    def gradient(self, phi: Array, r: Array) -> Array:
        """Return d log L(r) / d phi."""
        D_l, beta, E = _columns(phi)
        power = r ** np.exp(beta)
        denominator = np.expm1(D_l) + power
        unlearnt = np.expm1(D_l) / denominator
        loss = E + (self.base_loss - E) * unlearnt
        moved = (self.base_loss - E) * (power / denominator)
        by_D, by_beta = moved * np.exp(D_l) / denominator, -moved * unlearnt * np.exp(beta) * np.log(r)
        return np.stack([by_D, by_beta, 1 - unlearnt], axis=-1) / loss[..., None]

    def starts(self, r: Array, loss: Array) -> Array:
        """As for the rectified law, without B."""
        grid = _grid(_FLOORS, _EXPONENTS, (r[0] / 8, r[0], np.sqrt(r[0] * r[-1]), r[-1]))
        E = np.minimum(grid[:, 0] * loss.min(), 0.99 * self.base_loss)
        return self.phi(np.stack([grid[:, 2] ** grid[:, 1], grid[:, 1], E], axis=1))

    def box(self, r: Array, loss: Array) -> Box:
        """E stays below L(0), D_l above zero; the others as for the rectified law."""
        walls = [(1e-6, 1e6 * r[-1] ** 2), _BETA, (0.0, min(loss.max(), (1 - 1e-6) * self.base_loss))]
        return Box(*(self.phi(wall) for wall in np.array(walls).T))


class _Decay(Law):
    """A decaying term and a floor, `L(r) = B exp(−beta x(r)) + E`."""

    parameters = ("B", "beta", "E")
    scales = ("log", "log", "linear")

    @abstractmethod
    def x(self, r: Array) -> Array:
        """Return what beta multiplies."""

    def log_loss(self, phi: Array, r: Array) -> Array:
        """Return log L(r)."""
        B, beta, E = _columns(phi)
        with np.errstate(divide="ignore"):
            return np.log(np.exp(B - np.exp(beta) * self.x(r)) + E)

    def gradient(self, phi: Array, r: Array) -> Array:
        """Return d log L(r) / d phi."""
        B, beta, E = _columns(phi)
        fall = np.exp(beta) * self.x(r)
        reducible = np.exp(B - fall)
        loss = reducible + E
        return np.stack([reducible, -reducible * fall, np.ones_like(loss)], axis=-1) / loss[..., None]

    def _unit(self, r: Array) -> float:
        """Return what turns an exponent per e-fold of budget into one per x."""
        x = self.x(r)
        return float(np.log(r[-1] / r[0]) / (x[-1] - x[0]))

    def starts(self, r: Array, loss: Array) -> Array:
        """Cross floors and exponents."""
        grid = _grid(_FLOORS, np.array([0.05, *_EXPONENTS]) * self._unit(r))
        E, beta = grid[:, 0] * loss.min(), grid[:, 1]
        B = np.maximum(loss[0] - E, 1e-6) * np.exp(beta * self.x(r)[0])
        return self.phi(np.stack([B, beta, E], axis=1))

    def box(self, r: Array, loss: Array) -> Box:
        """As for the rectified law, beta per e-fold of budget."""
        unit = self._unit(r)
        B_high = min(1e6 * loss.max() * np.exp(min(_BETA[1] * unit * abs(self.x(r)[0]), 600.0)), 1e300)
        walls = [(1e-9 * loss.min(), B_high), (_BETA[0] * unit, _BETA[1] * unit), (0.0, loss.max())]
        return Box(*(self.phi(wall) for wall in np.array(walls).T))


class Power(_Decay):
    """Power law with a floor, `L(r) = B / r^beta + E` (arXiv 2203.15556, its D term alone)."""

    name = "power"

    def x(self, r: Array) -> Array:
        """Return log r."""
        return np.log(r)


class Exponential(_Decay):
    """Exponential with a floor, `L(r) = B exp(−beta r) + E`."""

    name = "exponential"

    def x(self, r: Array) -> Array:
        """Return r."""
        return r


class LastTwo(Law):
    """Straight line through the last two log-log points, `log L(r) = log B − beta log r`.

    No fit: the rival a law has to beat. It has a slope and nothing else, so beta may be negative.
    """

    name = "last_two"
    parameters = ("B", "beta")
    scales = ("log", "linear")
    last_budgets = 2
    decreasing = False

    def log_loss(self, phi: Array, r: Array) -> Array:
        """Return log L(r)."""
        log_B, beta = _columns(phi)
        with np.errstate(divide="ignore"):
            return log_B - beta * np.log(r)

    def gradient(self, phi: Array, r: Array) -> Array:
        """Return d log L(r) / d phi."""
        ones = np.ones(np.broadcast_shapes(phi[..., 0, None].shape, r.shape))
        return np.stack([ones, -np.log(r) * ones], axis=-1)

    def starts(self, r: Array, loss: Array) -> Array:
        """Return the line itself."""
        beta = -np.log(loss[-1] / loss[-2]) / np.log(r[-1] / r[-2])
        return np.array([[np.log(loss[-1]) + beta * np.log(r[-1]), beta]])

    def box(self, r: Array, loss: Array) -> Box:
        """No walls: any slope is one."""
        return Box(np.full(2, -1e3), np.full(2, 1e3))


def all_laws(base_loss: float) -> list[Law]:
    """Return the rectified law and its rivals.

    Args:
        base_loss: L(0), the untrained student's loss in nats per answer token.
    """
    return [Rectified(), RectifiedTied(base_loss), Power(), Exponential(), LastTwo()]
