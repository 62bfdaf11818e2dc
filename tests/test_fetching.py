"""Published models made a student's base: copied as they are, or refused in one line."""

import json
import shutil

import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Student, fetching, modelling


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """A model in three shards, in bfloat16, with settings of its own for generation."""
    folder = tmp_path_factory.mktemp("published")
    model, tokenizer = student_samples.base()
    model.bfloat16().save_pretrained(folder, max_shard_size="30KB")
    tokenizer.save_pretrained(folder)
    told = json.loads((folder / "generation_config.json").read_text())
    told |= {
        "temperature": 0.7,
        "repetition_penalty": 1.1,
    }  # without do_sample: transformers saves no such model
    (folder / "generation_config.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def copy(published, tmp_path):
    return shutil.copytree(published, tmp_path / "copy")


def fetch(source, out, revision=None, prompt="chat"):
    out.mkdir()
    student = Student(model=str(source), revision=revision, prompt=prompt, learning_rate=1e-4)
    return fetching.fetch(student, out)


def refusal(source, tmp_path, **options):
    with pytest.raises(BadInput) as caught:
        fetch(source, tmp_path / "out", **options)
    assert "\n" not in caught.value.message
    assert str(source) in caught.value.message
    return caught.value.message


def change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_weights_are_copied_byte_by_byte_and_never_read(published, tmp_path):
    model, _ = fetch(published, tmp_path / "out")
    shards = sorted(path.name for path in published.glob("*.safetensors"))
    assert len(shards) > 2
    for name in (*shards, "config.json", "model.safetensors.index.json"):
        assert (tmp_path / "out" / name).read_bytes() == (published / name).read_bytes()
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}
    assert modelling.sizes(model) == modelling.sizes(student_samples.base()[0])


def test_a_fetched_model_loads_trains_and_is_saved_again(published, tmp_path):
    import torch

    fetch(published, tmp_path / "out")
    model, tokenizer = modelling.load(tmp_path / "out")
    original = student_samples.base()[0].bfloat16().float()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), original.parameters(), strict=True))
    modelling.save(model, tokenizer, tmp_path / "trained")
    assert modelling.load(tmp_path / "trained")[1].chat_template == student_samples.base()[1].chat_template


def test_how_a_model_likes_to_be_sampled_does_not_come_along(published, tmp_path):
    fetch(published, tmp_path / "out")
    told = json.loads((tmp_path / "out" / "generation_config.json").read_text())
    assert set(told) == {"eos_token_id", "pad_token_id"}
    assert modelling.load(tmp_path / "out")[0].generation_config.repetition_penalty in (None, 1.0)


def test_the_tokenizer_that_is_written_reads_text_as_the_published_one(published, tmp_path):
    _, tokenizer = fetch(published, tmp_path / "out")
    text = "Paris lies in France. 1889, naïve?\n\nIts capital"
    again = modelling.load_tokenizer(tmp_path / "out")
    assert again(text).input_ids == tokenizer(text).input_ids == student_samples.base()[1](text).input_ids


def test_an_id_is_told_from_a_folder_and_needs_its_commit(published, tmp_path):
    assert all(fetching.is_local(name) for name in ("./here", "/a/b/c", "a/b/c"))
    assert not fetching.is_local("Qwen/Qwen3-0.6B")
    assert "a folder has no `revision`" in refusal(published, tmp_path, revision="abc")
    for revision in (None, "main", "da87bfb"):
        with pytest.raises(BadInput, match="set `revision` to a commit of this Hugging Face id, 40 digits"):
            fetching.fetch(
                Student(model="Qwen/Qwen3-0.6B", revision=revision, learning_rate=1e-4), tmp_path / "out"
            )


def test_no_folder_and_an_adapter_without_its_model_are_refused(tmp_path):
    assert "no such folder, or no config.json in it" in refusal(tmp_path / "absent", tmp_path)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("encoder", "is a BertForMaskedLM, no causal language model"),
        ("encoder with a head", "is a BertLMHeadModel, no causal language model"),
        ("encoder and decoder", "is a T5ForConditionalGeneration, no causal language model"),
        ("tower", "is a LlavaForConditionalGeneration, which reads more than text"),
        ("classifier", "is a Qwen3ForSequenceClassification, no causal language model"),
        ("code", "is a OwnModel; it needs code of its own, which is never run"),
        ("unknown", "is of type no_such_type; transformers does not know it"),
        ("quantized", "its weights are quantized"),
    ],
)
def test_what_is_no_causal_language_model_of_transformers_is_refused(kind, said, copy, tmp_path):
    from transformers import BertConfig, LlavaConfig, T5Config

    config = copy / "config.json"
    if kind in ("encoder", "encoder with a head", "encoder and decoder", "tower"):
        made, name = {
            "encoder": (BertConfig, "BertForMaskedLM"),
            "encoder with a head": (BertConfig, "BertLMHeadModel"),
            "encoder and decoder": (T5Config, "T5ForConditionalGeneration"),
            "tower": (LlavaConfig, "LlavaForConditionalGeneration"),
        }[kind]
        made(architectures=[name]).save_pretrained(copy)
    elif kind == "classifier":
        change(config, architectures=["Qwen3ForSequenceClassification"])
    elif kind == "code":
        change(
            config, model_type="own", architectures=["OwnModel"], auto_map={"AutoModel": "modelling.OwnModel"}
        )
    elif kind == "unknown":
        config.write_text('{"model_type": "no_such_type"}')
    else:
        change(config, quantization_config={"quant_method": "gptq", "bits": 4})
    assert said in refusal(copy, tmp_path)


def test_pickled_weights_are_never_read(copy, tmp_path):
    for path in copy.glob("model*"):
        path.unlink()
    assert "no weights; a student needs safetensors" in refusal(copy, tmp_path)
    (copy / "pytorch_model.bin").write_bytes(b"pickled")
    (tmp_path / "out").rmdir()
    assert "only pickled weights, which may run code" in refusal(copy, tmp_path)


def test_half_a_download_is_told_from_a_whole_one(copy, tmp_path):
    first, second, *_ = sorted(copy.glob("*.safetensors"))
    whole = first.read_bytes()
    for part in (b"", whole[:5], whole[:60], whole[:-1], whole + b"x", b"<html>404</html>" * 20):
        first.write_bytes(part)
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        assert f"{first.name} is no whole safetensors file, {len(part):,} bytes" in refusal(copy, tmp_path)
    first.write_bytes(whole)
    second.unlink()
    shutil.rmtree(tmp_path / "out")
    said = refusal(copy, tmp_path)
    assert f"1 of {len(list(copy.glob('*.safetensors'))) + 1} shards are missing: {second.name}" in said


def test_an_index_that_names_files_elsewhere_is_refused(copy, tmp_path):
    index = copy / "model.safetensors.index.json"
    weights = json.loads(index.read_text())["weight_map"]
    change(index, weight_map=weights | {"lm_head.weight": "../../secret.safetensors"})
    assert "names files outside its folder" in refusal(copy, tmp_path)


def test_a_configuration_that_the_weights_do_not_fit_is_refused(copy, tmp_path):
    change(copy / "config.json", num_hidden_layers=3, layer_types=["full_attention"] * 3)
    assert "its weights lack model.layers.2." in refusal(copy, tmp_path)


def test_a_tokenizer_of_another_model_is_refused(copy, tmp_path):
    change(copy / "config.json", eos_token_id=151_643)
    assert "the model ends a text by 151,643; they do not belong together" in refusal(copy, tmp_path)
    change(copy / "config.json", eos_token_id=1, vocab_size=300)
    shutil.rmtree(tmp_path / "out")
    assert "the model embeddings for 300; they do not belong together" in refusal(copy, tmp_path)
