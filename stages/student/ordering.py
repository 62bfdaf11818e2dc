"""What a training seed shows of the rows: their order, and noise in their questions."""

from collections.abc import Sequence

import numpy as np

from stages.student.encoding import Encoded

_WINDOW = 8  # batches that are sorted by length together


def turns(
    questions: np.ndarray,
    count: int,
    generator: np.random.Generator,
    lengths: np.ndarray | None = None,
    tokens: int | None = None,
) -> np.ndarray:
    """Return `count` row positions in which every question comes equally often.

    Questions come round in a new random order each time, and a question's responses take turns. Rows drawn
    equally often would spend most of a large budget's steps on the easy questions, whose every response was
    accepted, and starve the hard ones: with matched steps more data would then teach fewer facts.

    Args:
        questions: each row's question, numbered from 0 in the order of their ids, without a gap.
        count: positions wanted.
        generator: of the training seed; how far it moves on does not depend on `tokens`.
        lengths: tokens of each row; needed with `tokens`.
        tokens: stop with the row that makes up this many, where that is before `count`.

    Returns:
        Four bytes a position.
    """
    sizes = np.bincount(questions)
    begins = np.cumsum(sizes) - sizes
    hands = np.argsort(questions, kind="stable").astype(np.int32)
    for begin, size in zip(begins.tolist(), sizes.tolist(), strict=True):
        generator.shuffle(hands[begin : begin + size])
    rounds: list[np.ndarray] = []
    shown = 0
    for visit in range(-(-count // len(sizes))):
        asked = generator.permutation(len(sizes))
        if tokens is None or shown < tokens:
            rounds.append(hands[begins[asked] + visit % sizes[asked]])
            shown += int(lengths[rounds[-1]].sum()) if lengths is not None else 0
    order = np.concatenate(rounds)[:count]
    if tokens is None or lengths is None:
        return order
    return order[: 1 + int(np.searchsorted(np.cumsum(lengths[order], dtype=np.int64), tokens))]


def by_length(
    order: np.ndarray, lengths: np.ndarray, batch: int, generator: np.random.Generator
) -> np.ndarray:
    """Rearrange an order so that the rows of a batch are about equally long: less padding, same rows.

    Rows move within a window of a few batches only, and the batches of a window are shuffled.

    Args:
        order: row positions, a whole number of batches.
        lengths: tokens of each row.
        batch: rows a batch.
        generator: of the training seed.
    """
    arranged = np.empty_like(order)
    for start in range(0, len(order), _WINDOW * batch):
        window = order[start : start + _WINDOW * batch]
        window = window[np.argsort(lengths[window], kind="stable")].reshape(-1, batch)
        arranged[start : start + window.size] = window[generator.permutation(len(window))].ravel()
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
