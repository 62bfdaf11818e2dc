"""The clients that `teacher_peers.py` compares, each run in a process, and an environment, of its own.

Every client gets the same questions, a folder for whatever it keeps, and 64 requests in flight, and writes
what it got: one JSON line per row, `{"question": ..., "reply": ...}`. Standard library and the client's own
package alone, so that each environment needs nothing else.

    python benchmarks/teacher_rivals.py ours http://127.0.0.1:8001 FOLDER 2000
"""

import argparse
import asyncio
import importlib.metadata
import json
import os
import resource
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from teacher_server import Counted, questions

ROOT = Path(__file__).parents[1]
MODEL = "mock"
CONCURRENCY = 64
TIMEOUT_S = 30
WARM = 40  # requests before the measured ones, so that lazy imports are not counted
KEY = "SEEDBED_BENCHMARK_KEY"
SYSTEM = "Answer the question. Give a rationale of one or two sentences, and the answer alone."
Got = list[tuple[str, str]]  # (question, the reply's text)


def raw(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with aiohttp alone, into SQLite: about the least that a client with a memory can do."""
    import aiohttp

    store = sqlite3.connect(folder / "raw.sqlite", isolation_level=None)
    store.execute("pragma journal_mode = wal")
    store.execute("pragma synchronous = normal")
    store.execute("create table if not exists replies (question text primary key, reply text)")
    known = {question for (question,) in store.execute("select question from replies")}
    missing = iter([question for question in asked if question not in known])
    group: list[tuple[str, str]] = []

    def commit() -> None:
        store.execute("begin")
        store.executemany("insert or ignore into replies values (?, ?)", group)
        store.execute("commit")
        group.clear()

    async def worker(session: Any) -> None:
        for question in missing:
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
            while True:
                async with session.post(
                    f"{root}/v1/chat/completions", json={"model": MODEL, "messages": messages}
                ) as response:
                    reply = await response.json()
                if response.status == 200:
                    break
                await asyncio.sleep(float(response.headers.get("Retry-After", 0.1)))
            group.append((question, reply["choices"][0]["message"]["content"]))
            if len(group) >= CONCURRENCY // 4:
                commit()

    async def main() -> None:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:
            await asyncio.gather(*[worker(session) for _ in range(CONCURRENCY)])

    asyncio.run(main())
    commit()
    rows = dict(store.execute("select question, reply from replies"))
    store.close()
    return [(question, rows[question]) for question in asked]


def ours(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with the teacher's client of this repository."""
    sys.path.insert(0, str(ROOT))
    from stages.teacher import client, prompts
    from stages.teacher.store import ResponseStore

    settings = our_config(root, concurrency=CONCURRENCY, timeout=TIMEOUT_S, retries=10)
    with ResponseStore(folder / "responses.sqlite") as store:
        drawn = client.draw([client.Request(prompts.answer(question)) for question in asked], settings, store)
    return [
        (question, outcome.reply.model_dump_json())
        for question, outcome in zip(asked, drawn, strict=True)
        if outcome.reply
    ]


def our_config(root: str, **changes: Any) -> Any:
    """Return the settings of `params.yaml` for the mock, with its key in the environment."""
    import yaml

    from stages.teacher import client

    os.environ[KEY] = "sk-none"
    teacher = yaml.safe_load((ROOT / "params.yaml").read_text())["teacher"]
    mock = {"backend": "openai", "base_url": f"{root}/v1", "model": MODEL, "api_key_env": KEY}
    return client.Config.model_validate(teacher | mock | changes)


def curator(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with bespokelabs-curator, its cache on, its viewer, telemetry and display off, no rate limit."""
    os.environ |= {
        "CURATOR_CACHE_DIR": str(folder),
        "CURATOR_DISABLE_RICH_DISPLAY": "1",
        "TELEMETRY_ENABLED": "false",
        "OPENAI_API_KEY": "sk-none",
    }
    import litellm.litellm_core_utils.default_encoding  # noqa: F401  # its tokenizer, without a download
    from bespokelabs import curator

    class Asker(curator.LLM):
        def prompt(self, input: dict[str, Any]) -> list[dict[str, str]]:
            return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": input["question"]}]

        def parse(self, input: dict[str, Any], response: str) -> dict[str, str]:
            return {"question": input["question"], "reply": response}

    limits = {
        "base_url": f"{root}/v1",
        "max_concurrent_requests": CONCURRENCY,
        "max_requests_per_minute": 10_000_000,
        "max_tokens_per_minute": 100_000_000_000,
        "request_timeout": TIMEOUT_S,
        "seconds_to_pause_on_rate_limit": 1,  # the least that it takes
        "max_retries": 10,
    }
    asker = Asker(model_name=MODEL, backend="openai", backend_params=limits)
    rows = asker([{"question": question} for question in asked]).dataset
    return list(zip(rows["question"], rows["reply"], strict=True))


def datatrove(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with datatrove's inference runner, checkpoints and request cache on."""
    return _datatrove(root, folder, asked)


def datatrove_openai(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with datatrove as for a remote endpoint: through the `openai` package, which retries."""
    return _datatrove(root.replace("127.0.0.1", "127.0.0.2") + "/v1", folder, asked)


def _datatrove(endpoint: str, folder: Path, asked: list[str]) -> Got:
    from datatrove.data import Document
    from datatrove.pipeline.inference.run_inference import InferenceConfig, InferenceRunner
    from datatrove.pipeline.writers import JsonlWriter
    from loguru import logger

    logger.remove()

    async def ask(document: Any, generate: Any) -> Any:
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": document.text}]
        return await generate({"messages": messages})

    InferenceRunner(
        rollout_fn=ask,
        config=InferenceConfig(
            server_type="endpoint",
            model_name_or_path=MODEL,
            endpoint_url=endpoint,
            api_key="sk-none",
            max_concurrent_generations=CONCURRENCY,
            request_timeout=TIMEOUT_S,
        ),
        output_writer=JsonlWriter(
            str(folder / "out"), output_filename="${rank}_${chunk_index}.jsonl", compression=None
        ),
        checkpoints_local_dir=str(folder / "checkpoints"),
        records_per_chunk=100,
    ).run(Document(text=question, id=str(i)) for i, question in enumerate(asked))
    lines = [line for part in (folder / "out").glob("*.jsonl") for line in part.read_text().splitlines()]
    rows = [json.loads(line) for line in lines]
    return [(row["text"], row["metadata"]["rollout_results"][0]["text"]) for row in rows]


def data_designer(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with NVIDIA's Data Designer, resuming where it can, its telemetry off."""
    os.environ |= {"NEMO_TELEMETRY_ENABLED": "false", "DATA_DESIGNER_HOME": str(folder)}
    import data_designer.config as dd
    import pandas as pd
    from data_designer.interface import DataDesigner

    seeds = folder / "questions.parquet"
    pd.DataFrame({"question": asked}).to_parquet(seeds)
    parameters = dd.ChatCompletionInferenceParams(max_parallel_requests=CONCURRENCY, timeout=TIMEOUT_S)
    model = dd.ModelConfig(
        alias=MODEL, model=MODEL, provider=MODEL, inference_parameters=parameters, skip_health_check=True
    )
    builder = dd.DataDesignerConfigBuilder(model_configs=[model])
    builder.with_seed_dataset(dd.LocalFileSeedSource(path=str(seeds)))
    builder.add_column(
        dd.LLMTextColumnConfig(name="reply", model_alias=MODEL, system_prompt=SYSTEM, prompt="{{ question }}")
    )
    provider = dd.ModelProvider(name=MODEL, endpoint=f"{root}/v1", api_key="sk-none")
    designer = DataDesigner(artifact_path=folder / "artifacts", model_providers=[provider])
    designer.set_run_config(dd.RunConfig(buffer_size=100, otel_metrics_port=None))
    resume = dd.ResumeMode.IF_POSSIBLE
    rows = designer.create(builder, num_records=len(asked), resume=resume).load_dataset()
    return list(zip(rows["question"], rows["reply"], strict=True))


def distilabel(root: str, folder: Path, asked: list[str]) -> Got:
    """Draw with distilabel, its cache on."""
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    with Pipeline(name="benchmark", cache_dir=folder / "cache") as pipeline:
        load = LoadDataFromDicts(data=[{"instruction": q} for q in asked], batch_size=CONCURRENCY)
        llm = OpenAILLM(
            model=MODEL, base_url=f"{root}/v1", api_key="sk-none", timeout=TIMEOUT_S, max_retries=10
        )
        write = TextGeneration(llm=llm, system_prompt=SYSTEM, input_batch_size=CONCURRENCY)
        load >> write
    rows = pipeline.run(use_cache=True)["default"]["train"]
    return list(zip(rows["instruction"], rows["generation"], strict=True))


CLIENTS: dict[str, tuple[str, Callable[[str, Path, list[str]], Got]]] = {  # its package and how it draws
    "raw": ("aiohttp", raw),
    "ours": ("openai", ours),
    "curator": ("bespokelabs-curator", curator),
    "datatrove": ("datatrove", datatrove),
    "datatrove-openai": ("datatrove", datatrove_openai),
    "data-designer": ("data-designer", data_designer),
    "distilabel": ("distilabel", distilabel),
}


def _cpu() -> float:
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def main() -> None:
    """Run one client and write what it got, with its CPU seconds and peak memory as the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("root", help="of the mock, without /v1")
    parser.add_argument("folder", type=Path, help="what the client keeps, and rows.jsonl")
    parser.add_argument("count", type=int, help="questions")
    parser.add_argument("--settings", type=json.loads, help="of the mock, after the warm-up")
    given = parser.parse_args()
    package, draw = CLIENTS[given.client]
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.settings is not None:
        warm = given.folder / "warm"
        warm.mkdir()
        draw(given.root, warm, [f"Warm-up {question}" for question in questions(WARM)])
        Counted(given.root).reset(**given.settings)
    begin = _cpu()
    got = draw(given.root, given.folder, questions(given.count))
    used = {
        "cpu_s": _cpu() - begin,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "version": importlib.metadata.version(package),
    }
    lines = [json.dumps({"question": question, "reply": reply}) for question, reply in got]
    (given.folder / "rows.jsonl").write_text("\n".join([*lines, json.dumps(used)]))


if __name__ == "__main__":
    main()
