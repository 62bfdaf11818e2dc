"""Keeping benchmark items out of the source: by shared word runs, and by equal answers."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from stages.questions.words import content_words, jaccard, words
from stages.records import BenchmarkItem, SeedQuestion


def contaminated(
    questions: Iterable[SeedQuestion], items: Sequence[BenchmarkItem], ngram: int, overlap: float
) -> dict[str, str]:
    """Find the questions that a benchmark already asks.

    Args:
        questions: the candidates.
        items: the items of every benchmark.
        ngram: words; a run of this many words in common is contamination. A benchmark question shorter
            than that is looked for as a whole.
        overlap: 0 … 1; at an equal normalised answer, this Jaccard similarity of content words is
            contamination too: the same question in slightly other words.

    Returns:
        question id → "contaminated_ngram" or "contaminated_answer".
    """
    runs: set[tuple[str, ...]] = set()
    short: dict[int, set[tuple[str, ...]]] = defaultdict(set)
    by_answer: dict[str, list[frozenset[str]]] = defaultdict(list)
    for item in items:
        spoken = tuple(words(item.question))
        runs.update(_runs(spoken, ngram))
        if 0 < len(spoken) < ngram:
            short[len(spoken)].add(spoken)
        for accepted in {" ".join(words(answer)) for answer in item.answers}:
            by_answer[accepted].append(content_words(item.question))
    found: dict[str, str] = {}
    for row in questions:
        spoken = tuple(words(row.question))
        if any(run in runs for run in _runs(spoken, ngram)) or any(
            run in whole for length, whole in short.items() for run in _runs(spoken, length)
        ):
            found[row.question_id] = "contaminated_ngram"
            continue
        content = content_words(row.question)
        for accepted in (row.answer, *row.answer_aliases):
            if any(
                jaccard(content, other) >= overlap for other in by_answer.get(" ".join(words(accepted)), ())
            ):
                found[row.question_id] = "contaminated_answer"
    return found


def _runs(spoken: tuple[str, ...], length: int) -> list[tuple[str, ...]]:
    return [spoken[i : i + length] for i in range(len(spoken) - length + 1)]
