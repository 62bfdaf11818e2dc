"""The response store: every reply a teacher was paid for, committed before it counts.

A SQLite file (WAL) outside the DAG, so that DVC's deleting of outs loses nothing paid. Rows are keyed by the
canonical request (`wire.request_key`) and never change. Several processes may share one file. This module and
those named `store_…` beside it are the ones that know the disk.

A row is safe in two steps. The thread that brings it commits it to the WAL at once: from then on a kill of
the process cannot lose it. A second thread syncs the WAL every 20 ms at most, one fsync for every row of
that time, and only then do their futures resolve: from then on a power cut cannot lose it.
"""

import asyncio
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from stages.errors import BadInput
from stages.teacher import store_measures, store_schema
from stages.teacher.store_measures import Measured
from stages.teacher.store_schema import Row, default_path

__all__ = ["Measured", "ResponseStore", "Row", "Spent", "default_path"]

COMMIT_S = 0.02  # least time between two syncs: one fsync then serves every reply of that time
CHECKPOINT_BYTES = 16 << 20  # size of the WAL beyond which it is carried into the file
LOOKUP = 500  # keys per SELECT
TOGETHER = 32  # rows per INSERT

_fsync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have fsync only


class Spent(NamedTuple):
    """What a model was ever paid for, whether its rows are still there or pruned."""

    calls: int
    prompt_tokens: int
    completion_tokens: int


class _Item(NamedTuple):
    """A row on its way; `outcome` is what the store holds for its key, None where it is not yet written."""

    row: Row
    outcome: Row | Exception | None
    future: "asyncio.Future[Row] | Future[Row]"
    loop: asyncio.AbstractEventLoop | None  # of the future, where it is asyncio's


class ResponseStore:
    """An open store; use it as a context manager.

    Args:
        path: of the SQLite file; it and its folder are made where they are missing.

    Raises:
        BadInput: the file is not a response store of this version, is damaged, lies on a network filesystem,
            or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        store_schema.refuse_network(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"{path}: cannot make the store's folder: {error.strerror}; {store_schema.ELSEWHERE}"
            ) from error
        with ExitStack() as opening:
            self._reader = opening.enter_context(closing(store_schema.opened(path)))
            # The first never makes an event loop wait: a row that finds the file locked goes to the second.
            self._writer = opening.enter_context(closing(self._connected(timeout=0.0)))
            self._patient = opening.enter_context(closing(self._connected(timeout=store_schema.BUSY_S)))
            try:
                self._wal = os.open(f"{path}-wal", os.O_RDWR)
            except OSError as error:
                raise BadInput(f"{path}-wal: {error.strerror}; {store_schema.ELSEWHERE}") from error
            opening.callback(os.close, self._wal)
            self._opened = opening.pop_all()
        self._saved: dict[asyncio.AbstractEventLoop, list[_Item]] = {}  # in each loop's present turn
        self._lock = threading.RLock()  # of the writer, and of what follows
        self._closed = False
        self._checkpoint_at = CHECKPOINT_BYTES
        self._queue: queue.SimpleQueue[Sequence[_Item] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._sync_on, name="response-store", daemon=True)
        self._thread.start()

    def __enter__(self) -> "ResponseStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Write and sync what was put or saved, resolve its futures and close the file."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._write_all_saved()
            self._queue.put(None)
        self._thread.join()
        self._opened.close()

    def get(self, keys: Sequence[str]) -> dict[str, Row]:
        """Return the stored rows among `keys`.

        Raises:
            BadInput: the file is damaged, or a row in it is not what was stored.
        """
        self._write_all_saved()
        with store_schema.faults(self.path):
            return self._stored(self._reader, keys)

    def put(self, row: Row) -> "Future[Row]":
        """Write a row; the future resolves after the sync, to the row that the store now holds.

        Where another process was first with the same key, that is the other's row. The future fails with
        `BadInput` when the row cannot be written (disk full, file damaged). Threads may put at once.
        """
        future: Future[Row] = Future()
        with self._lock:
            self._refuse_closed()
            self._write([_Item(row, None, future, None)])
        return future

    def save(self, row: Row) -> "asyncio.Future[Row]":
        """As `put`, for the running event loop, and cheaper there.

        The rows that one turn of the loop saves are committed together at its end, and the loop is woken once
        for all the rows of one sync.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Row] = loop.create_future()
        with self._lock:
            self._refuse_closed()
            saved = self._saved.setdefault(loop, [])
            saved.append(_Item(row, None, future, loop))
        if len(saved) == 1:
            loop.call_soon(self._write_saved, loop)
        return future

    def spent(self, model: str) -> Spent:
        """Return what `model` was ever paid for, by every process that shares the file.

        Raises:
            BadInput: the file is damaged.
        """
        self._write_all_saved()
        query = f"select {', '.join(Spent._fields)} from spending where model = ?"
        with store_schema.faults(self.path):
            found = self._reader.execute(query, (model,)).fetchone()
        return Spent(*found) if found else Spent(0, 0, 0)

    def measured(self, model: str, task: str) -> Measured:
        """Return what the replies of `model` to one kind of request were like.

        Raises:
            BadInput: the file is damaged.
        """
        with store_schema.faults(self.path):
            return store_measures.measured(self._reader, model, task)

    def __len__(self) -> int:
        self._write_all_saved()
        with store_schema.faults(self.path):
            (count,) = self._reader.execute("select count(*) from responses").fetchone()
        return int(count)

    def _connected(self, timeout: float) -> sqlite3.Connection:
        with store_schema.faults(self.path):
            connection = store_schema.connect(self.path, timeout)
            # A commit writes and does not sync: that is `_sync_on`'s part, as are checkpoints.
            connection.execute("pragma synchronous = normal")
            connection.execute("pragma wal_autocheckpoint = 0")
            connection.execute("select 1 from responses limit 1").fetchone()  # makes the WAL's file
            return connection

    def _stored(self, connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Row]:
        found: dict[str, Row] = {}
        query = f"select {', '.join(store_schema.COLUMNS)} from responses where key in"
        for start in range(0, len(keys), LOOKUP):
            part = keys[start : start + LOOKUP]
            for *values, crc in connection.execute(f"{query} ({', '.join('?' * len(part))})", part):
                row = Row(*values)
                if crc is not None and crc != store_schema.crc(row):
                    raise store_schema.Damaged(self.path, f"the row {row.key} is not what was stored")
                found[row.key] = row
        return found

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ValueError("the store is closed")

    def _write_all_saved(self) -> None:
        """Write what was gathered, so that its reader finds it; a loop that has ended will not do it."""
        with self._lock:
            for loop in list(self._saved):
                self._write_saved(loop)

    def _write_saved(self, loop: asyncio.AbstractEventLoop) -> None:
        with self._lock:
            saved = self._saved.pop(loop, [])
            for start in range(0, len(saved), TOGETHER):
                self._write(saved[start : start + TOGETHER])

    def _write(self, items: Sequence[_Item]) -> None:
        """Write rows without waiting and queue them for the sync."""
        self._queue.put(self._written(self._writer, items))

    def _written(self, connection: sqlite3.Connection, items: Sequence[_Item]) -> Sequence[_Item]:
        """Write rows in one transaction and return them with their outcomes.

        Those that find the file locked come back from the connection that does not wait as they are.
        """
        try:
            kept = self._inserted(connection, [item.row for item in items])
        except Exception as error:  # handed to whoever waits for the rows
            locked = isinstance(error, sqlite3.Error) and store_schema.locked(error)
            return items if locked and connection is self._writer else self._failed(items, error)
        return [_Item(item.row, row, item.future, item.loop) for item, row in zip(items, kept, strict=True)]

    def _inserted(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> Sequence[Row]:
        """Write rows and return what the store then holds for their keys.

        One statement, so that Python's lock is given away once and not once a row.
        """
        done = connection.execute(store_schema.insertion(len(rows)), store_schema.values(rows))
        if done.rowcount == len(rows):
            return rows
        found = self._stored(connection, [row.key for row in rows])
        return [found[row.key] for row in rows]

    def _sync_on(self) -> None:
        """Sync groups of rows until told to stop (the store's own thread)."""
        last = 0.0
        stopping = False
        while not stopping:
            parts = [self._queue.get()]
            pause = last + COMMIT_S - time.monotonic()
            if pause > 0 and parts[0] is not None:
                time.sleep(pause)
            while not self._queue.empty():
                parts.append(self._queue.get())
            stopping = None in parts
            group = [item for part in parts if part is not None for item in part]
            if group:
                _resolve(self._synced(self._all_written(group)))
            last = time.monotonic()

    def _all_written(self, group: Sequence[_Item]) -> list[_Item]:
        """Write those rows of the group that found the file locked, however long that lasts."""
        waiting = [item for item in group if item.outcome is None]
        done = [item for item in group if item.outcome is not None]
        for start in range(0, len(waiting), TOGETHER):
            done += self._written(self._patient, waiting[start : start + TOGETHER])
        return done

    def _synced(self, group: list[_Item]) -> list[_Item]:
        """Make what was written outlast a power cut."""
        try:
            _fsync(self._wal)
        except OSError as error:
            fault = BadInput(
                f"{self.path}: response store: cannot sync: {error.strerror}; {store_schema.FREE_SPACE}"
            )
            return [item for item in group if isinstance(item.outcome, Exception)] + self._failed(
                [item for item in group if not isinstance(item.outcome, Exception)], fault
            )
        with suppress(sqlite3.Error):  # of a full disk or a damaged file the next row will tell
            self._checkpoint()
        return group

    def _checkpoint(self) -> None:
        """Carry a WAL that has grown into the file; a reader that is in the way postpones it."""
        size = os.fstat(self._wal).st_size
        if size < self._checkpoint_at:
            return
        self._patient.execute("pragma busy_timeout = 100")  # ms
        try:
            # Most of it while rows are written on, so that the second step keeps them waiting for little.
            self._patient.execute("pragma wal_checkpoint(passive)").fetchone()
            (busy, _, _) = self._patient.execute("pragma wal_checkpoint(truncate)").fetchone()
        finally:
            self._patient.execute(f"pragma busy_timeout = {int(1000 * store_schema.BUSY_S)}")
        self._checkpoint_at = size + CHECKPOINT_BYTES if busy else CHECKPOINT_BYTES

    def _failed(self, items: Sequence[_Item], error: Exception) -> list[_Item]:
        try:
            with store_schema.faults(self.path):
                raise error
        except Exception as explained:
            return [item._replace(outcome=explained) for item in items]


def _resolve(group: Sequence[_Item]) -> None:
    """Resolve the futures of rows that are safe, each in its own loop, which is woken once."""
    _tell([item for item in group if item.loop is None])
    for loop in {item.loop for item in group if item.loop is not None}:
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(_tell, [item for item in group if item.loop is loop])


def _tell(group: Sequence[_Item]) -> None:
    for item in group:
        if item.future.done():  # cancelled
            continue
        if isinstance(item.outcome, Exception):
            item.future.set_exception(item.outcome)
        else:
            assert item.outcome is not None
            item.future.set_result(item.outcome)
