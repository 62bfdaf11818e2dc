"""Weighted least squares on log loss in a box: many descents at once, and profiles along one parameter.

A profile or a band over budgets takes thousands of small descents, each of a handful of residuals and at most
four parameters. One call of scipy's bounded `least_squares` takes 12 ms of CPU there; done together in arrays
a descent takes a fraction of one. A test holds the two against each other.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.laws.curves import Array, Box, Law, Point

_ITERATIONS = 400
_STILL = 1e-11  # a step that gains less than this share of the sum of squares has arrived
_STIFFEST = 1e10  # damping at which no direction leads down any more
_LONGEST = 3.0  # step of a working parameter
_TOLERANCE = 1e-4  # of an interval's end, as a share of the interval's half-width


class Means(NamedTuple):
    """Mean log losses per budget: with Gaussian errors they carry all that a curve can be fitted to."""

    r: Array  # distinct budgets, increasing
    y: Array  # mean log loss over the seeds
    seeds: Array  # trained at each budget

    @property
    def loss(self) -> Array:
        """Return the geometric mean losses, nats per answer token."""
        return np.exp(self.y)


class Descent(NamedTuple):
    """Where a descent ended."""

    phi: Array
    squares: float  # weighted sum of squared residuals
    converged: bool


class Descents(NamedTuple):
    """Where each of many descents ended."""

    phi: Array  # shape (n, parameters)
    squares: Array
    converged: NDArray[np.bool_]


def average(points: list[Point]) -> tuple[Means, float]:
    """Return the means per budget and the sum of squares within budgets, the seeds' own scatter."""
    r = np.array(sorted({p.r for p in points}), float)
    groups = [np.log([p.loss for p in points if p.r == x]) for x in r]
    within = float(sum(np.square(g - g.mean()).sum() for g in groups))
    return Means(r, np.array([g.mean() for g in groups]), np.array([len(g) for g in groups], float)), within


class Surface:
    """The sum of squares of one law over one curve."""

    def __init__(self, law: Law, means: Means, within: float) -> None:
        """Take a law and a curve.

        Args:
            law: the law.
            means: the curve.
            within: the sum of squares within budgets: gains that are nothing beside it do not count.
        """
        self.law, self.means = law, means
        self.scatter = max(within, 1e-14)
        self.box = law.box(means.r, means.loss)

    def minimise(self, starts: Array | None = None) -> Descent:
        """Return the lowest end of the descents from the given starts, by default all of the law's own."""
        if starts is None:
            starts = self.law.starts(self.means.r, self.means.loss)
        ends = self._descend(starts, *self.box)
        best = int(np.argmin(ends[1]))
        return Descent(ends[0][best], float(ends[1][best]), bool(ends[2][best]))

    def profile_ends(self, optimum: Descent, rise: float) -> tuple[Array, Descent]:
        """Return how far each parameter can go, all others refitted, while the squares rise by `rise`.

        Returns:
            Lowest and highest phi, shape (parameters, 2), NaN where the wall of the box comes first; and the
            lowest point seen on the way, which lies below the optimum where that was none.
        """
        k = len(optimum.phi)
        held = np.repeat(np.arange(k), 2)
        rows = np.arange(2 * k)
        lowest = optimum
        warm = np.repeat(optimum.phi[None], 2 * k, axis=0)

        def climb(values: Array) -> Array:
            nonlocal warm, lowest
            low, high = (np.repeat(wall[None], 2 * k, axis=0) for wall in self.box)
            low[rows, held] = high[rows, held] = values
            phi, squares = self._descend_twice(warm, optimum.phi, low, high)
            warm, i = phi, int(np.argmin(squares))
            if squares[i] < lowest.squares:
                lowest = Descent(phi[i], float(squares[i]), True)
            return squares - optimum.squares

        curvature = np.maximum(np.diag(self.information(optimum.phi)), 1e-12)
        step = np.repeat(np.minimum(np.sqrt(rise / curvature), 1.0), 2)
        limit = np.stack(self.box, axis=1).ravel()
        ends = _crossings(climb, np.repeat(optimum.phi, 2), limit, step, rise)
        return ends.reshape(k, 2), lowest

    def supposed_ends(self, optimum: Descent, r: Array, weight: float, rise: float) -> Array:
        """Return the supposed mean log losses at r that, fitted as well, cost `rise` in the squares.

        Args:
            optimum: the lowest point.
            r: budgets, shape (n,).
            weight: seeds behind each supposed mean.
            rise: in the sum of squares.

        Returns:
            Lowest and highest mean log loss, shape (n, 2).
        """
        many = np.repeat(r, 2)
        centre = np.repeat(self.law.log_loss(optimum.phi, r), 2)
        warm = np.repeat(optimum.phi[None], len(many), axis=0)
        low, high = (np.repeat(wall[None], len(many), axis=0) for wall in self.box)

        def climb(values: Array) -> Array:
            nonlocal warm
            extra = (many, values, np.full(len(many), weight))
            warm, squares = self._descend_twice(warm, optimum.phi, low, high, extra)
            return squares - optimum.squares

        side = np.tile([-1.0, 1.0], len(r))
        step = np.full(len(many), np.sqrt(rise / weight))  # the least it can be: that of an exact law
        return _crossings(climb, centre, centre + side * 1e6, step, rise).reshape(len(r), 2)

    def refit(self, phi: Array, y: Array) -> Array:
        """Return the optima, from `phi` on, for other mean log losses at the same budgets.

        Args:
            phi: start of all descents.
            y: shape (curves, budgets).
        """
        n = len(y)
        r, _, weight = (np.repeat(a[None], n, axis=0) for a in self.means)
        return descend(self.law, np.repeat(phi[None], n, axis=0), self.box, (r, y, weight), self.scatter).phi

    def information(self, phi: Array) -> Array:
        """Return JᵀWJ, the Gauss–Newton information at unit error variance."""
        J = self.law.gradient(phi, self.means.r)
        return np.asarray((J * self.means.seeds[:, None]).T @ J)

    def _descend_twice(
        self, warm: Array, optimum: Array, low: Array, high: Array, extra: tuple[Array, ...] | None = None
    ) -> tuple[Array, Array]:
        """Descend from where the last descent ended and from the optimum; keep the lower end of each."""
        n = len(warm)
        starts = np.concatenate([warm, np.repeat(optimum[None], n, axis=0)])
        twice = tuple(np.tile(e, 2) for e in extra) if extra else None
        phi, squares, _ = self._descend(starts, np.tile(low, (2, 1)), np.tile(high, (2, 1)), twice)
        pick = np.arange(n) + n * (squares[n:] < squares[:n])
        return phi[pick], squares[pick]

    def _descend(
        self, starts: Array, low: Array, high: Array, extra: tuple[Array, ...] | None = None
    ) -> Descents:
        """Descend on this curve; `extra` is r, y and weight of one more observation each, shapes (n,)."""
        rows = [np.repeat(a[None], len(starts), axis=0) for a in self.means]
        if extra:
            rows = [np.append(a, e[:, None], axis=1) for a, e in zip(rows, extra, strict=True)]
        return descend(self.law, starts, Box(low, high), rows, self.scatter)


def optima_along(law: Law, means: Means, sizes: Sequence[int]) -> Array:
    """Return the optimum phi for each number of smallest budgets, shape (len(sizes), parameters).

    The same as one `Surface.minimise` each, in one set of descents.

    Args:
        law: the law.
        means: the whole curve.
        sizes: how many budgets to fit, each at least as many as parameters.
    """
    starts = [law.starts(means.r[:size], means.loss[:size]) for size in sizes]
    boxes = [law.box(means.r[:size], means.loss[:size]) for size in sizes]
    of = np.repeat(np.arange(len(sizes)), [len(first) for first in starts])
    mask = np.arange(len(means.r)) < np.array(sizes)[of, None]
    # Unused budgets weigh nothing; in their place stands the first one, where no law overflows.
    rows = [np.where(mask, means.r, means.r[0]), np.repeat(means.y[None], len(mask), axis=0)]
    box = Box(np.array([b.low for b in boxes])[of], np.array([b.high for b in boxes])[of])
    phi, squares, _ = descend(law, np.concatenate(starts), box, [*rows, mask * means.seeds], 1e-14)
    own = of == np.arange(len(sizes))[:, None]
    return np.asarray(phi[np.where(own, squares, np.inf).argmin(axis=1)])


def descend(law: Law, starts: Array, box: Box, rows: Sequence[Array], scatter: float) -> Descents:
    """Levenberg–Marquardt, projected on the box, from all starts together.

    A parameter at a wall whose gradient points outwards is left out of the step.

    Args:
        law: the law.
        starts: shape (n, parameters).
        box: walls, one row or n; equal walls hold a parameter.
        rows: r, y and weight of the observations of each descent, shapes (n, observations).
        scatter: sum of squares beside which a gain is nothing.
    """
    n, k = starts.shape
    r, y, weight = rows
    root = np.sqrt(weight)
    low, high = (np.broadcast_to(wall, (n, k)) for wall in box)
    phi = np.clip(starts, low, high)
    residual = root * (law.log_loss(phi, r) - y)
    ends = phi.copy(), residual.copy(), np.zeros(n, bool)
    squares = np.square(residual).sum(axis=1)
    damping = np.full(n, 1e-3)
    on = np.arange(n)  # the descents under way; all arrays above are theirs only
    for _ in range(_ITERATIONS):
        J = root[:, :, None] * law.gradient(phi, r)
        slope = (residual[:, None, :] @ J)[:, 0]
        walled = ((phi <= low) & (slope >= 0)) | ((phi >= high) & (slope <= 0))
        J = np.where(walled[:, None, :], 0.0, J)
        slope = np.where(walled, 0.0, slope)
        normal = J.transpose(0, 2, 1) @ J  # einsum takes eight times as long
        diagonal = np.einsum("nii->ni", normal)
        # Scaled damping; the small constant keeps a direction without any gradient where it is.
        diagonal += damping[:, None] * diagonal + 1e-14 + walled
        step = -np.linalg.solve(normal, slope[..., None])[..., 0]
        step = np.minimum(np.maximum(step, -_LONGEST), _LONGEST)
        trial = np.minimum(np.maximum(phi + step, low), high)  # np.clip costs four times as much
        trial_residual = root * (law.log_loss(trial, r) - y)
        gain = squares - np.square(trial_residual).sum(axis=1)
        better = gain > 0
        done = (np.abs(gain) <= _STILL * (squares + scatter)) | (damping > _STIFFEST)
        damping = np.where(better, np.maximum(damping / 5, 1e-12), damping * 4)
        phi = np.where(better[:, None], trial, phi)
        residual = np.where(better[:, None], trial_residual, residual)
        squares = squares - np.where(better, gain, 0.0)
        if done.any():
            ends[0][on], ends[1][on], ends[2][on] = phi, residual, done
            left = ~done
            on, r, y, root, low, high, phi, residual, squares, damping = (
                a[left] for a in (on, r, y, root, low, high, phi, residual, squares, damping)
            )
            if not len(on):
                break
    ends[0][on], ends[1][on] = phi, residual
    return Descents(ends[0], np.square(ends[1]).sum(axis=1), ends[2])


def _crossings(
    climb: Callable[[Array], Array], centre: Array, limit: Array, step: Array, rise: float
) -> Array:
    """Return where each climb from `centre` towards `limit` reaches `rise`; NaN where it does not.

    Steps double until the rise is passed; then regula falsi (Illinois) on the square root of the climb, which
    is a straight line wherever the law is close to linear.

    Args:
        climb: the rise at one value for each search, all searches at once.
        centre: where each starts; the climb there is about zero.
        limit: how far each looks.
        step: first steps, positive.
        rise: to be reached.
    """
    sign = np.sign(limit - centre)
    goal = np.sqrt(rise)

    def height(x: Array) -> Array:
        return np.sqrt(np.maximum(climb(x), 0.0)) - goal

    inner, below = centre.copy(), np.full(len(centre), -goal)
    outer, above = centre.copy(), below.copy()
    reach = step.copy()
    for _ in range(60):
        going = (above < 0) & (outer != limit)
        if not going.any():
            break
        inner, below = np.where(going, outer, inner), np.where(going, above, below)
        ahead = np.where(sign > 0, np.minimum(outer + reach, limit), np.maximum(outer - reach, limit))
        outer = np.where(going, ahead, outer)
        above = np.where(going, height(outer), above)
        reach = np.where(going, 2 * reach, reach)
    closed = above >= 0
    found = outer.copy()
    last = np.zeros(len(centre))
    for _ in range(30):
        span = np.where(closed & (above > below), above - below, 1.0)
        x = np.where(closed, outer - above * (outer - inner) / span, outer)
        y = height(x)
        settled = (
            ~closed
            | (np.abs(y) <= _TOLERANCE * goal)
            | (np.abs(outer - inner) <= _TOLERANCE * np.abs(outer - centre))
        )
        found = x
        if settled.all():
            break
        up = (y >= 0) & ~settled
        down = (y < 0) & ~settled
        below = np.where(up & (last > 0), below / 2, below)
        above = np.where(down & (last < 0), above / 2, above)
        outer, above = np.where(up, x, outer), np.where(up, y, above)
        inner, below = np.where(down, x, inner), np.where(down, y, below)
        last = np.where(up, 1.0, np.where(down, -1.0, last))
    return np.where(closed, found, np.nan)
