"""Writing the layout: the one module of this noun that touches the disk; memory does not grow with a set."""

import hashlib
import tempfile
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from stages import files
from stages.errors import BadInput
from stages.protocols import card
from stages.publication import layout
from stages.publication.layout import Published, Sources
from stages.records import TrainingExample

ROWS = 4096  # held in memory at once, and in a row group of what is written
_MEMORY = "512MB"  # that DuckDB may take before it spills
_BUILD = "build it with `assemble`"


def first(path: Path) -> TrainingExample:
    """Return the first row of a training set.

    Raises:
        BadInput: it is empty, or no training set.
    """
    for batch in _batches(path):
        return TrainingExample.model_validate(batch.slice(0, 1).to_pylist()[0])
    raise BadInput(f"{path}: holds no example; {_BUILD}")


def figures(path: Path) -> dict[str, Any]:
    """Return the figures of a dataset card that `assemble` wrote.

    Raises:
        BadInput: there is no such file, or it is no such card.
    """
    try:
        found = layout.head_of(path.read_text(encoding="utf-8")).get(layout.MADE_BY)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: no dataset card: {error}; pass --card, or {_BUILD}") from error
    if not isinstance(found, dict) or "content_sha256" not in found:
        raise BadInput(f"{path}: no dataset card of a training set; pass --card, or {_BUILD}")
    return found


def copy(path: Path, told: dict[str, Any], sources: Sources | None, folder: Path) -> Published:
    """Copy a training set into the layout, row group by row group, and check it against its card.

    Args:
        path: of the set, Parquet.
        told: figures of its dataset card.
        sources: what its questions were made of.
        folder: that is being written.

    Raises:
        BadInput: rows of several sets, or not the set that the card tells of.
    """
    row = first(path)
    config = layout.config_name(row)
    target = folder / layout.path(config)
    target.parent.mkdir(parents=True)
    coordinates = {name: getattr(row, name) for name in layout.COORDINATES}
    counts = {"examples": 0, "memory": 0}
    with pq.ParquetWriter(target, TrainingExample.arrow_schema(), compression="zstd") as writer:

        def written() -> Iterator[tuple[str, str]]:
            for batch in _batches(path):
                _check(path, batch, coordinates)
                writer.write_batch(batch)
                counts["examples"] += batch.num_rows
                counts["memory"] += batch.nbytes
                for prompt, completion in zip(batch["prompt"], batch["completion"], strict=True):
                    for message in (*prompt.as_py(), *completion.as_py()):
                        yield message["role"], message["content"]

        found = card.digest(written())
    if found != told["content_sha256"] or counts["examples"] != told.get("examples"):
        raise BadInput(f"{path}: not the set that its dataset card tells of; pass its --card, or {_BUILD}")
    with target.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Published(
        config, **counts, size=target.stat().st_size, sha256=sha256, figures=told, sources=sources
    )


def sources(path: Path, pool: Path) -> Sources:
    """Return what a training set's questions were made of.

    Args:
        path: of the set, Parquet.
        pool: file or folder of pools.

    Raises:
        BadInput: the pools lack a question of the set.
    """
    import duckdb

    row = first(path)
    parts = sorted(map(str, pool.glob("*.parquet"))) if pool.is_dir() else [str(pool)]
    sql = resources.files("stages.publication").joinpath("articles.sql").read_text(encoding="utf-8")
    try:
        with (
            tempfile.TemporaryDirectory() as spill,
            duckdb.connect(config={"memory_limit": _MEMORY, "temp_directory": spill}) as connection,
        ):
            values = [parts, row.strategy, row.density, str(path)]
            asked, found, articles, domains = connection.execute(sql, values).fetchall()[0]
    except duckdb.Error as error:
        raise BadInput(
            f"{pool}: not readable as pools: {' '.join(str(error).split())}; pass --pool"
        ) from error
    if found < asked:
        lacking = f"{asked - found:,} of the {asked:,} questions of {path}"
        raise BadInput(f"{pool}: lacks {lacking}; pass --pool with the pool that it was made of")
    return Sources(articles, tuple(domains))


def is_ours(folder: Path) -> bool:
    """Say whether a folder holds what this noun wrote, and nothing else: then it may be replaced."""
    try:
        described = files.read_json(folder / layout.CROISSANT)
        head = layout.head_of((folder / layout.README).read_text(encoding="utf-8"))
        named = {str(one["contentUrl"]) for one in described["distribution"]}
    except (BadInput, OSError, KeyError, TypeError, ValueError):
        return False
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_symlink() or not p.is_dir()}
    return layout.MADE_BY in head and there == named | {layout.README, layout.CROISSANT}


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    schema = TrainingExample.arrow_schema()
    try:
        with pq.ParquetFile(path, buffer_size=1 << 20) as file:
            if not file.schema_arrow.equals(schema):
                raise BadInput(f"{path}: columns are not those of a training set; {_BUILD}")
            yield from file.iter_batches(ROWS)
    except (OSError, pa.ArrowException) as error:
        why = " ".join(str(error).split())
        raise BadInput(f"{path}: not readable as Parquet: {why}; {_BUILD}") from error


def _check(path: Path, batch: pa.RecordBatch, coordinates: dict[str, Any]) -> None:
    for name, value in coordinates.items():
        column = batch[name]
        same = column.is_null() if value is None else pc.fill_null(pc.equal(column, value), False)
        if not pc.all(same).as_py():
            raise BadInput(f"{path}: rows of several sets, which differ in '{name}'; publish one set a file")
