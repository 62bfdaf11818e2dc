"""A time limit for a computation, in any thread."""

import contextlib
import ctypes
import threading
import time
from collections.abc import Callable

_POLL = 0.05  # seconds


class _Late(BaseException):
    """No `Exception`: the libraries under the limit catch those."""


def within(seconds: float, compute: Callable[[], bool]) -> bool:
    """Return what `compute` returns; False where it raises or takes longer than `seconds` of CPU time.

    CPU time of this process, not wall-clock time: a busy machine does not change a grade. `SIGALRM`, the
    usual means, works in the main thread alone; here a second thread raises in the first one
    (`PyThreadState_SetAsyncExc`). Neither interrupts a single operation of C code, such as one power of
    integers: whoever calls this has to refuse the input of which those would be too large.

    Args:
        seconds: the limit.
        compute: without side effects, as it may be broken off anywhere.
    """
    caller, lock, done = threading.get_ident(), threading.Lock(), threading.Event()
    end = time.process_time() + seconds

    def interrupt() -> None:
        while not done.wait(_POLL):
            if time.process_time() > end:
                with lock:
                    if not done.is_set():
                        _raise_in(caller, _Late)

    def stop() -> None:
        while True:
            with contextlib.suppress(_Late), lock:
                done.set()
                _raise_in(caller, None)  # what was raised but has not arrived
                return

    threading.Thread(target=interrupt, daemon=True).start()
    try:
        try:
            return compute()
        except Exception:
            return False
        finally:
            stop()
    except _Late:
        stop()
        return False


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    raised = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), raised)
