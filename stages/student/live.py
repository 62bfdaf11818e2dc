"""The course of a training run as it happens, by DVCLive: what it costs, besides what it learns.

Times differ from run to run and from machine to machine, so none of this is an output of a stage.
"""

import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.student.devices import Device

if TYPE_CHECKING:
    from transformers import TrainerCallback

LOGS = Path("logs/train")  # one folder a cell, and in it one a run

_SHOWN = ("loss", "learning_rate", "tokens_per_second", "mfu", "memory")


def preload() -> None:
    """Import DVCLive and what it needs of DVC now, so that forked processes find it imported."""
    import dvc.repo  # noqa: F401
    import dvclive  # noqa: F401


def follow(place: Path, device: Device, flops_a_token: float, ranks: int = 1) -> "TrainerCallback":
    """Return a trainer callback that logs a run into a folder, at the trainer's logging steps.

    At each: `loss` (nats per completion token), `learning_rate`, `tokens_per_second` (shown, prompts
    included, padding not), `mfu` (model FLOPs utilisation, 0 … 1: the operations that these tokens need, over
    what the devices could do; left out where their peak is unknown), `memory` (bytes, the most so far: what
    PyTorch's allocator held of the first device, or the process's resident set). At the end `metrics.json`
    says of the whole run `seconds`, `steps`, `tokens`, `tokens_per_second`, `mfu`, `peak_memory` and the last
    `loss`. Probes count as the run's time; what a killed run did after its last checkpoint does not.

    Args:
        place: folder of the run; what is in there of an earlier one goes.
        device: that trains, one of `ranks` alike.
        flops_a_token: as `footprint.flops` counts them.
        ranks: devices that train together.
    """
    from dvclive import Live
    from transformers import TrainerCallback

    def rates(tokens: int, seconds: float) -> dict[str, float | None]:
        speed = tokens / seconds if seconds > 0 else 0.0
        mfu = speed * flops_a_token / (device.peak * ranks) if device.peak else None
        return {"tokens_per_second": speed, "mfu": mfu}

    class Follower(TrainerCallback):
        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            self.live = Live(str(place), save_dvc_exp=False, dvcyaml=None, report=None)
            for entry in (entry for entry in state.log_history if "seconds" in entry):
                self.show(entry)
            last = state.log_history[-1] if state.log_history else {}
            self.tokens, self.seconds = last.get("tokens", 0), last.get("seconds", 0.0)
            _forget_peak()
            self.begin = time.perf_counter() - self.seconds

        def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            entry = state.log_history[-1]
            if "loss" not in entry:
                return
            seconds = time.perf_counter() - self.begin
            entry |= rates(entry["tokens"] - self.tokens, seconds - self.seconds)
            entry |= {"seconds": seconds, "memory": _peak_memory()}
            self.tokens, self.seconds = entry["tokens"], seconds
            self.show(entry)

        def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            logged = [entry for entry in state.log_history if "seconds" in entry]
            self.live.summary = {
                "seconds": self.seconds,
                "steps": state.global_step,
                "tokens": self.tokens,
                **rates(self.tokens, self.seconds),
                "peak_memory": max((entry["memory"] for entry in logged), default=_peak_memory()),
                "loss": logged[-1]["loss"] if logged else None,
            }
            self.live.end()

        def show(self, entry: dict[str, Any]) -> None:
            self.live.step = entry["step"]
            for name in _SHOWN:
                if entry[name] is not None:
                    self.live.log_metric(name, entry[name])
            self.live.make_summary()

    return Follower()


def _forget_peak() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def _peak_memory() -> int:
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return resident if sys.platform == "darwin" else resident * 1024
