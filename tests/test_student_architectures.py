"""Students of three architectures: made, sized, trained, saved, loaded, and answering."""

import pytest
import student_samples
from pydantic import ValidationError

from stages.student import Make, Score, Student, modelling, runs, scoring, tuning

NAMES = {
    "qwen3": "Qwen3ForCausalLM",
    "llama": "LlamaForCausalLM",
    "mixture_of_experts": "Qwen3MoeForCausalLM",
}


def made(architecture):
    tokenizer = student_samples.base()[1]
    return modelling.make(student_samples.of_architecture(architecture), tokenizer, seed=0), tokenizer


@pytest.mark.slow
@pytest.mark.parametrize("architecture", NAMES)
def test_each_architecture_learns_and_answers_the_same_after_it_was_saved(architecture, tmp_path):
    import torch

    model, tokenizer = made(architecture)
    assert type(model).__name__ == NAMES[architecture]
    rows = student_samples.encoded(student_samples.rows(), tokenizer, tmp_path / "rows")
    student = Student(learning_rate=1e-2, make=student_samples.of_architecture(architecture))
    config = student_samples.TRAIN.model_copy(update={"steps": 30})
    trained, _ = tuning.tune(model, tokenizer, rows, config, student, runs.Job(0), lambda done, total: None)
    assert trained.run.final_loss < 0.8 * trained.run.first_loss
    modelling.save(model, tokenizer, tmp_path / "model")
    again, own = modelling.load(tmp_path / "model")
    assert type(again) is type(model)
    weights, found = model.state_dict(), again.state_dict()
    assert weights.keys() == found.keys()
    assert all(torch.equal(weights[name], found[name]) for name in weights)
    score = Score(max_new_tokens=5, batch=3)
    answers = [
        scoring.answer_all(m, t, student_samples.items(), score)
        for m, t in ((model, tokenizer), (again, own))
    ]
    assert answers[0] == answers[1]
    assert any(answer.prediction for answer in answers[0])


@pytest.mark.parametrize("architecture", NAMES)
def test_kept_logits_are_those_of_the_whole_model_in_each_architecture(architecture):
    import torch

    model, tokenizer = made(architecture)
    ids = torch.tensor([tokenizer("France is a country").input_ids])
    keep = torch.zeros_like(ids, dtype=torch.bool)
    keep[0, 1:-1] = True
    assert modelling.plain_head(model)
    with torch.no_grad():
        whole = model(input_ids=ids).logits[keep]
        torch.testing.assert_close(modelling.logits_at(model, {"input_ids": ids}, keep), whole)


def test_equal_experts_answer_as_one_whatever_the_router_chooses():
    """The weights of the experts that a token meets sum to one."""
    import torch

    model, tokenizer = made("mixture_of_experts")
    for layer in model.model.layers:
        for weights in (layer.mlp.experts.gate_up_proj, layer.mlp.experts.down_proj):
            weights.data[:] = weights.data[:1]
    ids = torch.tensor([tokenizer("France is a country").input_ids])
    with torch.no_grad():
        before = model(input_ids=ids).logits
        for layer in model.model.layers:
            layer.mlp.gate.weight.data.neg_()
        torch.testing.assert_close(model(input_ids=ids).logits, before)


def test_sizes_count_tied_weights_once_and_of_a_mixture_only_the_experts_a_token_meets():
    width, inner, layers, vocabulary = 32, 64, 2, len(student_samples.base()[1])
    head = width // 2
    attention = 2 * width * width + 2 * width * head  # queries and output; one head of keys and of values
    norms = 2 * width
    expert = 3 * width * inner
    for architecture, extra, held, met in (
        ("qwen3", 2 * head, 1, 1),
        ("llama", 0, 1, 1),
        ("mixture_of_experts", 2 * head + 4 * width, 4, 2),
    ):
        body = layers * (attention + norms + extra + held * expert) + width
        assert modelling.sizes(made(architecture)[0]) == {
            "parameters": body + vocabulary * width,
            "active_parameters": body + vocabulary * width - layers * (held - met) * expert,
            "non_embedding": body,
        }


def test_a_model_with_an_output_layer_of_its_own_has_two_embeddings():
    from transformers import LlamaConfig, LlamaForCausalLM

    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=50, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
        )
    )
    found = modelling.sizes(model)
    assert found["parameters"] - found["non_embedding"] == 2 * 50 * 8


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "mixture_of_experts"}, "needs experts and experts_per_token"),
        ({"architecture": "mixture_of_experts", "experts": 4}, "needs experts and experts_per_token"),
        ({"architecture": "mixture_of_experts", "experts": 2, "experts_per_token": 3}, "at most experts"),
        ({"architecture": "llama", "experts": 4, "experts_per_token": 2}, "a mixture's, not of llama"),
        ({"experts_per_token": 2}, "a mixture's, not of qwen3"),
        ({"architecture": "mamba"}, "'qwen3', 'llama' or 'mixture_of_experts'"),
    ],
)
def test_experts_belong_to_a_mixture_and_to_it_alone(changes, said):
    with pytest.raises(ValidationError, match=said):
        Make(**{**student_samples.SIZES.model_dump(), **changes})
