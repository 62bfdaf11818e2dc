"""Published students by name: true sizes, models of them with random weights, ready `students:` entries."""

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from stages.errors import BadInput

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel

# The values of each model's own config.json at the revision below.
_QWEN3: dict[str, Any] = {
    "model_type": "qwen3",
    "vocab_size": 151_936,
    "head_dim": 128,
    "num_key_value_heads": 8,
    "max_position_embeddings": 32_768,
    "rms_norm_eps": 1e-6,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e6},
    "tie_word_embeddings": True,
    "bos_token_id": 151_643,
    "eos_token_id": 151_643,
}
_LLAMA32: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 128_256,
    "intermediate_size": 8192,
    "num_key_value_heads": 8,
    "max_position_embeddings": 131_072,
    "rms_norm_eps": 1e-5,
    "rope_parameters": {
        "rope_type": "llama3",
        "rope_theta": 5e5,
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
    "tie_word_embeddings": True,
    "bos_token_id": 128_000,
    "eos_token_id": 128_001,
}
_SIZES: dict[str, dict[str, Any]] = {
    "qwen3-0.6b": _QWEN3
    | {
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
    },
    "qwen3-1.7b": _QWEN3
    | {
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
    },
    "qwen3-4b": _QWEN3
    | {
        "hidden_size": 2560,
        "intermediate_size": 9728,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
    },
    "qwen3-8b": _QWEN3
    | {
        "hidden_size": 4096,
        "intermediate_size": 12_288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "tie_word_embeddings": False,
    },
    "llama3.2-1b": _LLAMA32
    | {"hidden_size": 2048, "num_hidden_layers": 16, "num_attention_heads": 32, "head_dim": 64},
    "llama3.2-3b": _LLAMA32
    | {"hidden_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 24, "head_dim": 128},
    "qwen3-30b-a3b": _QWEN3
    | {
        "model_type": "qwen3_moe",
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "moe_intermediate_size": 768,
        "num_hidden_layers": 48,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
        "num_experts": 128,
        "num_experts_per_tok": 8,
        "norm_topk_prob": True,
        "router_aux_loss_coef": 0.001,
        "tie_word_embeddings": False,
    },
    "olmoe-1b-7b": {
        "model_type": "olmoe",
        "vocab_size": 50_304,
        "hidden_size": 2048,
        "intermediate_size": 1024,
        "num_hidden_layers": 16,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "num_experts": 64,
        "num_experts_per_tok": 8,
        "norm_topk_prob": False,
        "router_aux_loss_coef": 0.01,
        "max_position_embeddings": 4096,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4},
        "tie_word_embeddings": False,
        "bos_token_id": None,
        "eos_token_id": 50_279,
        "pad_token_id": 1,
    },
}

# Peaks of full fine-tuning: 2e-5 is TRL's default and what OLMoE's authors tuned it with (Muennighoff et al.
# 2024, arXiv 2409.02060), 1e-5 that of Llama 3 (Grattafiori et al. 2024, arXiv 2407.21783); for Qwen3 of 4B
# it is ours. Adapters take 2e-4 up to 13B and 1e-4 above (Dettmers et al. 2023, arXiv 2305.14314).
_ADAPTER: dict[str, Any] = {"rank": 16, "alpha": 32, "targets": "all-linear"}
_STUDENTS: dict[str, dict[str, Any]] = {
    "qwen3-0.6b": {
        "model": "Qwen/Qwen3-0.6B-Base",
        "revision": "da87bfb608c14b7cf20ba1ce41287e8de496c0cd",
        "learning_rate": 2e-5,
        "precision": "mixed",
    },
    "qwen3-1.7b": {
        "model": "Qwen/Qwen3-1.7B-Base",
        "revision": "ea980cb0a6c2ae4b936e82123acc929f1cec04c1",
        "learning_rate": 2e-5,
        "precision": "mixed",
    },
    "qwen3-4b": {
        "model": "Qwen/Qwen3-4B-Base",
        "revision": "906bfd4b4dc7f14ee4320094d8b41684abff8539",
        "learning_rate": 1e-5,
        "precision": "mixed",
    },
    "qwen3-8b": {
        "model": "Qwen/Qwen3-8B-Base",
        "revision": "49e3418fbbbca6ecbdf9608b4d22e5a407081db4",
        "learning_rate": 2e-4,
        "precision": "bfloat16",
        "lora": _ADAPTER,
    },
    "llama3.2-1b": {
        "model": "meta-llama/Llama-3.2-1B",
        "revision": "4e20de362430cd3b72f300e6b0f18e50e7166e08",
        "learning_rate": 1e-5,
        "precision": "mixed",
    },
    "llama3.2-3b": {
        "model": "meta-llama/Llama-3.2-3B",
        "revision": "13afe5124825b4f3751f836b40dafda64c1ed062",
        "learning_rate": 1e-5,
        "precision": "mixed",
    },
    "qwen3-30b-a3b": {
        "model": "Qwen/Qwen3-30B-A3B-Base",
        "revision": "1b75feb79f60b8dc6c5bc769a898c206a1c6a4f9",
        "learning_rate": 1e-4,
        "precision": "bfloat16",
        "lora": _ADAPTER,
    },
    "olmoe-1b-7b": {
        "model": "allenai/OLMoE-1B-7B-0924",
        "revision": "6d84c48581ece794365f2b8e9cfb043c68ade9c5",
        "learning_rate": 2e-5,
        "precision": "mixed",
    },
}

NAMES = tuple(_SIZES)


def config(name: str, layers: int | None = None) -> "PreTrainedConfig":
    """Return a published model's configuration.

    Args:
        name: one of `NAMES`.
        layers: keeps so many layers; None keeps all.

    Raises:
        BadInput: no such preset, or more layers than it has.
    """
    from transformers import AutoConfig

    values = dict(_known(_SIZES, name))
    if layers is not None:
        if not 1 <= layers <= values["num_hidden_layers"]:
            raise BadInput(f"{name}: has {values['num_hidden_layers']} layers, not {layers}")
        values["num_hidden_layers"] = layers
    return AutoConfig.for_model(values.pop("model_type"), **values)


def random(name: str, seed: int, dtype: str = "bfloat16", layers: int | None = None) -> "PreTrainedModel":
    """Return a model of a published architecture and size with random weights, on the current torch device.

    Args:
        name: one of `NAMES`.
        seed: of the weights.
        dtype: of the weights, as torch names it.
        layers: keeps so many layers, for tests; None keeps all.

    Raises:
        BadInput: no such preset, or more layers than it has.
    """
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    return AutoModelForCausalLM.from_config(config(name, layers), dtype=getattr(torch, dtype))


def student(name: str) -> dict[str, Any]:
    """Return a ready entry of `students:` in params.yaml.

    Args:
        name: one of `NAMES`.

    Raises:
        BadInput: no such preset.
    """
    return {"prompt": "plain", **deepcopy(_known(_STUDENTS, name))}


def _known(table: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if name not in table:
        raise BadInput(f"no preset student '{name}', only {', '.join(table)}")
    return table[name]
