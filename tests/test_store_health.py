"""Damage is found wherever it lies, and a new store is built of every row that can still be read."""

import random
import subprocess
import sys

import pytest
from planted_store import PAGE, fill, leaves, overwrite, query, root, row, schema_1, spoil_index

from stages.errors import BadInput
from stages.teacher import store_health
from stages.teacher.store import ResponseStore, Spent

ROWS = [row(i, words=20 if i % 5 else 1500) for i in range(400)]  # every fifth overflows its page
BOOKED = Spent(400, 2800, sum(r.completion_tokens for r in ROWS))
ADVICE = "python -m stages.teacher store verify --repair --path"


@pytest.fixture
def path(tmp_path):
    fill(tmp_path / "s.sqlite", ROWS)
    return tmp_path / "s.sqlite"


def held(path):
    with ResponseStore(path) as store:
        return store.get([r.key for r in ROWS])


def repaired(path, at_least):
    """Repair, and check what a repair promises; return how many rows it saved."""
    damaged = path.read_bytes()
    done = store_health.repair(path)
    assert done.quarantine.read_bytes() == damaged
    assert done.quarantine.name.startswith("s.sqlite.damaged-2")
    found = held(path)
    assert len(found) == done.saved >= at_least
    assert found.items() <= {r.key: r for r in ROWS}.items()  # nothing that was not stored
    assert store_health.check(path).sound
    assert not list(path.parent.glob("*rebuilt*"))
    return done.saved


def test_a_sound_store_is_told_so(path):
    health = store_health.check(path)
    assert health.sound
    assert str(health) == "400 rows read, all of them sound"


def test_a_lost_page_in_the_middle_costs_only_its_rows(path):
    overwrite(path, (leaves(path)[20] - 1) * PAGE, random.Random(0).randbytes(PAGE))
    with pytest.raises(BadInput, match=ADVICE) as caught:
        held(path)
    assert "\n" not in caught.value.message
    assert not store_health.check(path).sound
    assert repaired(path, at_least=375) < 400
    with ResponseStore(path) as store:
        assert store.spent("m") == BOOKED  # what is lost was paid for


def test_a_lost_root_or_index_or_header_costs_no_row(path):
    for page in {root(path, "responses"), root(path, "sqlite_autoindex_responses_1"), 1}:
        overwrite(path, (page - 1) * PAGE, b"\0" * PAGE)
    with pytest.raises(BadInput, match=f"not a sound SQLite file; run `{ADVICE}"):
        ResponseStore(path)
    assert repaired(path, at_least=400) == 400
    with ResponseStore(path) as store:
        assert store.spent("m") == BOOKED


@pytest.mark.parametrize("share", [0.25, 0.5, 0.95])
def test_a_cut_file_is_found_when_it_is_opened_and_keeps_the_rows_before_the_cut(path, share):
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(int(size * share))
    with pytest.raises(BadInput, match=ADVICE):
        ResponseStore(path)
    repaired(path, at_least=int(400 * share) - 80)


def test_a_file_that_was_emptied_is_not_taken_for_a_new_one(path):
    with ResponseStore(path) as store:
        store.put(row(400)).result(timeout=10)
        wal = path.with_name("s.sqlite-wal").read_bytes()
    path.write_bytes(b"")
    path.with_name("s.sqlite-wal").write_bytes(wal)
    with pytest.raises(BadInput, match="the file was emptied; run"):
        ResponseStore(path)
    assert store_health.repair(path).saved >= 1
    with ResponseStore(path) as store:
        assert store.get(["key-00400"]) == {"key-00400": row(400)}


def test_a_changed_byte_of_a_body_is_found_by_its_reader(path):
    at = path.read_bytes().index(b"reply 123")
    overwrite(path, at, b"Reply")
    with pytest.raises(BadInput, match="the row key-00123 is not what was stored"):
        held(path)
    assert query(path, "pragma integrity_check") == [("ok",)]  # SQLite cannot see it
    assert store_health.check(path).unsound == {"changed": 1}
    assert repaired(path, at_least=399) == 399


def test_a_put_into_a_damaged_file_is_one_line(path):
    with ResponseStore(path) as store:
        store._writer.execute("pragma cache_size = 0")
        store._patient.execute("pragma wal_checkpoint(truncate)")
        overwrite(path, (root(path, "sqlite_autoindex_responses_1") - 1) * PAGE, b"\xff" * PAGE)
        with pytest.raises(BadInput, match=ADVICE):
            store.put(row(7, model="other")).result(timeout=10)


@pytest.mark.parametrize("change", ["model = 'x'", "completion_tokens = 9", "latency_s = 1", "task = null"])
def test_a_changed_column_is_found_by_its_reader(path, change):
    with ResponseStore(path) as store:
        store._reader.execute(f"update responses set {change} where key = 'key-00001'")
        with pytest.raises(BadInput, match="the row key-00001 is not what was stored"):
            store.get(["key-00001"])


def test_columns_that_disagree_with_the_body_are_named(path):
    disagreeing = ROWS[0]._replace(key="one", completion_tokens=99)
    fill(path, [disagreeing])
    with ResponseStore(path) as store:
        store._reader.execute("update responses set body = '{}', crc = null where key = 'key-00002'")
        store._reader.execute("update spending set calls = 3")
    health = store_health.check(path)
    assert health.unsound == {"disagrees": 1, "no completion": 1}
    assert health.faults == ["spending of m is less than its rows"]
    assert str(health) == "401 rows read, 1 disagrees; 1 no completion; spending of m is less than its rows"
    store_health.repair(path)
    with ResponseStore(path) as store:
        assert len(store) == 400
        assert store.get(["one"]) == {"one": disagreeing}  # its check sum holds: it came like that
        assert store.spent("m").calls == 400


def test_rows_that_only_the_wal_holds_are_saved(path):
    script = f"""
import os, sys
from pathlib import Path
sys.path.insert(0, {__file__.rsplit("/", 1)[0]!r})
from planted_store import row
from stages.teacher.store import ResponseStore
store = ResponseStore(Path({str(path)!r}))
for future in [store.put(row(i)) for i in range(400, 450)]:
    future.result()
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
    spoil_index(path)
    done = store_health.repair(path)
    assert done.saved == 450
    assert done.quarantine.with_name(f"{done.quarantine.name}-wal").stat().st_size > PAGE
    with ResponseStore(path) as store:
        assert store.get(["key-00449"])["key-00449"] == row(449)
        assert store.spent("m").calls == 450


def test_a_damaged_store_of_schema_1_is_saved_too(tmp_path):
    path = tmp_path / "s.sqlite"
    old = [r._replace(task=None) for r in ROWS]
    schema_1(path, old)
    overwrite(path, 0, b"\0" * PAGE)
    assert store_health.repair(path).saved == 400
    assert held(path) == {r.key: r for r in old}


def test_a_store_that_another_process_has_open_is_not_repaired(path):
    script = "import sys; from pathlib import Path; from stages.teacher.store import ResponseStore\n"
    script += "with ResponseStore(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=-1, stdout=-1, text=True)
    assert other.stdout.readline() == "open\n"
    with pytest.raises(BadInput, match="another process has the store open; let it end and run again"):
        store_health.repair(path)
    other.communicate(timeout=20)
    assert store_health.repair(path).saved == 400


def test_what_holds_no_rows_is_left_where_it_is(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"PAR1" * 4000)
    with pytest.raises(BadInput, match="nothing in it can be read as a response store"):
        store_health.repair(path)
    assert [p.name for p in tmp_path.iterdir()] == ["s.sqlite"]
    assert path.read_bytes() == b"PAR1" * 4000


@pytest.mark.parametrize("seed", range(6))
def test_scattered_damage_never_yields_a_row_that_was_not_stored(path, seed):
    chance = random.Random(seed)
    for _ in range(30):
        overwrite(path, chance.randrange(path.stat().st_size - 64), chance.randbytes(chance.randint(1, 64)))
    repaired(path, at_least=250)
