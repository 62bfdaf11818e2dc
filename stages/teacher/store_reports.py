"""What a store holds, counted, exported to Parquet, and pruned."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stages import files
from stages.teacher import store_schema
from stages.teacher.store_schema import Row

if TYPE_CHECKING:
    import pyarrow as pa

GROUP_ROWS = 50_000  # of a Parquet row group, at most
GROUP_BYTES = 32 << 20  # of the bodies in one
ALONE_S = 2.0  # wait for other processes to close the store before it is pruned


class Share(NamedTuple):
    """The rows of one model and task."""

    model: str
    task: str | None  # None for rows of before tasks were stored
    rows: int
    prompt_tokens: int
    completion_tokens: int


class Bill(NamedTuple):
    """What a model was ever paid for."""

    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int


class Stats(NamedTuple):
    """What a store holds."""

    shares: list[Share]
    bills: list[Bill]
    oldest: str | None  # UTC, as in the file
    newest: str | None
    size: int  # bytes, WAL included


class Which(NamedTuple):
    """Which rows, by what is not None: all of it must fit."""

    model: str | None = None
    task: str | None = None
    before: datetime | None = None  # UTC

    def where(self) -> tuple[str, list[str]]:
        """Return the condition and its values."""
        given: dict[str, str | None] = {
            "model = ?": self.model,
            "task = ?": self.task,
            "created < ?": f"{self.before:%Y-%m-%dT%H:%M:%S.%fZ}" if self.before else None,
        }
        terms = {term: value for term, value in given.items() if value is not None}
        return " and ".join(terms) or "true", list(terms.values())


def stats(path: Path) -> Stats:
    """Count what a store holds.

    Raises:
        BadInput: there is no store here, or it is damaged.
    """
    with closing(store_schema.opened_if_there(path)) as connection, store_schema.faults(path):
        bills = connection.execute(f"select {', '.join(Bill._fields)} from spending order by model")
        oldest, newest = connection.execute("select min(created), max(created) from responses").fetchone()
        return Stats(
            _shares(connection, Which()), [Bill(*values) for values in bills], oldest, newest, _size(path)
        )


def export(path: Path, out: Path, bodies: bool) -> int:
    """Write the rows and the spending of a store to Parquet files in the folder `out`.

    The rows are one snapshot, whatever other processes write meanwhile, and never all in memory.

    Returns:
        How many rows there are.

    Raises:
        BadInput: there is no store here, it is damaged, or the folder cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    written = 0
    with closing(store_schema.opened_if_there(path)) as connection, store_schema.faults(path):
        with store_schema.snapshot(connection):
            schema = _schema(bodies)
            with (
                files.replacing(out / "responses.parquet") as temporary,
                pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
            ):
                for group in _groups(connection, path):
                    writer.write_table(_table(group, schema))
                    written += len(group)
            bills = list(connection.execute(f"select {', '.join(Bill._fields)} from spending order by model"))
        with files.replacing(out / "spending.parquet") as temporary:
            columns = list(zip(*bills, strict=True)) or [()] * len(Bill._fields)
            pq.write_table(pa.table(dict(zip(Bill._fields, columns, strict=True)), _bill_schema()), temporary)
    return written


def prunable(path: Path, which: Which) -> list[Share]:
    """Return what `prune` would take away.

    Raises:
        BadInput: there is no store here, or it is damaged.
    """
    with closing(store_schema.opened_if_there(path)) as connection, store_schema.faults(path):
        return _shares(connection, which)


def prune(path: Path, which: Which) -> int:
    """Delete rows and give their space back; what was spent on them stays booked.

    Returns:
        How many rows went.

    Raises:
        BadInput: there is no store here, it is damaged, or another process has it open: a row that is being
            drawn would have to wait for all of this.
    """
    where, given = which.where()
    with closing(store_schema.opened_alone(path, ALONE_S)) as connection, store_schema.faults(path):
        with store_schema.writing(connection):
            count = connection.execute(f"delete from responses where {where}", given).rowcount
        if count:
            connection.execute("vacuum")
        return int(count)


def _shares(connection: sqlite3.Connection, which: Which) -> list[Share]:
    where, given = which.where()
    query = f"""
    select model, task, count(*), sum(prompt_tokens), sum(completion_tokens)
    from responses where {where} group by model, task order by model, task
    """
    return [Share(*values) for values in connection.execute(query, given)]


def _size(path: Path) -> int:
    parts = (path, Path(f"{path}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _groups(connection: sqlite3.Connection, path: Path) -> Iterator[list[Sequence[object]]]:
    """Yield the rows, each with its date, in groups of bounded size."""
    query = f"select {', '.join((*store_schema.COLUMNS, 'created'))} from responses order by rowid"
    group: list[Sequence[object]] = []
    size = 0
    for *values, crc, created in connection.execute(query):
        row = Row(*values)
        if crc is not None and crc != store_schema.crc(row):
            raise store_schema.Damaged(path, f"the row {row.key} is not what was stored")
        group.append((*row, datetime.fromisoformat(created)))
        size += len(row.body)
        if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _table(group: Sequence[Sequence[object]], schema: "pa.Schema") -> "pa.Table":
    import pyarrow as pa

    columns = dict(zip((*Row._fields, "created"), zip(*group, strict=True), strict=True))
    return pa.table({name: columns[name] for name in schema.names}, schema)


def _schema(bodies: bool) -> "pa.Schema":
    import pyarrow as pa

    named = pa.dictionary(pa.int32(), pa.string())
    columns = {
        "key": pa.string(),
        "model": named,
        "task": named,
        "finish_reason": named,
        "prompt_tokens": pa.int64(),
        "completion_tokens": pa.int64(),
        "latency_s": pa.float64(),
        "request_id": pa.string(),
        "created": pa.timestamp("ms", tz="UTC"),
        "body": pa.string(),
    }
    optional = {"task", "finish_reason", "request_id"}
    return pa.schema(
        [
            pa.field(name, kind, nullable=name in optional)
            for name, kind in columns.items()
            if bodies or name != "body"
        ]
    )


def _bill_schema() -> "pa.Schema":
    import pyarrow as pa

    return pa.schema(
        [pa.field(name, pa.string() if name == "model" else pa.int64(), False) for name in Bill._fields]
    )
