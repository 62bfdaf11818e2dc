"""Acceptance towards a target: min(1, c·q(x)/ρ̂(x)), with a sample of exactly the wanted size."""

import hashlib
from collections.abc import Callable

import numpy as np


def acceptance(logs: np.ndarray, size: int) -> np.ndarray:
    """Return min(1, c·10^logs) with c such that the probabilities add up to `size`.

    Args:
        logs: log10 of the weight q(x)/ρ̂(x) of each question, up to a constant.
        size: at most the number of questions.
    """
    order = np.argsort(-logs, kind="stable")
    weights = 10.0 ** (logs[order] - logs.max())
    tail = np.cumsum(weights[::-1])[::-1]
    # With the j heaviest certain, the others share size − j in proportion; the first j that keeps them ≤ 1.
    certain = np.arange(size)
    fits = weights[:size] * (size - certain) <= tail[:size]
    j = int(np.argmax(fits)) if fits.any() else size
    scaled = np.concatenate([np.ones(j), weights[j:] * ((size - j) / tail[j] if j < size else 0.0)])
    probabilities = np.empty(len(logs))
    probabilities[order] = scaled
    return probabilities


def choose(probabilities: np.ndarray, uniforms: np.ndarray, size: int) -> np.ndarray:
    """Return the positions of `size` accepted questions, ascending.

    Sequential Poisson sampling (Ohlsson 1998): a sample of fixed size whose inclusion probabilities are the
    acceptance probabilities; with the same random numbers a small change of the probabilities changes few
    members.

    Args:
        probabilities: of each question, 0 … 1.
        uniforms: a random number of each question, 0 … 1, the same at every call.
        size: at most the number of questions.
    """
    order = np.argsort(uniforms / np.maximum(probabilities, 1e-300), kind="stable")
    return np.sort(order[:size])


def effective_size(logs: np.ndarray) -> float:
    """Return Kish's effective sample size (Σw)² / Σw² of the weights 10^logs."""
    weights = 10.0 ** (logs - logs.max())
    return float(weights.sum() ** 2 / (weights**2).sum())


def solve(
    reached: Callable[[float], float],
    target: float,
    low: float,
    high: float,
    tolerance: float,
    most: int = 24,
) -> tuple[float, float]:
    """Return (t, reached(t)) nearest to the target, by bisection of a noisily increasing function.

    Args:
        reached: of t.
        target: sought value.
        low: smallest t tried first.
        high: largest t.
        tolerance: a distance from the target that is near enough.
        most: evaluations between the two ends at most.
    """
    ends = [(t, reached(t)) for t in (low, high)]
    best = min(ends, key=lambda end: abs(end[1] - target))
    if not ends[0][1] < target < ends[1][1]:
        return best
    for _ in range(most):
        middle = (low + high) / 2
        value = reached(middle)
        best = min(best, (middle, value), key=lambda end: abs(end[1] - target))
        if abs(best[1] - target) <= tolerance:
            break
        low, high = (middle, high) if value < target else (low, middle)
    return best


def uniform(seed: int, purpose: str, question_id: str) -> float:
    """Return a random number in (0, 1] of a question that depends on nothing but these."""
    digest = hashlib.blake2b(f"{seed}|{purpose}|{question_id}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") + 1) / 2**64
