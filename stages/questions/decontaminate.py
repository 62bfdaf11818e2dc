"""Keeping benchmark items out of the source: by shared word runs, and by equal answers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from stages.questions.words import Asked, content_words, jaccard, words
from stages.records import BenchmarkItem


class Contamination:
    """What the benchmarks ask, ready to be compared with.

    Args:
        items: the items of every benchmark.
        ngram: words; a run of this many words in common is contamination. A benchmark question shorter
            than that is looked for as a whole.
        overlap: 0 … 1; at an equal normalised answer, this Jaccard similarity of content words is
            contamination too: the same question in slightly other words.
    """

    def __init__(self, items: Iterable[BenchmarkItem], ngram: int, overlap: float) -> None:
        self.ngram, self.overlap = ngram, overlap
        self._runs: set[tuple[str, ...]] = set()
        self._short: dict[int, set[tuple[str, ...]]] = defaultdict(set)
        self._by_answer: dict[str, list[frozenset[str]]] = defaultdict(list)
        for item in items:
            spoken = tuple(words(item.question))
            self._runs.update(_runs(spoken, ngram))
            if 0 < len(spoken) < ngram:
                self._short[len(spoken)].add(spoken)
            for accepted in {" ".join(words(answer)) for answer in item.answers}:
                self._by_answer[accepted].append(content_words(item.question))

    def reason(self, row: Asked) -> str | None:
        """Return "contaminated_ngram", "contaminated_answer" or None."""
        spoken = tuple(words(row.question))
        if any(run in self._runs for run in _runs(spoken, self.ngram)) or any(
            run in whole for length, whole in self._short.items() for run in _runs(spoken, length)
        ):
            return "contaminated_ngram"
        content = content_words(row.question)
        for accepted in (row.answer, *row.answer_aliases):
            others = self._by_answer.get(" ".join(words(accepted)), ())
            if any(jaccard(content, other) >= self.overlap for other in others):
                return "contaminated_answer"
        return None


def contaminated(
    questions: Iterable[Asked], items: Sequence[BenchmarkItem], ngram: int, overlap: float
) -> dict[str, str]:
    """Find the questions that a benchmark already asks: question id → reason; see `Contamination`."""
    known = Contamination(items, ngram, overlap)
    found = ((row.question_id, known.reason(row)) for row in questions)
    return {question_id: reason for question_id, reason in found if reason}


def _runs(spoken: tuple[str, ...], length: int) -> list[tuple[str, ...]]:
    return [spoken[i : i + length] for i in range(len(spoken) - length + 1)]
