"""Reading and writing: whole files only, each written under a temporary name and then renamed."""

import fcntl
import glob
import io
import json
import os
import shutil
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from stages.errors import BadInput
from stages.records import Record

_RANDOM = 8  # characters that `tempfile.mkstemp` ends a name with
BATCH = 4096  # rows that are Python objects and not yet records

R = TypeVar("R", bound=Record)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it onto `path` if the block succeeds.

    Raises:
        BadInput: the disk is full or the folder cannot be written; nothing is left behind.
    """
    with _swap(path) as temporary:
        yield temporary


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """As `replacing`, for a folder: the old one is removed only when the new one is complete."""
    with _swap(path) as temporary:
        temporary.mkdir()
        yield temporary
        if path.exists():
            shutil.rmtree(path)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Let no other process that asks for the same inside; the kernel lets go when one dies.

    What a killed one left half-written beside `path` is removed.

    Args:
        path: file or folder to be written; a lock lies beside it meanwhile.

    Raises:
        BadInput: another process is at it, or the folder cannot be written.
    """
    lock = path.parent / f".{path.name}.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        handle = _locked(lock)
    except BlockingIOError as error:
        raise BadInput(f"{path}: another process is writing it; wait for it or stop it") from error
    except OSError as error:
        raise BadInput(f"{path}: cannot write: {error.strerror or error}; nothing was changed") from error
    try:
        for left in path.parent.glob(f".{glob.escape(path.name)}.{'?' * _RANDOM}"):
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(lock: Path) -> int:
    """Return the descriptor of a held lock, whose file lies where others look for it."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(handle), lock.stat()):
                return handle
        except FileNotFoundError:
            pass  # whoever held it before has removed the file since it was opened here
        except OSError:
            os.close(handle)
            raise
        os.close(handle)


class Unwritten(BaseException):
    """A run came to where it would write, and must not; no fault, and nothing below may catch it."""


_UNWRITABLE: ContextVar[bool] = ContextVar("unwritable", default=False)


@contextmanager
def unwritable() -> Iterator[None]:
    """Let no file be written inside; whatever tries raises `Unwritten`."""
    token = _UNWRITABLE.set(True)
    try:
        yield
    finally:
        _UNWRITABLE.reset(token)


@contextmanager
def _swap(path: Path) -> Iterator[Path]:
    if _UNWRITABLE.get():
        raise Unwritten
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        temporary.unlink()
        yield temporary
        if temporary.is_file():
            temporary.chmod(0o644)
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise BadInput(f"{path}: cannot write: {error.strerror or error}; nothing was changed") from error
    finally:
        if temporary is not None and temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        elif temporary is not None:
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON; NaN and infinities are refused, they are not JSON."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        BadInput: there is no such file, or it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{path}: not readable as JSON: {error}; build it again") from error


def write_parquet(path: Path, rows: Iterable[R], record: type[R]) -> None:
    """Write `rows` of one record type, refusing two rows with the same key.

    Raises:
        ValueError: a key is there twice (a fault of the caller, never of the user).
        BadInput: the disk is full.
    """
    rows = list(rows)
    seen = Counter(tuple(getattr(row, name) for name in record.key) for row in rows)
    twice = [k for k, n in seen.items() if n > 1]
    if record.key and twice:
        raise ValueError(f"{path}: {len(twice)} keys {record.key} are there twice, first {twice[0]}")
    table = pa.Table.from_pylist([row.model_dump() for row in rows], schema=record.arrow_schema())
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def read_parquet(path: Path, record: type[R]) -> list[R]:
    """Read a Parquet file, or every part of a folder of them in name order, as validated rows.

    Raises:
        BadInput: a file is missing or corrupt, or its columns are not the record's.
    """
    return [row for rows in stream_parquet(path, record) for row in rows]


def parts(path: Path) -> list[Path]:
    """Return a Parquet file, or those of a folder in name order.

    Raises:
        BadInput: the folder has none.
    """
    found = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
    if not found:
        raise BadInput(f"{path}: no Parquet file in this folder; build it with `dvc repro`")
    return found


def stream_parquet(path: Path, record: type[R]) -> Iterator[list[R]]:
    """Yield the rows that `read_parquet` returns, a batch at a time, so that files of any size can be read.

    Raises:
        BadInput: a file is missing or corrupt, or its columns are not the record's.
    """
    for part in parts(path):
        try:
            # Buffered: a row group is read as it is used, not as a whole.
            with pq.ParquetFile(part, pre_buffer=False, buffer_size=1 << 20) as file:
                names, expected = file.schema_arrow.names, record.arrow_schema().names
                if names != expected:
                    odd = sorted(set(names) ^ set(expected))
                    raise BadInput(
                        f"{part}: columns are not those of {record.__name__} ({odd}); build it again"
                    )
                for batch in file.iter_batches(BATCH):
                    yield [record.model_validate(row) for row in batch.to_pylist()]
        except (OSError, pa.ArrowException) as error:
            raise BadInput(f"{part}: not readable as Parquet: {error}; build it with `dvc repro`") from error
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(x) for x in first["loc"])
            raise BadInput(f"{part}: a row is no {record.__name__}: {where}: {first['msg']}") from error


def read_table(path: Path, stage: str, columns: Sequence[str] | None = None, **narrowing: Any) -> pa.Table:
    """Read a Parquet file or folder as an Arrow table, without making an object of each row.

    Args:
        path: file or folder.
        stage: that makes it, named where it is missing.
        columns: to be read, in this order; None = all.
        narrowing: passed to `pyarrow.parquet.read_table`, such as `filters`.

    Raises:
        BadInput: it is missing or corrupt, or lacks a column.
    """
    if not path.exists():
        raise BadInput(f"{path}: missing; run `dvc repro {stage}`")
    try:
        table = pq.read_table(path, columns=None if columns is None else list(columns), **narrowing)
        return table if columns is None else table.select(list(columns))
    except (OSError, KeyError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise BadInput(f"{path}: not readable: {why}; run `dvc repro {stage}`") from error


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as `numpy.load` reads them; the same arrays give the same bytes under any Python.

    NumPy's own `savez` has the zip file's long headers, which releases of Python write differently, and so do
    builds of zlib compress.
    """
    with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(arrays[name]), allow_pickle=False)
            # Dated 1980, as ZipInfo is by default, so that no clock gets in.
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), content.getvalue())


def read_arrays(path: Path, stage: str) -> dict[str, np.ndarray]:
    """Read what `write_arrays` wrote.

    Args:
        path: of the file.
        stage: that makes it, named where it is missing.

    Raises:
        BadInput: it is missing or corrupt.
    """
    if not path.exists():
        raise BadInput(f"{path}: missing; run `dvc repro {stage}`")
    try:
        with zipfile.ZipFile(path) as archive:
            # Whole and checked before numpy parses what is there.
            contents = {name: io.BytesIO(archive.read(name)) for name in archive.namelist()}
        return {
            name.removesuffix(".npy"): np.lib.format.read_array(content, allow_pickle=False)
            for name, content in contents.items()
        }
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        why = " ".join(str(error).split())
        raise BadInput(f"{path}: not readable: {why}; run `dvc repro {stage}`") from error
