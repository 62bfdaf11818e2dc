"""Rows to tensors: the parts of a step that one device takes at once, padded or packed."""

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stages.student.encoding import IGNORED, Encoded
from stages.student.showing import Shown

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Batch = dict[str, "torch.Tensor"]

_MULTIPLES = 4  # of the longest row, tried as the length of a line
# Layers that see other tokens by attention alone, which positions that begin anew keep within a document.
_ATTENTION = {"full_attention", "sliding_attention", "chunked_attention"}


class Parts:
    """What one of several ranks is shown: each step in equally many parts, of at most `rows` rows each.

    Every row of a step goes to exactly one part of one rank, also where the step is a short one; a part may
    then be empty. Rows next to each other, about equally long, go to different ranks, so none waits long.
    """

    def __init__(self, shown: Shown, rows: int, ranks: int = 1, rank: int = 0) -> None:
        """Divide the steps of a run.

        Args:
            shown: the run's rows.
            rows: of a part at most.
            ranks: processes that train together.
            rank: which of them this is.
        """
        self.shown, self.rows, self.ranks, self.rank = shown, rows, ranks, rank
        self.a_step = -(-shown.batch // (rows * ranks))

    def __len__(self) -> int:
        """Return the parts of all steps."""
        return self.shown.steps * self.a_step

    def __getitem__(self, number: int) -> list[Encoded]:
        """Return the rows of a part, counted through all steps."""
        if number >= len(self):
            raise IndexError(number)
        return self.shown.step(number // self.a_step, self._slice(number % self.a_step))

    def question_ids(self, step: int, part: int) -> list[str]:
        """Return the question of each row of a part of a step."""
        return self.shown.rows.question_ids(self.shown.places(step)[self._slice(part)].tolist())

    def _slice(self, part: int) -> slice:
        together = self.rows * self.ranks
        return slice(part * together + self.rank, (part + 1) * together, self.ranks)


def padded(rows: Sequence[Encoded], pad: int) -> Batch:
    """Return one row a line, all filled up to the longest on the right, as TRL's own collator does.

    Args:
        rows: of one part of a step; without any, the tensors hold one line that carries no loss.
        pad: the id to fill up with.
    """
    import torch

    rows = rows or [Encoded([pad, pad], 2)]
    width = max(len(row.ids) for row in rows)
    fill = [width - len(row.ids) for row in rows]
    lines = list(zip(rows, fill, strict=True))
    return {
        "input_ids": torch.tensor([row.ids + [pad] * n for row, n in lines]),
        "labels": torch.tensor([row.labels + [IGNORED] * n for row, n in lines]),
        "attention_mask": torch.tensor([[1] * (width - n) + [0] * n for n in fill]),
    }


def packed(rows: Sequence[Encoded], pad: int, limit: int, flat: bool = False) -> Batch:
    """Return several rows a line, one after the other, each with positions that begin at 0.

    Where positions begin anew and there is no mask, transformers keeps attention within a document. Rows are
    put into lines by first fit, longest first; of the lengths of a line tried, the longest row's and its
    multiples, that one is taken which leaves least room. The multiples are few, since a mask is quadratic in
    a line. The rest of a line is a document without loss.

    Args:
        rows: of one part of a step.
        pad: the id to fill up with.
        limit: tokens of a line, where it holds several rows.
        flat: one line of all rows, and where each begins: for kernels that take sequences of varying length
            and need no mask.
    """
    import torch

    rows = rows or [Encoded([pad, pad], 2)]
    lines = [list(rows)] if flat else _fitted(rows, limit)
    width = _width(lines)
    ids, labels, positions = [], [], []
    for line in lines:
        rest = width - sum(len(row.ids) for row in line)
        documents = [*line, Encoded([pad] * rest, rest)] if rest else line
        ids.append([i for row in documents for i in row.ids])
        # The first token of a document has nothing before it to be told from.
        labels.append([i for row in documents for i in [IGNORED, *row.labels[1:]]])
        positions.append([i for row in documents for i in range(len(row.ids))])
    batch = {
        "input_ids": torch.tensor(ids),
        "labels": torch.tensor(labels),
        "position_ids": torch.tensor(positions),
    }
    if flat:
        lengths = torch.tensor([0, *(len(row.ids) for row in rows)], dtype=torch.int32)
        ends = lengths.cumsum(0, dtype=torch.int32)
        batch |= {"cu_seq_lens_q": ends, "cu_seq_lens_k": ends}
        batch |= {"max_length_q": int(lengths.max()), "max_length_k": int(lengths.max())}  # type: ignore[dict-item]
    return batch


def isolates(model: "PreTrainedModel") -> bool:
    """Tell whether positions that begin anew keep a model's documents apart: all its layers are attention.

    A layer with a state (Mamba, linear attention, a short convolution) carries it from one document into the
    next.
    """
    text = model.config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or _ATTENTION)
    known = inspect.signature(type(model).forward).parameters
    return kinds <= _ATTENTION and not getattr(model, "_is_stateful", False) and "position_ids" in known


def _fitted(rows: Sequence[Encoded], limit: int) -> list[list[Encoded]]:
    longest = max(len(row.ids) for row in rows)
    ordered = sorted(rows, key=lambda row: -len(row.ids))
    tried = [
        _first_fit(ordered, times * longest)
        for times in range(1, _MULTIPLES + 1)
        if times == 1 or times * longest <= limit
    ]
    return min(tried, key=lambda lines: len(lines) * _width(lines))


def _first_fit(rows: Sequence[Encoded], width: int) -> list[list[Encoded]]:
    lines: list[list[Encoded]] = []
    space: list[int] = []
    for row in rows:
        line = next((k for k, free in enumerate(space) if free >= len(row.ids)), len(lines))
        if line == len(lines):
            lines.append([])
            space.append(width)
        lines[line].append(row)
        space[line] -= len(row.ids)
    return lines


def _width(lines: Sequence[Sequence[Encoded]]) -> int:
    return max(sum(len(row.ids) for row in line) for line in lines)
