"""Places in which stages run side by side, each with cores and at most some GPUs of its own."""

from collections.abc import Sequence
from typing import NamedTuple

from stages.schedule.needs import Needs


class Slot(NamedTuple):
    """Where one stage runs."""

    number: int
    cores: tuple[int, ...]
    gpus: tuple[str, ...] | None  # None leaves to the stage what this process sees


class Slots:
    """The slots of a run; every core and every GPU belongs to at most one stage.

    Args:
        jobs: stages at once, 1 or more.
        cores: that this process may use; where there are fewer than jobs, slots share them.
        gpus: that stages may use, as CUDA_VISIBLE_DEVICES names them; none where the machine has none.
    """

    def __init__(self, jobs: int, cores: Sequence[int], gpus: Sequence[str]) -> None:
        self._free = [
            (i, tuple(cores[i::jobs]) if jobs <= len(cores) else (cores[i % len(cores)],))
            for i in range(jobs)
        ]
        self._all, self._gpus = tuple(gpus), list(gpus)

    def take(self, needs: Needs) -> Slot | None:
        """Return a slot for a stage, or None where there is none, or not the GPUs that it needs."""
        wanted = 0
        if self._all and needs.model:
            wanted = len(self._all) if needs.every_gpu else 1
        if not self._free or wanted > len(self._gpus):
            return None
        number, cores = self._free.pop(0)
        taken, self._gpus = self._gpus[:wanted], self._gpus[wanted:]
        return Slot(number, cores, tuple(taken) if self._all else None)

    def give_back(self, slot: Slot) -> None:
        """Free a slot."""
        self._free = sorted([*self._free, (slot.number, slot.cores)])
        self._gpus = sorted([*self._gpus, *(slot.gpus or ())], key=self._all.index)

    def last(self) -> tuple[int, ...]:
        """Return the cores of the last free slot."""
        return self._free[-1][1]
