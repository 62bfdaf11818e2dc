"""One thread for linear algebra, where the last digits of a result would depend on their number."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread inside, whatever the machine has: results are those of a process with one core.

    OpenBLAS and OpenMP add partial sums in an order that follows from their number of threads. Libraries that
    are loaded inside are not bound by it.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
