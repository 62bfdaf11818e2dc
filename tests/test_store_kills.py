"""A store whose process is killed at any instant keeps every row and its books; repair and migration too."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from planted_store import fill, query, row, schema_1, spoil_index

from stages.teacher import store_health
from stages.teacher.store import ResponseStore

ROWS = [row(i, model="a" if i % 3 else "b", task=None) for i in range(300)]
SUMS = """
select model, count(*), sum(prompt_tokens), sum(completion_tokens)
from responses group by model order by model
"""
BOOKS = "select * from spending order by model"
HERE = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"


def start(script, *arguments):
    command = [sys.executable, "-c", HERE + script, *map(str, arguments)]
    return subprocess.Popen(command, text=True, stdout=-1)


# Kills itself before the statement of the given number.
MIGRATE = """
import itertools, os
from pathlib import Path
from stages.teacher import store_schema
count, number, connect = itertools.count(1), int(sys.argv[2]), store_schema.connect
def traced(path, *timeout):
    connection = connect(path, *timeout)
    connection.set_trace_callback(lambda said: next(count) == number and os.kill(os.getpid(), 9))
    return connection
store_schema.connect = traced
store_schema.opened(Path(sys.argv[1]))
"""


def test_a_migration_killed_before_any_of_its_statements_is_whole_or_not_begun(tmp_path):
    left = []
    for number in range(1, 100):
        path = tmp_path / f"{number}.sqlite"
        schema_1(path, ROWS)
        process = start(MIGRATE, path, number)
        process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        left += query(path, "pragma user_version")
        names = [name for _, name, *_ in query(path, "pragma table_info(responses)")]
        assert ("task" in names, "crc" in names) == ((False, False) if left[-1] == (1,) else (True, True))
        with ResponseStore(path) as store:
            assert store.get([r.key for r in ROWS]) == {r.key: r for r in ROWS}
        assert query(path, SUMS) == query(path, BOOKS)
    assert len(left) > 10
    assert set(left) == {(1,), (2,)}


# Kills itself before the change of names of the given number.
REPAIR = """
import itertools, os
from pathlib import Path
from stages.teacher import store_health
count, number = itertools.count(1), int(sys.argv[2])
def counted(method):
    def counting(*arguments, **options):
        if next(count) == number:
            os.kill(os.getpid(), 9)
        return method(*arguments, **options)
    return counting
for name in ("unlink", "replace", "hardlink_to"):
    setattr(Path, name, counted(getattr(Path, name)))
store_health.os.fsync = counted(os.fsync)
store_health.repair(Path(sys.argv[1]))
"""
# Rows that a killed process left in the WAL.
LEAVE = """
import os
from pathlib import Path
from planted_store import row
from stages.teacher.store import ResponseStore
store = ResponseStore(Path(sys.argv[1]))
for future in [store.put(row(i)) for i in range(400, 450)]:
    future.result()
os._exit(0)
"""


def test_a_repair_killed_before_any_change_of_names_can_be_run_again(tmp_path):
    kills = 0
    for number in range(1, 100):
        path = tmp_path / f"{number}" / "s.sqlite"
        fill(path, [row(i) for i in range(400)])
        start(LEAVE, path).communicate(timeout=60)
        spoil_index(path)
        process = start(REPAIR, path, number)
        process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL
        kills += 1
        if not store_health.check(path).sound:
            store_health.repair(path)
        with ResponseStore(path) as store:
            assert len(store) == store.spent("m").calls == 450
            assert store.get(["key-00449"]) == {"key-00449": row(449)}
        assert not list(path.parent.glob("*rebuilt*"))
        assert list(path.parent.glob("*damaged*"))
    assert kills >= 5


INSERT = """
from pathlib import Path
from planted_store import row
from stages.teacher.store import ResponseStore
print("ready", flush=True)
with ResponseStore(Path(sys.argv[1])) as store:
    for i in range(int(sys.argv[2]), int(sys.argv[3])):
        future = store.put(row(i))
        if i % 10 == 9:
            print(future.result().key, flush=True)
"""


@pytest.mark.slow
def test_twenty_kills_lose_no_row_that_was_returned(tmp_path):
    path = tmp_path / "s.sqlite"
    chance = random.Random(5)
    returned = set()
    for kill in range(20):
        process = start(INSERT, path, kill * 10**6, 10**9)
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.0, 0.15))
        process.kill()
        returned |= set(process.communicate(timeout=20)[0].split("\n")[:-1])
        assert process.returncode == -signal.SIGKILL
        if path.exists():
            with ResponseStore(path) as store:
                assert store.get(sorted(returned)).keys() == returned
    assert returned, "no kill came after a row was returned: the test would show nothing"
    assert query(path, SUMS) == query(path, BOOKS)
    assert query(path, "pragma integrity_check") == [("ok",)]


@pytest.mark.slow
def test_two_processes_that_insert_the_same_keys_are_booked_once(tmp_path):
    path = tmp_path / "s.sqlite"
    running = [start(INSERT, path, 0, 4000) for _ in range(2)]
    for process in running:
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert query(path, "select model, calls from spending") == [("m", 4000)]
    assert query(path, SUMS) == query(path, BOOKS)
