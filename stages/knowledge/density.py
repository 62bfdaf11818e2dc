"""Knowledge density: k-nearest-neighbour estimates in logs.

Defined here; arXiv 2606.23271 names the quantity and gives no formula in our sources. The estimator is that
of Loftsgaarden and Quesenberry (1965) with the bias correction ψ(k) of Kozachenko and Leonenko (1987).
"""

import math

import numpy as np

from stages.knowledge.neighbours import Neighbours


def log_volume(d: int) -> float:
    """Return log V_d = (d/2)·log π − log Γ(d/2 + 1), the volume of the unit ball in d dimensions."""
    return d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)


def neighbour_distances(points: np.ndarray, k: int) -> np.ndarray:
    """Return each point's distances to its k nearest other points, ascending (n × k).

    Exact or not as `Neighbours` says.

    Args:
        points: n × d.
        k: neighbours, at most n − 1.

    Raises:
        ValueError: n ≤ k, or a coordinate is not finite.
    """
    return search(points, k).distances


def search(points: np.ndarray, k: int) -> Neighbours:
    """Return the points with their k nearest others.

    Args:
        points: n × d.
        k: neighbours, at most n − 1.

    Raises:
        ValueError: n ≤ k, or a coordinate is not finite.
    """
    n, d = points.shape
    if n <= k:
        raise ValueError(f"{n} points are too few for {k} neighbours")
    found = Neighbours(k, d)
    found.add(points)
    return found


def log10_density(points: np.ndarray, k: int) -> np.ndarray:
    """Return the k-NN number density of each point in dex: points per unit volume, log10.

    Args:
        points: n × d, n > k.
        k: neighbours.

    Raises:
        ValueError: n ≤ k, all points coincide, or a coordinate is not finite.
    """
    return log10_from_distances(neighbour_distances(points, k)[:, -1], k, points.shape[1])


def log10_from_distances(r_k: np.ndarray, k: int, d: int) -> np.ndarray:
    """Return the number density in dex that a distance to the k-th nearest other point speaks for.

    log ρ(x) = ψ(k) − log V_d − d·log r_k(x). Points that coincide with k others (r_k = 0) are given the
    smallest positive r_k.

    Args:
        r_k: n distances.
        k: neighbours.
        d: dimension of the space.

    Raises:
        ValueError: all distances are 0, or one is negative or not finite.
    """
    from scipy.special import digamma

    r_k = np.asarray(r_k, dtype=np.float64)
    if not np.isfinite(r_k).all() or (r_k < 0).any():
        raise ValueError("a distance is negative or not finite")
    if not r_k.any():
        raise ValueError("all points coincide")
    r_k = np.maximum(r_k, r_k[r_k > 0].min())
    return (digamma(k) - log_volume(d) - d * np.log(r_k)) / math.log(10)
