"""A training run that runs out of memory: what the plan of it got wrong, in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from stages.errors import BadInput
from stages.student import batching, footprint
from stages.student.config import Student, Train
from stages.student.devices import Device
from stages.student.encoding import Rows

if TYPE_CHECKING:
    from transformers import PreTrainedModel, TrainerCallback


@contextmanager
def explained(
    model: "PreTrainedModel",
    shape: footprint.Shape,
    rows: Rows,
    config: Train,
    student: Student,
    device: Device,
    ranks: int = 1,
) -> "Iterator[TrainerCallback]":
    """Yield a callback for the trainer of `model`; out of memory inside is a `BadInput`.

    Args:
        model: to be trained.
        shape: its sizes, with its adapters.
        rows: it is trained on.
        config: of the training.
        student: its settings.
        device: one of `ranks` alike.
        ranks: that train together.

    Raises:
        BadInput: no memory was left; the message says which part of the plan was wrong and what to lower.
    """
    from transformers import TrainerCallback

    class Watcher(TrainerCallback):
        optimizer: Any = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.optimizer = kwargs["optimizer"]

    watcher = Watcher()
    try:
        yield watcher
    except (RuntimeError, MemoryError) as error:
        if not batching.out_of_memory(error):
            raise
        fit = _plan(shape, rows, config, student, device, ranks)
        raise BadInput(footprint.blame(fit, footprint.measured(model, watcher.optimizer))) from error


def _plan(
    shape: footprint.Shape, rows: Rows, config: Train, student: Student, device: Device, ranks: int
) -> footprint.Fit:
    width, share = int(rows.lengths.max()), 1.0 - float(rows.starts.sum() / rows.lengths.sum())
    if device.gpu:
        return footprint.fitting(shape, student, config.batch, width, device, ranks, share)
    at_once, again = footprint.as_set(student, config.batch, ranks)
    precision = footprint.precision(student, device)
    needed = footprint.footprint(shape, precision, again, at_once, width, 1, student.attention, share)
    return footprint.Fit(at_once, again, needed, device)
