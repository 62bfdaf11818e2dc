"""Low-rank adapters: which layers get one, and that merging them changes nothing but those layers."""

import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Lora, modelling

ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
MLP = {"gate_proj", "up_proj", "down_proj"}


def made(architecture):
    tokenizer = student_samples.base()[1]
    return modelling.make(student_samples.of_architecture(architecture), tokenizer, seed=0), tokenizer


def asked(**changes):
    return Lora(**{"rank": 4, "alpha": 8, **changes})


def adapted(model, lora, tokenizer):
    """Train an adapter for some steps and merge it; return losses, logits before and after, and the model."""
    import torch
    from peft import get_peft_model

    ids = torch.tensor([tokenizer("France is a country. Its capital is Paris.").input_ids])
    wrapped = get_peft_model(model, modelling.low_rank(lora, model))
    optimizer = torch.optim.AdamW([p for p in wrapped.parameters() if p.requires_grad], lr=1e-2)
    losses = []
    for _ in range(10):
        loss = wrapped(input_ids=ids, labels=ids).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    with torch.no_grad():
        before = wrapped(input_ids=ids).logits
        merged = wrapped.merge_and_unload()
        return losses, before, merged(input_ids=ids).logits, merged


@pytest.mark.parametrize(
    ("architecture", "targets", "changed"),
    [
        ("qwen3", "all-linear", ATTENTION | MLP),
        ("llama", ("q_proj", "down_proj"), {"q_proj", "down_proj"}),
        ("mixture_of_experts", "all-linear", ATTENTION),
        (
            "mixture_of_experts",
            ("v_proj", "gate_up_proj", "down_proj"),
            {"v_proj", "gate_up_proj", "down_proj"},
        ),
    ],
)
def test_only_the_named_layers_are_trained_and_the_merged_model_answers_alike(
    architecture, targets, changed, tmp_path
):
    import torch

    model, tokenizer = made(architecture)
    untouched = {name: weights.clone() for name, weights in model.state_dict().items()}
    losses, before, after, merged = adapted(model, asked(targets=targets), tokenizer)
    assert losses[-1] < 0.8 * losses[0]
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
    weights = merged.state_dict()
    assert weights.keys() == untouched.keys()
    moved = {name for name in weights if not torch.equal(weights[name], untouched[name])}
    assert {name.removesuffix(".weight").rpartition(".")[2] for name in moved} == changed
    assert len(moved) == student_samples.SIZES.layers * len(changed)
    modelling.save(merged, tokenizer, tmp_path)
    again = modelling.load(tmp_path)[0].state_dict()
    assert all(torch.equal(again[name], weights[name]) for name in weights)


def test_rank_scale_and_dropout_are_the_students():
    config = modelling.low_rank(asked(dropout=0.1), made("qwen3")[0])
    assert (config.r, config.lora_alpha, config.lora_dropout) == (4, 8, 0.1)


@pytest.mark.parametrize(
    ("architecture", "targets", "said"),
    [
        (
            "qwen3",
            ("q_proj", "query"),
            "no layer query in this Qwen3ForCausalLM; it has down_proj, gate_proj, k_proj",
        ),
        ("qwen3", ("lm_head",), "no layer lm_head in this"),
        ("qwen3", ("gate_up_proj",), "no layer gate_up_proj in this"),
        (
            "mixture_of_experts",
            ("up_proj",),
            "no layer up_proj in this .*; it has down_proj, gate_up_proj, k_proj",
        ),
    ],
)
def test_a_layer_that_is_not_there_is_named_beside_those_that_are(architecture, targets, said):
    with pytest.raises(BadInput, match=said) as caught:
        modelling.low_rank(asked(targets=targets), made(architecture)[0])
    assert "\n" not in caught.value.message


def test_adapters_of_experts_take_no_dropout():
    model = made("mixture_of_experts")[0]
    modelling.low_rank(asked(dropout=0.1), model)
    with pytest.raises(BadInput, match=r"lora\.dropout: adapters of experts \(down_proj\) have none"):
        modelling.low_rank(asked(dropout=0.1, targets=("q_proj", "down_proj")), model)


def test_an_expert_that_all_tokens_share_is_not_taken_for_the_routed_ones():
    from peft import get_peft_model
    from transformers import Qwen2MoeConfig, Qwen2MoeForCausalLM

    model = Qwen2MoeForCausalLM(
        Qwen2MoeConfig(
            vocab_size=50,
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            num_key_value_heads=1,
            intermediate_size=8,
            moe_intermediate_size=8,
            shared_expert_intermediate_size=8,
            num_experts=4,
            num_experts_per_tok=2,
        )
    )
    sizes = modelling.sizes(model)
    assert sizes["parameters"] - sizes["active_parameters"] == 2 * 3 * 16 * 8
    wrapped = get_peft_model(model, modelling.low_rank(asked(), model))
    trained = {
        name.split(".lora_")[0].rpartition(".")[2]
        for name, p in wrapped.named_parameters()
        if p.requires_grad
    }
    assert trained == ATTENTION | {"shared_expert_gate"}


def test_layers_of_the_older_kind_count_as_linear():
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1))
    assert set(modelling.low_rank(asked(), model).target_modules) == {"c_attn", "c_proj", "c_fc"}
