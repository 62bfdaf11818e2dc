"""One function over several items, in forked processes: what was imported once is there in each of them."""

import ctypes
import os
import pickle
import selectors
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import NoReturn, TypeVar

from stages.errors import BadInput
from stages.student import batching

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741

_PR_SET_PDEATHSIG = 1
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cuda() -> bool:
    """Tell whether there is a CUDA device; then nothing may be forked."""
    import torch

    return torch.cuda.is_available()


def first_gpu() -> None:
    """Let this process see the first of the visible GPUs only: the trainer would spread over all of them.

    To be called before anything asks for a GPU.
    """
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]


def each(
    work: Callable[[I], O], items: Sequence[I], label: str, at_once: int | None = None, fork: bool = True
) -> list[O]:
    """Return `work` of every item, in the items' order, each computed in a process of its own.

    The children are forked, so no torch operation may have run before in this process, and each computes on
    one thread: results do not depend on how many run at once. If one fails the others are stopped; if this
    process dies, they die with it.

    Args:
        work: its result must be picklable.
        items: what to work on.
        label: what an item is, for the message about a failure, such as "training seed".
        at_once: processes at a time, by default as many as there are cores.
        fork: False runs them one after the other in this process (CUDA does not survive a fork).

    Raises:
        BadInput: `work` failed on an item, or its process was killed; the message names the item.
    """
    if not fork:
        return [_guarded(work, item, label) for item in items]
    at_once = max(1, at_once or cores())
    waiting = list(enumerate(items))[::-1]
    done: dict[int, O] = {}
    running: dict[int, tuple[int, int, bytearray]] = {}  # read end → (pid, position, bytes so far)
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or running:
                while waiting and len(running) < at_once:
                    position, item = waiting.pop()
                    pid, pipe = _start(work, item, list(running))
                    running[pipe] = (pid, position, bytearray())
                    selector.register(pipe, selectors.EVENT_READ)
                for key, _ in selector.select():
                    pid, position, received = running[key.fd]
                    if chunk := os.read(key.fd, 1 << 20):
                        received += chunk
                        continue
                    selector.unregister(key.fd)
                    os.close(key.fd)
                    del running[key.fd]
                    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    done[position] = _outcome(status, bytes(received), f"{label} {items[position]}")
        finally:
            for pipe, (pid, _, _) in running.items():
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                os.close(pipe)
    return [done[position] for position in range(len(items))]


def keep_memory() -> None:
    """Tell glibc to keep freed memory: returning each step's buffers to the system costs page faults.

    Where the C library is another one nothing happens.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)  # bytes
    mallopt(_M_TOP_PAD, 2**26)  # bytes


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends (Linux).

    Args:
        parent: process id; where it has ended already, so does this process.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def _guarded(work: Callable[[I], O], item: I, label: str) -> O:
    try:
        return work(item)
    except BadInput:
        raise
    except Exception as error:
        raise BadInput(f"{label} {item}: failed: {_first_line(error)}") from error
    finally:
        batching.free()  # a trainer and its model refer to each other


def _start(work: Callable[[I], O], item: I, inherited: list[int]) -> tuple[int, int]:
    """Fork one child; return its process id and the pipe on which its result comes."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    for pipe in (reading, *inherited):
        os.close(pipe)
    _child(work, item, writing, parent)


def _child(work: Callable[[I], O], item: I, pipe: int, parent: int) -> NoReturn:
    status = 1
    try:
        die_with(parent)
        keep_memory()
        import torch

        torch.set_num_threads(1)
        payload = pickle.dumps((True, work(item)))
        status = 0
    except BaseException as error:
        shown = error.message if isinstance(error, BadInput) else None
        if shown is None:
            traceback.print_exc()
        payload = pickle.dumps((False, (shown, _first_line(error))))
    try:
        with os.fdopen(pipe, "wb") as out:
            out.write(payload)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        # The parent's own clean-up must not run a second time here.
        os._exit(status)


def _outcome(status: int, received: bytes, name: str) -> O:  # type: ignore[type-var]
    if status < 0:
        why = signal.Signals(-status).name
        raise BadInput(f"{name}: its process was killed by {why}; nothing was written; run it again")
    if not received:
        raise BadInput(f"{name}: its process ended with status {status}; nothing was written; run it again")
    succeeded, value = pickle.loads(received)
    if succeeded:
        return value
    shown, first_line = value
    raise BadInput(shown if shown else f"{name}: failed: {first_line}")


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
