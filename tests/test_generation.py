"""Greedy replies: the same whatever they were batched with, and from either engine; batches and memory."""

import importlib.util

import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Score, answering, batching, coordinates, encoding, generation, modelling, scoring

QUESTIONS = [
    "What is the capital of France?",
    "Peru?",
    "Tell me the capital of Norway, please, would you?",
] * 3


@pytest.fixture(scope="module")
def base():
    model, tokenizer = student_samples.base()
    return model.eval(), tokenizer


def ending(tokenizer, limit, stop=()):
    return generation.Ending(sorted({tokenizer.eos_token_id, *stop}), limit, tokenizer.pad_token_id)


def enlarge(model):
    """Give a model weights so large that its replies are not one token over and over."""
    import torch

    generator = torch.Generator().manual_seed(0)
    for weights in model.parameters():
        weights.data.normal_(0.0, 0.6, generator=generator)


def argmax(model, prompt, end):
    """Return the greedy reply by one whole pass a token."""
    import torch

    written: list[int] = []
    while len(written) < end.limit and not set(written) & set(end.stop):
        with torch.no_grad():
            written.append(int(model(input_ids=torch.tensor([prompt + written])).logits[0, -1].argmax()))
    return written


@pytest.mark.parametrize("architecture", ["qwen3", "llama", "mixture_of_experts"])
@pytest.mark.parametrize("batch", [1, 4, 9])
def test_replies_are_those_of_an_argmax_loop_when_rows_end_at_different_steps(base, architecture, batch):
    """A fifth of the vocabulary ends a reply, so that rows are dropped at many a step."""
    tokenizer = base[1]
    model = modelling.make(student_samples.of_architecture(architecture), tokenizer, seed=1).eval()
    enlarge(model)
    end = ending(tokenizer, 12, range(0, len(tokenizer), 5))
    prompts = encoding.prompts([f"{q} {i}" for i, q in enumerate(QUESTIONS)], tokenizer)
    wanted = [argmax(model, prompt, end) for prompt in prompts]
    assert len({len(reply) for reply in wanted}) >= 4
    seen: list[tuple[int, int]] = []
    found = generation.by_transformers(
        model, prompts, end, batch, lambda done, total: seen.append((done, total))
    )
    assert found == wanted
    assert seen[-1] == (9, 9)


def test_a_model_whose_memory_is_no_keys_and_values_is_run_by_transformers_own_loop(base):
    from transformers import MambaConfig, MambaForCausalLM

    tokenizer = base[1]
    config = MambaConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, state_size=4)
    model = MambaForCausalLM(config).eval()
    assert not generation._takes_steps(model)
    end = ending(tokenizer, 5, range(0, len(tokenizer), 3))
    (prompt,) = encoding.prompts(QUESTIONS[:1], tokenizer)
    assert generation.by_transformers(model, [prompt], end, 1) == [argmax(model, prompt, end)]


def test_a_repetition_penalty_that_a_model_comes_with_changes_no_reply(base):
    model, tokenizer = base
    prompts, end = encoding.prompts(QUESTIONS, tokenizer), ending(tokenizer, 8)
    plain = generation.by_transformers(model, prompts, end, 4)
    model.generation_config.repetition_penalty = 5.0
    try:
        assert generation.by_transformers(model, prompts, end, 4) == plain
        assert generation._by_generate(model, prompts[:1], end).tolist() == plain[:1]
    finally:
        model.generation_config.repetition_penalty = None


def test_a_batch_too_large_for_the_memory_is_halved_once_and_for_all(capsys):
    tried, done = [], []

    def work(part):
        tried.append(len(part))
        if len(part) > 2:
            raise RuntimeError("[enforce fail] . DefaultCPUAllocator: can't allocate memory: you tried …")
        done.extend(part)

    batching.each([5, 9, 1, 7, 3, 2, 8], 5, work)
    assert tried == [5, 2, 2, 2, 1]
    assert done == [1, 6, 3, 0, 4, 5, 2]
    assert capsys.readouterr().err == "out of memory with 5 rows at once; going on with 2\n"


def test_a_row_too_large_for_the_memory_is_refused_and_other_errors_pass():
    import torch

    def full(part):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    def broken(part):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(BadInput, match="out of memory on a row of 9 tokens; take a smaller student"):
        batching.each([5, 9, 1], 3, full)
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        batching.each([5, 9, 1], 3, broken)


def test_halved_batches_answer_as_whole_ones(base, monkeypatch):
    model, tokenizer = base
    items, whole = student_samples.items(), Score(max_new_tokens=4, batch=8)
    wanted = scoring.answer_all(model, tokenizer, items, whole)
    forward = model.forward

    def small(**inputs):
        if len(inputs["input_ids"]) > 3:
            raise MemoryError
        return forward(**inputs)

    monkeypatch.setattr(generation, "_takes_steps", lambda model: True)
    monkeypatch.setattr(model, "forward", small)
    found = scoring.answer_all(model, tokenizer, items, whole)
    assert [one.prediction for one in found] == [one.prediction for one in wanted]


def test_shares_keep_batches_whole_so_that_each_share_batches_as_all_together_do():
    lengths = [3, 9, 5, 9, 1, 4, 4, 8, 2, 6, 7]
    together = list(batching.by_length(lengths, 3))
    for count in (1, 2, 3, 9):
        shares = batching.shares(lengths, 3, count)
        assert len(shares) == min(count, len(together))
        again = [
            [share[i] for i in part]
            for share in shares
            for part in batching.by_length([lengths[i] for i in share], 3)
        ]
        assert sorted(again) == sorted(together)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM has an environment of its own")
def test_vllm_replies_as_transformers_does_token_by_token_and_leaves_losses_alone(tmp_path, monkeypatch):
    from planted_models import tiny_qwen3

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    folder = tiny_qwen3(tmp_path / "tiny")
    config, items = Score(max_new_tokens=8, batch=3), student_samples.items()
    by_vllm = config.model_copy(update={"engine": "vllm"})
    (first,) = answering.answer(folder, [coordinates.BASE], items, config)
    (second,) = answering.answer(folder, [coordinates.BASE], items, by_vllm)
    assert any(one.prediction for one in first)
    assert second == first
    model, tokenizer = modelling.load(folder)
    enlarge(model)
    modelling.save(model, tokenizer, folder)
    end = ending(tokenizer, 12, range(0, len(tokenizer), 5))
    prompts = encoding.prompts([f"{q} {i}" for i, q in enumerate(QUESTIONS)], tokenizer)
    wanted = generation.by_transformers(model, prompts, end, 4)
    assert len({len(reply) for reply in wanted}) >= 3
    assert generation.by_vllm(folder, prompts, end) == wanted


def test_vllm_that_is_not_installed_is_refused_before_anything_is_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    config = Score(max_new_tokens=4, batch=3, engine="vllm")
    with pytest.raises(BadInput, match="needs vLLM, which is not installed; pip install"):
        answering.answer(tmp_path, [coordinates.BASE], student_samples.items(), config)
