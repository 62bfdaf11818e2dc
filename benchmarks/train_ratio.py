"""How much longer a training seed takes through TRL's SFTTrainer than through a bare PyTorch loop.

Both train the same base on the same batches with the same loss, optimizer and schedule, on one thread, each
in a fresh process; they take turns, and the ratio is between the medians. CPU seconds are what counts, since
one thread uses one core; wall seconds on a busy machine tell of its other guests. Making the trainer is
counted, so that short runs look worse than long ones.

    python benchmarks/train_ratio.py --student tiny --base models/base/tiny \
        --data datasets/train/4.3-1x16.parquet
"""

import math
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages import files, params
from stages.records import TrainingExample
from stages.student.config import Train
from stages.student.quiet import quiet
from stages.train import Params


@click.command()
@click.option("--student", "name", required=True, help="Name of the student in params.yaml.")
@click.option("--base", type=click.Path(exists=True, path_type=Path), required=True, help="Its base model.")
@click.option("--data", type=click.Path(exists=True, path_type=Path), required=True, help="Training set.")
@click.option("--steps", type=click.IntRange(min=10), default=150, show_default=True, help="Steps a run.")
@click.option("--repeats", type=click.IntRange(min=3), default=3, show_default=True, help="Runs of each.")
def main(name: str, base: Path, data: Path, steps: int, repeats: int) -> None:
    """Print the ratio of SFTTrainer's time to the bare loop's."""
    p = params.load(Params)
    config = p.train.model_copy(update={"steps": steps})
    student = p.students[name]
    quiet()
    import trl  # noqa: F401  both ways start with it imported

    from stages.student import encoding, modelling, processes, showing, training

    place = tempfile.TemporaryDirectory()
    batches = files.stream_parquet(data, TrainingExample)
    rows = encoding.encode(batches, modelling.load_tokenizer(base), config.max_length, Path(place.name))
    shown = showing.show(rows, config, seed=0)
    modelling.load_libraries(base)

    def run(way: str) -> tuple[float, float, float]:
        model, tokenizer = modelling.load(base)
        wall, cpu = time.perf_counter(), time.process_time()
        if way == "bare":
            losses = bare_loop(model, list(shown), config, student.learning_rate, tokenizer.pad_token_id)
        else:
            with tempfile.TemporaryDirectory() as folder:
                lean = way == "lean"
                trainer = training.trainer_for(
                    model, tokenizer, shown, config, student, 0, Path(folder), lean=lean
                )
                trainer.train()
            losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
        return time.perf_counter() - wall, time.process_time() - cpu, losses[-1]

    found: dict[str, list[tuple[float, float, float]]] = {"bare": [], "lean": [], "stock": []}
    for turn in range(repeats):
        for way, results in found.items():
            if way != "stock" or turn == 0:  # TRL's own loss, for information: once is enough
                results += processes.each(run, [way], "way", at_once=1)
    bare = statistics.median(cpu for _, cpu, _ in found["bare"])
    for way, results in found.items():
        wall, cpu, loss = (statistics.median(column) for column in zip(*results, strict=True))
        click.echo(f"{way:5} {cpu:6.2f} s CPU ({cpu / bare:.2f}×), {wall:6.2f} s wall, final loss {loss:.4f}")


def bare_loop(model: Any, shown: Any, config: Train, rate: float, pad: int) -> list[float]:
    """Train as `tuning.tune` does, with nothing between PyTorch and the batches.

    Returns:
        Mean loss of each stretch of steps that the trainer logs, nats per completion token.
    """
    import torch

    from stages.student import recording
    from stages.student.encoding import IGNORED
    from stages.student.losses import completion_loss

    model.train()
    decayed = [p for p in model.parameters() if p.dim() > 1]
    groups = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": [p for p in model.parameters() if p.dim() == 1], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)
    warm = math.ceil(config.warmup * config.steps)
    losses = []
    for step in range(config.steps):
        rows = shown[step * config.batch : (step + 1) * config.batch]
        width = max(len(row.ids) for row in rows)
        fill = [width - len(row.ids) for row in rows]
        loss = completion_loss(
            model,
            {
                "input_ids": torch.tensor([r.ids + [pad] * n for r, n in zip(rows, fill, strict=True)]),
                "labels": torch.tensor([r.labels + [IGNORED] * n for r, n in zip(rows, fill, strict=True)]),
                "attention_mask": torch.tensor([[1] * (width - n) + [0] * n for n in fill]),
            },
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        share = (step - warm) / max(1, config.steps - warm)
        scale = step / warm if step < warm else 0.5 * (1 + math.cos(math.pi * share))
        for group in optimizer.param_groups:
            group["lr"] = rate * scale
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
    every = recording.interval(config.steps)
    return [statistics.mean(losses[i : i + every]) for i in range(0, len(losses), every)]


if __name__ == "__main__":
    main()
