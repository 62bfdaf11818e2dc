"""Rows and store files for tests: sound ones, those that schema 1 wrote, and damage."""

import json
import sqlite3

from stages.teacher.store import ResponseStore, Row

PAGE = 4096
SCHEMA_1 = """
create table responses (
    key text primary key,
    model text not null,
    body text not null,                    -- the response as the server sent it
    finish_reason text,
    prompt_tokens integer not null,
    completion_tokens integer not null,
    latency_s real not null,
    request_id text,
    created text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)
"""
INSERT_1 = (
    "insert or ignore into responses (key, model, body, finish_reason, prompt_tokens, completion_tokens, "
    "latency_s, request_id) values (?, ?, ?, ?, ?, ?, ?, ?)"
)


def row(i, model="m", task="respond", words=60, prompt_tokens=7):
    """Return a row whose body is the completion that its columns say."""
    message = {"role": "assistant", "content": f"reply {i}: " + "wörd " * words}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": i + 1}
    body = json.dumps({"id": f"c{i}", "choices": choices, "usage": usage}, ensure_ascii=False)
    return Row(f"key-{i:05}", model, body, "stop", prompt_tokens, i + 1, 0.25 * i, f"req-{i}", task)


def fill(path, rows):
    with ResponseStore(path) as store:
        for future in [store.put(r) for r in rows]:
            future.result(timeout=30)


def schema_1(path, rows):
    """Write a store as the code of schema 1 did."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("begin")
    connection.execute(SCHEMA_1)
    connection.execute(f"pragma application_id = {0x5EEDBED}")
    connection.execute("pragma user_version = 1")
    connection.executemany(INSERT_1, [r[:8] for r in rows])
    connection.execute("commit")
    connection.close()


def query(path, sql, *values):
    """Ask the file itself, past the code under test."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql, values).fetchall()
    finally:
        connection.close()


def overwrite(path, start, data):
    """Change bytes in place."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(data)


def root(path, name):
    """Return the number of the first page of a table or index."""
    ((page,),) = query(path, "select rootpage from sqlite_master where name = ?", name)
    return page


def page_at(path, number):
    return path.read_bytes()[(number - 1) * PAGE :][:PAGE]


def leaves(path):
    """Return the numbers of the pages that hold the responses."""
    numbers = range(2, path.stat().st_size // PAGE + 1)
    return [n for n in numbers if page_at(path, n)[0] == 0x0D and n != root(path, "spending")]


def spoil_index(path):
    """Lose every page of the indexes that lies in the file itself; no row is in them."""
    data = path.read_bytes()
    for start in range(PAGE, len(data), PAGE):
        if data[start] in (0x02, 0x0A):
            overwrite(path, start, b"\0" * PAGE)
