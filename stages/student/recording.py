"""The course of a training run: loss, learning rate and test accuracy against steps."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stages.errors import BadInput
from stages.grading import exact_match
from stages.records import BenchmarkItem
from stages.student import scoring
from stages.student.config import Probe, Score
from stages.student.runs import Point

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback, TrainerState

Measure = Callable[["PreTrainedModel"], float]

_POINTS = 40  # about so many a run
_ACCURACY = "probe_accuracy"  # in the trainer's log


def probed(items: Sequence[BenchmarkItem], probe: Probe) -> list[BenchmarkItem]:
    """Return the probe's items: the first of its benchmark in the order of a hash of their ids.

    Raises:
        BadInput: no item of that benchmark.
    """
    found = [item for item in items if item.benchmark == probe.benchmark]
    if not found:
        known = ", ".join(dict.fromkeys(item.benchmark for item in items)) or "nothing"
        raise BadInput(
            f"train.probe.benchmark '{probe.benchmark}': no such benchmark here, only {known}; correct it"
        )
    return sorted(found, key=_drawn)[: probe.items]


def measure(tokenizer: "PreTrainedTokenizerBase", items: Sequence[BenchmarkItem], probe: Probe) -> Measure:
    """Return a function that measures the share of the items a model answers, greedily and by exact match.

    It leaves the model's mode and PyTorch's random state as it finds them.
    """
    config = Score(max_new_tokens=probe.max_new_tokens, batch=len(items))
    questions = [item.question for item in items]

    def accuracy(model: "PreTrainedModel") -> float:
        import torch

        module: torch.nn.Module = model
        was_training = module.training
        with torch.random.fork_rng():
            module.eval()
            answers = scoring.generate(model, tokenizer, questions, config)
            module.train(was_training)
        right = [exact_match(answer, item) for answer, item in zip(answers, items, strict=True)]
        return sum(right) / len(right)

    return accuracy


def recorder(
    report: Callable[[int, int], None],
    tokens: Sequence[int],
    accuracy: Measure | None = None,
    every: int = 1,
) -> "TrainerCallback":
    """Return a trainer callback that has the course of a run logged; `points` reads it.

    It comes before those that read the log entries, such as `live.follow`.

    Args:
        report: told the steps done and those in all.
        tokens: shown up to each step, from step 0.
        accuracy: measures a model; None leaves accuracies out.
        every: steps between accuracies.
    """
    from transformers import TrainerCallback

    class Recorder(TrainerCallback):
        measured: float | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if accuracy and state.global_step == 0:
                state.log_history.append({"step": 0, _ACCURACY: accuracy(kwargs["model"])})

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            last = state.global_step == state.max_steps
            if accuracy and (last or state.global_step % every == 0):
                self.measured = accuracy(kwargs["model"])
                control.should_log = True
            control.should_log |= last
            report(state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            state.log_history[-1]["tokens"] = int(tokens[state.global_step])
            if self.measured is not None:
                state.log_history[-1][_ACCURACY] = self.measured
                self.measured = None

    return Recorder()


def points(state: "TrainerState", tokens: Sequence[int]) -> list[Point]:
    """Return the course of a run. A checkpoint holds the trainer's state, so a resumed run's is complete.

    Args:
        state: of the trainer, under a `recorder`.
        tokens: shown up to each step, from step 0.
    """
    found = []
    for entry in state.log_history:
        step, measured = int(entry["step"]), entry.get(_ACCURACY)
        if "loss" in entry:
            found.append(Point(step, int(tokens[step]), entry["loss"], entry["learning_rate"], measured))
        elif measured is not None:
            found.append(Point(step, int(tokens[step]), None, 0.0, measured))
    return found


def interval(steps: int) -> int:
    """Return the steps between two points of a run."""
    return max(1, steps // _POINTS)


def mean_loss(points: Sequence[Point], after: int, until: int) -> float:
    """Return the mean loss of the steps after `after` up to `until`, nats per completion token.

    A point's mean counts where its last step lies in that range, by the number of its steps.
    """
    total, count, before = 0.0, 0, 0
    for point in points:
        if point.loss is not None and after < point.step <= until:
            total += point.loss * (point.step - before)
            count += point.step - before
        before = point.step
    return total / count


def _drawn(item: BenchmarkItem) -> str:
    return hashlib.sha256(f"{item.benchmark}\0{item.item_id}".encode()).hexdigest()
