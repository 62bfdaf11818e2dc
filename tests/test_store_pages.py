"""Rows are read from a file's bytes as its last commit left them, whatever SQLite would say of it."""

import shutil
import sqlite3
import subprocess
import sys

import pytest
from planted_store import PAGE, fill, overwrite, query, row, spoil_index

from stages.errors import BadInput
from stages.teacher import store_health
from stages.teacher.store import ResponseStore
from stages.teacher.store_pages import Pages

ROWS = [row(i) for i in range(50)]


@pytest.fixture
def path(tmp_path):
    fill(tmp_path / "s.sqlite", ROWS)
    return tmp_path / "s.sqlite"


def keys(path, wal=None):
    """Return the keys of the responses that `Pages` finds."""
    with path.open("rb") as file:
        if wal is None:
            return sorted(record[0] for record in Pages(file, None).records() if len(record) == 11)
        with wal.open("rb") as log:
            return sorted(record[0] for record in Pages(file, log).records() if len(record) == 11)


def copied(path):
    """Return copies of a store's file and WAL as they are, while it is open."""
    copies = path.with_name("copy"), path.with_name("copy-wal")
    for source, copy in zip((path, path.with_name(f"{path.name}-wal")), copies, strict=True):
        shutil.copyfile(source, copy)
    return copies


def test_rows_of_every_length_around_a_page_are_whole(tmp_path):
    path = tmp_path / "s.sqlite"
    short = len(row(0).body)
    rows = [row(i)._replace(body=row(i).body + " " * (n - short)) for i, n in enumerate(range(3900, 4120))]
    rows += [row(500, words=n)._replace(key=f"long {n}") for n in range(660, 4000, 111)]
    fill(path, rows)
    overwrite(path, 0, b"\0" * PAGE)
    assert store_health.repair(path).saved == len(rows)
    with ResponseStore(path) as store:
        assert store.get([r.key for r in rows]) == {r.key: r for r in rows}


@pytest.mark.parametrize("size", [512, 1024, 65536])
def test_other_page_sizes_are_read(path, size):
    connection = sqlite3.connect(path)
    connection.execute("pragma journal_mode = delete")
    connection.execute(f"pragma page_size = {size}")
    connection.execute("vacuum")
    connection.close()
    assert query(path, "pragma page_size") == [(size,)]
    assert keys(path) == [r.key for r in ROWS]


def test_frames_of_an_older_wal_are_not_read(path):
    with ResponseStore(path) as store:
        for i in range(50, 80):
            store.put(row(i)).result(timeout=10)
        store._reader.execute("pragma wal_checkpoint(passive)").fetchone()
        store.put(row(80)).result(timeout=10)  # the WAL begins again; older frames lie behind
        assert path.with_name("s.sqlite-wal").stat().st_size > 20 * PAGE
        assert keys(*copied(path)) == [row(i).key for i in range(81)]


def test_frames_that_were_not_committed_are_not_read(path):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma cache_size = 5")  # so that it writes before it commits
    connection.execute("begin")
    for _ in range(4):
        connection.execute(
            "insert into responses select key || hex(randomblob(8)), model, body, null, 1, 1, 1, null, '', "
            "null, null from responses"
        )
    copies = copied(path)
    connection.execute("rollback")
    connection.close()
    assert copies[1].stat().st_size > 10 * PAGE
    assert keys(*copies) == [r.key for r in ROWS]


def test_rows_that_only_the_wal_holds_are_saved(path):
    script = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {__file__.rsplit("/", 1)[0]!r})
from planted_store import row
from stages.teacher.store import ResponseStore
store = ResponseStore(Path({str(path)!r}))
for future in [store.put(row(i)) for i in range(50, 90)]:
    future.result()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    spoil_index(path)
    done = store_health.repair(path)
    assert done.saved == 90
    assert done.quarantine.with_name(f"{done.quarantine.name}-wal").stat().st_size > PAGE
    assert store_health.check(path).sound  # and no page of the old WAL is played into it
    with ResponseStore(path) as store:
        assert store.get(["key-00089"])["key-00089"] == row(89)
        assert store.spent("m").calls == 90


def test_a_file_that_was_emptied_is_not_taken_for_a_new_one(path):
    with ResponseStore(path) as store:
        store.put(row(50)).result(timeout=10)
        wal = path.with_name("s.sqlite-wal").read_bytes()
    path.write_bytes(b"")
    path.with_name("s.sqlite-wal").write_bytes(wal)
    with pytest.raises(BadInput, match="the file was emptied; run"):
        ResponseStore(path)
    assert store_health.check(path).faults == ["the file was emptied"]
    assert store_health.repair(path).saved >= 1
    with ResponseStore(path) as store:
        assert store.get(["key-00050"]) == {"key-00050": row(50)}


@pytest.mark.parametrize("change", ["model = 'x'", "completion_tokens = 9", "latency_s = 1", "task = null"])
def test_a_changed_column_is_found_by_its_reader(path, change):
    with ResponseStore(path) as store:
        store._reader.execute(f"update responses set {change} where key = 'key-00001'")
        with pytest.raises(BadInput, match="the row key-00001 is not what was stored"):
            store.get(["key-00001"])
