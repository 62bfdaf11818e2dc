"""Damage is found wherever it lies, and a new store is built of every row that can still be read."""

import random
import subprocess
import sys

import pytest
from planted_store import PAGE, fill, leaves, overwrite, page_at, query, root, row, schema_1

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


@pytest.mark.parametrize(
    ("change", "said"), [(b"Reply", "the row key-00123 is not what was stored"), (b"\xff\xff", "UTF-8")]
)
def test_a_changed_byte_of_a_body_is_found_by_its_reader(path, change, said):
    overwrite(path, path.read_bytes().index(b"reply 123"), change)
    with pytest.raises(BadInput, match=f"{said}.*{ADVICE}"):
        held(path)
    assert query(path, "pragma integrity_check") == [("ok",)]  # SQLite cannot see it
    assert not store_health.check(path).sound
    assert repaired(path, at_least=399) == 399


def test_damage_at_the_end_of_the_table_is_found_when_the_file_is_opened(path):
    (last,) = [page for page in leaves(path) if b"key-00399" in page_at(path, page)]
    overwrite(path, (last - 1) * PAGE, b"\xff" * PAGE)
    with pytest.raises(BadInput, match=ADVICE):
        ResponseStore(path)
    repaired(path, at_least=390)


def test_a_lost_page_amid_the_index_is_found_and_costs_no_row(path):
    fill(path, [row(i, words=1) for i in range(400, 1200)])
    pages = [(n, page_at(path, n)) for n in range(2, path.stat().st_size // PAGE + 1)]
    of_index = [(n, page) for n, page in pages if page[0] == 0x0A and b"key-" in page]
    amid = next(n for n, page in of_index if b"key-00000" not in page and b"key-01199" not in page)
    overwrite(path, (amid - 1) * PAGE, b"\0" * PAGE)
    health = store_health.check(path)
    assert health.rows == 1200  # the table is whole
    assert health.faults
    assert store_health.repair(path).saved == 1200


def test_a_put_into_a_damaged_file_is_one_line(path):
    with ResponseStore(path) as store:
        store._writer.execute("pragma cache_size = 0")
        store._patient.execute("pragma wal_checkpoint(truncate)")
        overwrite(path, (root(path, "sqlite_autoindex_responses_1") - 1) * PAGE, b"\xff" * PAGE)
        with pytest.raises(BadInput, match=ADVICE):
            store.put(row(7, model="other")).result(timeout=10)


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
