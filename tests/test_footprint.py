"""The plan of a training step's memory and operations, against what PyTorch holds on a CPU, byte by byte."""

import pytest

from stages.student import devices
from stages.student.config import Lora
from stages.student.footprint import flops, footprint, saved, shape

PRECISIONS = ("float32", "mixed", "bfloat16")
LORA = Lora(rank=4, alpha=8)
SIZES = {
    "vocab_size": 2000, "hidden_size": 64, "intermediate_size": 208, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 24, "pad_token_id": 0,
    "tie_word_embeddings": True,
}  # fmt: skip
MIXTURE = {"moe_intermediate_size": 48, "num_experts": 8, "num_experts_per_tok": 2}
BIG = {
    **SIZES, "vocab_size": 150_000, "hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36,
    "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 128, "tie_word_embeddings": False,
}  # fmt: skip
H200 = devices.named("H200")


def config(kind, attention="sdpa", **sizes):
    import transformers

    made = {"qwen3": "Qwen3Config", "llama": "LlamaConfig", "mixture": "Qwen3MoeConfig"}[kind]
    more = MIXTURE if kind == "mixture" else {}
    return getattr(transformers, made)(**{**SIZES, **more, **sizes}, attn_implementation=attention)


def built(kind, precision, lora, attention="sdpa", checkpointing=False, **sizes):
    """Return a model ready to be trained, as a trainer makes it."""
    import peft
    import torch
    from transformers import AutoModelForCausalLM

    from stages.student import modelling

    model = AutoModelForCausalLM.from_config(config(kind, attention, **sizes))
    model = model.to(torch.bfloat16 if precision == "bfloat16" else torch.float32).train()
    if checkpointing:
        model.gradient_checkpointing_enable({"use_reentrant": False})
    if lora:
        model = peft.get_peft_model(model, modelling.low_rank(LORA, model))
        if checkpointing:
            model.enable_input_require_grads()
    return model


def batch(rows, width, completion=0.5):
    """Return rows that carry loss on the last share of their tokens; one is padded."""
    import torch

    ids = torch.randint(1, 2000, (rows, width))
    mask = torch.ones_like(ids)
    mask[0, -3:] = 0
    labels = ids.clone()
    labels[:, : width - int(width * completion)] = -100
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def held(kind, precision, lora, attention, layers, rows, width):
    """Return the bytes saved for the backward pass of the body of a model."""
    import torch
    from live_memory import saved as saved_bytes

    model = built(kind, precision, lora, attention, num_hidden_layers=layers)
    inputs = {k: v for k, v in batch(rows, width).items() if k != "labels"}
    with saved_bytes(model) as found, torch.autocast("cpu", torch.bfloat16, enabled=precision == "mixed"):
        (model.get_base_model() if lora else model).base_model(**inputs, use_cache=False)
    return sum(found.values())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("lora", [None, LORA])
@pytest.mark.parametrize(
    ("kind", "attention"), [("qwen3", "sdpa"), ("llama", "sdpa"), ("llama", "eager"), ("mixture", "sdpa")]
)
def test_a_layer_saves_for_the_backward_pass_exactly_the_bytes_planned(kind, attention, precision, lora):
    def per_token(layers):  # by the difference of two batches, in which copies of weights cancel
        few, many = (held(kind, precision, lora, attention, layers, rows, 32) for rows in (2, 4))
        return (many - few) / (2 * 32)

    sizes = shape(config(kind, attention), lora)
    planned = sum(saved(sizes, precision, 32, attention).values())
    assert per_token(3) - per_token(2) == pytest.approx(planned, abs=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("completion", [0.5, 0.05])
@pytest.mark.parametrize(
    ("kind", "precision", "lora", "checkpointing"),
    [
        ("qwen3", "float32", None, False), ("qwen3", "mixed", None, False), ("qwen3", "mixed", None, True),
        ("qwen3", "bfloat16", LORA, True), ("llama", "bfloat16", None, True),
        ("mixture", "bfloat16", None, False), ("mixture", "mixed", LORA, False),
    ],
)  # fmt: skip
def test_the_peak_of_a_step_is_that_planned(kind, precision, lora, checkpointing, completion):
    import torch
    from live_memory import Peak

    from stages.student.losses import completion_loss

    rows, width = 8, 60
    model = built(kind, precision, lora, checkpointing=checkpointing)
    own = model.get_base_model() if lora else model
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, fused=True)

    def step():
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "mixed"):
            completion_loss(own, batch(rows, width, completion)).backward()

    step()
    optimizer.step()
    with Peak(model) as passing:  # gradients are added to those there
        step()
    steady = {
        "weights": list(model.parameters()),
        "gradients": [parameter.grad for parameter in trained],
        "optimizer": [t for state in optimizer.state.values() for t in state.values() if t.dim()],
    }
    found = {name: sum(t.numel() * t.element_size() for t in tensors) for name, tensors in steady.items()}
    planned = footprint(
        shape(config(kind), lora), precision, checkpointing, rows, width, completion=completion
    )
    assert planned.gradients == found["gradients"] and planned.optimizer == found["optimizer"]
    assert 0.98 <= planned.total / (sum(found.values()) + passing.peak) <= 1.15


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["qwen3", "llama", "mixture"])
def test_adapters_are_counted_as_peft_makes_them(kind):
    model = built(kind, "float32", LORA)
    added = sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)
    sizes = shape(config(kind), LORA)
    assert (sizes.adapters, sizes.rank, sizes.trainable) == (added, 4, added)
    assert shape(config(kind)).with_adapters(4).adapters == added


def test_adapters_of_experts_are_met_by_the_tokens_that_meet_the_experts():
    named = LORA.model_copy(update={"targets": ("gate_up_proj", "q_proj")})
    sizes = shape(config("mixture"), named)
    apart = shape(config("mixture"), LORA.model_copy(update={"targets": ("q_proj",)})).adapters
    assert sizes.adapters == apart + sizes.adapters_routed
    assert sizes.adapters_active == pytest.approx(apart + sizes.adapters_routed * 2 / 8)


def test_a_token_costs_six_operations_a_parameter_it_is_multiplied_with():
    dense, mixture = shape(config("qwen3")), shape(config("mixture"))
    assert flops(dense, 10) == 60 * dense.parameters  # the tied look-up table is the LM head
    untied = shape(config("qwen3", tie_word_embeddings=False))
    assert flops(untied, 10) == flops(dense, 10) and untied.parameters > dense.parameters
    assert (
        mixture.active == mixture.parameters - 3 * (8 - 2) * 3 * 48 * 64
    )  # layers, experts left out, weights
    assert flops(mixture, 10) == 60 * mixture.active
    assert flops(dense, 10, completion=4) == 60 * dense.parameters - 36 * dense.head
    assert flops(dense, 1, width=100) - flops(dense, 1) == 12 * 3 * 4 * 24 * 100
    adapted = dense.with_adapters(4)
    assert flops(adapted, 10) == 40 * dense.parameters + 60 * adapted.adapters


def test_ranks_share_weights_gradients_and_moments():
    sizes = shape(config("llama", **BIG))
    one, eight = (footprint(sizes, "bfloat16", True, 1, 512, ranks) for ranks in (1, 8))
    assert eight.optimizer == pytest.approx(one.optimizer / 8, abs=1)
    assert eight.activations == one.activations and eight.logits == one.logits
    assert one.gradients / 8 < eight.gradients < one.gradients / 4
