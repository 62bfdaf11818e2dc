"""Which batches were sent, in the response store's file: their replies are paid for, whoever sees them come.

A batch is noted before it is created at the server, under a name of ours that its metadata carries, and stays
open until its replies are in the store. So a process that is killed at any instant leaves enough to find it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from stages.errors import BadInput

BUSY_S = 30.0  # wait for another process's commit
LOOKUP = 500  # keys per SELECT
KEY_BYTES = 32  # of a sha256

CREATE = """
create table if not exists batches (
    intent text primary key,    -- our name of it, "seedbed" in its metadata
    id text,                    -- the server's; null from the intent until the server's answer
    model text not null,
    endpoint_host text not null,
    task text,                  -- wire name of the replies' schema
    requests integer not null,
    keys blob not null,         -- of its requests, 32 bytes each; emptied when it has ended
    status text not null,       -- intended, sent; then stored, failed, refused, void (never created), lost
    created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""


class Sent(NamedTuple):
    """A batch that has not ended."""

    intent: str
    id: str | None  # None where it is not known whether the server has it
    task: str | None
    keys: list[str]
    created: str  # ISO 8601, UTC


class BatchLedger:
    """The table `batches` of a response store.

    Args:
        path: of a store that `ResponseStore` has opened; its table is made where it is missing.

    Raises:
        BadInput: the file is missing, damaged, or cannot be written; so every method.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._faults():
            self._connection = sqlite3.connect(
                f"{path.resolve().as_uri()}?mode=rw",  # a new file would not be a store
                uri=True,
                timeout=BUSY_S,
                isolation_level=None,
                check_same_thread=False,
            )
            self._connection.execute("pragma synchronous = full")
            self._connection.execute(CREATE)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def intend(self, intent: str, model: str, host: str, task: str | None, keys: Sequence[str]) -> None:
        """Note a batch that is about to be created; it is on the disk when this returns."""
        packed = bytes.fromhex("".join(keys))
        values = (intent, model, host, task, len(keys), packed, "intended")
        with self._faults():
            self._connection.execute(
                "insert into batches (intent, model, endpoint_host, task, requests, keys, status)"
                " values (?, ?, ?, ?, ?, ?, ?)",
                values,
            )

    def sent(self, intent: str, batch_id: str) -> None:
        """Note that the server has it."""
        with self._faults():
            self._connection.execute(
                "update batches set id = ?, status = 'sent' where intent = ?", (batch_id, intent)
            )

    def end(self, intent: str, status: str) -> None:
        """Close a batch: nothing is to be fetched from it any more."""
        with self._faults():
            self._connection.execute(
                "update batches set status = ?, keys = x'' where intent = ?", (status, intent)
            )

    def void(self, intent: str) -> None:
        """Close a batch that the server does not know, unless its id has been noted meanwhile.

        Its keys are kept: another process that is just creating it will note its id.
        """
        with self._faults():
            self._connection.execute(
                "update batches set status = 'void' where intent = ? and id is null", (intent,)
            )

    def open(self, model: str, host: str) -> list[Sent]:
        """Return the batches of a model at an endpoint that have not ended, oldest first."""
        with self._faults():
            rows = self._connection.execute(
                "select intent, id, task, keys, created from batches where model = ? and endpoint_host = ?"
                " and status in ('intended', 'sent') order by created, intent",
                (model, host),
            ).fetchall()
        return [
            Sent(intent, name, task, _unpacked(keys), created) for intent, name, task, keys, created in rows
        ]

    def stored(self, keys: Sequence[str]) -> bool:
        """Return whether the store has a response to each of `keys`, which differ."""
        with self._faults():
            for start in range(0, len(keys), LOOKUP):
                part = keys[start : start + LOOKUP]
                count = f"select count(*) from responses where key in ({','.join('?' * len(part))})"
                if self._connection.execute(count, part).fetchone()[0] < len(part):
                    return False
        return True

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn SQLite's errors into one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise BadInput(
                f"{self.path}: table of batches: {error}; see that the store's disk is writable and not full"
            ) from error


def _unpacked(keys: bytes) -> list[str]:
    return [keys[i : i + KEY_BYTES].hex() for i in range(0, len(keys), KEY_BYTES)]
