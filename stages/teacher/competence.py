"""How often the embedded teacher is right: a success probability per fact or problem, of known distribution.

A share `never` of the facts is never answered rightly (p = 0); for the others p ~ Beta(a, b). The p of a
fact is a property of the fact, not of the draw, so the share of facts still unsolved after r independent
draws is known in closed form (`coverage`), and what a study estimates can be held against it. A problem has
its p as a fact has, with its id in the title's place.
"""

import hashlib
import math

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from stages import params


class Embedded(params.Section):
    """Competence of the embedded teacher: of its answers at temperature 1, its synthesis and its checks."""

    a: float = Field(gt=0)  # first shape of p ~ Beta(a, b); the unsolved share falls as r^-a
    b: float = Field(gt=0)  # second shape; the mean of p is a / (a + b)
    never: float = Field(ge=0, le=1)  # share of facts and problems with p = 0
    slip: float = Field(ge=0, le=1)  # share of points stated, questions combined or varied, with a fault
    miss: float = Field(ge=0, le=1)  # share of faulty samples and answers that it takes for sound
    false_alarm: float = Field(ge=0, le=1)  # share of sound samples and answers that it calls faulty


def uniform(*parts: object) -> float:
    """Return a number in (0, 1) that depends on `parts` alone: the same in every process."""
    # 53 bits and the half step keep it off both ends, where a Beta quantile would be 0 or 1.
    return ((stable_hash(*parts) >> 11) + 0.5) / 2.0**53


def stable_hash(*parts: object) -> int:
    """Return a 64-bit hash of `parts`, compared by their text."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


def true_competence(title: str, key: str, *, model: str, embedded: Embedded) -> float:
    """Return p, the probability of a right answer at temperature 1, of one fact.

    p = 0 with probability `never`, else the quantile of Beta(a, b) at a hash of (model, title, key).

    Args:
        title: of the article.
        key: infobox key of the fact.
        model: name of the teacher's model; another name knows other facts.
        embedded: shape of the competence.
    """
    return float(true_competences([(title, key)], model=model, embedded=embedded)[0])


def true_competences(facts: list[tuple[str, str]], *, model: str, embedded: Embedded) -> NDArray[np.float64]:
    """Return p of each (title, key) of `facts`; see `true_competence`."""
    from scipy.special import betaincinv  # the quantile that scipy.stats.beta.ppf calls, without its import

    u = np.array([uniform(model, title, key) for title, key in facts], dtype=np.float64)
    lost = np.array(
        [uniform(model, title, key, "never") < embedded.never for title, key in facts], dtype=bool
    )
    p: NDArray[np.float64] = np.where(lost, 0.0, betaincinv(embedded.a, embedded.b, u))
    return p


def success_probability(p: float, temperature: float) -> float:
    """Return the probability of a right answer at `temperature` T.

    p^(1/T) / (p^(1/T) + (1-p)^(1/T)), defined here: a two-way softmax. T = 1 leaves p, T = 0 is greedy: right
    if and only if p ≥ 1/2.
    """
    if temperature == 0.0:
        return float(p >= 0.5)
    if p <= 0.0 or p >= 1.0:
        return float(p >= 1.0)
    odds = (math.log(p) - math.log1p(-p)) / temperature
    return 1.0 / (1.0 + math.exp(-odds)) if odds > -700 else 0.0


def coverage(a: float, b: float, never: float, r: int) -> float:
    """Return F(r) = π + (1−π)·B(a, b+r)/B(a, b), the expected share of facts unsolved after r draws.

    B is the Beta function, π = `never`; draws at temperature 1 (defined in the design's coverage law). It
    holds for problems as for facts.

    Args:
        a: first shape of p ~ Beta(a, b).
        b: second shape.
        never: share of facts with p = 0.
        r: response budget, draws per fact, ≥ 0.
    """
    log_ratio = math.lgamma(a + b) - math.lgamma(b) + math.lgamma(b + r) - math.lgamma(a + b + r)
    return never + (1.0 - never) * math.exp(log_ratio)
