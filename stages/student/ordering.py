"""What a training seed shows of the rows: their order, and noise in their questions."""

from collections.abc import Sequence

import numpy as np

from stages.student.encoding import Encoded

_WINDOW = 8  # batches that are sorted by length together


def turns(questions: Sequence[str], count: int, generator: np.random.Generator) -> list[int]:
    """Return `count` row positions in which every question comes equally often.

    Questions come round in a new random order each time, and a question's responses take turns. Rows drawn
    equally often would spend most of a large budget's steps on the easy questions, whose every response was
    accepted, and starve the hard ones: with matched steps more data would then teach fewer facts.

    Args:
        questions: the question id of each row.
        count: positions wanted.
        generator: of the training seed.
    """
    rows: dict[str, list[int]] = {}
    for position, question in enumerate(questions):
        rows.setdefault(question, []).append(position)
    hands = [list(generator.permutation(rows[question])) for question in sorted(rows)]
    order: list[int] = []
    visit = 0
    while len(order) < count:
        order += [int(hands[i][visit % len(hands[i])]) for i in generator.permutation(len(hands))]
        visit += 1
    return order[:count]


def by_length(
    order: Sequence[int], lengths: Sequence[int], batch: int, generator: np.random.Generator
) -> list[int]:
    """Rearrange an order so that the rows of a batch are about equally long: less padding, same rows.

    Rows move within a window of a few batches only, and the batches of a window are shuffled.

    Args:
        order: row positions, a whole number of batches.
        lengths: tokens of each row.
        batch: rows a batch.
        generator: of the training seed.
    """
    arranged: list[int] = []
    for start in range(0, len(order), _WINDOW * batch):
        window = sorted(order[start : start + _WINDOW * batch], key=lambda row: lengths[row])
        parts = [window[i : i + batch] for i in range(0, len(window), batch)]
        arranged += [row for i in generator.permutation(len(parts)) for row in parts[i]]
    return arranged


def noisy(
    rows: Sequence[Encoded], share: float, vocabulary: np.ndarray, generator: np.random.Generator
) -> list[Encoded]:
    """Return the rows with a share of their questions' tokens replaced by random ones, drawn anew for each.

    Akin to word dropout (Iyyer et al. 2015, "Deep Unordered Composition Rivals Syntactic Methods for Text
    Classification"), with a random token in the dropped one's place. A student that has read a few hundred
    thousand tokens has never met most words of a held-out phrasing; this teaches it to look past words that
    tell it nothing. Completions stay as they are.

    Args:
        rows: as shown.
        share: probability of each token to be replaced, 0 … 1.
        vocabulary: ids that may be replaced and may stand in: all but the special tokens.
        generator: of the training seed.
    """
    if share == 0:
        return list(rows)
    ordinary = np.zeros(int(vocabulary.max()) + 1, dtype=bool)
    ordinary[vocabulary] = True
    changed = []
    for row in rows:
        prompt = np.array(row.ids[: row.start])
        known = ordinary[np.minimum(prompt, len(ordinary) - 1)] & (prompt < len(ordinary))
        hit = (generator.random(row.start) < share) & known
        prompt[hit] = generator.choice(vocabulary, size=int(hit.sum()))
        changed.append(row._replace(ids=prompt.tolist() + row.ids[row.start :]))
    return changed
