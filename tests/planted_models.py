"""Folders of teacher's models: made of a few bytes where nobody loads them, and a real tiny one."""

import json
from pathlib import Path
from typing import Any

from stages.teacher import prompts, wire


def folder(path: Path, weights: bytes = b"weights", template: str | None = "{{ messages }}") -> Path:
    """Write what looks like a model's folder."""
    path.mkdir(parents=True)
    (path / "config.json").write_text('{"architectures": ["Qwen3ForCausalLM"]}')
    (path / "model.safetensors").write_bytes(weights)
    (path / "tokenizer_config.json").write_text(json.dumps({"chat_template": template} if template else {}))
    return path


def tiny_qwen3(path: Path) -> Path:
    """Write a Qwen3 with random weights that vLLM's CPU build can run: heads of 32 at least."""
    from stages.student import Make, modelling, tokenizing

    sizes: dict[str, Any] = {"layers": 2, "hidden": 64, "heads": 2, "key_value_heads": 1, "feedforward": 64}
    unused: dict[str, Any] = {"steps": 1, "batch": 1, "block": 8, "learning_rate": 1e-3, "weight_decay": 0.0}
    make = Make(vocabulary=320, warmup=0.0, **sizes, **unused)
    tokenizer = tokenizing.train_tokenizer(["The capital of France is Paris."] * 4, make.vocabulary)
    modelling.save(modelling.make(make, tokenizer, seed=0), tokenizer, path)
    return path


def job(question: str, rollout: int, max_tokens: int = 40, **changes: Any) -> wire.Job:
    """Return the job of one answer."""
    prompt = prompts.answer(question)
    sampling = wire.Sampling(1.0, max_tokens, 0, rollout)
    body = wire.request_body("m", prompt.messages, prompt.reply, sampling) | changes
    return wire.Job(wire.request_key("m", prompt.messages, prompt.reply, sampling), body)
