"""Permutation tests of two samples of responses: their lengths, their answers' kinds, their embeddings.

The early sample is what the first r draws of each question gave, the late one what the next r gave; a smaller
budget's training set is the early sample, the doubled budget's is both. Two null hypotheses are tested:

- *composition*: labels are exchangeable over all responses. It fails where later draws come from other
  questions, as they do once the easy ones are exhausted.
- *within questions*: labels are exchangeable among the responses of the same question. It fails where the
  teacher's answers to a question change in the course of sampling.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.shift import FEATURES
from stages.shift.kinds import KINDS, kind

Array = NDArray[np.float64]
_TIE = 1e-9  # statistics closer than this are equal


class Responses(NamedTuple):
    """Accepted responses, one entry each."""

    question: NDArray[np.int64]  # number of the question
    late: NDArray[np.bool_]  # drawn in the second half of the doubled budget
    words: Array  # of the rationale and the answer
    kinds: list[str]  # of the answer
    vectors: Array  # n × features, unit norm


class Test(NamedTuple):
    """One feature of the late responses against the early ones."""

    feature: str
    effect: float  # words more on average; share of answers of another kind; MMD
    statistic: float  # Kolmogorov–Smirnov; total variation; MMD²
    p_composition: float
    p_within: float | None  # None where no question has responses on both sides


def kernel(vectors: Array) -> Array:
    """Return the Gaussian kernel of all pairs, its bandwidth the median distance (Gretton et al. 2012)."""
    squared = np.maximum(2.0 - 2.0 * vectors @ vectors.T, 0.0)
    apart = squared[np.triu_indices(len(vectors), 1)]
    middle = float(np.median(apart)) if len(apart) else 0.0
    return np.asarray(np.exp(-squared / middle) if middle > 0 else np.ones_like(squared))


def statistics(labels: NDArray[np.bool_], responses: Responses, K: Array) -> Array:
    """Return the three statistics of each labelling.

    Kolmogorov–Smirnov distance of the lengths; total variation distance of the answers' kinds; MMD² with
    kernel K, the V-statistic `w' K w`, w = 1/m on the late and −1/n on the early responses (Gretton et al.
    2012, JMLR 13, eq. 5).

    Args:
        labels: … × n, true where a response counts as late; each row has both kinds.
        responses: n of them.
        K: n × n.

    Returns:
        … × 3, in the order of `FEATURES`.
    """
    late = labels / labels.sum(axis=-1, keepdims=True)
    w = late - ~labels / (~labels).sum(axis=-1, keepdims=True)
    order = np.argsort(responses.words, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(responses.words[order]) > 0, True))
    apart = np.abs(np.cumsum(w[..., order], axis=-1)[..., ends]).max(axis=-1)
    one_hot = np.array([[k == name for name in KINDS] for k in responses.kinds], float)
    varied = np.abs(w @ one_hot).sum(axis=-1) / 2
    return np.stack([apart, varied, ((w @ K) * w).sum(axis=-1)], axis=-1)


def tests(responses: Responses, permutations: int, rng: np.random.Generator) -> list[Test]:
    """Test whether late responses differ from early ones.

    The measured labelling counts as one of the permutations, so that p is valid and never 0 (Phipson and
    Smyth 2010).

    Args:
        responses: some early and some late.
        permutations: of each null hypothesis.
        rng: of the permutations.

    Raises:
        ValueError: one side is empty.
    """
    late = responses.late
    if not late.any() or late.all():
        raise ValueError("both early and late responses are needed")
    K = kernel(responses.vectors)
    measured = statistics(late, responses, K)
    shuffled = rng.permuted(np.broadcast_to(late, (permutations, len(late))), axis=-1)
    composition = _p(measured, statistics(shuffled, responses, K))
    within = None
    both = np.intersect1d(responses.question[late], responses.question[~late])
    if len(both):
        within = _p(measured, statistics(_within(responses, permutations, rng), responses, K))
    effects = (
        float(responses.words[late].mean() - responses.words[~late].mean()),
        float(measured[1]),
        float(np.sqrt(max(measured[2], 0.0))),
    )
    return [
        Test(
            name,
            effects[i],
            float(measured[i]),
            float(composition[i]),
            None if within is None else float(within[i]),
        )
        for i, name in enumerate(FEATURES)
    ]


def _within(responses: Responses, permutations: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return labellings that keep every question's number of late responses."""
    keys = rng.random((permutations, len(responses.late)))
    order = np.lexsort((keys, np.broadcast_to(responses.question, keys.shape)), axis=-1)
    standing = np.lexsort((np.arange(len(responses.late)), responses.question))
    labels = np.empty(keys.shape, bool)
    np.put_along_axis(labels, order, np.broadcast_to(responses.late[standing], keys.shape), axis=-1)
    return labels


def _p(measured: Array, drawn: Array) -> Array:
    return np.asarray((1 + (drawn >= measured - _TIE).sum(axis=0)) / (1 + len(drawn)))


def responses_of(
    questions: list[str], late: NDArray[np.bool_], answers: list[str], texts: list[str], vectors: Array
) -> Responses:
    """Return responses as the tests want them.

    Args:
        questions: id of each response's question.
        late: as in `Responses`.
        answers: final answers.
        texts: rationales and answers.
        vectors: n × features, of the texts.
    """
    numbers = {question: i for i, question in enumerate(dict.fromkeys(questions))}
    return Responses(
        question=np.array([numbers[question] for question in questions], np.int64),
        late=late,
        words=np.array([len(text.split()) for text in texts], float),
        kinds=[kind(answer) for answer in answers],
        vectors=vectors,
    )
