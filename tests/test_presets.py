"""Published students: their true sizes, random weights, and entries that are ready to use."""

import re
from pathlib import Path

import pytest
import yaml

from stages.errors import BadInput
from stages.student import Student, modelling, presets

README = (Path(__file__).parents[1] / "stages" / "student" / "README.md").read_text(encoding="utf-8")

# Parameters in the published checkpoints, as their safetensors say; then as their authors round them, 1e9:
# parameters without embeddings (Qwen), and those that a token meets.
PUBLISHED = {
    "qwen3-0.6b": (596_049_920, 0.44, None),
    "qwen3-1.7b": (1_720_574_976, 1.4, None),
    "qwen3-4b": (4_022_468_096, 3.6, None),
    "qwen3-8b": (8_190_735_360, 6.95, None),
    "llama3.2-1b": (1_235_814_400, None, None),
    "llama3.2-3b": (3_212_749_824, None, None),
    "qwen3-30b-a3b": (30_532_122_624, 29.9, 3.3),
    "olmoe-1b-7b": (6_919_161_856, None, 1.3),
}


def shapes(name):
    """Return a preset as it is, on the device that holds no numbers."""
    import torch

    with torch.device("meta"):
        return presets.random(name, seed=0)


@pytest.mark.parametrize("name", presets.NAMES)
def test_a_preset_has_as_many_parameters_as_the_published_checkpoint(name):
    total, body, active = PUBLISHED[name]
    sizes = modelling.sizes(shapes(name))
    assert sizes["parameters"] == total
    assert body is None or round(sizes["non_embedding"] / 1e9, 2) == pytest.approx(body, abs=0.05)
    if active is None:
        assert sizes["active_parameters"] == total
    else:
        assert sizes["active_parameters"] / 1e9 == pytest.approx(active, abs=0.06)


@pytest.mark.parametrize("name", presets.NAMES)
def test_the_table_says_what_the_models_are(name):
    model = shapes(name)
    sizes = modelling.sizes(model)
    active = sizes["active_parameters"]
    met = "all" if active == sizes["parameters"] else f"{active:,}"
    lora = presets.student(name).get("lora")
    trained = "all weights" if lora is None else "adapters of attention" if met != "all" else "adapters"
    row = f"| `{name}` | {sizes['parameters']:,} | {met} | {modelling.context(model):,} | {trained} |"
    assert row in README.splitlines()
    if lora:
        targets = modelling.low_rank(Student(**presets.student(name)).lora, model).target_modules
        assert ("down_proj" in targets) == (met == "all")


def test_the_document_holds_each_entry_as_it_is_here():
    entries = {}
    for block in re.findall(r"```yaml\n(.*?)```", README, re.S):
        entries |= yaml.safe_load(block)
    assert entries.keys() == set(presets.NAMES)
    for name, entry in entries.items():
        assert Student(**entry) == Student(**presets.student(name))


@pytest.mark.parametrize("name", presets.NAMES)
def test_an_entry_is_pinned_and_does_not_lose_its_steps_to_rounding(name):
    student = Student(**presets.student(name))
    assert re.fullmatch("[0-9a-f]{40}", student.revision)
    # Full fine-tuning in bfloat16 would: the README says why.
    assert (student.precision == "bfloat16") == (student.lora is not None)


def test_the_rounding_that_the_document_speaks_of():
    import torch

    weight = torch.tensor(0.02, dtype=torch.bfloat16)
    assert weight - 1e-5 == weight
    neighbour = torch.nextafter(weight, torch.tensor(1.0, dtype=torch.bfloat16))
    assert (neighbour - weight).item() == pytest.approx(1.2e-4, rel=0.05)


@pytest.mark.slow
def test_random_weights_are_the_seeds_and_depth_alone_is_cut():
    import torch

    one, again, other = (presets.random("qwen3-0.6b", seed, layers=1) for seed in (0, 0, 1))
    assert one.dtype == torch.bfloat16
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)
    whole = dict(shapes("qwen3-0.6b").named_parameters())
    kept = dict(one.named_parameters())
    assert all(whole[name].shape == kept[name].shape for name in kept)
    assert {name for name in whole if name not in kept} == {
        n for n in whole if re.search(r"layers\.[1-9]", n)
    }
    ids = torch.tensor([[1, 2, 3]])
    with torch.no_grad():
        assert torch.isfinite(one(input_ids=ids).logits).all()


def test_a_configuration_is_a_new_one_each_time():
    first = presets.config("olmoe-1b-7b", layers=2)
    first.hidden_size = 8
    assert presets.config("olmoe-1b-7b").hidden_size == 2048
    assert first.num_hidden_layers == 2
    entry = presets.student("qwen3-8b")
    entry["lora"]["rank"] = 1
    assert presets.student("qwen3-8b")["lora"]["rank"] == 16


def test_what_is_no_preset_is_refused():
    with pytest.raises(BadInput, match=r"no preset student 'qwen4', only qwen3-0\.6b, "):
        presets.student("qwen4")
    with pytest.raises(BadInput, match="no preset student"):
        presets.random("qwen4", 0)
    with pytest.raises(BadInput, match=r"qwen3-0\.6b: has 28 layers, not 29"):
        presets.config("qwen3-0.6b", layers=29)
