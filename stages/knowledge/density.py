"""Knowledge density: k-nearest-neighbour estimates in logs, and the intrinsic dimension.

Defined here; arXiv 2606.23271 names the quantity and gives no formula in our sources. The estimator is that
of Loftsgaarden and Quesenberry (1965) with the bias correction ψ(k) of Kozachenko and Leonenko (1987).
"""

import math

import numpy as np


def log_volume(d: int) -> float:
    """Return log V_d = (d/2)·log π − log Γ(d/2 + 1), the volume of the unit ball in d dimensions."""
    return d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)


def neighbour_distances(points: np.ndarray, k: int) -> np.ndarray:
    """Return each point's distances to its k nearest other points, ascending (n × k), exactly."""
    from sklearn.neighbors import NearestNeighbors

    return NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=True)[0]


def log10_density(points: np.ndarray, k: int) -> np.ndarray:
    """Return the k-NN number density of each point in dex: points per unit volume, log10.

    log ρ(x) = ψ(k) − log V_d − d·log r_k(x), with r_k the distance to the k-th nearest other point. Exact
    up to about 50,000 points. Points that coincide (r_k = 0) are given the smallest positive r_k.

    Args:
        points: n × d, n > k.
        k: neighbours.

    Raises:
        ValueError: n ≤ k, or all points coincide.
    """
    from scipy.special import digamma

    n, d = points.shape
    if n <= k:
        raise ValueError(f"{n} points are too few for {k} neighbours")
    r_k = neighbour_distances(points, k)[:, -1]
    if not r_k.any():
        raise ValueError("all points coincide")
    r_k = np.maximum(r_k, r_k[r_k > 0].min())
    return (digamma(k) - log_volume(d) - d * np.log(r_k)) / math.log(10)


def intrinsic_dimension(points: np.ndarray, k: int) -> dict[str, float | None]:
    """Estimate the dimension of the set that the points lie on, in two ways.

    `levina_bickel`: maximum likelihood (Levina and Bickel 2004) with the inverse averaged over points
    (MacKay and Ghahramani 2005), m̂ = [1/(n(k−1)) · Σᵢ Σⱼ₌₁ᵏ⁻¹ log(r_k(xᵢ)/r_j(xᵢ))]⁻¹. `two_nn`: Facco et
    al. (2017), m̂ = n / Σᵢ log(r_2(xᵢ)/r_1(xᵢ)). Points with coinciding neighbours are left out.

    Args:
        points: n × d.
        k: neighbours of the first estimate, at least 3.

    Returns:
        Both estimates, rounded to 3 decimals; None where no two points differ.
    """
    r = neighbour_distances(points, k)
    r = r[r[:, 0] > 0]
    logs = np.log(r[:, -1:] / r[:, :-1]).sum(axis=1) / (k - 1)
    ratios = np.log(r[:, 1] / r[:, 0])
    return {
        "levina_bickel": round(float(1 / logs.mean()), 3) if logs.any() else None,
        "two_nn": round(float(len(r) / ratios.sum()), 3) if ratios.any() else None,
    }
