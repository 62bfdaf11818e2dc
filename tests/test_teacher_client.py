"""Drawing replies: each paid for once, in order, repaired once."""

import asyncio
import itertools
import os
import signal
import subprocess
import sys
import time

import pytest
from scripted_teacher import SYNTHESIS, WORLD, completion, config, teacher

from stages.errors import BadInput
from stages.teacher import dispatch, prompts
from stages.teacher.client import Request, draw, tally
from stages.teacher.store import ResponseStore

CAPITAL = prompts.answer("What is the capital of France?")
BAD = completion("Paris.")


@pytest.fixture
def store(tmp_path):
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", "sk-secret")


def rollouts(count, seed=0):
    return [Request(CAPITAL, rollout=i, seed=seed) for i in range(count)]


def over_socket(url, **changes):
    return config(backend="openai", base_url=url, model="m", **changes)


def test_replies_come_in_order_and_the_second_time_from_the_store(store):
    first = draw(rollouts(40), config(), store, WORLD)
    assert [o.cached for o in first] == [False] * 40
    assert {o.reason for o in first} == {"ok"}
    assert len({o.key for o in first}) == len(store) == 40
    second = draw(reversed(rollouts(60)), config(), store, WORLD)[::-1]
    assert [o.cached for o in second] == [True] * 40 + [False] * 20
    assert [o.reply for o in second[:40]] == [o.reply for o in first]
    assert [o.cost_usd for o in second[:40]] == [o.cost_usd for o in first]
    assert str(tally(second)).startswith("60 draws: 40 from the store, 20 calls")
    assert sum(o.paid_usd for o in second[:40]) == 0


def test_another_seed_temperature_model_or_corpus_is_another_draw(store):
    draw(rollouts(2), config(), store, WORLD)
    others = [
        draw([r._replace(seed=1) for r in rollouts(2)], config(), store, WORLD),
        draw([r._replace(temperature=0.5) for r in rollouts(2)], config(), store, WORLD),
        draw(rollouts(2), config(model="other"), store, WORLD),
        draw(rollouts(2), config(), store, WORLD[:3]),
        draw(rollouts(2), config(embedded={"a": 1.0, "b": 1.0, "never": 0.0, **SYNTHESIS}), store, WORLD),
    ]
    assert not any(o.cached for outcomes in others for o in outcomes)


def test_endpoint_price_and_concurrency_are_no_part_of_the_key(store):
    with teacher() as (url, served):
        draw(rollouts(3), over_socket(url), store)
    price = {"input": None, "output": 2.0}
    moved = config(backend="openai", base_url="http://localhost:9", model="m", price=price, concurrency=1)
    again = draw(rollouts(3), moved, store)  # nothing is there, and nothing is asked
    assert all(o.cached for o in again)
    assert [o.cost_usd for o in again] == [None] * 3
    assert tally(again).cost_usd is None
    assert len(served) == 3


def test_the_same_request_twice_is_drawn_once(store):
    with teacher() as (url, served):
        seen = []
        outcomes = draw(rollouts(2) * 3, over_socket(url), store, progress=lambda *at: seen.append(at))
    assert len(served) == 2
    assert len(outcomes) == 6
    assert outcomes[0].reply == outcomes[4].reply
    assert tally(outcomes).calls == 2
    assert seen[-1] == (6, 6)


def test_requests_are_read_as_they_are_needed_and_in_flight_no_more_than_allowed(store):
    read = itertools.count()

    def endless():
        for i in range(10**6):
            next(read)
            yield Request(CAPITAL, rollout=i)

    with teacher(then=BAD) as (url, served), pytest.raises(BadInput, match="malformed"):
        draw(endless(), over_socket(url, concurrency=4), store)
    assert next(read) < 1000
    assert len(served) < 200


def test_a_request_carries_key_seed_schema_and_nothing_of_our_own(store):
    with teacher() as (url, served):
        draw([Request(CAPITAL, rollout=3, temperature=0.25, seed=10)], over_socket(url, max_tokens=77), store)
    (request,) = served
    assert request.headers["authorization"] == "Bearer sk-secret"
    assert sorted(request.body) == [
        "max_tokens",
        "messages",
        "model",
        "response_format",
        "seed",
        "temperature",
    ]
    sent = request.body
    assert (sent["seed"], sent["temperature"], sent["max_tokens"], sent["model"]) == (13, 0.25, 77, "m")
    assert sent["response_format"]["json_schema"]["name"] == "answer"


def test_a_reply_with_nul_and_lone_surrogates_survives_the_store(store):
    odd = completion('{"rationale": "a\\u0000b", "answer": "c\ud800"}')  # nul escaped, surrogate bare
    raw = completion('{"rationale": "a\u0000b", "answer": "c"}')  # a bare nul is no JSON
    with teacher(odd, raw, raw) as (url, _):
        drawn = draw(rollouts(2), over_socket(url, concurrency=1, max_malformed=0.9), store)
        again = draw(rollouts(2), over_socket(url, concurrency=1, max_malformed=0.9), store)
    assert [o.reason for o in drawn] == [o.reason for o in again] == ["ok", "not_json"]
    assert drawn[0].reply == again[0].reply == prompts.Answer(rationale="a b", answer="c?")


def test_workers_stop_though_a_library_loses_their_cancellation(store, monkeypatch):
    ask = dispatch.Run._send
    lost = []

    async def asked(self, items, together):
        try:
            return await ask(self, items, together)
        except asyncio.CancelledError:
            lost.append(items)
            return await ask(self, items, together)

    monkeypatch.setattr(dispatch.Run, "_send", asked)
    endless = (Request(CAPITAL, rollout=i) for i in itertools.count())

    async def interrupted():
        kept = []
        run = dispatch.Run(config(concurrency=4), store, WORLD, (), None, kept.append)
        drawing = asyncio.create_task(run.all(endless))
        while len(kept) < 20:
            await asyncio.sleep(0.001)
        drawing.cancel()
        await asyncio.wait([drawing], timeout=10)
        done = drawing.done()
        run.stopping = True  # so that a failure ends too
        await asyncio.wait([drawing])
        return done and drawing.cancelled()

    assert asyncio.run(interrupted())
    assert lost


INTERRUPTED = """
import sys
from pathlib import Path
from scripted_teacher import config
from stages.teacher import prompts
from stages.teacher.client import Request, draw
from stages.teacher.store import ResponseStore
with ResponseStore(Path(sys.argv[1])) as store:
    prompt = prompts.answer("Q?")
    endless = (Request(prompt, rollout=i) for i in range(10**6))
    draw(endless, config(backend="openai", base_url=sys.argv[2], model="m"), store)
"""


@pytest.mark.slow
def test_an_interrupt_stops_cleanly_and_keeps_what_came(tmp_path):
    path = tmp_path / "s.sqlite"
    with teacher() as (url, served):
        run = [sys.executable, "-c", INTERRUPTED, str(path), url]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        # A shell starts what it puts into the background with interrupts ignored, and children inherit that.
        process = subprocess.Popen(
            run,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        while len(served) < 50:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=20)[1]
    assert errors.strip().endswith("KeyboardInterrupt")
    with ResponseStore(path) as store:
        assert len(served) - 8 <= len(store) <= len(served)
