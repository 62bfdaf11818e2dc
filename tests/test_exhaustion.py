"""A run that is given too little memory says what took more than planned, or what to lower."""

import resource

import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Student, exhaustion, footprint, processes, runs, tuning
from stages.student.devices import Device

GIB = 2**30
STUDENT = Student(learning_rate=3e-3, make=student_samples.SIZES)
CONFIG = student_samples.TRAIN.model_copy(update={"steps": 2, "batch": 30_000})  # 20 GB of activations


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows") / "encoded"
    return student_samples.encoded(student_samples.rows(), student_samples.base()[1], folder)


def _explained(model, rows, device):
    shape = footprint.shape(model)
    return exhaustion.explained(model, shape, rows, CONFIG, STUDENT, device)


@pytest.mark.slow
def test_a_step_that_does_not_fit_is_refused_with_what_to_lower(rows):
    """With the real allocator, in a process that may not grow by more than 2 GiB."""

    def starved(_):
        model, tokenizer = student_samples.base()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: PTH123, SIM115
        resource.setrlimit(resource.RLIMIT_AS, (used + 2 * GIB, hard))
        with _explained(model, rows, Device("CPU", used + 2 * GIB, None)) as watcher:
            tuning.tune(
                model,
                tokenizer,
                rows,
                CONFIG,
                STUDENT,
                runs.Job(0),
                lambda done, total: None,
                None,
                [watcher],
            )

    with pytest.raises(BadInput) as refused:
        processes.each(starved, [0], "training seed")
    line = refused.value.message
    assert line.startswith("out of memory on CPU") and "\n" not in line
    assert "device_batch` below 30000" in line


def test_the_part_that_took_more_than_planned_is_named(rows):
    import torch

    model, _ = student_samples.base()
    more = torch.nn.Parameter(torch.zeros(3 * 2**20))  # 12 MiB of weights that no plan knows
    refused = pytest.raises(BadInput, match=r"weights took 0\.0 GiB where 0\.0 were planned")
    with refused, _explained(model, rows, Device("CPU", 100 * 2**20, None)):
        model.register_parameter("more", more)
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_other_faults_pass_as_they_are(rows):
    model, _ = student_samples.base()
    with pytest.raises(RuntimeError, match="shapes"), _explained(model, rows, Device("CPU", GIB, None)):
        raise RuntimeError("shapes")
