"""What one training run is shown: which rows in which step, with noise, never all at once in memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from stages.errors import BadInput
from stages.student import ordering
from stages.student.config import Train
from stages.student.encoding import Encoded, Rows

_KEPT = 64  # steps between kept states of the noise


class Shown:
    """The rows of a run's steps; it holds four bytes a row shown, and reads a step's rows when asked.

    Noise is drawn row by row from one generator, so a step's rows are those of an unbroken run wherever one
    starts to ask: the steps before are gone through again (some 10 µs a row; without noise nothing is).
    """

    def __init__(
        self,
        rows: Rows,
        order: np.ndarray,
        batch: int,
        noise: float,
        vocabulary: np.ndarray | None,
        generator: np.random.Generator,
    ) -> None:
        """See `show`; the generator is that which is left when the order is drawn."""
        self.rows, self.order, self.batch = rows, order, batch
        self._noise = 0.0 if vocabulary is None else noise
        self._vocabulary = np.empty(0) if vocabulary is None else vocabulary
        self._generator = generator
        self._states: dict[int, Any] = {0: generator.bit_generator.state}
        self._next = 0  # step whose noise the generator draws next
        self._last: tuple[int, list[Encoded]] = (-1, [])

    def __len__(self) -> int:
        """Return the number of rows shown, repetitions counted."""
        return len(self.order)

    @property
    def steps(self) -> int:
        """Return the number of steps; the last one may hold fewer rows than a batch."""
        return -(-len(self.order) // self.batch)

    def places(self, step: int) -> np.ndarray:
        """Return where the rows of a step, counted from 0, stand in the training set."""
        return self.order[step * self.batch : (step + 1) * self.batch]

    def step(self, step: int, part: slice = slice(None)) -> list[Encoded]:
        """Return a part of the rows of a step, as shown; the steps are best asked for in order."""
        if self._noise == 0:
            return self.rows.take(self.places(step)[part])
        if self._last[0] != step:
            if step < self._next:
                self._next = max(kept for kept in self._states if kept <= step)
                self._generator.bit_generator.state = self._states[self._next]
            while self._next <= step:
                if self._next % _KEPT == 0:
                    self._states[self._next] = self._generator.bit_generator.state
                plain = self.rows.take(self.places(self._next))
                noisy = ordering.noisy(plain, self._noise, self._vocabulary, self._generator)
                self._next += 1
            self._last = (step, noisy)
        return self._last[1][part]

    def tokens(self) -> list[int]:
        """Return the tokens shown up to each step, prompts included, from step 0: one more than steps."""
        starts = np.arange(self.steps) * self.batch
        sums = np.add.reduceat(self.rows.lengths[self.order], starts, dtype=np.int64)
        return [0, *np.cumsum(sums).tolist()]

    def completion_tokens(self) -> int:
        """Return the tokens that carry loss."""
        carried = self.rows.lengths - self.rows.starts
        return int(carried[self.order].sum(dtype=np.int64))

    def __iter__(self) -> Iterator[Encoded]:
        """Yield all rows as shown."""
        for step in range(self.steps):
            yield from self.step(step)


def show(
    rows: Rows,
    config: Train,
    seed: int,
    noise: float = 0.0,
    vocabulary: np.ndarray | None = None,
    tokens: int | None = None,
) -> Shown:
    """Return the rows of all steps as shown: steps × batch, in every cell alike, or a budget of tokens.

    A budget is met to within one row: the last step holds only the rows that are still needed for it.

    Args:
        rows: encoded training set.
        config: steps and batch.
        seed: training seed.
        noise: share of each question's tokens replaced by random ones of the `vocabulary`.
        vocabulary: ids of ordinary tokens; needed with noise.
        tokens: training tokens to show, prompts included; None shows steps × batch rows.

    Raises:
        BadInput: there is no row.
    """
    if not len(rows):
        raise BadInput("the training set has no row to train on; assemble it with a larger budget")
    generator = np.random.default_rng(seed)
    count = config.steps * config.batch if tokens is None else -(-tokens // int(rows.lengths.min()))
    order = ordering.turns(rows.questions, count, generator, rows.lengths, tokens)
    whole = len(order) - len(order) % config.batch
    order[:whole] = ordering.by_length(order[:whole], rows.lengths, config.batch, generator)
    return Shown(rows, order, config.batch, noise, vocabulary, generator)
