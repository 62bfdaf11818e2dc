"""The response store: committed before it counts, shared by processes, refusing what it does not know."""

import errno
import itertools
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stages.errors import BadInput
from stages.teacher import store as module
from stages.teacher.store import ResponseStore, Row, default_path


def row(key, body="{}", tokens=3):
    return Row(key, "m", body, "stop", tokens, 5, 0.25, "req-1")


def test_a_row_is_on_disk_when_its_future_resolves(tmp_path):
    path = tmp_path / "folder" / "s.sqlite"
    with ResponseStore(path) as store:
        kept = store.put(row("k", body='{"é": "\\ud800"}')).result(timeout=10)
        other = sqlite3.connect(path)  # a second connection sees committed rows only
        found = other.execute("select body, latency_s, request_id, created from responses").fetchall()
        other.close()
    assert kept == row("k", body='{"é": "\\ud800"}')
    (only,) = found
    assert only[:3] == ('{"é": "\\ud800"}', 0.25, "req-1")
    assert only[3].startswith("20")
    assert only[3].endswith("Z")


def test_rows_survive_closing_and_are_found_in_batches_of_any_size(tmp_path):
    count = 3 * module.LOOKUP + 7
    with ResponseStore(tmp_path / "s.sqlite") as store:
        futures = [store.put(row(f"k{i}", tokens=i)) for i in range(count)]
    assert all(future.done() for future in futures)  # closing commits what is queued
    with ResponseStore(tmp_path / "s.sqlite") as store:
        found = store.get([f"k{i}" for i in range(count + 10)])
        assert len(found) == len(store) == count
        assert found["k1500"].prompt_tokens == 1500
        assert store.get([]) == {}


def test_the_first_row_of_a_key_stays_and_later_ones_get_it(tmp_path):
    path = tmp_path / "s.sqlite"
    with ResponseStore(path) as one, ResponseStore(path) as two:
        first = one.put(row("k", body="first")).result(timeout=10)
        second = two.put(row("k", body="second")).result(timeout=10)
        assert first.body == second.body == two.get(["k"])["k"].body == "first"
        assert len(one) == 1


def test_a_future_waits_for_the_sync_that_other_rows_share(tmp_path, monkeypatch):
    real, syncs, gate = module._fsync, [], threading.Event()

    def held(handle):
        assert os.path.samestat(os.fstat(handle), (tmp_path / "s.sqlite-wal").stat())
        gate.wait(10)
        syncs.append(1)
        real(handle)

    monkeypatch.setattr(module, "_fsync", held)
    with ResponseStore(tmp_path / "s.sqlite") as store:
        futures = [store.put(row(f"k{i}")) for i in range(200)]
        assert not any(future.done() for future in futures)
        assert len(store.get([f"k{i}" for i in range(200)])) == 200  # written, only not synced
        gate.set()
        assert [future.result(timeout=10) for future in futures] == [row(f"k{i}") for i in range(200)]
    assert 1 <= len(syncs) <= 2


def test_a_sync_that_fails_fails_its_rows_in_one_line(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    with ResponseStore(tmp_path / "s.sqlite") as store:
        monkeypatch.setattr(module, "_fsync", full)
        with pytest.raises(BadInput, match="No space left on device; free some disk space"):
            store.put(row("k")).result(timeout=10)
        monkeypatch.undo()
        assert store.put(row("k")).result(timeout=10) == row("k")


def test_every_connection_leaves_syncing_and_checkpoints_to_the_stores_thread(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as store:
        for connection in (store._writer, store._patient):
            assert connection.execute("pragma synchronous").fetchone() == (1,)
            assert connection.execute("pragma wal_autocheckpoint").fetchone() == (0,)
        assert store._reader.execute("pragma journal_mode").fetchone() == ("wal",)
        assert store._reader.execute("pragma synchronous").fetchone() == (2,)  # it migrates


def test_a_wal_that_has_grown_is_carried_into_the_file(tmp_path, monkeypatch):
    path = tmp_path / "s.sqlite"
    monkeypatch.setattr(module, "CHECKPOINT_BYTES", 1 << 20)
    with ResponseStore(path) as store:
        sizes = []
        for i in range(60):
            store.put(row(f"k{i}", body="x" * 100_000)).result(timeout=10)
            sizes.append(Path(f"{path}-wal").stat().st_size)
        assert max(sizes) < 3 << 20
        assert any(
            later < size for size, later in itertools.pairwise(sizes)
        )  # it is cut, not only used again
        assert path.stat().st_size > 4 << 20
        assert len(store) == 60


WRITER = """
import sys
from pathlib import Path
from stages.teacher.store import ResponseStore, Row
with ResponseStore(Path(sys.argv[1])) as store:
    futures = [store.put(Row(f"k{i}", "m", sys.argv[2], "stop", 1, 1, 0.1, None)) for i in range(300)]
    assert all(f.result().body == store.get([f.result().key])[f.result().key].body for f in futures)
"""


def test_processes_that_open_and_write_at_once_agree(tmp_path):
    path = tmp_path / "new" / "s.sqlite"
    running = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), name]) for name in ("a", "b", "c")]
    assert [process.wait(timeout=60) for process in running] == [0, 0, 0]
    with ResponseStore(path) as store:
        assert len(store) == 300


def refuses(path, match):
    with pytest.raises(BadInput, match=match) as caught, ResponseStore(path) as store:
        store.get(["k"])
    assert "\n" not in caught.value.message
    assert path.name in caught.value.message


def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"PAR1" * 1000)
    refuses(path, "not a sound SQLite file")
    assert path.read_bytes() == b"PAR1" * 1000


def test_another_programs_database_is_refused_and_kept(tmp_path):
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("create table theirs (x)")
    refuses(path, "another program's database")
    with sqlite3.connect(path) as other:
        assert [name for (name,) in other.execute("select name from sqlite_master")] == ["theirs"]


@pytest.mark.parametrize("place", ["file/s.sqlite", "folder"])
def test_a_place_that_cannot_be_written_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder").mkdir()
    refuses(tmp_path / place, "store")


FULL = """
import resource, signal, sys
from pathlib import Path
from stages.errors import BadInput
from stages.teacher.store import ResponseStore, Row
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = ResponseStore(Path(sys.argv[1]))
store.put(Row("small", "m", "x", "stop", 1, 1, 0.1, None)).result()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
try:
    for i in range(50):
        store.put(Row(f"k{i}", "m", "x" * 50_000, "stop", 1, 1, 0.1, None)).result(timeout=30)
except BadInput as error:
    print(error.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.put(Row("after", "m", "x", "stop", 1, 1, 0.1, None)).result(timeout=30)
print(sorted(key for key in store.get(["small", "k0", "after"])))
"""


def test_a_full_disk_is_one_line_and_loses_no_committed_row(tmp_path):
    run = [sys.executable, "-c", FULL, str(tmp_path / "s.sqlite")]
    out = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()
    assert len(out) == 2
    assert "response store" in out[0]
    assert "free some disk space" in out[0]
    assert out[1] == "['after', 'k0', 'small']"


def test_the_place_comes_from_the_environment_else_it_is_beside_the_project(monkeypatch, tmp_path):
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "x.sqlite"))
    assert default_path() == tmp_path / "x.sqlite"
    monkeypatch.delenv("SEEDBED_STORE")
    assert str(default_path()) == ".seedbed/responses.sqlite"
