"""The simulator's API: what an OpenAI client meets, and that replies depend on the request alone."""

import asyncio
import hashlib
import json
import subprocess
import sys

import httpx2
import pytest
from scripted_teacher import FRANCE, WORLD

from stages import files
from stages.records import Article
from stages.teacher import prompts, simulator, wire
from stages.teacher.competence import Embedded

SHAPE = Embedded(a=0.6, b=0.8, never=0.1, slip=0.1, miss=0.2, false_alarm=0.05)
MODEL = "seedbed-simulator"


def ask(*bodies, path="/v1/chat/completions", articles=WORLD, method="POST"):
    """Return the responses of a simulator to raw bodies or JSON values."""

    async def send():
        app = simulator.application(articles, MODEL, SHAPE)
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
        async with httpx2.AsyncClient(transport=transport, base_url="http://teacher") as http:
            texts = [body if isinstance(body, bytes) else json.dumps(body).encode() for body in bodies]
            return [await http.request(method, path, content=text) for text in texts]

    return asyncio.run(send())


def body(prompt=None, rollout=0, **changes):
    prompt = prompt or prompts.answer("What is the capital of France?")
    sampling = wire.Sampling(temperature=1.0, max_tokens=800, seed=0, rollout=rollout)
    return wire.request_body(MODEL, prompt.messages, prompt.reply, sampling) | changes


def contents(response):
    return [choice["message"]["content"] for choice in response.json()["choices"]]


def test_a_completion_says_that_it_is_a_simulators_and_counts_tokens():
    (response,) = ask(body())
    data = response.json()
    assert data["system_fingerprint"] == "seedbed-simulator"
    assert data["model"] == simulator.model_id(MODEL, SHAPE, WORLD)
    assert response.headers["x-request-id"].startswith("req-")
    said = contents(response)[0]
    prompt_tokens = sum(
        simulator.count_tokens(text) for _, text in prompts.answer("What is the capital of France?").messages
    )
    spent = simulator.count_tokens(said)
    assert data["usage"] == {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": spent,
        "total_tokens": prompt_tokens + spent,
    }
    assert simulator.count_tokens("It's 3.5 km, isn't it?") == 13


def test_n_temperature_and_seed_change_the_draws():
    one, many, other, again, greedy, greedy2 = ask(
        body(), body(n=16), body(rollout=1), body(), body(temperature=0), body(temperature=0, seed=5)
    )
    assert contents(one) == contents(again) == contents(many)[:1]
    assert len(set(contents(many))) >= 12
    assert contents(other) != contents(one)
    assert contents(greedy) == contents(greedy2)


def test_max_tokens_cuts_the_reply_and_says_so():
    for limit in ("max_tokens", "max_completion_tokens"):
        (response,) = ask({k: v for k, v in body().items() if k != "max_tokens"} | {limit: 5})
        data = response.json()
        assert data["choices"][0]["finish_reason"] == "length"
        assert data["usage"]["completion_tokens"] == 5
        assert simulator.count_tokens(contents(response)[0]) == 5


def test_each_task_is_answered_in_its_schema_and_anything_else_in_prose():
    (seeds,) = ask(body(prompts.seed_questions(FRANCE, 2)))
    assert len(prompts.SeedQuestions.model_validate_json(contents(seeds)[0]).questions) == 2
    (known,) = ask(body(prompts.knowledge("What is the capital of France?", "Paris", FRANCE)))
    prompts.Knowledge.model_validate_json(contents(known)[0])
    plain = {"model": MODEL, "messages": [{"role": "user", "content": "Capital of France?"}]}
    parts = [{"role": "user", "content": [{"type": "text", "text": "Capital of France?"}]}]
    (prose, in_parts) = ask(plain, plain | {"messages": parts})
    assert "France" in contents(prose)[0]
    assert not contents(prose)[0].startswith("{")
    assert contents(prose) == contents(in_parts)


def test_each_step_of_a_synthesis_is_answered_in_its_schema():
    points = ["The capital of France is Paris.", "France lies in Europe.", "To call France, one dials +33."]
    sent = [
        prompts.expansion(points, [FRANCE], 2),
        prompts.combination(points, [FRANCE]),
        prompts.verdict("What is the capital of France?", "Paris", points[:2], [FRANCE]),
    ]
    for prompt, response in zip(sent, ask(*map(body, sent)), strict=True):
        prompt.reply.model_validate_json(contents(response)[0])
    greedy = ask(*(body(sent[1], temperature=0, seed=seed) for seed in range(5)))
    assert len({contents(response)[0] for response in greedy}) == 1


@pytest.mark.parametrize(
    ("bad", "status", "param"),
    [
        (b"{", 400, None),
        (b"[" * 100_000, 400, None),
        (b"[]", 400, None),
        (body(model="gpt-9"), 404, "model"),
        (body(messages=[]), 400, "messages"),
        ({"model": MODEL}, 400, "messages"),
        (body(messages=[{"role": "king", "content": "x"}]), 400, "messages[0].role"),
        (body(messages=[{"role": "user", "content": 7}]), 400, "messages[0].content"),
        (body(messages=[{"role": "user", "content": [{"image": 1}]}]), 400, "messages[0].content"),
        (body(n=0), 400, "n"),
        (body(n=129), 400, "n"),
        (body(n=1.5), 400, "n"),
        (body(temperature=2.1), 400, "temperature"),
        (body(temperature=float("nan")), 400, "temperature"),
        (body(max_tokens=0), 400, "max_tokens"),
        (body(seed="x"), 400, "seed"),
        (body(stream=True), 400, "stream"),
    ],
)
def test_a_bad_request_gets_openais_error_object(bad, status, param):
    (response,) = ask(bad)
    error = response.json()["error"]
    assert (response.status_code, error["param"]) == (status, param)
    assert error["type"] == "invalid_request_error"
    assert error["message"]


def test_unknown_paths_and_methods_are_json_errors_too():
    assert ask({}, path="/v1/embeddings")[0].json()["error"]["message"]
    (wrong_method,) = ask({}, method="GET")
    assert (wrong_method.status_code, "error" in wrong_method.json()) == (405, True)


def test_models_and_health_say_simulator():
    (models,) = ask({}, path="/v1/models", method="GET")
    assert [m["owned_by"] for m in models.json()["data"]] == ["seedbed-simulator"] * 2
    assert models.json()["data"][0]["id"] == MODEL
    assert ask({}, path="/health", method="GET")[0].json()["simulator"] is True


def test_the_id_stands_for_articles_and_competence():
    ids = {
        simulator.model_id(MODEL, SHAPE, WORLD),
        simulator.model_id(MODEL, SHAPE, WORLD[:3]),
        simulator.model_id(MODEL, SHAPE.model_copy(update={"b": 0.9}), WORLD),
        simulator.model_id(MODEL, SHAPE.model_copy(update={"miss": 0.3}), WORLD),
        simulator.model_id("other", SHAPE, WORLD),
    }
    assert len(ids) == 5


def test_answers_stay_what_they_were_at_this_version():
    prompts_sent = [prompts.seed_questions(FRANCE, 4), prompts.answer("What is the symbol of Iron?")]
    prompts_sent += [prompts.knowledge("What is the capital of France?", "Paris", FRANCE)]
    responses = ask(*(body(prompt, rollout) for prompt in prompts_sent for rollout in range(8)))
    said = hashlib.sha256("\n".join(contents(r)[0] for r in responses).encode()).hexdigest()[:16]
    # Where this changes on purpose, raise simulator.VERSION with it, or stored replies pass for new ones.
    assert (simulator.VERSION, said) == (2, "984462f37018a5bd")


def test_the_same_request_gives_the_same_bytes_whatever_the_process(tmp_path):
    files.write_parquet(tmp_path / "a.parquet", WORLD, Article)
    (tmp_path / "body").write_bytes(json.dumps(body(n=4)).encode())
    code = (
        "import asyncio, sys, httpx2; from pathlib import Path; from stages import files;"
        "from stages.records import Article; from stages.teacher import simulator as s;"
        "from stages.teacher.competence import Embedded; p = Path(sys.argv[1]);"
        "app = s.application(files.read_parquet(p / 'a.parquet', Article), 'seedbed-simulator',"
        " Embedded(a=0.6, b=0.8, never=0.1, slip=0.1, miss=0.2, false_alarm=0.05));"
        "http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url='http://teacher');"
        "r = asyncio.run(http.post('/v1/chat/completions', content=(p / 'body').read_bytes()));"
        "sys.stdout.buffer.write(r.content)"
    )
    outs = [
        subprocess.run(
            [sys.executable, "-c", code, tmp_path], env={"PYTHONHASHSEED": seed}, capture_output=True
        )
        for seed in ("1", "2")
    ]
    assert outs[0].stdout == outs[1].stdout == ask((tmp_path / "body").read_bytes())[0].content
