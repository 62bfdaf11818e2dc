"""A store of schema 1 becomes one of schema 2 in place; what was spent is counted exactly once."""

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest
from planted_store import INSERT_1, fill, query, row, schema_1

from stages.errors import BadInput
from stages.teacher.store import ResponseStore, Spent

ROWS = [row(i, model="a" if i % 3 else "b", task=None) for i in range(300)]
SPENT_A = Spent(200, 1400, sum(r.completion_tokens for r in ROWS if r.model == "a"))


def test_rows_of_schema_1_are_kept_without_a_task_and_were_spent(tmp_path):
    path = tmp_path / "s.sqlite"
    schema_1(path, ROWS)
    dates = query(path, "select key, created from responses order by key")
    with ResponseStore(path) as store:
        assert store.get([r.key for r in ROWS]) == {r.key: r for r in ROWS}
        assert store.spent("a") == SPENT_A
        assert store.spent("b").calls == 100
        assert store.spent("other") == Spent(0, 0, 0)
    assert query(path, "pragma user_version") == [(2,)]
    assert query(path, "select key, created from responses order by key") == dates
    with ResponseStore(path) as store:  # nothing is counted again
        store.put(row(1000, model="a")).result(timeout=10)
        assert store.spent("a") == Spent(201, 1407, SPENT_A.completion_tokens + 1001)
        assert store.get(["key-01000"])["key-01000"].task == "respond"


def test_a_migrated_store_has_the_tables_of_a_new_one(tmp_path):
    schema_1(tmp_path / "old.sqlite", ROWS)
    for name in ("old", "new"):
        ResponseStore(tmp_path / f"{name}.sqlite").close()
    described = [
        [
            query(tmp_path / f"{name}.sqlite", "pragma table_info(responses)"),
            query(tmp_path / f"{name}.sqlite", "select type, name, tbl_name from sqlite_master order by 2"),
            query(tmp_path / f"{name}.sqlite", "select sql from sqlite_master where name <> 'responses'"),
        ]
        for name in ("old", "new")
    ]
    assert described[0] == described[1]


def test_a_process_of_schema_1_that_still_runs_is_booked(tmp_path):
    path = tmp_path / "s.sqlite"
    schema_1(path, ROWS)
    with ResponseStore(path) as store:
        with sqlite3.connect(path) as old:
            assert old.execute(INSERT_1, row(1000, model="a")[:8]).rowcount == 1
            assert old.execute(INSERT_1, ROWS[1][:8]).rowcount == 0  # it is there
            assert old.execute(INSERT_1.replace("or ignore ", ""), row(1001, model="a")[:8]).rowcount == 1
        old.close()
        assert store.spent("a").calls == 202


@pytest.mark.parametrize("version", [3, 99])
def test_a_newer_store_is_refused_and_left_alone(tmp_path, version):
    path = tmp_path / "s.sqlite"
    fill(path, ROWS[:1])
    query(path, f"pragma user_version = {version}")
    before = path.read_bytes()
    with pytest.raises(
        BadInput, match=f"version {version}, newer than this code's 2; update seedbed"
    ) as caught:
        ResponseStore(path)
    assert "\n" not in caught.value.message
    assert path.read_bytes() == before


OPEN = """
import sys
from pathlib import Path
from stages.teacher.store import ResponseStore
sys.stdin.readline()
with ResponseStore(Path(sys.argv[1])) as store:
    print(store.spent("a"), len(store))
"""


def test_opening_waits_for_another_that_is_making_the_file(tmp_path):
    path = tmp_path / "s.sqlite"
    fill(path, ROWS)
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("pragma journal_mode = delete")  # the file is not yet a WAL's
        other.execute("begin immediate")
        threading.Timer(0.3, lambda: other.execute("rollback")).start()
        with ResponseStore(path) as store:
            assert len(store) == 300


def test_processes_that_migrate_at_once_count_once(tmp_path):
    path = tmp_path / "s.sqlite"
    schema_1(path, ROWS)
    running = [
        subprocess.Popen([sys.executable, "-c", OPEN, str(path)], text=True, stdin=-1, stdout=-1)
        for _ in range(4)
    ]
    for process in running:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].strip() for process in running]
    assert said == [f"{SPENT_A} 300"] * 4
