"""Whole files only: a failed write leaves the old file and nothing else."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages import files
from stages.errors import BadInput
from stages.records import Article, BenchmarkItem, Fact, ItemScore

ITEM = BenchmarkItem(benchmark="simpleqa", item_id="1", question="Which?", answers=["this"])
ARTICLE = Article(
    page_id=7,
    revision_id=8,
    timestamp="",
    title="Iron",
    aliases=["Fe"],
    text="Iron is a metal.",
    facts=[Fact(name="symbol", value="Fe")],
    categories=[],
)


def test_rows_come_back_as_they_were_written(tmp_path: Path) -> None:
    files.write_parquet(tmp_path / "a.parquet", [ARTICLE], Article)
    assert files.read_parquet(tmp_path / "a.parquet", Article) == [ARTICLE]
    assert files.read_parquet(tmp_path, Article) == [ARTICLE]


def test_an_empty_file_keeps_its_columns(tmp_path: Path) -> None:
    files.write_parquet(tmp_path / "a.parquet", [], ItemScore)
    assert pq.read_table(tmp_path / "a.parquet").schema.names == list(ItemScore.model_fields)
    assert files.read_parquet(tmp_path / "a.parquet", ItemScore) == []


def test_two_rows_with_one_key_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="twice"):
        files.write_parquet(tmp_path / "a.parquet", [ITEM, ITEM], BenchmarkItem)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(path, {"old": 1})
    with pytest.raises(BadInput, match="No space left"), files.replacing(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert files.read_json(path) == {"old": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_keeps_the_old_folder(tmp_path: Path) -> None:
    path = tmp_path / "out"
    with files.replacing_folder(path) as folder:
        (folder / "a").write_text("old")
    with pytest.raises(RuntimeError), files.replacing_folder(path) as folder:
        (folder / "a").write_text("new")
        raise RuntimeError
    assert (path / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"<html>", b"PAR1PAR1"])
def test_a_corrupt_parquet_file_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.parquet").write_bytes(content)
    with pytest.raises(BadInput, match=r"a\.parquet: not readable as Parquet"):
        files.read_parquet(tmp_path / "a.parquet", Article)


def test_foreign_columns_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"title": ["x"], "body": ["y"]}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match="columns are not those of Article"):
        files.read_parquet(tmp_path / "a.parquet", Article)
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="no Parquet file"):
        files.read_parquet(tmp_path / "none", Article)


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    # A limit on file size stops a write in the middle just as a full disk does, and needs no rights.
    script = f"""
import resource
from pathlib import Path
from stages import files
from stages.records import BenchmarkItem
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
names = [str(hash(str(i))) for i in range(50_000)]
rows = [BenchmarkItem(benchmark="b", item_id=name, question=name, answers=["x"]) for name in names]
files.write_parquet(Path({str(tmp_path)!r}) / "a.parquet", rows, BenchmarkItem)
"""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.returncode != 0
    assert re.search(r"a\.parquet: cannot write: .*File too large; nothing was changed", ran.stderr)
    assert list(tmp_path.iterdir()) == []


def test_parquet_is_streamed_in_batches_and_refused_as_when_it_is_read_at_once(tmp_path: Path) -> None:
    rows = [ITEM.model_copy(update={"item_id": str(n)}) for n in range(5000)]
    path = tmp_path / "rows.parquet"
    files.write_parquet(path, rows, BenchmarkItem)
    batches = list(files.stream_parquet(path, BenchmarkItem))
    assert [len(batch) for batch in batches] == [files.BATCH, 5000 - files.BATCH]
    assert [row for batch in batches for row in batch] == rows
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["unit"]), path)
    with pytest.raises(BadInput, match=r"columns are not those of BenchmarkItem \(\['unit'\]\)"):
        next(files.stream_parquet(path, BenchmarkItem))
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(BadInput, match="not readable as Parquet"):
        next(files.stream_parquet(path, BenchmarkItem))
