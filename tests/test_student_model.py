"""Making, fetching, saving and loading models; pretraining."""

import numpy as np
import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Student, modelling, pretraining


@pytest.fixture(scope="module")
def base():
    return student_samples.base()


def _student(model, revision=None):
    return Student(model=str(model), revision=revision, learning_rate=1e-4)


def test_saved_student_loads_with_the_same_weights_and_only_safetensors(base, tmp_path):
    import torch

    modelling.save(*base, tmp_path)
    again, tokenizer = modelling.load(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(base[0].parameters(), again.parameters(), strict=True))
    assert tokenizer("Paris is it").input_ids == base[1]("Paris is it").input_ids
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".bin", ".pt", ".pkl")]
    assert (tmp_path / "model.safetensors").is_file()


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(BadInput, match="no model in this folder"):
        modelling.load(tmp_path)
    with pytest.raises(BadInput, match="no such folder"):
        modelling.fetch(_student(tmp_path / "absent"))


def test_a_hugging_face_id_needs_its_revision_and_a_folder_has_none(base, tmp_path):
    assert modelling.is_local("./here") and modelling.is_local("/a/b/c") and modelling.is_local("a/b/c")
    assert not modelling.is_local("Qwen/Qwen3-0.6B")
    with pytest.raises(BadInput, match="set `revision`"):
        modelling.fetch(_student("Qwen/Qwen3-0.6B"))
    modelling.save(*base, tmp_path)
    with pytest.raises(BadInput, match="a folder has no `revision`"):
        modelling.fetch(_student(tmp_path, revision="abc"))


def test_a_folder_that_holds_another_kind_of_model_is_refused_in_one_line(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "no_such_type"}')
    with pytest.raises(BadInput, match="no causal language model") as caught:
        modelling.fetch(_student(tmp_path))
    assert "\n" not in caught.value.message


def test_pickled_weights_are_refused(base, tmp_path):
    import torch

    modelling.save(*base, tmp_path)
    torch.save(base[0].state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(BadInput, match="safetensors"):
        modelling.fetch(_student(tmp_path))


def test_another_architecture_without_chat_template_or_padding_is_fetched_and_made_usable(base, tmp_path):
    from transformers import LlamaConfig, LlamaForCausalLM

    from stages.student import encoding

    tokenizer = student_samples.base()[1]
    tokenizer.chat_template = None
    tokenizer.pad_token = None
    llama = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
        )
    )
    modelling.save(llama, tokenizer, tmp_path)
    model, found = modelling.fetch(_student(tmp_path))
    assert type(model).__name__ == "LlamaForCausalLM"
    assert found.pad_token == found.eos_token
    row = student_samples.rows(1)[0]
    (encoded,) = encoding.examples([row], found, max_length=64)
    assert found.decode(encoded.ids[: encoded.start]).strip().endswith("answer:")
    assert encoded.ids[-1] == found.eos_token_id


def test_logits_of_kept_positions_are_those_of_the_whole_model(base):
    import torch

    model, tokenizer = base
    ids = torch.tensor([tokenizer("France is a country").input_ids])
    keep = torch.zeros_like(ids, dtype=torch.bool)
    keep[0, 2:] = True
    assert modelling.plain_head(model)
    with torch.no_grad():
        whole = model(input_ids=ids).logits[keep]
        kept = modelling.logits_at(model, {"input_ids": ids}, keep)
    torch.testing.assert_close(kept, whole)


def test_a_scaled_head_is_not_taken_for_a_plain_one():
    from transformers import Gemma2Config, Gemma2ForCausalLM, GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": 50, "hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 1, "num_key_value_heads": 1, "head_dim": 8}
    assert not modelling.plain_head(Gemma2ForCausalLM(Gemma2Config(**sizes, **heads)))
    assert modelling.plain_head(GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1)))


def test_blocks_are_whole_epochs_of_every_article_closed_by_the_end_token(base):
    tokenizer = base[1]
    documents = pretraining.texts(student_samples.articles())
    config = student_samples.SIZES
    data = pretraining.blocks(documents, tokenizer, config, np.random.default_rng(0))
    assert data.shape == (config.steps * config.batch, config.block)
    lengths = [len(ids) + 1 for ids in tokenizer(documents).input_ids]
    epoch = data.reshape(-1)[: sum(lengths)]
    parts = np.split(epoch, np.flatnonzero(epoch == tokenizer.eos_token_id) + 1)[:-1]
    assert sorted(map(len, parts)) == sorted(lengths)
    assert {tokenizer.decode(part[:-1]).strip() for part in parts} == {
        tokenizer.decode(ids).strip() for ids in tokenizer(documents).input_ids
    }


def test_pretraining_lowers_the_loss_and_repeats_itself():
    config = student_samples.SIZES.model_copy(update={"steps": 60})
    told = []
    found = [
        pretraining.make_base(
            student_samples.articles(), config, 3, lambda done, total: told.append((done, total))
        )
        for _ in range(2)
    ]
    loss = float(found[0][2].split(" to loss ")[1].split()[0])
    assert loss < 0.6 * np.log(len(found[0][1]))
    assert found[0][2] == found[1][2]
    assert told[:2] == [(1, 60), (2, 60)]


def test_no_article_is_refused():
    with pytest.raises(BadInput, match="no article"):
        pretraining.make_base([], student_samples.SIZES, 0, lambda done, total: None)


def test_learning_rate_warms_up_then_falls_to_zero():
    config = student_samples.SIZES.model_copy(update={"steps": 100, "warmup": 0.1})
    rates = [pretraining.rate(step, config) for step in range(101)]
    assert rates[0] == pytest.approx(0.1) and max(rates) == rates[10] == 1.0
    assert rates[100] == pytest.approx(0.0, abs=1e-12)
