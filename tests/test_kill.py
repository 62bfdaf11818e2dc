"""Killing `respond` with -9 loses nothing that was returned, pays nothing twice, and changes no byte."""

import hashlib
import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
import yaml
from scripted_teacher import article, config

from stages import files, respond
from stages.records import Article, PoolQuestion
from stages.teacher import client, dispatch, prompts, wire
from stages.teacher.client import Request, draw
from stages.teacher.store import ResponseStore

TOWNS = [article(i, f"Town {i}", {"mayor": f"Person {i}"}) for i in range(150)]
BUDGET = 10
CONCURRENCY = 8
KILLS = 10
MODEL = "seedbed-simulator"


def respond_once(folder, store, ledger, returned):
    """Run the verb, noting each outcome as soon as it is returned."""
    os.chdir(folder)
    os.environ["SEEDBED_STORE"] = str(store)
    with returned.open("a") as notes:

        class Noting(dispatch.Run):
            def _settle(self, item, outcome):
                notes.write(f"{outcome.key}\n")
                notes.flush()
                super()._settle(item, outcome)

        client.Run = Noting
        options = f"--pool pool.parquet --articles articles.parquet --budget {BUDGET} --metrics counts.json"
        respond.main([*options.split(), "--out", str(ledger)], standalone_mode=False)


def question(rank, town):
    return PoolQuestion(
        density=2.0,
        question_id=f"q{rank}",
        rank=rank,
        strategy="density",
        round=0,
        question=f"Who leads {town.title}?",
        answer=f"Person {rank}",
        answer_aliases=[],
        title=town.title,
        page_id=rank,
        revision_id=rank,
        log10_density=2.0,
        acceptance=1.0,
        group=0,
    )


def settle(folder, url):
    """Put what the verb reads into `folder`."""
    files.write_parquet(folder / "pool.parquet", [question(*t) for t in enumerate(TOWNS)], PoolQuestion)
    teacher = settings(url).model_dump(mode="json")
    (folder / "params.yaml").write_text(yaml.safe_dump({"seed": 3, "teacher": teacher}))


def requests():
    """Return the draws of a run, as `respond` orders them."""
    asked = [prompts.answer(f"Who leads {town.title}?") for town in TOWNS]
    return [Request(prompt, rollout=rollout, seed=3) for rollout in range(BUDGET) for prompt in asked]


def settings(url):
    return config(backend="openai", base_url=url, model=MODEL, concurrency=CONCURRENCY, retries=5)


def key_of_each_body():
    """Return the store's key by the hash under which the server logs a request's body."""
    found = {}
    for request in requests():
        sampling = wire.Sampling(1.0, 800, request.seed, request.rollout)
        sent = wire.request_body(MODEL, request.prompt.messages, request.prompt.reply, sampling)
        canonical = json.dumps(sent, sort_keys=True, separators=(",", ":"))
        found[hashlib.sha256(canonical.encode()).hexdigest()] = wire.request_key(
            MODEL, request.prompt.messages, request.prompt.reply, sampling
        )
    return found


@pytest.fixture
def server(tmp_path):
    """Serve the simulator in a process of its own; yield (URL, its log)."""
    files.write_parquet(tmp_path / "articles.parquet", TOWNS, Article)
    log = tmp_path / "served.jsonl"
    command = [sys.executable, "-m", "stages.teacher", "serve", "--port", "0", "--model", MODEL]
    command += ["--a", "0.6", "--b", "0.8", "--never", "0.1", "--log", str(log)]
    command += ["--articles", str(tmp_path / "articles.parquet")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        url = re.match(r"http://\S+/v1", process.stdout.readline())
        assert url, "the simulator did not start"
        yield url.group(), log
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


@pytest.mark.slow
def test_ten_kills_lose_no_returned_reply_and_pay_none_twice(server, tmp_path, monkeypatch):
    url, log = server
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", "sk-x")
    store, returned = tmp_path / "s.sqlite", tmp_path / "returned"
    returned.touch()
    # One clean process imports everything and forks the drawing ones: imports would take most of the time.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(["stages.teacher.endpoint", "test_kill"])
    settle(tmp_path, url)
    chance = random.Random(0)
    needed = len(requests())
    body_key = key_of_each_body()
    assert len(body_key) == needed

    def start(where, ledger, noted):
        process = processes.Process(target=respond_once, args=(tmp_path, where, ledger, noted))
        process.start()
        return process

    def finish(process):
        process.join(60)
        assert process.exitcode == 0

    def stored():
        with ResponseStore(store) as opened:
            return set(opened.get(list(body_key.values())))

    at_kill = []  # (lines of the server's log, keys in the store, keys returned) at each kill
    for _ in range(KILLS):
        process = start(store, tmp_path / "killed.parquet", returned)
        # The ten instants lie in the drawing, not in the imports: after so many replies, and a moment more.
        until = len(set(returned.read_text().split())) + chance.randint(1, 70)
        while len(set(returned.read_text().split())) < until:
            assert process.is_alive()
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.02))
        process.kill()
        process.join(20)
        assert process.exitcode == -signal.SIGKILL, "it was done before it was killed"
        time.sleep(0.3)  # the server finishes what it had begun to answer
        at_kill.append((len(log.read_text().splitlines()), stored(), set(returned.read_text().split())))
    finish(start(store, tmp_path / "finished.parquet", returned))

    served = [body_key[json.loads(line)["body"]] for line in log.read_text().splitlines()]
    for lines, kept, given in at_kill:
        assert given, "nothing had been returned before the kill: the test would show nothing"
        assert given <= kept  # everything that was returned is in the store
        assert kept.isdisjoint(served[lines:])  # and is never served again
    assert len(at_kill[-1][1]) < needed, "it was done before the last kill"
    assert set(served) == set(body_key.values())
    again = sum(count - 1 for count in Counter(served).values())
    assert again <= KILLS * CONCURRENCY
    assert len(served) <= needed + KILLS * CONCURRENCY
    print(f"{needed} needed, {len(served)} served, {again} of them again, after {KILLS} kills")

    undisturbed = tmp_path / "undisturbed.parquet"
    finish(start(tmp_path / "other.sqlite", undisturbed, tmp_path / "other"))
    assert undisturbed.read_bytes() == (tmp_path / "finished.parquet").read_bytes()
    assert not (tmp_path / "killed.parquet").exists()


def test_the_driver_of_this_file_draws_what_it_counts(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as store:
        outcomes = draw(requests()[:20], config(), store, TOWNS)
    assert {o.reason for o in outcomes} == {"ok"}
