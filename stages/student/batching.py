"""Rows of like length together, and fewer at once where the memory is too small for a batch."""

import gc
from collections.abc import Callable, Iterator, Sequence

import click

from stages.errors import BadInput

# What PyTorch's allocator says on a CPU, where it has no exception of its own.
_ALLOCATOR = ("DefaultCPUAllocator", "not enough memory", "can't allocate memory")


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield positions, longest first, so that a batch too large for the memory fails at once.

    Args:
        lengths: of each row, tokens.
        size: rows of a batch.
    """
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    for start in range(0, len(order), size):
        yield order[start : start + size]


def shares(lengths: Sequence[int], size: int, count: int) -> list[list[int]]:
    """Deal the batches of `by_length` out to `count` shares at most, so that each batch stays together.

    Whoever batches a share again gets the same batches: their results have the same last digit however many
    processes share the work.

    Returns:
        The positions of each share, ascending; none is empty.
    """
    batches = list(by_length(lengths, size))
    dealt = (batches[start::count] for start in range(count))
    return [sorted(position for batch in share for position in batch) for share in dealt if share]


def each(lengths: Sequence[int], size: int, work: Callable[[list[int]], None]) -> None:
    """Do `work` on the positions of each batch of `by_length`.

    A batch that the memory is too small for is halved, and so are all after it; the first time it is said on
    standard error.

    Args:
        lengths: of each row, tokens.
        size: rows of a batch.
        work: done again on part of the positions where it ran out of memory.

    Raises:
        BadInput: a single row does not fit.
    """
    waiting = list(by_length(lengths, size))[::-1]
    said = False
    while waiting:
        part = waiting.pop()
        if _fits(work, part):
            continue
        free()
        size = len(part) // 2
        if not size:
            raise BadInput(
                f"out of memory on a row of {lengths[part[0]]} tokens; take a smaller student or more memory"
            )
        if not said:
            click.echo(f"out of memory with {len(part)} rows at once; going on with {size}", err=True)
            said = True
        rest = [position for batch in (part, *waiting[::-1]) for position in batch]
        waiting = [rest[start : start + size] for start in range(0, len(rest), size)][::-1]


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that the memory of the GPU or of the machine was too small."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _ALLOCATOR)


def free() -> None:
    """Give back what nothing refers to any more, on the GPU too."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _fits(work: Callable[[list[int]], None], part: list[int]) -> bool:
    try:
        work(part)
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return False  # and nothing holds the failed batch's tensors by way of its traceback
    return True
