"""vLLM as an offline batch engine in this process: many draws at once, with guided JSON and prefix caching.

What comes back is written as the chat completion that `vllm serve` would have sent, so that the store keeps
both alike. vLLM is no dependency of this package: it is imported when a model is loaded.
"""

import asyncio
import atexit
import importlib.util
import json
import os
import threading
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from stages import params
from stages.errors import BadInput
from stages.teacher import local_model, wire

LARGEST_SEED = 2**63 - 1  # beyond it vLLM's sampler fails in mid-run
# Set before vLLM is imported, unless the user has: one line a verb on standard output, nothing reported home,
# the engine in this very process, workers of several GPUs started afresh (a fork would share the open store).
_ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
_INSTALL = "pip install 'seedbed[vllm]' in an environment of its own, or use `vllm serve` and backend openai"


class Vllm(params.Section):
    """How vLLM loads `teacher.model`, and how much it is given at once (backend vllm)."""

    revision: str | None = None  # commit of a Hugging Face id; null for a folder
    size: int = Field(default=2048, ge=1, le=16_384)  # draws handed over at once
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"  # auto: as the weights are saved
    max_model_len: int | None = Field(default=None, ge=1)  # tokens of prompt and reply; null: the model's own
    tensor_parallel_size: int = Field(default=1, ge=1)  # GPUs that share each layer
    gpu_memory_utilization: float = Field(default=0.9, gt=0, le=1)  # share of a GPU's memory
    enforce_eager: bool = False  # no compilation and no CUDA graphs: loads faster, draws slower


class Draws(NamedTuple):
    """Consecutive draws of one conversation: one request to the engine, with `n`."""

    body: dict[str, Any]  # of the first
    places: list[int]  # of each draw's job

    @property
    def seed(self) -> int:
        """Return the first draw's; those after it have the next ones."""
        return int(self.body["seed"])


class Drawn(NamedTuple):
    """What the engine made of one `Draws`."""

    request: str  # its number in the engine
    replies: list[tuple[str, str | None, int]]  # text, finish reason and tokens of each draw
    prompt_tokens: int
    latency_s: float  # since the jobs were handed over


def together(jobs: Sequence[wire.Job]) -> list[Draws]:
    """Group jobs that differ in nothing but their seed; consecutive seeds become one request.

    vLLM gives draw i of a request the request's seed plus i: a reply does not depend on what it was grouped
    with. The groups stand in the order of their first jobs, so that draws of one prompt follow one another
    and its prefix is still cached.

    Raises:
        BadInput: a job without a seed, or with one that vLLM cannot take.
    """
    groups: dict[str, list[int]] = {}
    for place, job in enumerate(jobs):
        _check_seed(job.body)
        rest = {name: value for name, value in job.body.items() if name != "seed"}
        groups.setdefault(json.dumps(rest, sort_keys=True), []).append(place)
    return [draws for places in groups.values() for draws in _consecutive(jobs, places)]


def _check_seed(body: dict[str, Any]) -> None:
    seed = body.get("seed")
    if seed is None:
        raise BadInput("teacher: backend vllm draws by seed; set teacher.accepts.seed to true")
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInput(f"teacher: vLLM takes seeds from 0 to 2^63 - 1, not {seed}; choose another `seed`")


def _consecutive(jobs: Sequence[wire.Job], places: Sequence[int]) -> list[Draws]:
    runs: list[Draws] = []
    for place in sorted(places, key=lambda place: int(jobs[place].body["seed"])):
        body = jobs[place].body
        if runs and body["seed"] == runs[-1].seed + len(runs[-1].places):
            runs[-1].places.append(place)
        else:
            runs.append(Draws(body, [place]))
    return runs


def schema_of(body: dict[str, Any]) -> dict[str, Any] | None:
    """Return the JSON schema that a request's `response_format` asks for; None for free text."""
    wanted = body.get("response_format") or {"type": "text"}
    if wanted["type"] == "json_schema":
        return dict(wanted["json_schema"]["schema"])
    return {"type": "object"} if wanted["type"] == "json_object" else None


def completion(
    model: str, request_id: str, text: str, finish_reason: str | None, prompt_tokens: int, tokens: int
) -> str:
    """Return one draw as the JSON of a chat completion.

    Its prompt is counted in full, however many draws shared it: what a draw is worth does not depend on what
    it was grouped with.
    """
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": tokens,
        "total_tokens": prompt_tokens + tokens,
    }
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": finish_reason,
    }
    whole = {"id": request_id, "object": "chat.completion", "created": int(time.time()), "model": model}
    return json.dumps(whole | {"choices": [choice], "usage": usage}, ensure_ascii=False)


class Offline:
    """The teacher `model` in this process; several of them share the loaded weights.

    Args:
        model: Hugging Face id, or a folder.
        config: how it is loaded.

    Raises:
        BadInput: vLLM is not installed, or the model cannot be a teacher (see `local_model.check`).
    """

    def __init__(self, model: str, config: Vllm) -> None:
        local_model.check(model, config.revision)
        _check_installed()
        self.size = config.size
        self._engine = _engine(model, config)

    async def complete(self, jobs: Sequence[wire.Job]) -> list[wire.Received]:
        """Draw a reply to each job, in the jobs' order; the loop lives on meanwhile.

        The model is loaded by the first call. A cancelled call stops after the engine's current step, of some
        milliseconds; its replies are lost.

        Raises:
            BadInput: the model cannot be loaded; a prompt is too long for it; the engine failed.
        """
        if not jobs:
            return []
        stop = threading.Event()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._engine.thread, self._engine.run, list(jobs), stop)
        finally:
            stop.set()

    async def close(self) -> None:
        """Do nothing: the weights stay loaded for the next draws of this process, and go with it."""


class _Engine:
    """A model and the one thread that works with it: vLLM's engine is not made for several."""

    def __init__(self, model: str, config: Vllm) -> None:
        self.model, self.config = model, config
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="vllm")
        self._llm: Any = None
        self._run = uuid.uuid4().hex[:12]

    def run(self, jobs: list[wire.Job], stop: threading.Event) -> list[wire.Received]:
        """Return a reply to each job; raise `BadInput` where that cannot be, return nothing once stopped."""
        if stop.is_set():
            return []
        groups = together(jobs)
        if self._llm is None:
            self._llm = _load(self.model, self.config)
        try:
            drawn = _generate(self._llm, self.model, groups, stop)
        except BadInput:
            raise
        except Exception as error:
            self.end()
            raise BadInput(
                f"teacher '{self.model}': vLLM failed in mid-run: {_line(error)}; run again, what was kept "
                "is not drawn again; VLLM_LOGGING_LEVEL=INFO shows more"
            ) from error
        if drawn is None:
            return []
        received: dict[int, wire.Received] = {}
        for group, of_group in zip(groups, drawn, strict=True):
            received |= zip(group.places, self._received(group, of_group), strict=True)
        return [received[place] for place in range(len(jobs))]

    def _received(self, group: Draws, drawn: Drawn) -> list[wire.Received]:
        replies = []
        for i, (text, finish_reason, tokens) in enumerate(drawn.replies):
            request_id = f"vllm-{self._run}-{drawn.request}-{i}"
            body = completion(
                group.body["model"], request_id, text, finish_reason, drawn.prompt_tokens, tokens
            )
            latency_s = round(drawn.latency_s, 6)
            replies.append(wire.Received(body, wire.read_completion(body), request_id, latency_s))
        return replies

    def end(self) -> None:
        """Unload the model."""
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.llm_engine.engine_core.shutdown()


_loaded: dict[tuple[str, Vllm], _Engine] = {}  # one at most: a model takes what memory there is


def _engine(model: str, config: Vllm) -> _Engine:
    if (model, config) not in _loaded:
        _unload()
        _loaded[model, config] = _Engine(model, config)
    return _loaded[model, config]


@atexit.register
def _unload() -> None:
    while _loaded:
        _loaded.popitem()[1].end()


def _check_installed() -> None:
    if importlib.util.find_spec("vllm") is None:
        raise BadInput(f"teacher: backend vllm needs vLLM, which is not installed; {_INSTALL}")


def _load(model: str, config: Vllm) -> Any:
    """Return vLLM's `LLM`; this takes from seconds to minutes."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm import LLM
        from vllm.platforms import current_platform
    except Exception as error:  # a build for another torch, a missing library of CUDA
        raise BadInput(f"teacher: vLLM cannot be imported: {_line(error)}; {_INSTALL}") from error
    pinned = {"revision": config.revision, "tokenizer_revision": config.revision} if config.revision else {}
    # On a CPU, vLLM 0.32 dies of a seeded draw whose prompt it computes in parts ("CPU Generator does not use
    # offset"): there every prompt is computed in one step.
    whole = {"enable_chunked_prefill": False} if current_platform.is_cpu() else {}
    try:
        llm = LLM(
            model,
            **config.model_dump(exclude={"size", "revision"}, exclude_none=True),
            **pinned,
            **whole,
            enable_prefix_caching=True,
            load_format="safetensors",
            trust_remote_code=False,
            use_tqdm_on_load=False,
        )
    except Exception as error:  # of many kinds: settings, files, the network, memory
        raise BadInput(
            f"teacher '{model}': vLLM cannot load it: {_line(error)}; correct teacher.model or teacher.vllm, "
            "VLLM_LOGGING_LEVEL=INFO shows more"
        ) from error
    if getattr(llm.get_tokenizer(), "chat_template", "its own") is None:
        raise BadInput(
            f"teacher '{model}': its tokenizer has no chat template; take an instruction-tuned model"
        )
    return llm


def _generate(llm: Any, model: str, groups: Sequence[Draws], stop: threading.Event) -> list[Drawn] | None:
    """Return what the engine draws for each group, in order; None if it was told to stop."""
    begun = time.perf_counter()
    try:
        ids = llm.enqueue_chat(
            [group.body["messages"] for group in groups],
            [_sampling(llm, group) for group in groups],
            use_tqdm=False,
        )
    except Exception as error:  # vLLM has taken back what it had enqueued
        raise BadInput(_refusal(error, model, groups)) from error
    engine, drawn = llm.llm_engine, []
    while engine.has_unfinished_requests():
        if stop.is_set():
            engine.abort_request(ids, internal=True)
            return None
        for output in engine.step():
            if output.finished:
                drawn.append(_drawn(output, time.perf_counter() - begun))
    return sorted(drawn, key=lambda one: int(one.request))  # numbered as they were enqueued


def _drawn(output: Any, latency_s: float) -> Drawn:
    replies = sorted(output.outputs, key=lambda reply: int(reply.index))
    return Drawn(
        output.request_id,
        [(reply.text, reply.finish_reason, len(reply.token_ids)) for reply in replies],
        len(output.prompt_token_ids),
        latency_s,
    )


def _sampling(llm: Any, group: Draws) -> Any:
    """Return vLLM's sampling parameters, what the body leaves open as `vllm serve` fills it in."""
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    schema = schema_of(group.body)
    # Of the model's generation_config.json.
    usual = llm.get_default_sampling_params()
    return SamplingParams(
        n=len(group.places),
        seed=group.seed,
        temperature=group.body["temperature"],
        max_tokens=wire.token_limit(group.body),
        top_p=usual.top_p,
        top_k=usual.top_k,
        min_p=usual.min_p,
        repetition_penalty=usual.repetition_penalty,
        structured_outputs=StructuredOutputsParams(json=schema) if schema else None,
    )


def _refusal(error: Exception, model: str, groups: Sequence[Draws]) -> str:
    said = _line(error).split(" Please ")[0].rstrip(".")
    if "context length" not in said:
        return f"teacher '{model}': vLLM refuses a request: {said}; correct the teacher's settings"
    texts = [" ".join(message["content"] for message in group.body["messages"]) for group in groups]
    begins = " ".join(max(texts, key=len).split())[:80]
    return (
        f"teacher '{model}': {said}; the longest begins '{begins}'; shorten the prompts, or raise "
        "teacher.vllm.max_model_len as far as the model allows"
    )


def _line(error: BaseException) -> str:
    """Return the first line of an error's text, its kind where it has none."""
    text = str(error.errors()[0]["msg"] if isinstance(error, ValidationError) else error)
    lines = text.strip().removeprefix("Value error, ").splitlines()
    return (lines[0].strip().rstrip(".;:") if lines else type(error).__name__)[:300]
