"""The client's draws through the Batch API: stored, repaired, capped, and collected after an interruption."""

import asyncio
import threading
import time

import pytest
import uvicorn
from scripted_batches import MODEL
from scripted_teacher import WORLD, config

from stages.errors import BadInput
from stages.teacher import engines, prompts, simulator
from stages.teacher.client import Request, draw
from stages.teacher.competence import Embedded
from stages.teacher.dispatch import Run
from stages.teacher.store import ResponseStore

SHAPE = Embedded(a=0.6, b=0.8, never=0.1, slip=0.1, miss=0.2, false_alarm=0.05)
PROMPT = prompts.answer("What is the capital of France?")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", "sk-batches-0123")
    with ResponseStore(tmp_path / "s.sqlite") as opened:
        yield opened


@pytest.fixture
def server():
    """Serve the simulator on a socket; yield (URL, the bodies that were answered)."""
    served = []
    application = simulator.application(WORLD, MODEL, SHAPE, served.append)
    running = uvicorn.Server(uvicorn.Config(application, port=0, log_level="error"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/v1", served
    running.should_exit = True
    thread.join(10)


def rollouts(count):
    return [Request(PROMPT, rollout=i) for i in range(count)]


def over(url, backend="batch", size=50_000, **changes):
    changes = {"max_malformed": 1.0, **changes}
    return config(backend=backend, base_url=url, model=MODEL, batch={"size": size, "poll_s": 0.02}, **changes)


def test_draws_are_those_of_single_requests_and_the_second_time_from_the_store(store, server, tmp_path):
    url, served = server
    drawn = draw(rollouts(30), over(url, size=12), store)
    assert len(served) == 30 and len(store) == 30
    assert {outcome.reason for outcome in drawn} == {"ok"}
    assert draw(rollouts(30), over("http://127.0.0.1:9/v1"), store) == [
        outcome._replace(cached=True, calls=0, paid_usd=0.0) for outcome in drawn
    ]
    with ResponseStore(tmp_path / "other.sqlite") as other:
        alone = draw(rollouts(30), over(url, backend="openai"), other)
    assert [outcome.reply for outcome in alone] == [outcome.reply for outcome in drawn]


def test_malformed_replies_are_asked_for_once_more_in_another_batch(store, server):
    url, served = server
    drawn = draw(rollouts(10), over(url, max_tokens=4), store)  # every reply is cut off
    assert {outcome.reason for outcome in drawn} == {"truncated"}
    assert [outcome.calls for outcome in drawn] == [2] * 10
    assert len(served) == len(store) == 20


def test_what_an_interrupted_run_had_sent_is_collected_and_not_sent_again(store, server):
    url, served = server

    async def interrupted():
        run = Run(over(url), store, None, (), None, lambda outcome: None)
        drawing = asyncio.create_task(run.all(rollouts(20)))
        while len(served) < 20:
            await asyncio.sleep(0.005)
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)

    asyncio.run(interrupted())
    assert len(store) == 0
    drawn = draw(rollouts(25), over(url), store)
    assert len(served) == 25, "five more, and none of the twenty again"
    assert [outcome.cached for outcome in drawn] == [True] * 20 + [False] * 5


def test_a_cap_limits_what_a_batch_may_cost_at_its_dearest(store, server, monkeypatch):
    url, served = server
    sizes = []
    complete = engines.batches

    def counted(*arguments):
        engine = complete(*arguments)
        send = engine.complete
        engine.complete = lambda jobs: sizes.append(len(jobs)) or send(jobs)
        return engine

    monkeypatch.setattr(engines, "batches", counted)
    dearest = 100 * 2.0 / 1e6  # max_tokens at the price of the replies, the prompt aside
    with pytest.raises(BadInput, match=r"max_cost"):
        draw(rollouts(2000), over(url, max_tokens=100, max_cost=50 * dearest), store)
    assert 30 < sizes[0] <= 50
    spent = store.spent(MODEL)
    usd = (spent.prompt_tokens * 1.0 + spent.completion_tokens * 2.0) / 1e6
    assert 50 * dearest <= usd < 52 * dearest
    assert len(served) == spent.calls == sum(sizes) > sizes[0]
