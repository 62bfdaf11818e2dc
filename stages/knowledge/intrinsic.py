"""The intrinsic dimension of a set of points: how many coordinates a volume there really has."""

from collections.abc import Callable

import numpy as np

from stages.knowledge.density import neighbour_distances

_FAR = 1.5  # factor by which the chosen dimension may differ from an estimate
_KEPT = 0.9  # share of the ratios that TwoNN fits to: the largest are the noisiest (Facco et al. 2017)
_SLABS = 20  # of points, left out in turn

Estimate = dict[str, float | None]


def intrinsic_dimension(
    points: np.ndarray, k: int, distances: np.ndarray | None = None
) -> dict[str, Estimate]:
    """Estimate the dimension of the set that the points lie on, in two ways, each with its standard error.

    `levina_bickel`: maximum likelihood (Levina and Bickel 2004) with the inverse averaged over points
    (MacKay and Ghahramani 2005), m̂ = 1 / mean(Xᵢ), Xᵢ = Σⱼ₌₁ᵏ⁻¹ log(r_k(xᵢ)/r_j(xᵢ)) / (k−1). `two_nn` (Facco
    et al. 2017): with μ = r_2/r_1 and its empirical distribution F, the slope through the origin of
    −log(1−F) on log μ, the largest tenth left out. The standard errors are those of a jackknife that leaves
    out one of 20 slabs of neighbouring points at a time: neighbourhoods overlap, and errors that take them
    as independent are a third too small. Points with coinciding neighbours are left out.

    Args:
        points: n × D, without repetitions.
        k: neighbours of the first estimate, at least 3.
        distances: of `density.search`, n × k, where it has been done.

    Returns:
        For each way {"value", "se"}, rounded to 3 decimals; None where fewer than 40 points are left for the
        error, fewer than three for the value, or no two distances differ.

    Raises:
        ValueError: n ≤ k, or a coordinate is not finite.
    """
    r = neighbour_distances(points, k) if distances is None else distances
    apart = r[:, 0] > 0
    r, places = r[apart], points[apart]
    if len(r) < 3:
        return {"levina_bickel": _estimate(None, None), "two_nn": _estimate(None, None)}
    inverse = np.log(r[:, -1:] / r[:, :-1]).sum(axis=1) / (k - 1)
    ratios = np.log(r[:, 1] / r[:, 0])
    # Slabs across the direction in which the points spread most: as few neighbourhoods as can be are cut.
    widest = int(np.argmax(places.var(axis=0)))
    slabs = np.array_split(np.argsort(places[:, widest], kind="stable"), _SLABS)
    return {
        "levina_bickel": _jackknifed(_reciprocal_mean, inverse, slabs),
        "two_nn": _jackknifed(_slope, ratios, slabs),
    }


def _reciprocal_mean(inverse: np.ndarray) -> float | None:
    mean = float(inverse.mean())
    return 1 / mean if mean > 0 else None


def _slope(ratios: np.ndarray) -> float | None:
    """Return the slope through the origin of −log(1−F) on log μ, without the largest tenth."""
    kept = np.sort(ratios)[: max(2, int(_KEPT * len(ratios)))]
    if len(kept) == len(ratios) or not kept.any():
        return None
    survival = -np.log1p(-np.arange(1, len(kept) + 1) / len(ratios))
    return float(kept @ survival / (kept @ kept))


def _jackknifed(
    estimate: Callable[[np.ndarray], float | None], values: np.ndarray, slabs: list[np.ndarray]
) -> Estimate:
    whole = estimate(values)
    if whole is None or len(values) < 2 * _SLABS:
        return _estimate(whole, None)
    left = [estimate(np.delete(values, slab)) for slab in slabs]
    without = np.array([value for value in left if value is not None])
    if len(without) < len(slabs):
        return _estimate(whole, None)
    scatter = float(((without - without.mean()) ** 2).sum())
    return _estimate(whole, ((len(slabs) - 1) / len(slabs) * scatter) ** 0.5)


def warning(dimensions: int, estimates: dict[str, Estimate]) -> str | None:
    """Return a warning where the chosen dimension is far from every estimate, by a factor above 1.5.

    Args:
        dimensions: d of the density.
        estimates: from `intrinsic_dimension`.
    """
    values = {name: e["value"] for name, e in estimates.items() if e["value"]}
    near = [v for v in values.values() if v and 1 / _FAR <= dimensions / v <= _FAR]
    if near or not values:
        return None
    said = ", ".join(f"{name} {value:.1f}" for name, value in values.items())
    return (
        f"knowledge.dimensions {dimensions} is far from the points' intrinsic dimension ({said}): volumes, "
        "and so densities, are then relative to the projection; set it nearer"
    )


def _estimate(value: float | None, error: float | None) -> Estimate:
    return {
        "value": None if value is None else round(float(value), 3),
        "se": None if error is None else round(float(error), 3),
    }
