"""vLLM's offline engine for real, on a tiny model with random weights; needs an environment with vLLM."""

import asyncio
import importlib.util
import os
import signal
import subprocess
import sys

import pytest
from planted_models import job, tiny_qwen3
from scripted_teacher import config

from stages.errors import BadInput
from stages.teacher import client, local_model, prompts, vllm_engine, wire
from stages.teacher.store import ResponseStore

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("vllm") is None,
        reason="vLLM is not installed; it has an environment of its own",
    ),
]
os.environ.setdefault("OMP_NUM_THREADS", "1")  # of a CPU build; two threads wait for each other
os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "1")
SETTINGS = {"dtype": "float32", "enforce_eager": True, "max_model_len": 1000}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(tiny_qwen3(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="module")
def engine(model):
    return vllm_engine.Offline(model, vllm_engine.Vllm.model_validate(SETTINGS))


def texts(engine, jobs):
    return [one.said.content for one in asyncio.run(engine.complete(jobs))]


def test_a_draw_depends_on_its_prompt_and_seed_alone_whatever_it_is_drawn_with(engine):
    jobs = [job(q, seed, max_tokens=150) for q in ("France?", "Peru?") for seed in range(8)]
    together = texts(engine, jobs)
    assert len(set(together)) == 16
    assert texts(engine, jobs[::-1]) == together[::-1]
    assert texts(engine, [jobs[11]]) == [together[11]]


def test_replies_have_usage_a_finish_reason_and_an_id_of_their_own(engine):
    received = asyncio.run(engine.complete([job("France?", seed, max_tokens=5) for seed in range(3)]))
    assert {(one.said.finish_reason, one.said.completion_tokens) for one in received} == {("length", 5)}
    assert {one.said.prompt_tokens for one in received} == {received[0].said.prompt_tokens}
    assert received[0].said.prompt_tokens > 20
    assert len({one.request_id for one in received}) == 3
    assert all(one.said == wire.read_completion(one.text) and one.latency_s > 0 for one in received)


def test_whatever_ends_by_itself_is_json_with_the_fields_asked_for(engine):
    received = asyncio.run(engine.complete([job("France?", seed, max_tokens=900) for seed in range(32)]))
    ended = [one.said for one in received if one.said.finish_reason == "stop"]
    assert len(ended) > 3
    for said in ended:
        reply, reason = wire.judge(said, prompts.Answer)
        # The wire's schema sets no lengths: a text may be blank or too long.
        assert reply is not None or reason == "wrong_schema"
    assert any(wire.judge(said, prompts.Answer)[0] for said in ended)


def test_more_prompt_tokens_than_a_step_takes_do_no_harm(engine):
    jobs = [job(f"{i}? " * 80, seed, max_tokens=2) for i in range(100) for seed in range(2)]
    received = asyncio.run(engine.complete(jobs))
    assert sum(one.said.prompt_tokens for one in received) > 40_000
    assert {one.said.completion_tokens for one in received} == {2}


@pytest.mark.parametrize("times", [500, 5000])
def test_a_prompt_too_long_is_refused_and_the_engine_lives_on(engine, times):
    before = texts(engine, [job("France?", 0)])
    with pytest.raises(BadInput) as error:
        texts(engine, [job("France?", 0), job("long story " * times, 0)])
    assert "maximum context length is 1000 tokens" in error.value.message
    assert "the longest begins 'Answer the question." in error.value.message
    assert "raise teacher.vllm.max_model_len" in error.value.message
    assert texts(engine, [job("France?", 0)]) == before


def test_a_cancelled_call_stops_in_the_middle_and_the_engine_lives_on(engine):
    before = texts(engine, [job("France?", 0)])

    async def interrupted():
        many = asyncio.create_task(engine.complete([job(f"{i}?", 0, max_tokens=900) for i in range(2000)]))
        await asyncio.sleep(1.0)
        many.cancel()
        await asyncio.wait([many])
        return many.cancelled()

    assert asyncio.run(interrupted())
    assert texts(engine, [job("France?", 0)]) == before


@pytest.mark.parametrize(
    ("change", "said"),
    [({"max_model_len": 10**6}, "max_model_len"), ({"tensor_parallel_size": 64}, "tensor parallel")],
)
def test_settings_that_the_model_or_machine_cannot_bear_are_one_line(model, change, said):
    other = vllm_engine.Offline(model, vllm_engine.Vllm.model_validate(SETTINGS | change))
    with pytest.raises(BadInput, match=f"vLLM cannot load it: .*{said}") as error:
        texts(other, [job("France?", 0)])
    assert "\n" not in error.value.message


def test_the_client_draws_keeps_and_draws_nothing_twice(model, tmp_path):
    settings = config(backend="vllm", model=model, vllm=SETTINGS, max_tokens=60, max_malformed=1.0)
    requests = [client.Request(prompts.answer(q), rollout) for q in ("A?", "B?") for rollout in range(4)]
    with ResponseStore(tmp_path / "s.sqlite") as store:
        first = client.draw(requests, settings, store)
        again = client.draw(requests, settings, store)
        rows = store.get([one.key for one in first])
    assert [one.calls for one in first] == [2 if one.repaired else 1 for one in first]
    assert [one.calls for one in again] == [0] * 8
    assert {row.model for row in rows.values()} == {local_model.model_id(model, None)}


INTERRUPTED = """
import asyncio, sys
from planted_models import job
from stages.teacher import vllm_engine
async def main():
    engine = vllm_engine.Offline(sys.argv[1], vllm_engine.Vllm.model_validate(eval(sys.argv[2])))
    await engine.complete([job("France?", 0)])
    print("ready", flush=True)
    await engine.complete([job(f"{i}?", 0, max_tokens=900) for i in range(10_000)])
asyncio.run(main())
"""


def test_an_interrupt_ends_the_process_cleanly(model):
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, model, repr(SETTINGS)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    assert out == ""
    assert errors.strip().endswith("KeyboardInterrupt")
