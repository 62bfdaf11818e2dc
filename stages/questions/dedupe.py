"""Exact and near duplicates among questions."""

from collections import defaultdict
from collections.abc import Sequence

from stages.questions.words import content_words, jaccard, words
from stages.records import SeedQuestion

_PERMUTATIONS, _BANDS = 128, 32  # finds pairs of similarity ≥ 0.6 with probability above 0.98


def duplicates(questions: Sequence[SeedQuestion], threshold: float) -> dict[str, str]:
    """Find the questions that repeat an earlier one.

    Two questions with the same answer are near duplicates where the Jaccard similarity of their character
    5-grams reaches `threshold`, or where both were written from the same article and share half of their
    content words: they then ask for the same fact. Questions with different answers are never
    duplicates ("the capital of Chad?" and "the capital of Mali?" share most of their letters).

    Args:
        questions: in order of precedence; the first of a group stays.
        threshold: 0 … 1. Candidates come from MinHash with 32 bands of 4 (recall above 0.98 at similarity
            0.6); each is then checked exactly.

    Returns:
        question id → "duplicate" (same words) or "near_duplicate".
    """
    from rensa import RMinHash, RMinHashLSH

    found: dict[str, str] = {}
    wordings: set[str] = set()
    facts: dict[tuple[int, str], list[frozenset[str]]] = defaultdict(list)
    index = RMinHashLSH(threshold=threshold, num_perm=_PERMUTATIONS, num_bands=_BANDS)
    kept: list[tuple[str, frozenset[str]]] = []
    for row in questions:
        wording, answer = " ".join(words(row.question)), " ".join(words(row.answer))
        grams = frozenset(wording[i : i + 5] for i in range(max(1, len(wording) - 4)))
        sketch = RMinHash(num_perm=_PERMUTATIONS, seed=0)
        sketch.update(sorted(grams))
        content = content_words(row.question)
        same_page = any(jaccard(content, other) >= 0.5 for other in facts[row.page_id, answer])
        near = (kept[i] for i in index.query(sketch))
        if wording in wordings:
            found[row.question_id] = "duplicate"
        elif same_page or any(a == answer and jaccard(g, grams) >= threshold for a, g in near):
            found[row.question_id] = "near_duplicate"
        else:
            wordings.add(wording)
            facts[row.page_id, answer].append(content)
            index.insert(len(kept), sketch)
            kept.append((answer, grams))
    return found
