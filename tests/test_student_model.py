"""Making, saving and loading models; pretraining."""

from importlib.util import find_spec

import numpy as np
import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Student, modelling, pretraining


@pytest.fixture(scope="module")
def base():
    return student_samples.base()


def test_saved_student_loads_with_the_same_weights_and_only_safetensors(base, tmp_path):
    import torch

    modelling.save(*base, tmp_path)
    again, tokenizer = modelling.load(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(base[0].parameters(), again.parameters(), strict=True))
    assert tokenizer("Paris is it").input_ids == base[1]("Paris is it").input_ids
    assert not [path for path in tmp_path.iterdir() if path.suffix in (".bin", ".pt", ".pkl")]
    assert (tmp_path / "model.safetensors").is_file()


def test_a_folder_without_a_model_is_refused(base, tmp_path):
    with pytest.raises(BadInput, match="no model in this folder"):
        modelling.load(tmp_path)
    with pytest.raises(BadInput, match="no model in this folder"):
        modelling.load_tokenizer(tmp_path)
    base[0].save_pretrained(tmp_path)
    with pytest.raises(
        BadInput, match=r"no tokenizer: none of merges\.txt, tokenizer\.json, vocab\.json is there"
    ):
        modelling.load(tmp_path)


def test_weights_that_the_files_lack_are_named_and_never_made_up(base, tmp_path):
    import torch
    from safetensors.torch import load_file, save_file

    modelling.save(*base, tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "layers.1.mlp.up_proj" not in name}
    save_file(kept, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(
        BadInput, match=r"its weights lack model\.layers\.1\.mlp\.up_proj\.weight in the shape"
    ):
        modelling.load(tmp_path)
    narrow = {name: torch.zeros(3, 3) if "layers.0.mlp" in name else t for name, t in weights.items()}
    save_file(narrow, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInput, match=r"layers\.0\.mlp\.down_proj\.weight and 2 more"):
        modelling.load(tmp_path)


@pytest.mark.parametrize("architecture", ["qwen3", "mixture_of_experts"])
def test_gathered_weights_are_written_in_place_of_the_models_own(architecture, tmp_path):
    import torch

    tokenizer = student_samples.base()[1]
    model = modelling.make(student_samples.of_architecture(architecture), tokenizer, seed=0)
    gathered = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    expected = {name: tensor.clone() for name, tensor in gathered.items()}
    modelling.save(model.to("meta"), tokenizer, tmp_path, gathered)  # a device that keeps nothing of it
    found = modelling.load(tmp_path)[0].state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_precision_and_attention_are_the_students(base, tmp_path):
    import torch

    modelling.save(*base, tmp_path)
    asked = {"make": student_samples.SIZES, "learning_rate": 1e-3}
    for precision, dtype in (
        (None, torch.float32),
        ("float32", torch.float32),
        ("mixed", torch.float32),
        ("bfloat16", torch.bfloat16),
    ):
        model, _ = modelling.load(tmp_path, Student(**asked, precision=precision, attention="eager"))
        assert {p.dtype for p in model.parameters()} == {dtype}
        assert model.config._attn_implementation == "eager"
    assert modelling.load(tmp_path)[0].config._attn_implementation == "sdpa"
    with pytest.raises(BadInput, match="half precision only"):
        modelling.load(tmp_path, Student(**asked, precision="float32", attention="flash_attention_2"))


def test_attention_that_is_not_installed_is_refused_in_one_line(base, tmp_path):
    if find_spec("flash_attn") or find_spec("kernels"):
        pytest.skip("flash attention can be had here")
    modelling.save(*base, tmp_path)
    student = Student(make=student_samples.SIZES, learning_rate=1e-3, attention="flash_attention_2")
    with pytest.raises(
        BadInput, match=r"attention: no flash_attention_2 here: .*; set another one"
    ) as caught:
        modelling.load(tmp_path, student)
    assert "\n" not in caught.value.message


def test_context_is_the_longest_sequence_whatever_a_configuration_calls_it(base):
    from transformers import GPT2Config, GPT2LMHeadModel, MambaConfig, MambaForCausalLM

    assert modelling.context(base[0]) == 1024
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=8, n_layer=1, n_head=1, n_positions=77))
    assert modelling.context(gpt2) == 77
    mamba = MambaForCausalLM(MambaConfig(vocab_size=50, hidden_size=8, num_hidden_layers=1))
    assert modelling.context(mamba) is None


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
