"""The student's model: made here, or loaded; its size, its adapters, its logits; saved as safetensors."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import files
from stages.errors import BadInput
from stages.student import reading
from stages.student.config import Lora, Make, Student

if TYPE_CHECKING:
    import torch
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# As configurations name how many experts a layer holds, how many a token meets, and the longest sequence.
_HELD = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
_MET = ("num_experts_per_tok", "moe_topk", "moe_k", "moe_top_k", "top_k_experts")
_LONGEST = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length", "seq_length")

# Layers of one expert, which transformers fuses with those of the others into one tensor a layer.
_FUSED = ("gate", "gate_proj", "up_proj", "down_proj", "w1", "w2", "w3")


def make(config: Make, tokenizer: "PreTrainedTokenizerBase", seed: int) -> "PreTrainedModel":
    """Return a randomly initialised causal language model with tied embeddings.

    Args:
        config: architecture and sizes.
        tokenizer: gives the vocabulary and the special tokens.
        seed: of the initial weights.
    """
    import torch
    from transformers import (
        LlamaConfig,
        LlamaForCausalLM,
        Qwen3Config,
        Qwen3ForCausalLM,
        Qwen3MoeConfig,
        Qwen3MoeForCausalLM,
    )

    sizes: dict[str, Any] = {
        "vocab_size": len(tokenizer),
        "hidden_size": config.hidden,
        "intermediate_size": config.feedforward,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": config.key_value_heads,
        "head_dim": config.hidden // config.heads,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        # 1/√width: the usual 0.02 is right for widths about 2,500; a narrow model starts too flat with it
        # (loss after 150 steps at width 128: 5.2 nats per token with 0.02, 4.8 with this).
        "initializer_range": config.hidden**-0.5,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "dtype": "float32",
    }
    torch.manual_seed(seed)
    if config.architecture == "llama":
        return LlamaForCausalLM(LlamaConfig(**sizes))
    if config.architecture == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(**sizes))
    sizes |= {
        "moe_intermediate_size": config.feedforward,
        "num_experts": config.experts,
        "num_experts_per_tok": config.experts_per_token,
        "norm_topk_prob": True,  # as every published Qwen3 mixture has it
        # No load balancing, so that every architecture trains on the same loss: a handful of experts do not
        # collapse (shares of the tokens after 200 steps at width 96: .28, .04, .21, .46).
        "output_router_logits": False,
        "router_aux_loss_coef": 0.0,
    }
    return Qwen3MoeForCausalLM(Qwen3MoeConfig(**sizes))


def sizes(model: "PreTrainedModel") -> dict[str, int]:
    """Return how large a model is, in parameters, tied ones counted once.

    Returns:
        `parameters`, all; `active_parameters`, those that one token meets: all but the experts that its
            router leaves out; `non_embedding`, all but input and output embeddings.
    """
    total = sum(parameter.numel() for parameter in model.parameters())
    held, met, routed = experts(model)
    ends: dict[int, int] = {}
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        ends |= {id(parameter): parameter.numel() for parameter in layer.parameters()} if layer else {}
    return {
        "parameters": total,
        "active_parameters": total - (routed // held * (held - met) if held else 0),
        "non_embedding": total - sum(ends.values()),
    }


def experts(model: "PreTrainedModel") -> tuple[int, int, int]:
    """Return a layer's routed experts, how many of them a token meets, and all routed experts' parameters.

    All are 0 where there are none.
    """
    routed = sum(parameter.numel() for _, parameter in _expert_parameters(model))
    if not routed:
        return 0, 0, 0
    held = _number(model, _HELD) or 1
    return held, _number(model, _MET) or held, routed


def context(model: "PreTrainedModel") -> int | None:
    """Return the longest sequence, tokens, that the model's positions allow; None where they set no limit."""
    return _number(model, _LONGEST)


def low_rank(lora: Lora, model: "PreTrainedModel") -> "LoraConfig":
    """Return which layers get low-rank adapters, and of what rank.

    `all-linear` means every linear layer but the LM head. A mixture's router and experts are no linear layers
    but tensors that hold all experts of a layer: they stay as they are, unless `targets` names them
    (`gate_up_proj`, `down_proj`); then each expert gets an adapter of its own.

    Args:
        lora: rank, scale and targets.
        model: any causal language model.

    Raises:
        BadInput: a target is no layer of this model, or experts are named together with dropout.
    """
    import torch
    from peft import LoraConfig
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    linear = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not head
    }
    # Experts that are modules of their own are linear layers; fused ones are matrices, stacked.
    experts = {name.rpartition(".")[2] for name, weights in _expert_parameters(model) if weights.ndim == 3}
    if experts:
        # peft takes these names for the experts, although an expert that all tokens share has them too.
        linear -= {*_FUSED, *experts}
    named = linear if lora.targets == "all-linear" else set(lora.targets)
    if absent := named - linear - experts:
        raise BadInput(
            f"lora.targets: no layer {', '.join(sorted(absent))} in this {type(model).__name__}; "
            f"it has {', '.join(sorted(linear | experts))}"
        )
    if named & experts and lora.dropout:
        raise BadInput(
            f"lora.dropout: adapters of experts ({', '.join(sorted(named & experts))}) have none; set it to 0"
        )
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=lora.rank,
        lora_alpha=lora.alpha,  # type: ignore[arg-type]  # it is divided by the rank only
        lora_dropout=lora.dropout,
        target_modules=sorted(named & linear),
        target_parameters=[f"experts.{name}" for name in sorted(named & experts)] or None,
    )


def load(folder: Path, student: Student | None = None) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Load a saved model with its tokenizer onto the CPU, without touching the network.

    Args:
        folder: from `save`, or from `fetching.fetch`.
        student: its precision and attention; None is float32 and transformers' choice. Weights are float32,
            except with `precision: bfloat16`.

    Raises:
        BadInput: `folder` holds no whole causal language model in safetensors with its tokenizer, or the
            student's attention is not to be had here.
    """
    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder}: no model in this folder; build it with `dvc repro`")
    attention = student.attention if student else None
    dtype = "bfloat16" if student and student.precision == "bfloat16" else "float32"
    if attention == "flash_attention_2" and student and student.precision == "float32":
        raise BadInput("attention: flash_attention_2 computes in half precision only; set `precision: mixed`")
    options = {"attn_implementation": attention} if attention else {}
    try:
        return reading.model(folder, str(folder), dtype=dtype, **options), load_tokenizer(folder)
    except ImportError as error:  # of the attention's own package
        raise BadInput(
            f"attention: no {attention} here: {reading.first_line(error)}; set another one"
        ) from error


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """Load a saved student's tokenizer only.

    Raises:
        BadInput: there is none.
    """
    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder}: no model in this folder; build it with `dvc repro`")
    return reading.tokenizer(folder, str(folder))


def load_libraries(folder: Path) -> None:
    """Import the saved model's own module now, so that forked processes find it imported.

    Raises:
        BadInput: there is no model in `folder`.
    """
    import transformers

    for name in files.read_json(folder / "config.json").get("architectures") or ():
        getattr(transformers, name, None)


def save(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    folder: Path,
    state: "dict[str, torch.Tensor] | None" = None,
) -> None:
    """Write weights as safetensors beside config and tokenizer.

    Args:
        model: its own weights are written, unless `state` is given.
        tokenizer: the model's.
        folder: is made.
        state: all weights by name, gathered from the devices that `model` is spread over.
    """
    model.save_pretrained(folder, safe_serialization=True, state_dict=state)
    tokenizer.save_pretrained(folder)


def logits_at(model: "PreTrainedModel", inputs: dict[str, Any], keep: "torch.Tensor") -> "torch.Tensor":
    """Return the logits of the positions in `keep` only; the LM head is the dearest part of a small model.

    Args:
        model: a causal language model.
        inputs: its arguments, without labels.
        keep: boolean, batch × length.

    Returns:
        Kept positions × vocabulary.
    """
    if not plain_head(model):
        return model(**inputs, use_cache=False).logits[keep]
    hidden = model.base_model(**inputs, use_cache=False).last_hidden_state
    return model.get_output_embeddings()(hidden[keep])


def plain_head(model: "PreTrainedModel") -> bool:
    """Tell whether logits are the LM head's output as it is: no scaling and no soft cap after it."""
    text = model.config.get_text_config()
    after = (
        "final_logit_softcapping",
        "logit_scale",
        "output_multiplier",
        "lm_head_multiplier",
        "logits_scaling",
    )
    return model.base_model is not model and all(getattr(text, name, None) is None for name in after)


def _expert_parameters(model: "PreTrainedModel") -> "Iterator[tuple[str, torch.nn.Parameter]]":
    """Yield the routed experts' parameters: one by one, or fused, all of a layer in one tensor."""
    held = _number(model, _HELD)
    for name, parameter in model.named_parameters():
        if held and (".experts." in name or (parameter.ndim == 3 and parameter.shape[0] == held)):
            yield name, parameter


def _number(model: "PreTrainedModel", names: tuple[str, ...]) -> int | None:
    text = model.config.get_text_config()
    values = (getattr(text, name, None) for name in names)
    return next((value for value in values if isinstance(value, int) and value > 0), None)
