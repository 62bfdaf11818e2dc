"""Greedy replies to token sequences: by transformers in this process, or by vLLM's offline engine.

Both take token ids and return token ids, so that what is asked and where an answer stops is stated once,
outside. Greedy means the likeliest token and nothing else: a repetition penalty in a model's
`generation_config.json` is left out.
"""

import importlib.util
import inspect
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.errors import BadInput
from stages.student import batching

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

Report = Callable[[int, int], None]

_CROWDED = 0.75  # of a batch's rows, still unfinished at most, at which the finished ones are dropped
# Set before vLLM is imported, unless the user has: nothing on standard output, nothing reported home, the
# engine in this very process.
_ENVIRONMENT = {
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}


class Ending(NamedTuple):
    """Where a reply ends."""

    stop: Sequence[int]  # tokens of which any ends a reply, itself included
    limit: int  # tokens of a reply at most
    pad: int  # token that fills a batch up


def by_transformers(
    model: "PreTrainedModel",
    prompts: Sequence[list[int]],
    ending: Ending,
    batch: int,
    report: Report = lambda done, total: None,
) -> list[list[int]]:
    """Return the greedy reply to each prompt, its stop token included.

    Args:
        model: any causal language model, on its device.
        prompts: token ids, none empty.
        ending: where replies end.
        batch: prompts at once; padded on the left and sorted by length.
        report: told how many are answered, and of how many.

    Raises:
        BadInput: out of memory on a single prompt.
    """
    import torch

    replies: list[list[int]] = [[]] * len(prompts)
    answer = _stepwise if _takes_steps(model) else _by_generate
    stop = frozenset(ending.stop)
    done = 0

    def work(part: list[int]) -> None:
        nonlocal done
        asked = [prompts[i] for i in part]
        for i, reply in zip(part, answer(model, asked, ending).tolist(), strict=True):
            last = next((at for at, token in enumerate(reply) if token in stop), len(reply))
            replies[i] = reply[: last + 1]
        done += len(part)
        report(done, len(prompts))

    with torch.inference_mode():
        batching.each([len(prompt) for prompt in prompts], batch, work)
    return replies


def by_vllm(folder: Path, prompts: Sequence[list[int]], ending: Ending) -> list[list[int]]:
    """Return the greedy reply to each prompt, its stop token included, by vLLM's offline engine.

    The engine is unloaded before this returns: a cell's models follow one another in the same memory. It
    computes in bfloat16 on a GPU and in float32 elsewhere.

    Args:
        folder: of a saved model.
        prompts: token ids, none empty.
        ending: where replies end.

    Raises:
        BadInput: vLLM cannot be imported, or cannot load or run the model.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm import LLM, SamplingParams
        from vllm.platforms import current_platform
    except Exception as error:  # a build for another torch, a missing library of CUDA
        raise BadInput(
            f"score.engine vllm: it cannot be imported: {_line(error)}; install it again"
        ) from error
    longest = max((len(prompt) for prompt in prompts), default=0)
    sampling = SamplingParams(
        temperature=0.0, max_tokens=ending.limit, stop_token_ids=sorted(ending.stop), detokenize=False
    )
    try:
        llm = LLM(
            str(folder),
            dtype="float32" if current_platform.is_cpu() else "bfloat16",
            max_model_len=longest + ending.limit,
            enable_prefix_caching=True,  # of the chat template's first tokens
            load_format="safetensors",
            trust_remote_code=False,
            use_tqdm_on_load=False,
        )
    except Exception as error:  # of many kinds: settings, files, memory
        raise BadInput(
            f"{folder}: vLLM cannot load it: {_line(error)}; set score.engine: transformers"
        ) from error
    try:
        asked = [{"prompt_token_ids": prompt} for prompt in prompts]
        return [list(one.outputs[0].token_ids) for one in llm.generate(asked, sampling, use_tqdm=False)]
    except Exception as error:
        raise BadInput(f"{folder}: vLLM failed in mid-run: {_line(error)}; run again") from error
    finally:
        llm.llm_engine.engine_core.shutdown()


def check_vllm() -> None:
    """Refuse to go on without vLLM.

    Raises:
        BadInput: it is not installed.
    """
    if importlib.util.find_spec("vllm") is None:
        raise BadInput(
            "score.engine vllm needs vLLM, which is not installed; pip install 'seedbed[vllm]' in an "
            "environment of its own, or set score.engine: transformers"
        )


def _stepwise(model: "PreTrainedModel", prompts: list[list[int]], ending: Ending) -> "torch.Tensor":
    """Return the replies, prompts × limit; what stands after a stop token means nothing.

    One pass over the prompts, then a token a step. Finished rows are dropped from the batch and its cache:
    most answers are short, and one long one would keep them all. The device itself tells which are finished.
    """
    import torch
    from transformers import DynamicCache

    run: Any = model
    device = model.device
    width = max(map(len, prompts))
    pads = [width - len(prompt) for prompt in prompts]
    ids = torch.tensor(
        [[ending.pad] * n + prompt for n, prompt in zip(pads, prompts, strict=True)], device=device
    )
    # Without padding there is no mask to build, and attention takes its faster way.
    mask = torch.tensor([[0] * n + [1] * (width - n) for n in pads], device=device) if any(pads) else None
    positions = torch.arange(width, device=device)[None]
    if mask is not None:
        positions = (mask.cumsum(1) - 1).clamp(min=0)
    after = torch.tensor([[width - n] for n in pads], device=device)  # position of each reply's first token
    stop = torch.tensor(sorted(ending.stop), device=device)
    replies = torch.full((len(prompts), ending.limit), ending.pad, device=device)
    rows = torch.arange(len(prompts), device=device)  # of those still in the batch, their place in `replies`
    going = torch.ones(len(prompts), dtype=torch.bool, device=device)
    cache = DynamicCache(config=model.config.get_text_config())
    for step in range(ending.limit):
        logits = run(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        ).logits[:, -1]
        token = logits.argmax(-1)
        replies[rows, step] = token
        going = going & ~torch.isin(token, stop)
        left = int(going.sum())
        if not left:
            break
        if left <= _CROWDED * len(rows):
            keep = going.nonzero()[:, 0]
            cache.batch_select_indices(keep)
            rows, token, after, going = rows[keep], token[keep], after[keep], going[keep]
            mask = None if mask is None else mask[keep]
        ids, positions = token[:, None], after + step
        if mask is not None:
            mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)
    return replies


def _takes_steps(model: "PreTrainedModel") -> bool:
    """Tell whether `_stepwise` can run a model: it takes positions, and its cache is keys and values."""
    forward: Any = model.forward
    parameters = inspect.signature(forward).parameters
    wanted = {"position_ids", "past_key_values", "logits_to_keep"}
    kind: Any = type(model)
    return wanted <= parameters.keys() and not kind._is_stateful and kind._supports_default_dynamic_cache()


def _by_generate(model: "PreTrainedModel", prompts: list[list[int]], ending: Ending) -> "torch.Tensor":
    """Do as `_stepwise` by transformers' own loop, which knows every kind of model and drops no row."""
    import torch

    width = max(map(len, prompts))
    pads = [width - len(prompt) for prompt in prompts]
    ids = [[ending.pad] * n + prompt for n, prompt in zip(pads, prompts, strict=True)]
    greedy: Any = model.generate
    written: torch.Tensor = greedy(
        input_ids=torch.tensor(ids, device=model.device),
        attention_mask=torch.tensor([[0] * n + [1] * (width - n) for n in pads], device=model.device),
        do_sample=False,
        num_beams=1,
        temperature=None,
        top_p=None,
        top_k=None,
        repetition_penalty=1.0,
        max_new_tokens=ending.limit,
        eos_token_id=list(ending.stop),
        pad_token_id=ending.pad,
    )
    return written[:, width:]


def _line(error: BaseException) -> str:
    """Return the first line of an error's text, its kind where it has none."""
    lines = str(error).strip().splitlines()
    return (lines[0].strip().rstrip(".;:") if lines else type(error).__name__)[:300]
