"""The response store: every reply a teacher was paid for, committed before it counts.

A SQLite file (WAL, synchronous FULL) outside the DAG, so that DVC's deleting of outs loses nothing paid.
Rows are keyed by the canonical request (`wire.request_key`) and never change. Several processes may share
one file. The one noun that knows the disk.
"""

import os
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from stages.errors import BadInput

SCHEMA = 1  # PRAGMA user_version
APPLICATION = 0x5EEDBED  # PRAGMA application_id, tells our file from another program's database
COMMIT_S = 0.02  # least time between two commits: one fsync then serves every reply of that time
BUSY_S = 30.0  # wait for another process's commit
LOOKUP = 500  # keys per SELECT

_CREATE = """
create table responses (
    key text primary key,
    model text not null,
    body text not null,                    -- the response as the server sent it
    finish_reason text,
    prompt_tokens integer not null,
    completion_tokens integer not null,
    latency_s real not null,
    request_id text,
    created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""


class Row(NamedTuple):
    """One stored response; `body` is the server's JSON as it came, `latency_s` includes retries."""

    key: str
    model: str
    body: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    request_id: str | None


_SELECT = f"select {', '.join(Row._fields)} from responses"
_INSERT = (
    f"insert or ignore into responses ({', '.join(Row._fields)}) values ({', '.join('?' * len(Row._fields))})"
)
_Item = tuple[Row, "Future[Row]"]


def default_path() -> Path:
    """Return the store's place: the variable SEEDBED_STORE, else `.seedbed/responses.sqlite`."""
    return Path(os.environ.get("SEEDBED_STORE") or ".seedbed/responses.sqlite")


class ResponseStore:
    """An open store; use it as a context manager.

    Args:
        path: of the SQLite file; it and its folder are made where they are missing.

    Raises:
        BadInput: the file is not a response store of this version, is damaged, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(
                f"{path}: cannot make the store's folder: {error.strerror}; {_ELSEWHERE}"
            ) from error
        self._reader = self._connect()
        try:
            self._prepare(self._reader)
            self._writer = self._connect()
        except BaseException:
            self._reader.close()
            raise
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write_on, name="response-store", daemon=True)
        self._thread.start()

    def __enter__(self) -> "ResponseStore":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is queued, stop the writer and close the file."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._writer.close()
        self._reader.close()

    def get(self, keys: Sequence[str]) -> dict[str, Row]:
        """Return the stored rows among `keys`.

        Raises:
            BadInput: the file is damaged.
        """
        found: dict[str, Row] = {}
        with self._faults():
            for start in range(0, len(keys), LOOKUP):
                part = keys[start : start + LOOKUP]
                marks = ",".join("?" * len(part))
                for values in self._reader.execute(f"{_SELECT} where key in ({marks})", part):
                    row = Row(*values)
                    found[row.key] = row
        return found

    def put(self, row: Row) -> "Future[Row]":
        """Queue a row; the future resolves after the commit, to the row that the store now holds.

        Where another process was first with the same key, that is the other's row. The future fails with
        `BadInput` when the row cannot be written (disk full, file damaged).
        """
        if not self._thread.is_alive():
            raise ValueError("the store is closed")
        future: Future[Row] = Future()
        self._queue.put((row, future))
        return future

    def __len__(self) -> int:
        with self._faults():
            (count,) = self._reader.execute("select count(*) from responses").fetchone()
        return int(count)

    def _connect(self) -> sqlite3.Connection:
        with self._faults():
            connection = sqlite3.connect(
                self.path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
            )
            # A commit survives a power cut, not only a kill: WAL alone would sync at checkpoints only.
            connection.execute("pragma synchronous = full")
            return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Check that the file is ours, or make it ours if it is new."""
        with self._faults():
            if not _pragma(connection, "user_version"):
                # Two processes may open a new store at once: look again once the file is locked.
                connection.execute("begin immediate")
                try:
                    tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
                    if not _pragma(connection, "user_version") and not tables:
                        connection.execute(_CREATE)
                        connection.execute(f"pragma application_id = {APPLICATION}")
                        connection.execute(f"pragma user_version = {SCHEMA}")
                finally:
                    connection.execute("commit")
            version = _pragma(connection, "user_version")
            if _pragma(connection, "application_id") != APPLICATION:
                raise BadInput(f"{self.path}: another program's database, not a response store; {_ELSEWHERE}")
            if version != SCHEMA:
                raise BadInput(
                    f"{self.path}: response store of version {version}, not {SCHEMA}; {_ELSEWHERE}"
                )
            names = [row[1] for row in connection.execute("pragma table_info(responses)")]
            if names != [*Row._fields, "created"]:
                raise BadInput(f"{self.path}: the store's table is not as this code writes it; {_ELSEWHERE}")
            connection.execute("pragma journal_mode = wal")

    def _write_on(self) -> None:
        """Commit groups of queued rows until told to stop (the writer thread)."""
        last = 0.0
        stopping = False
        while not stopping:
            items = [self._queue.get()]
            pause = last + COMMIT_S - time.monotonic()
            if pause > 0 and items[0] is not None:
                time.sleep(pause)
            while not self._queue.empty():
                items.append(self._queue.get())
            stopping = None in items
            group = [item for item in items if item is not None]
            if group:
                self._commit(group)
            last = time.monotonic()

    def _commit(self, group: list[_Item]) -> None:
        kept: list[Row] = []
        try:
            with self._faults():
                self._writer.execute("begin immediate")
                for row, _ in group:
                    if self._writer.execute(_INSERT, row).rowcount == 0:
                        found = self._writer.execute(f"{_SELECT} where key = ?", (row.key,)).fetchone()
                        row = Row(*found)
                    kept.append(row)
                self._writer.execute("commit")
        except Exception as error:  # handed to whoever waits for the row; the thread must live on
            with suppress(sqlite3.Error):
                self._writer.rollback()
            for _, future in group:
                if future.set_running_or_notify_cancel():
                    future.set_exception(error)
            return
        for row, (_, future) in zip(kept, group, strict=True):
            if future.set_running_or_notify_cancel():
                future.set_result(row)

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn SQLite's errors into one line."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise BadInput(f"{self.path}: response store: {error}; {_advice(error)}") from error


_ELSEWHERE = "move it away or set SEEDBED_STORE to another path"


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"pragma {name}").fetchone()[0])


def _advice(error: sqlite3.DatabaseError) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return "free some disk space and run again, what was committed is kept"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another process holds it; let it end and run again"
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        return f"not a sound SQLite file; {_ELSEWHERE}"
    return "make the file and its folder writable, or set SEEDBED_STORE to another path"
