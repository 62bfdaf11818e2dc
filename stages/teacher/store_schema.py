"""The response store's file: its tables, how an older file becomes one, and what its faults mean.

Schema 1 had the table `responses` without its last two columns, and nothing else.
"""

import os
import sqlite3
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from stages.errors import BadInput
from stages.teacher import store_mounts

SCHEMA = 2  # PRAGMA user_version
APPLICATION = 0x5EEDBED  # PRAGMA application_id, tells our file from another program's database
BUSY_S = 30.0  # wait for another process's commit
ELSEWHERE = "move it away or set SEEDBED_STORE to another path"
FREE_SPACE = "free some disk space and run again, what was committed is kept"

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
    created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    task text,                             -- what was asked for; null in rows of schema 1
    crc integer                            -- of all but created; null in rows of schema 1
)
"""
_ADDED = ("alter table responses add column task text", "alter table responses add column crc integer")
_SPENDING = """
create table spending (                    -- what each model was ever paid for, pruned rows included
    model text primary key,
    calls integer not null,
    prompt_tokens integer not null,
    completion_tokens integer not null
)
"""
# The database itself keeps the books, so that each row really inserted counts once, whoever inserts it: an
# ignored insert fires no trigger. (An upsert here would take on the outer statement's "or ignore".)
_BOOKKEEPING = """
create trigger spent after insert on responses begin
    insert or ignore into spending values (new.model, 0, 0, 0);
    update spending set
        calls = calls + 1,
        prompt_tokens = prompt_tokens + new.prompt_tokens,
        completion_tokens = completion_tokens + new.completion_tokens
    where model = new.model;
end
"""
_SPENT_SO_FAR = """
insert into spending
select model, count(*), sum(prompt_tokens), sum(completion_tokens) from responses group by model
"""
# Both ends of the table and of its index, and the books: cheap however large the file.
_GLANCES = (
    "select * from responses order by rowid desc limit 1",
    "select key from responses order by key desc limit 1",
    "select key from responses order by key limit 1",
    "select * from spending",
)


class Damaged(BadInput):
    """The file is not as it was left; `what` says in which way."""

    def __init__(self, path: Path, what: str) -> None:
        self.what = what
        where = "" if path == default_path() else f" --path {path}"
        super().__init__(
            f"{path}: response store: {what}; run `python -m stages.teacher store verify --repair{where}`, "
            f"or {ELSEWHERE}"
        )


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
    task: str | None = None  # wire name of the reply asked for; None where schema 1 stored it


COLUMNS = (*Row._fields, "crc")  # as this code writes them; `created` fills itself
IN_FILE = (*Row._fields[:-1], "created", "task", "crc")  # as they lie in the file


def crc(row: Row) -> int:
    """Return the check sum of a row; it tells a changed one from the one that was stored."""
    exact = row._replace(latency_s=float(row.latency_s))  # as SQLite will give it back
    return zlib.crc32("\n".join(map(str, exact)).encode())


def insertion(count: int) -> str:
    """Return the statement that inserts `count` rows, but for those whose key is there."""
    marks = f"({', '.join('?' * len(COLUMNS))})"
    return f"insert or ignore into responses ({', '.join(COLUMNS)}) values {', '.join([marks] * count)}"


def values(rows: Sequence[Row]) -> list[Any]:
    """Return what `insertion` takes."""
    return [value for row in rows for value in (*row, crc(row))]


def connect(path: Path, timeout: float = BUSY_S) -> sqlite3.Connection:
    """Open a connection in autocommit, for use by any thread.

    Args:
        path: of the file, made where it is missing.
        timeout: seconds to wait for another's lock.
    """
    return sqlite3.connect(
        path, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=64
    )


def opened(path: Path) -> sqlite3.Connection:
    """Open the store, making or migrating the file where need be, and glance at its soundness.

    Raises:
        BadInput: another program's database, a newer schema, damage, or no place for a store.
    """
    refuse_network(path)
    wal = Path(f"{path}-wal")
    if path.is_file() and not path.stat().st_size and wal.is_file() and wal.stat().st_size:
        raise Damaged(path, "the file was emptied")  # SQLite would take it for a new one, and remove the WAL
    with faults(path):
        connection = connect(path)
        try:
            _prepare_patiently(connection, path)
        except BaseException:
            connection.close()
            raise
        return connection


def opened_if_there(path: Path) -> sqlite3.Connection:
    """As `opened`, but never make a file.

    Raises:
        BadInput: there is no store here.
    """
    refuse_missing(path)
    return opened(path)


def opened_alone(path: Path, timeout: float) -> sqlite3.Connection:
    """As `opened_if_there`, with no other process having it open until it is closed.

    Args:
        path: of the file.
        timeout: seconds to wait for others to close it.

    Raises:
        BadInput: there is no store here, or another process has it open.
    """
    opened_if_there(path).close()  # migrated if need be
    with faults(path):
        connection = connect(path, timeout)
        try:
            connection.execute("pragma locking_mode = exclusive")  # refused while others hold it
            with writing(connection):
                pass
        except BaseException:
            connection.close()
            raise
        return connection


def refuse_missing(path: Path) -> None:
    """Raise BadInput where there is no file."""
    if not path.is_file():
        raise BadInput(f"{path}: no response store here; name one by --path or SEEDBED_STORE")


def refuse_network(path: Path) -> None:
    """Raise BadInput where the path lies on a filesystem that several machines share."""
    if not sys.platform.startswith("linux"):
        return
    try:
        mountinfo = store_mounts.MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:  # no /proc in this container: SQLite's own errors must do
        return
    mount = store_mounts.network_mount(path.resolve(), mountinfo)
    if mount:
        raise BadInput(
            f"{path}: on a network filesystem ({mount.kind} at {mount.place}), where SQLite cannot share "
            "memory between machines and rows would be lost; set SEEDBED_STORE to a path on a local disk"
        )


def _prepare_patiently(connection: sqlite3.Connection, path: Path) -> None:
    """Prepare the file once others let it; SQLite itself does not wait where the journal's mode changes."""
    until = time.monotonic() + BUSY_S
    while True:
        try:
            return _prepare(connection, path)
        except sqlite3.OperationalError as error:
            if not locked(error) or time.monotonic() > until:
                raise
            time.sleep(0.005)


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Check that the file is ours and of this schema, or make it so."""
    if pragma(connection, "user_version") < SCHEMA:
        with writing(connection):  # two processes may come at once: look again once the file is locked
            _build(connection)
    version = pragma(connection, "user_version")
    if pragma(connection, "application_id") != APPLICATION:
        raise BadInput(f"{path}: another program's database, not a response store; {ELSEWHERE}")
    if version > SCHEMA:
        raise BadInput(
            f"{path}: response store of version {version}, newer than this code's {SCHEMA}; update seedbed, "
            f"or {ELSEWHERE}"
        )
    names = tuple(row[1] for row in connection.execute("pragma table_info(responses)"))
    if version != SCHEMA or names != IN_FILE:
        raise BadInput(f"{path}: the store's table is not as this code writes it; {ELSEWHERE}")
    connection.execute("pragma journal_mode = wal")
    for glance in _GLANCES:
        connection.execute(glance).fetchall()


def _build(connection: sqlite3.Connection) -> None:
    """Make a new file ours, or bring one of schema 1 up to date; within the caller's transaction."""
    version = pragma(connection, "user_version")
    ours = pragma(connection, "application_id") == APPLICATION
    new = not version and not connection.execute("select count(*) from sqlite_master").fetchone()[0]
    if new:
        statements: tuple[str, ...] = (_CREATE, _SPENDING, f"pragma application_id = {APPLICATION}")
    elif ours and version == 1:
        statements = (*_ADDED, _SPENDING, _SPENT_SO_FAR)
    else:
        return
    for statement in (*statements, _BOOKKEEPING, f"pragma user_version = {SCHEMA}"):
        connection.execute(statement)


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit the block as one transaction, or nothing of it."""
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("rollback")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Let the block read one state of the store, whatever others write meanwhile."""
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


def pragma(connection: sqlite3.Connection, name: str) -> int:
    """Return the number that a pragma holds."""
    return int(connection.execute(f"pragma {name}").fetchone()[0])


@contextmanager
def faults(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into one line."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if broken(error):
            raise Damaged(path, f"{error}; not a sound SQLite file") from error
        raise BadInput(f"{path}: response store: {error}; {_advice(error)}") from error


def locked(error: sqlite3.Error) -> bool:
    """Tell whether another connection holds the file."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def broken(error: sqlite3.Error) -> bool:
    """Tell whether the file is damaged."""
    undecodable = str(error).startswith("Could not decode to UTF-8")  # Python's own error, without a code
    return undecodable or _code(error) in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _advice(error: sqlite3.DatabaseError) -> str:
    if _code(error) in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return FREE_SPACE
    if locked(error):
        return "another process holds it; let it end and run again"
    return "make the file and its folder writable, or set SEEDBED_STORE to another path"


def default_path() -> Path:
    """Return the store's place: the variable SEEDBED_STORE, else `.seedbed/responses.sqlite`."""
    return Path(os.environ.get("SEEDBED_STORE") or ".seedbed/responses.sqlite")
