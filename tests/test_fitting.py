"""How a step is cut to fit a device, what is said where it does not fit, and what the devices are."""

import pytest
import torch
from test_footprint import BIG, H200, LORA, MIXTURE, config

from stages.errors import BadInput
from stages.student import Student, devices
from stages.student.devices import Device
from stages.student.footprint import USABLE, blame, fitting, measured, shape

LARGE = Student(model="some/model", learning_rate=1e-5)


@pytest.fixture(scope="module")
def large():
    """Return the shape of a model of eight billion parameters."""
    return shape(config("llama", **BIG))


def having(**settings):
    return LARGE.model_copy(update=settings)


def test_as_many_rows_go_at_once_as_there_is_memory_for_and_they_divide_the_step(large):
    student = having(precision="bfloat16", checkpointing=False)
    cards = [Device("GPU", memory * 10**9, None) for memory in (90, 141, 400)]
    fits = [fitting(large, student, 48, 512, card) for card in cards]
    assert [48 % fit.rows for fit in fits] == [0, 0, 0]
    assert fits[0].rows < fits[1].rows < fits[2].rows == 48
    assert all(fit.footprint.total <= USABLE * fit.device.memory for fit in fits)


def test_activations_are_recomputed_only_where_memory_needs_it(large):
    student = having(precision="bfloat16")
    small = Device("GPU", 78 * 10**9, None)
    assert not fitting(large, student, 8, 2048, H200).checkpointing
    assert fitting(large, student, 8, 2048, small).checkpointing
    assert fitting(large, having(precision="bfloat16", checkpointing=True), 8, 64, H200).checkpointing
    with pytest.raises(BadInput, match=r"would fit with `checkpointing: true`"):
        fitting(large, having(precision="bfloat16", checkpointing=False), 8, 2048, small)


def test_the_rows_that_are_set_are_kept_to(large):
    student = having(precision="bfloat16", device_batch=2)
    assert fitting(large, student, 8, 512, H200).rows == 2
    assert fitting(large, student, 8, 512, H200, ranks=8).rows == 1
    with pytest.raises(BadInput, match=r"device_batch 3: does not divide a device's 8 rows of a step; set 2"):
        fitting(large, having(device_batch=3), 8, 512, H200)
    with pytest.raises(BadInput, match=r"train.batch 8: 3 processes cannot share its rows evenly; set 9"):
        fitting(large, LARGE, 8, 512, H200, ranks=3)


def test_a_refusal_names_only_changes_that_would_make_it_fit(large):
    with pytest.raises(BadInput) as refused:
        fitting(large, LARGE, 32, 2048, H200)
    said = refused.value.message
    assert said.startswith("H200: 1 row of 2048 tokens at once need ") and "weights" in said
    assert "`precision: bfloat16`" in said and "`lora: {rank: 16, …}`" in said and "2 GPUs" in said
    assert "max_length" not in said  # no length makes room for such weights and moments
    assert fitting(large, having(precision="bfloat16"), 32, 2048, H200)
    assert fitting(large.with_adapters(16), LARGE, 32, 2048, H200)
    assert fitting(large, LARGE, 32, 2048, H200, ranks=2)
    with pytest.raises(BadInput, match=r"`device_batch: \d+`.*`train.max_length: \d+`"):
        fitting(large, having(precision="bfloat16", device_batch=32, checkpointing=False), 32, 2048, H200)
    both = "`lora: {rank: 16, …}` and `precision: bfloat16`"
    with pytest.raises(BadInput, match=both):
        fitting(large, LARGE, 2, 128, Device("GPU", 20 * 10**9, None))


def test_blame_falls_on_the_part_that_took_more_than_planned(large):
    fit = fitting(large, having(precision="bfloat16"), 32, 512, H200)
    planned = fit.footprint
    as_planned = {"weights": planned.weights, "gradients": planned.gradients, "optimizer": planned.optimizer}
    more = as_planned | {"optimizer": 2 * planned.optimizer}
    assert "optimizer took 60.9 GiB where 30.5 were planned" in blame(fit, more)
    peak = sum(as_planned.values()) + 2 * (planned.activations + planned.logits)
    said = blame(fit, as_planned | {"peak": peak})
    assert "activations and logits took" in said and f"`device_batch` below {fit.rows}" in said
    assert "something else holds memory there" in blame(fit, as_planned)
    assert "`checkpointing: true`" in blame(fit._replace(rows=1), {})
    assert "train.max_length" in blame(fit._replace(rows=1, checkpointing=True), {})


def test_what_training_holds_is_measured():
    model = torch.nn.Linear(10, 7, bias=False)
    optimizer = torch.optim.AdamW(model.parameters())
    assert measured(model)["gradients"] == 0
    model(torch.ones(1, 10)).sum().backward()
    optimizer.step()
    found = measured(model, optimizer)
    assert (found["weights"], found["gradients"], found["optimizer"]) == (
        280,
        280,
        2 * 280 + 4,
    )  # and the count of steps


def test_a_mixture_that_is_adapted_pays_for_its_merged_experts():
    mixture = config("mixture", **{**BIG, **MIXTURE, "moe_intermediate_size": 768, "num_experts": 64})
    plain, adapted = (
        shape(mixture),
        shape(mixture, LORA.model_copy(update={"targets": ("gate_up_proj", "down_proj")})),
    )
    frozen = fitting(
        adapted, having(precision="bfloat16", checkpointing=False), 1, 64, Device("GPU", 10**12, None)
    )
    assert frozen.footprint.weights > 2 * (plain.parameters + plain.routed)


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"), ("NVIDIA H100 PCIe", "H100 PCIe"), ("NVIDIA L4", "L4"),
        ("NVIDIA A100-SXM4-40GB", "A100 40GB"), ("NVIDIA GeForce RTX 4090", "RTX 4090"),
        ("NVIDIA L40S", "L40S"), ("NVIDIA H200", "H200"), ("NVIDIA A10G", "A10G"),
    ],
)  # fmt: skip
def test_a_gpu_is_known_by_its_drivers_name(said, known):
    assert devices.recognised(said) == devices.named(known.lower()).peak


@pytest.mark.parametrize("said", ["NVIDIA H100 80GB HBM3 MIG 1g.10gb", "NVIDIA L40", "Tesla T4"])
def test_a_gpu_outside_the_table_has_no_known_peak(said):
    assert devices.recognised(said) is None


def test_an_unknown_gpu_is_refused_with_those_known():
    with pytest.raises(BadInput, match=r"--gpu H300: not known, only B200, H200, .*; give one of these"):
        devices.named("H300")


@pytest.mark.skipif(torch.cuda.is_available(), reason="on a machine without a GPU")
def test_without_a_gpu_the_device_is_the_cpu_with_its_memory():
    here = devices.here()
    assert (here.name, here.peak, here.gpu) == ("CPU", None, False)
    assert 10**8 < here.memory < 10**14
