"""The store's health: what is wrong with a file, and a new one from all that can still be read of it."""

import os
import shutil
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from types import NoneType
from typing import BinaryIO, NamedTuple

from stages.errors import BadInput
from stages.teacher import store_schema, wire
from stages.teacher.store_pages import Pages, Value
from stages.teacher.store_schema import Row

FAULTS_NAMED = 3  # faults that a report spells out
_SHARED = (510, 0x40000002)  # bytes that every connection to a SQLite file locks, and where they begin
_BATCH = 1000  # rows per transaction of a rebuild
_READ = f"select {', '.join(store_schema.IN_FILE)} from responses"
_REINSERT = (
    f"insert or ignore into responses ({', '.join(store_schema.IN_FILE)}) "
    f"values ({', '.join('?' * len(store_schema.IN_FILE))})"
)
_REBOOK = """
insert into spending values (?, ?, ?, ?) on conflict (model) do update set
    calls = max(calls, excluded.calls),
    prompt_tokens = max(prompt_tokens, excluded.prompt_tokens),
    completion_tokens = max(completion_tokens, excluded.completion_tokens)
"""
_TEXT, _NUMBER, _OPTIONAL = (str,), (int,), (str, NoneType)
_TYPES: tuple[tuple[type, ...], ...] = (
    *(_TEXT, _TEXT, _TEXT, _OPTIONAL, _NUMBER, _NUMBER, (int, float), _OPTIONAL),
    *(_TEXT, _OPTIONAL, (int, NoneType)),  # created, task, crc
)


class Health(NamedTuple):
    """What a full check found; sound where there are no faults."""

    rows: int  # that could be read
    unsound: dict[str, int]  # rows per fault, see `row_fault`
    faults: list[str]  # of the file as a whole

    def __str__(self) -> str:
        """Say it in one line."""
        bad = [f"{count:,} {name}" for name, count in sorted(self.unsound.items())]
        more = len(self.faults) - FAULTS_NAMED
        named = [*self.faults[:FAULTS_NAMED], *([f"{more} faults more"] if more > 0 else [])]
        return f"{self.rows:,} rows read, " + ("; ".join([*bad, *named]) or "all of them sound")

    @property
    def sound(self) -> bool:
        """Whether there is nothing to repair."""
        return not self.unsound and not self.faults


class Repair(NamedTuple):
    """What a repair did."""

    saved: int  # rows of the new file
    quarantine: Path  # where the damaged file is now


def row_fault(row: Row, crc: int | None) -> str | None:
    """Return the name of what is wrong with a row, None where it is as it was stored.

    "changed": it is not what its check sum was taken of. "no completion": its body is not a chat completion.
    "disagrees": the body's tokens or finish reason are not those beside it.
    """
    if crc is not None and crc != store_schema.crc(row):
        return "changed"
    try:
        said = wire.read_completion(row.body)
    except wire.Garbled:
        return "no completion"
    beside = (row.finish_reason, row.prompt_tokens, row.completion_tokens)
    return None if beside == (said.finish_reason, said.prompt_tokens, said.completion_tokens) else "disagrees"


def check(path: Path) -> Health:
    """Check the whole of a store, page by page and row by row; a store of schema 1 is migrated first.

    Raises:
        BadInput: there is no store here, it is another program's, newer, or cannot be opened.
    """
    store_schema.refuse_missing(path)
    faults: list[str] = []
    unsound: Counter[str] = Counter()
    rows = 0
    with ExitStack() as opened, _damage_among(faults):
        connection = opened.enter_context(closing(store_schema.opened(path)))
        with _damage_among(faults), store_schema.faults(path):
            lines = connection.execute("pragma integrity_check")
            faults += [" ".join(line.split()) for (line,) in lines if line != "ok"]
        with _damage_among(faults), store_schema.faults(path):
            for record in connection.execute(_READ):
                rows += 1
                row, crc = _as_row(record)
                fault = row_fault(row, crc) if row else "of wrong types"
                unsound.update([fault] if fault else [])
        with _damage_among(faults), store_schema.faults(path):
            faults += _unbooked(connection)
    return Health(rows, dict(unsound), faults)


def repair(path: Path) -> Repair:
    """Set a damaged store aside and put a new one of all its readable rows in its place.

    Rows that are not what was stored are left behind in the damaged file, which is kept. A repair that is
    killed, at any instant, can be run again.

    Raises:
        BadInput: another process has the store open; nothing of it can be read; the disk is full.
    """
    store_schema.refuse_missing(path)
    store_schema.refuse_network(path)
    rebuilt = path.with_name(f"{path.name}.rebuilt")  # what a killed repair left of it is gone on with
    wal = Path(f"{path}-wal")
    with ExitStack() as opened, _writing_beside(path):
        file = opened.enter_context(path.open("r+b"))
        _refuse_shared(file, path)
        log = opened.enter_context(wal.open("rb")) if wal.exists() else None
        saved = _rebuild(rebuilt, Pages(file, log))
        if not saved:
            _remove(rebuilt)
            raise BadInput(f"{path}: nothing in it can be read as a response store; {store_schema.ELSEWHERE}")
        quarantine = _quarantine(path, file, log)
        # Never the new file beside the old WAL, which SQLite would play into it.
        _remove(path, but_file=True)
        rebuilt.replace(path)
        _sync_folder(path.parent)
    return Repair(saved, quarantine)


@contextmanager
def _damage_among(faults: list[str]) -> Iterator[None]:
    """Note damage that ends the block; other errors pass."""
    try:
        yield
    except store_schema.Damaged as error:
        if error.what not in faults:
            faults.append(error.what)


def _unbooked(connection: sqlite3.Connection) -> list[str]:
    """Return a line per model whose rows add up to more than was booked as spent."""
    query = """
    select held.model
    from (
        select model, count(*) as calls, sum(prompt_tokens) as prompt, sum(completion_tokens) as completion
        from responses group by model
    ) as held
    left join spending on spending.model = held.model
    where coalesce(spending.calls, 0) < held.calls
        or coalesce(spending.prompt_tokens, 0) < held.prompt
        or coalesce(spending.completion_tokens, 0) < held.completion
    order by held.model
    """
    return [f"spending of {model} is less than its rows" for (model,) in connection.execute(query)]


def _as_row(record: Sequence[Value]) -> tuple[Row | None, int | None]:
    """Return the row of a record as it lies in the file, and its check sum; no row where types are wrong."""
    padded = [*record, *[None] * (len(store_schema.IN_FILE) - len(record))]  # schema 1 had fewer columns
    fits = len(padded) == len(_TYPES) and all(map(isinstance, padded, _TYPES))
    if not fits or len(record) not in (len(_TYPES), len(_TYPES) - 2):
        return None, None
    *values, _created, task, crc = padded
    return Row(*values, task), crc  # type: ignore[arg-type, call-arg, return-value]


def _rebuild(target: Path, pages: Pages) -> int:
    """Add the sound rows of a file to another store, and return how many are there then."""
    spending: set[tuple[Value, ...]] = set()
    with closing(store_schema.opened(target)) as connection, store_schema.faults(target):
        records = (record for record in pages.records() if _sound(record) or _books(record, spending))
        while part := list(islice(records, _BATCH)):
            with store_schema.writing(connection):
                connection.executemany(_REINSERT, [[*r, *[None] * (len(_TYPES) - len(r))] for r in part])
        connection.executemany(_REBOOK, sorted(spending, key=str))
        (count,) = connection.execute("select count(*) from responses").fetchone()
        return int(count)


def _sound(record: tuple[Value, ...]) -> bool:
    """Tell whether a record is a response as it was stored."""
    row, crc = _as_row(record)
    if row is None:
        return False
    fault = row_fault(row, crc)
    return fault is None or (fault != "changed" and crc is not None)


def _books(record: tuple[Value, ...], spending: set[tuple[Value, ...]]) -> bool:
    """Note a record of the table `spending`; return False, for it is no response."""
    if len(record) == 4 and isinstance(record[0], str) and all(isinstance(n, int) for n in record[1:]):
        spending.add(record)
    return False


def _quarantine(path: Path, file: BinaryIO, log: BinaryIO | None) -> Path:
    """Give the damaged file and its WAL second names, and return the file's."""
    at = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    kept = path.with_name(f"{path.name}.damaged-{at}")
    for end, source in (("", file), ("-wal", log)):
        if source is not None:
            _second_name(Path(f"{path}{end}"), Path(f"{kept}{end}"), source)
    _sync_folder(path.parent)
    return kept


def _second_name(path: Path, name: Path, source: BinaryIO) -> None:
    """Link a file, or copy it where the filesystem knows no links."""
    try:
        name.hardlink_to(path)
    except OSError:
        with name.open("xb") as copy:  # not by its path: to open and close that would lose the lock on it
            source.seek(0)
            shutil.copyfileobj(source, copy)
            copy.flush()
            os.fsync(copy.fileno())


def _remove(path: Path, but_file: bool = False) -> None:
    """Remove a store with what SQLite keeps beside it, or only the latter."""
    for end in ("-wal", "-shm") if but_file else ("", "-wal", "-shm"):
        Path(f"{path}{end}").unlink(missing_ok=True)


def _refuse_shared(file: BinaryIO, path: Path) -> None:
    """Take the lock that every connection to a SQLite file shares, alone, until the file is closed."""
    try:
        import fcntl
    except ImportError:  # on Windows an open file cannot be replaced anyway
        return
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_SHARED)
    except OSError as error:
        raise BadInput(f"{path}: another process has the store open; let it end and run again") from error


def _sync_folder(folder: Path) -> None:
    """Make new names in a folder outlast a power cut."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _writing_beside(path: Path) -> Iterator[None]:
    """Turn the disk's errors into one line."""
    try:
        yield
    except OSError as error:
        raise BadInput(
            f"{path}: cannot repair the response store: {error.strerror}; free some disk space or make its "
            "folder writable and run again, nothing is lost"
        ) from error
