"""`save`: an event loop's rows are written at the end of its turn, and it is woken once a sync."""

import asyncio
import errno
import sqlite3
import threading

import pytest
from planted_store import query, row

from stages.errors import BadInput
from stages.teacher import store as module
from stages.teacher.store import ResponseStore


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


def test_saved_rows_resolve_to_what_the_store_holds(store):
    async def saving():
        rows = [row(i) for i in range(500)]
        assert await asyncio.gather(*[store.save(r) for r in rows]) == rows
        twin = rows[3]._replace(body="another")
        assert await store.save(twin) == rows[3]
        return await asyncio.gather(store.save(row(900)), store.save(row(900)._replace(body="x")))

    first, second = asyncio.run(saving())
    assert first == second == row(900)
    assert len(store) == store.spent("m").calls == 501


def test_a_row_is_in_the_file_without_any_sync(store, tmp_path, monkeypatch):
    gate = threading.Event()
    monkeypatch.setattr(module, "_fsync", lambda handle: gate.wait(10))

    async def saving():
        future = store.save(row(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not future.done()
        gate.set()
        assert query(tmp_path / "s.sqlite", "select key from responses") == [("key-00001",)]
        return await future

    assert asyncio.run(saving()) == row(1)


def test_the_loop_is_woken_once_for_all_rows_of_a_sync(store):
    async def saving():
        loop, wakes = asyncio.get_running_loop(), []
        threadsafe = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *call: (wakes.append(call), threadsafe(*call))
        await asyncio.gather(*[store.save(row(i)) for i in range(500)])
        return len(wakes)

    assert asyncio.run(saving()) <= 2


def test_a_locked_file_makes_no_loop_wait_and_loses_no_row(store, tmp_path):
    async def saving():
        other = sqlite3.connect(tmp_path / "s.sqlite", isolation_level=None)
        other.execute("begin immediate")
        futures = [store.save(row(i)) for i in range(100)]
        for _ in range(20):
            await asyncio.sleep(0.01)  # the loop lives on while the lock is held
        assert not any(future.done() for future in futures)
        other.execute("commit")
        other.close()
        return await asyncio.wait_for(asyncio.gather(*futures), 20)

    assert asyncio.run(saving()) == [row(i) for i in range(100)]
    assert store.spent("m").calls == 100


def test_a_fault_reaches_each_of_its_rows_and_a_cancelled_one_harms_none(store, monkeypatch):
    async def saving():
        def full(handle):
            raise OSError(errno.ENOSPC, "No space left on device")

        futures = [store.save(row(i)) for i in range(3)]
        futures[1].cancel()
        assert await futures[2] == row(2)
        monkeypatch.setattr(module, "_fsync", full)
        said = await asyncio.gather(store.save(row(5)), store.save(row(6)), return_exceptions=True)
        assert [type(error) for error in said] == [BadInput, BadInput]
        monkeypatch.undo()
        with pytest.raises(UnicodeEncodeError):
            await store.save(row(7)._replace(body="\ud800"))
        return await store.save(row(8))

    assert asyncio.run(saving()) == row(8)


def test_closing_writes_what_was_gathered(tmp_path):
    async def saving():
        store = ResponseStore(tmp_path / "s.sqlite")
        future = store.save(row(1))
        store.close()
        with pytest.raises(ValueError, match="closed"):
            store.save(row(2))
        return await asyncio.wait_for(future, 20)

    assert asyncio.run(saving()) == row(1)
    assert query(tmp_path / "s.sqlite", "select key from responses") == [("key-00001",)]


def test_rows_of_a_loop_that_has_ended_are_found(store):
    async def saving(number):
        return store.save(row(number))

    for number, reader in enumerate([lambda: store.get([row(0).key]), lambda: len(store)]):
        asyncio.run(saving(number))
        assert reader()
    asyncio.run(saving(2))
    assert store.spent("m").calls == 3
    store.close()
    with pytest.raises(ValueError, match="closed"):
        store.put(row(2))


def test_a_full_file_fails_its_rows_and_keeps_the_others(store, tmp_path):
    store.put(row(0)).result(timeout=10)
    pages = store._writer.execute("pragma page_count").fetchone()[0]
    store._writer.execute(f"pragma max_page_count = {pages + 5}")
    futures = [store.put(row(i, words=2000)) for i in range(1, 10)]
    errors = [future.exception(timeout=10) for future in futures]
    kept = [r for r, error in zip(range(1, 10), errors, strict=True) if error is None]
    assert 0 < len(kept) < 9
    full = next(error for error in errors if error)
    assert "database or disk is full; free some disk space and run again" in full.message
    assert store.get([row(i).key for i in range(10)]).keys() == {row(i).key for i in [0, *kept]}
    assert store.spent("m").calls == 1 + len(kept)
