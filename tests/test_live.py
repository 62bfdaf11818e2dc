"""What DVCLive logs of a run beside it, and that it changes nothing in it."""

import csv
import json

import pytest
import student_samples

from stages.student import Student, checkpoints, live, runs, tuning
from stages.student.config import Lora, Probe
from stages.student.devices import Device

STUDENT = Student(learning_rate=3e-3, prompt_noise=0.2, make=student_samples.SIZES)
CONFIG = student_samples.TRAIN.model_copy(update={"steps": 40})
FLOPS = 3.0e6  # a token, planted


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows") / "encoded"
    return student_samples.encoded(student_samples.rows(), student_samples.base()[1], folder)


def _tune(rows, *callbacks, config=CONFIG, student=STUDENT, job=None, accuracy=None, keep=None):
    model, tokenizer = student_samples.base()
    trained, _ = tuning.tune(
        model,
        tokenizer,
        rows,
        config,
        student,
        job or runs.Job(0),
        lambda done, total: None,
        accuracy,
        callbacks,
        keep,
    )
    return trained, {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


def _breaking(at):
    """Return a callback that ends the process's work at a step, as a fault would."""
    from transformers import TrainerCallback

    class Breaker(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == at:
                raise InterruptedError

    return Breaker()


def _course(place, name):
    with (place / "plots" / "metrics" / f"{name}.tsv").open() as file:
        return {int(row["step"]): float(row[name]) for row in csv.DictReader(file, delimiter="\t")}


@pytest.mark.slow
def test_the_log_tells_the_run_and_changes_nothing_in_it(rows, tmp_path):
    plain = _tune(rows)
    watched = _tune(rows, live.follow(tmp_path, Device("GPU", 1, 2.0e12), FLOPS, ranks=2))
    assert watched == plain
    points = watched[0].points
    assert _course(tmp_path, "loss") == {point.step: point.loss for point in points}
    assert _course(tmp_path, "learning_rate") == {point.step: point.learning_rate for point in points}
    speed, use = _course(tmp_path, "tokens_per_second"), _course(tmp_path, "mfu")
    assert all(use[step] == pytest.approx(speed[step] * FLOPS / 4.0e12) for step in speed)
    end = json.loads((tmp_path / "metrics.json").read_text())
    assert (end["steps"], end["tokens"]) == (40, watched[0].run.tokens)
    assert end["loss"] == points[-1].loss
    assert end["tokens_per_second"] == pytest.approx(end["tokens"] / end["seconds"])
    assert end["mfu"] == pytest.approx(end["tokens_per_second"] * FLOPS / 4.0e12)
    assert 50e6 < end["peak_memory"] < 8e9


@pytest.mark.slow
def test_utilisation_is_unknown_where_the_peak_is(rows, tmp_path):
    _tune(rows, live.follow(tmp_path, Device("CPU", 1, None), FLOPS))
    assert json.loads((tmp_path / "metrics.json").read_text())["mfu"] is None
    assert not (tmp_path / "plots" / "metrics" / "mfu.tsv").exists()


@pytest.mark.slow
@pytest.mark.parametrize("at", [15, 29])
@pytest.mark.parametrize("kind", ["whole", "adapted", "budget"])
def test_a_broken_run_goes_on_to_the_very_end_of_an_unbroken_one(kind, at, rows, tmp_path, monkeypatch):
    """Broken where a checkpoint was just written, and where the steps since would be lost."""
    monkeypatch.setattr("stages.student.recording._POINTS", 13)  # checkpoints lie between the logged steps
    probe = Probe(benchmark="webquestions", items=8, every=7)
    told = {
        "config": CONFIG.model_copy(update={"save_every": 5, "probe": probe}),
        "student": STUDENT.model_copy(
            update={"lora": Lora(rank=2, alpha=4, dropout=0.1)} if kind == "adapted" else {"device_batch": 3}
        ),
        "job": runs.Job(0, 9800) if kind == "budget" else None,
        "accuracy": lambda model: float(next(model.parameters()).detach().sum()),
    }
    unbroken = _tune(rows, **told)
    log = live.follow(tmp_path / "log", Device("CPU", 1, None), FLOPS)
    with pytest.raises(InterruptedError):
        _tune(rows, log, _breaking(at), keep=tmp_path, **told)
    again = _tune(rows, log, keep=tmp_path, **told)
    assert again == unbroken
    assert unbroken[0].run.steps == 40
    assert _course(tmp_path / "log", "loss") == {p.step: p.loss for p in again[0].points if p.step}
    assert checkpoints.latest(tmp_path).name == "checkpoint-40"
