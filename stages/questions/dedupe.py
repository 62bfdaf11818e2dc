"""Exact and near duplicates among questions."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from stages.questions.words import Asked, content_words, jaccard, words

_PERMUTATIONS, _BANDS = 128, 32  # finds pairs of similarity ≥ 0.6 with probability above 0.98
# The share of equal sketch entries estimates the Jaccard similarity with a deviation of at most
# √(¼ / 128) = 0.044; what lies more than four of them below the threshold is not worth counting exactly.
_SLACK = 4 * (0.25 / _PERMUTATIONS) ** 0.5


class Duplicates:
    """A growing set of questions that knows what it already asks.

    Two questions with the same answer are near duplicates where the Jaccard similarity of their character
    5-grams reaches `threshold`, or where both were written from the same article and share `same_page` of
    their content words: they then ask for the same fact. Questions with different answers are never near
    duplicates ("the capital of Chad?" and "the capital of Mali?" share most of their letters).

    Candidates come from MinHash with 32 bands of 4 (recall above 0.98 at similarity 0.6) over 5-grams that
    carry the answer, so that only questions with the same answer meet; each is then checked exactly.

    Args:
        threshold: 0 … 1, Jaccard similarity of character 5-grams.
        same_page: 0 … 1, Jaccard similarity of content words.
    """

    def __init__(self, threshold: float, same_page: float = 0.5) -> None:
        from rensa import RMinHashLSH

        self.threshold, self.same_page = threshold, same_page
        self._wordings: set[str] = set()
        self._facts: dict[tuple[int, str], list[frozenset[str]]] = defaultdict(list)
        self._index = RMinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, num_bands=_BANDS)
        self._kept: list[str] = []
        self._sketches = np.empty((1024, _PERMUTATIONS), dtype=np.uint32)

    def reason(self, row: Asked) -> str | None:
        """Return "duplicate" (same words), "near_duplicate" or None."""
        return self._compare(row)[0]

    def admit(self, row: Asked) -> str | None:
        """Return what `reason` returns, and take the question in where that is None."""
        reason, sketch = self._compare(row)
        if reason is None:
            wording, answer = _plain(row.question), _plain(row.answer)
            self._wordings.add(wording)
            self._facts[row.page_id, answer].append(content_words(row.question))
            at = len(self._kept)
            if at == len(self._sketches):
                self._sketches = np.concatenate([self._sketches, np.empty_like(self._sketches)])
            self._sketches[at] = sketch.digest()
            self._index.insert(at, sketch)
            self._kept.append(wording)
        return reason

    def _compare(self, row: Asked):  # type: ignore[no-untyped-def]  # rensa has no types
        from rensa import RMinHash

        wording, answer = _plain(row.question), _plain(row.answer)
        grams = _grams(wording)
        sketch = RMinHash(num_perm=_PERMUTATIONS, seed=0)
        sketch.update(sorted(f"{answer}\n{gram}" for gram in grams))
        if wording in self._wordings:
            return "duplicate", sketch
        content = content_words(row.question)
        if any(
            jaccard(content, other) >= self.same_page for other in self._facts.get((row.page_id, answer), ())
        ):
            return "near_duplicate", sketch
        found = np.fromiter(self._index.query(sketch), dtype=np.int64)
        if len(found):
            alike = (self._sketches[found] == np.array(sketch.digest(), dtype=np.uint32)).mean(axis=1)
            likely = found[alike >= self.threshold - _SLACK]
            if any(jaccard(_grams(self._kept[i]), grams) >= self.threshold for i in likely):
                return "near_duplicate", sketch
        return None, sketch


def duplicates(questions: Sequence[Asked], threshold: float) -> dict[str, str]:
    """Find the questions that repeat an earlier one; see `Duplicates`.

    Args:
        questions: in order of precedence; the first of a group stays.
        threshold: 0 … 1.

    Returns:
        question id → "duplicate" or "near_duplicate".
    """
    seen = Duplicates(threshold)
    found = ((row.question_id, seen.admit(row)) for row in questions)
    return {question_id: reason for question_id, reason in found if reason}


def _plain(text: str) -> str:
    return " ".join(words(text))


def _grams(wording: str) -> frozenset[str]:
    return frozenset(wording[i : i + 5] for i in range(max(1, len(wording) - 4)))
