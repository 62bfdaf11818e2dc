"""The simulator's Batch API, as the `openai` package meets it."""

import asyncio
import json

import httpx2
import openai
import pytest
from scripted_teacher import FRANCE, WORLD

from stages.teacher import prompts, simulator, simulator_batches, simulator_uploads, wire
from stages.teacher.competence import Embedded

SHAPE = Embedded(a=0.6, b=0.8, never=0.1, slip=0.1, miss=0.2, false_alarm=0.05)
MODEL = "seedbed-simulator"
URL = "/v1/chat/completions"
PROMPTS = [prompts.answer("What is the capital of France?"), prompts.seed_questions(FRANCE, 2)]


def body(i=0, **changes):
    sampling = wire.Sampling(temperature=1.0, max_tokens=800, seed=0, rollout=i)
    prompt = PROMPTS[i % 2]
    return wire.request_body(MODEL, prompt.messages, prompt.reply, sampling) | changes


def line(i=0, **changes):
    return {"custom_id": f"r{i}", "method": "POST", "url": URL, "body": body(i)} | changes


def jsonl(lines):
    return b"".join(json.dumps(x).encode() + b"\n" for x in lines)


def client(app):
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app, raise_app_exceptions=False))
    return openai.AsyncOpenAI(api_key="k", base_url="http://teacher/v1", http_client=http, max_retries=0)


def simulated(served=None):
    return simulator.application(WORLD, MODEL, SHAPE, served.append if served is not None else None)


async def create(api, content, **changes):
    file = await api.files.create(file=("in.jsonl", content), purpose="batch")
    options = {"endpoint": URL, "completion_window": "24h", "metadata": {"a": "b"}} | changes
    return await api.batches.create(input_file_id=file.id, **options)


async def ended(api, batch):
    while batch.status not in simulator_batches.ENDED:
        await asyncio.sleep(0)
        batch = await api.batches.retrieve(batch.id)
    return batch


async def contents(api, name):
    return [json.loads(x) for x in (await api.files.content(name)).text.splitlines()] if name else []


def test_a_batch_answers_each_request_as_if_it_were_sent_alone_in_another_order():
    async def run():
        served = []
        app = simulated(served)
        api = client(app)
        made = await create(api, jsonl(map(line, range(30))))
        done = await ended(api, made)
        alone = [
            await api.post("/chat/completions", cast_to=httpx2.Response, body=body(i)) for i in range(30)
        ]
        again = await ended(api, await create(api, jsonl(map(line, range(30)))))
        outputs = [await contents(api, b.output_file_id) for b in (done, again)]
        return made, done, outputs, alone, served

    made, done, (output, again), alone, served = asyncio.run(run())
    assert (made.object, made.status, made.metadata) == ("batch", "validating", {"a": "b"})
    assert (done.status, done.error_file_id, done.errors) == ("completed", None, None)
    assert done.created_at <= done.in_progress_at <= done.finalizing_at <= done.completed_at < done.expires_at
    assert done.request_counts.to_dict() == {"total": 30, "completed": 30, "failed": 0}
    assert (done.model, done.system_fingerprint) == (MODEL, "seedbed-simulator")
    order = [x["custom_id"] for x in output]
    assert sorted(order) == sorted(f"r{i}" for i in range(30))
    assert order != [f"r{i}" for i in range(30)]
    assert order == [x["custom_id"] for x in again]
    for x in output:
        i = int(x["custom_id"][1:])
        assert sorted(x) == ["custom_id", "error", "id", "response"]
        assert x["response"]["body"] == alone[i].json()
        assert x["response"]["request_id"] == alone[i].headers["x-request-id"]
        assert (x["response"]["status_code"], x["error"]) == (200, None)
    assert len(served) == 90


def test_requests_that_would_be_refused_alone_come_in_the_file_of_errors():
    async def run():
        api = client(simulated())
        lines = [line(0), line(1, body=body(1, temperature=9)), line(2, body=body(2, n=0))]
        done = await ended(api, await create(api, jsonl(lines)))
        return done, await contents(api, done.output_file_id), await contents(api, done.error_file_id)

    done, output, errors = asyncio.run(run())
    assert (done.status, done.request_counts.failed, len(output)) == ("completed", 2, 1)
    assert {x["custom_id"]: x["response"]["body"]["error"]["param"] for x in errors} == {
        "r1": "temperature",
        "r2": "n",
    }
    assert {x["response"]["status_code"] for x in errors} == {400}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (jsonl([line(0)]) + b"{", "invalid_json_line"),
        (b"[1]\n", "invalid_json_line"),
        (jsonl([line(0), line(0)]), "duplicate_custom_id"),
        (jsonl([line(0), line(1, custom_id="")]), "missing_required_parameter"),
        (jsonl([line(0, body=[])]), "missing_required_parameter"),
        (jsonl([line(0, url="/v1/embeddings")]), "invalid_url"),
        (jsonl([line(0, method="GET")]), "invalid_method"),
        (jsonl([line(0, body=body(model="gpt-9"))]), "model_not_found"),
        (
            jsonl([line(0), line(1, body=body(model=simulator.model_id(MODEL, SHAPE, WORLD)))]),
            "mismatched_model",
        ),
        (jsonl(line(i, body={"model": MODEL}) for i in range(50_001)), "too_many_tasks"),
    ],
)
def test_an_input_file_with_a_fault_makes_the_batch_fail_and_serves_nothing(content, code):
    async def run():
        served = []
        api = client(simulated(served))
        return await ended(api, await create(api, content)), served

    done, served = asyncio.run(run())
    assert (done.status, done.errors.data[0].code, served) == ("failed", code, [])
    assert done.errors.data[0].message
    assert done.output_file_id is done.error_file_id is None


def test_what_openai_refuses_at_once_is_refused_at_once(monkeypatch):
    async def run():
        api = client(simulated())
        monkeypatch.setattr(simulator_uploads, "FILE_BYTES", 1000)
        file = await api.files.create(file=("in.jsonl", b"x" * 1000), purpose="batch")
        assert (await api.files.retrieve(file.id)).bytes == 1000
        create = {"input_file_id": file.id, "endpoint": URL, "completion_window": "24h"}
        calls = [
            api.files.create(file=("in.jsonl", b"x" * 1001), purpose="batch"),
            api.files.create(file=("in.jsonl", b"x" * 20_000), purpose="batch"),
            api.files.create(file=("in.txt", b"x"), purpose="batch"),
            api.files.create(file=("in.jsonl", b"x"), purpose="fine-tune"),
            api.post("/files", cast_to=object, body={"purpose": "batch"}),
            api.files.retrieve("file-0"),
            api.files.content("file-0"),
            api.batches.create(**create | {"input_file_id": "file-0"}),
            api.batches.create(**create | {"endpoint": "/v1/embeddings"}),
            api.batches.create(**create | {"completion_window": "1h"}),
            api.batches.create(**create | {"metadata": {"a": 1}}),
            api.batches.retrieve("batch_0"),
            api.batches.cancel("batch_0"),
            api.batches.list(limit=101),
        ]
        return [(e.status_code, e.body["type"]) for e in await asyncio.gather(*calls, return_exceptions=True)]

    found = asyncio.run(run())
    assert [status for status, _ in found] == [
        413,
        413,
        400,
        400,
        400,
        404,
        404,
        400,
        400,
        400,
        400,
        404,
        404,
        400,
    ]
    assert {kind for _, kind in found} == {"invalid_request_error"}
