"""Finding and reading what a chain needs: the one module of this noun that touches the disk.

Files are read with their rows filtered, so that a row of a large set is traced without loading it.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import ValidationError

from stages import files
from stages.benchmarks.formats import objects
from stages.errors import BadInput
from stages.problems.formats import parse
from stages.records import Record, SeedProblem, TrainingExample
from stages.teacher.store import default_path

R = TypeVar("R", bound=Record)
NUMBER = "[0-9]{1,18}"  # within 64 bits


def nearest(start: Path, name: str) -> Path | None:
    """Return `name` in the nearest folder above `start` that holds it, up to the project's root; else None.

    A study's folder is searched before the project's, as its graph reads them.
    """
    return next(above(start, name), None)


def above(start: Path, name: str) -> Iterator[Path]:
    """Yield `name` in every folder above `start` that holds it, nearest first, up to the project's root."""
    for folder in start.resolve().parents:
        if (folder / name).exists():
            yield shown(folder / name)
        if (folder / ".dvc").is_dir():
            return


def shown(path: Path) -> Path:
    """Return a path as it is to be named: from the current folder where it is inside it, else in full."""
    full, here = path.resolve(), Path.cwd()
    return full.relative_to(here) if full.is_relative_to(here) else full


def stores(start: Path) -> list[Path]:
    """Return the response stores that the graphs above `start` write: a study's, then the project's."""
    if os.environ.get("SEEDBED_STORE"):
        return [default_path()]
    return list(above(start, ".seedbed/responses.sqlite"))


def example(path: Path, row: str) -> tuple[int, TrainingExample]:
    """Return a training set's row and its index.

    Args:
        path: of the set, Parquet.
        row: its index from 0, or QUESTION_ID:ROLLOUT.

    Raises:
        BadInput: no such row, two of that name, or not a training set.
    """
    try:
        with pq.ParquetFile(path) as file:
            index = int(row) if re.fullmatch(NUMBER, row) else _index(path, file, row)
            if index >= file.metadata.num_rows:
                count = file.metadata.num_rows
                raise BadInput(f"{path}: no row {row}: it has {count:,}, from 0; name one of them")
            return index, _validated(path, _at(file, index), TrainingExample)
    except (OSError, KeyError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise BadInput(f"{path}: not readable as a training set: {why}; build it with `assemble`") from error


def _index(path: Path, file: pq.ParquetFile, row: str) -> int:
    question_id, colon, rollout = row.rpartition(":")
    if not colon or not re.fullmatch(NUMBER, rollout):
        raise BadInput(f"row '{row}': neither an index from 0 nor QUESTION_ID:ROLLOUT")
    found, start = [], 0
    for batch in file.iter_batches(columns=["question_id", "rollout"]):
        same = pc.and_(pc.equal(batch["question_id"], question_id), pc.equal(batch["rollout"], int(rollout)))
        found += [start + i for i in pc.indices_nonzero(same).to_pylist()]
        start += batch.num_rows
    if len(found) != 1:
        what = "no row" if not found else f"{len(found)} rows"
        raise BadInput(f"{path}: {what} of question {question_id}, rollout {rollout}; give a row's index")
    return found[0]


def _at(file: pq.ParquetFile, index: int) -> dict[str, Any]:
    for group in range(file.num_row_groups):
        size = file.metadata.row_group(group).num_rows
        if index < size:
            row: dict[str, Any] = file.read_row_group(group).slice(index, 1).to_pylist()[0]
            return row
        index -= size
    raise AssertionError("unreachable: the index is below the file's number of rows")


def parts(path: Path, name: str = "*.parquet") -> list[Path]:
    """Return a file, or those in a folder and its sub-folders whose name fits, in name order."""
    return sorted(path.rglob(name)) if path.is_dir() else [path]


def rows(
    path: Path, record: type[R], stage: str, name: str = "*.parquet", **equal: Any
) -> Iterator[tuple[Path, R]]:
    """Yield the rows of a file or folder whose columns have the given values, each with its file.

    Args:
        path: file or folder.
        record: of the rows.
        stage: that makes them, named where they are missing.
        name: of the files in a folder.
        equal: values of columns; None is null.
    """
    wanted = pc.scalar(True)
    for column, value in equal.items():
        one = pc.field(column).is_null() if value is None else pc.field(column) == value
        wanted = wanted & one
    columns = list(record.model_fields)
    for part in parts(path, name):
        for row in files.read_table(part, stage, columns, filters=wanted).to_pylist():
            yield part, _validated(part, row, record)


def problem(path: Path, problem_id: str) -> tuple[Path, str, SeedProblem] | None:
    """Return a seed problem with its file and its place in it; None where it is in none of the files."""
    found = [part for part in parts(path, "*") if part.suffix in (".json", ".jsonl")] or [path]
    for part in found:
        try:
            content = part.read_bytes()
        except OSError as error:
            raise BadInput(f"{part}: {error.strerror}; pass --problems with a file of problems") from error
        places = objects(str(part), content)
        for (where, _), one in zip(places, parse(str(part), content), strict=True):
            if one.problem_id == problem_id:
                return part, where.removeprefix(f"{part}, "), one
    return None


def _validated(path: Path, row: dict[str, Any], record: type[R]) -> R:
    try:
        return record.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(x) for x in first["loc"])
        raise BadInput(f"{path}: a row is no {record.__name__}: {where}: {first['msg']}") from error
