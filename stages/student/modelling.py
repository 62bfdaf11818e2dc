"""The student's model: made here, or loaded; saved as safetensors. The one noun that opens model folders."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages import files
from stages.errors import BadInput
from stages.student.config import Make, Student

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# For models that come without a chat template.
PLAIN_TEMPLATE = (
    "{% for m in messages %}{% if m['role'] == 'assistant' %}{{ ' ' + m['content'] + eos_token }}"
    "{% else %}{{ m['content'] + '\nAnswer:' }}{% endif %}{% endfor %}"
)

_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")  # as configurations name them


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
    counts = {name: parameter.numel() for name, parameter in model.named_parameters()}
    total = sum(counts.values())
    text = model.config.get_text_config()
    experts = next((n for n in (getattr(text, name, None) for name in _EXPERTS) if n), 1)
    chosen = getattr(text, "num_experts_per_tok", None) or experts
    routed = sum(count for name, count in counts.items() if ".experts." in name)
    ends: dict[int, int] = {}
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        ends |= {id(parameter): parameter.numel() for parameter in layer.parameters()} if layer else {}
    return {
        "parameters": total,
        "active_parameters": total - routed // experts * (experts - chosen),
        "non_embedding": total - sum(ends.values()),
    }


def load(folder: Path) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Load a saved student in float32 without touching the network.

    Raises:
        BadInput: `folder` holds no causal language model in safetensors with its tokenizer.
    """
    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder}: no model in this folder; build it with `dvc repro`")
    return _from_pretrained(str(folder), str(folder), dtype="float32", local_files_only=True)


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """Load a saved student's tokenizer only.

    Raises:
        BadInput: there is none.
    """
    from transformers import AutoTokenizer

    if not (folder / "config.json").is_file():
        raise BadInput(f"{folder}: no model in this folder; build it with `dvc repro`")
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)


def load_libraries(folder: Path) -> None:
    """Import the saved model's own module now, so that forked processes find it imported.

    Raises:
        BadInput: there is no model in `folder`.
    """
    import transformers

    for name in files.read_json(folder / "config.json").get("architectures") or ():
        getattr(transformers, name, None)


def fetch(student: Student) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    """Load the causal language model that `student.model` names: a local folder, or a Hugging Face id.

    Only safetensors are read and no code that comes with a model is ever run.

    Raises:
        BadInput: no such folder or id, no causal language model, no safetensors, or a Hugging Face id without
            the `revision` that would make it reproducible.
    """
    assert student.model is not None
    name = student.model
    if is_local(name):
        if student.revision is not None:
            raise BadInput(f"model '{name}': a folder has no `revision`; remove it")
        if not (Path(name) / "config.json").is_file():
            raise BadInput(f"model '{name}': no such folder, or no config.json in it; correct `model`")
        model, tokenizer = _from_pretrained(name, f"model '{name}'", dtype="auto", local_files_only=True)
    else:
        if student.revision is None:
            raise BadInput(f"model '{name}': set `revision` to the commit of this Hugging Face id")
        where = f"model '{name}' at revision '{student.revision}'"
        model, tokenizer = _from_pretrained(name, where, dtype="auto", revision=student.revision)
    if tokenizer.eos_token is None:
        raise BadInput(f"model '{name}': its tokenizer has no end-of-sequence token; choose another model")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.chat_template is None:
        tokenizer.chat_template = PLAIN_TEMPLATE
    return model, tokenizer


def is_local(model: str) -> bool:
    """Tell a folder from a Hugging Face id, which is `name` or `owner/name`."""
    return Path(model).is_dir() or not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)?", model)


def save(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write weights as safetensors beside config and tokenizer."""
    model.save_pretrained(folder, safe_serialization=True)
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


def _from_pretrained(
    name: str, where: str, dtype: str, **options: Any
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase"]:
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        model = AutoModelForCausalLM.from_pretrained(
            name, use_safetensors=True, trust_remote_code=False, dtype=dtype, **options
        )
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False, **options)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).strip().splitlines()
        raise BadInput(
            f"{where}: no causal language model in safetensors there: {reason[0] if reason else error!r}"
        ) from error
    return model, tokenizer
