"""How fast published students train and score here, beside TRL's defaults and a bare loop.

Every model has its published size and architecture; what it learns does not matter. Rows are made-up
questions and answers of uneven length, packed into sequences of 512 and 2,048 tokens. `seedbed` is the
trainer that `python -m stages.train` uses, with what its plan fits to the device; `TRL` is SFTTrainer with
SFTConfig as it comes, but packing; `loop` is PyTorch without a trainer, in the same precision, with as many
tokens at once as `seedbed` and the model's own loss. Each runs in a process of its own, its first steps not
counted. Tokens are those of the rows, no padding; MFU counts the operations that these tokens need, the LM
head for completion tokens only. Scoring answers all items, 16 tokens each, and measures their answers' loss.

    python benchmarks/students.py           # on a GPU: Qwen3 0.6B, 1.7B and 4B
    python benchmarks/students.py --tiny    # on a CPU: two layers, a small vocabulary; to see that it runs
"""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.records import BenchmarkItem, Message, TrainingExample
from stages.student import Score, Student, Train
from stages.student.quiet import quiet

GIB = 2**30
WORDS = [a + b + c for a in "bdfgklmn" for b in "aeiou" for c in ("", "ra", "sto", "lin", "men", "ter")]


def qa(count: int) -> list[TrainingExample]:
    """Return made-up rows: a question of 8 to 24 words, an answer of 1 to 4, a rationale of 10 to 120."""
    draw = random.Random(0)

    def words(low: int, high: int) -> str:
        return " ".join(draw.choices(WORDS, k=draw.randint(low, high)))

    return [
        TrainingExample(
            strategy="density", density=2.0, share=1.0, budget=1, protocol="rejection_sampling",
            question_id=f"q{i}", rollout=0,
            prompt=[Message(role="user", content=f"What is {words(8, 24)}?")],
            completion=[Message(role="assistant", content=f"{words(1, 4)}\n{words(10, 120)}.")],
        )
        for i in range(count)
    ]  # fmt: skip


def model_of(case: dict[str, Any], dtype: str) -> Any:
    """Return a published model with random weights, cut as the case says."""
    import torch
    from transformers import AutoModelForCausalLM

    from stages.student import presets

    if not case["vocabulary"]:
        return presets.random(case["model"], 0, dtype, case["layers"])
    torch.manual_seed(0)
    config: Any = presets.config(case["model"], case["layers"])
    config.vocab_size, config.bos_token_id, config.eos_token_id = case["vocabulary"], None, None
    return AutoModelForCausalLM.from_config(config, dtype=getattr(torch, dtype))


def steps_of(case: dict[str, Any]) -> Iterator[tuple[float, int]]:
    """Train; yield the time after each step, in seconds, and the tokens that it showed."""
    import torch

    from stages.student import devices, encoding, footprint, showing, tokenizing

    model: Any = model_of(case, "float32")
    rows = qa(4096)
    texts = [message.content for row in rows[:500] for message in (*row.prompt, *row.completion)]
    tokenizer: Any = tokenizing.train_tokenizer(texts, 2000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows").mkdir()
        encoded = encoding.encode([rows], tokenizer, case["width"], folder / "rows")
        batch = max(1, round(case["tokens"] / encoded.lengths.mean()))
        batch = 1 << (batch.bit_length() - 1)
        config = Train(
            steps=case["warm"] + case["steps"], batch=batch, weight_decay=0.1, warmup=0.1,
            max_length=case["width"], seeds=(0,), packing=True,
        )  # fmt: skip
        student = Student(model="random", learning_rate=1e-5)
        shown = showing.show(encoded, config, 0)
        ends = shown.tokens()
        share = shown.completion_tokens() / ends[-1]
        shape, device = footprint.shape(model), devices.here()
        fit = footprint.fitting(shape, student, batch, int(encoded.lengths.max()), device, 1, share)
        case |= {
            "device": device.name,
            "peak": device.peak,
            "planned": fit.footprint.total,
            "at_once": fit.rows,
            "recomputed": fit.checkpointing,
            "flops": footprint.flops(shape, 10**6, round(share * 10**6)) / 10**6,
        }
        if torch.cuda.is_available():
            model = model.cuda()
            torch.cuda.reset_peak_memory_stats()
        train = {"seedbed": ours, "TRL": stock, "loop": bare}[case["way"]]
        times: list[float] = []

        def done() -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times.append(time.perf_counter())

        counts = train(Run(model, tokenizer, shown, config, student, folder, fit.rows, done))
        yield from zip(times, counts or [after - before for before, after in pairwise(ends)], strict=False)


class Run(NamedTuple):
    """One training, whichever way it goes."""

    model: Any
    tokenizer: Any
    shown: Any
    config: Train
    student: Student
    folder: Path
    rows: int  # at once on a device
    done: Callable[[], None]  # called after each step


def clock(done: Callable[[], None]) -> Any:
    """Return a trainer callback that calls `done` after each step."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            done()

    return Clock()


def ours(run: Run) -> None:
    """Train as `python -m stages.train` does."""
    from stages.student import training

    training.trainer_for(
        run.model, run.tokenizer, run.shown, run.config, run.student, 0, run.folder, None, [clock(run.done)]
    ).train()


def stock(run: Run) -> list[int]:
    """Train by SFTTrainer with SFTConfig as it comes, but packing; return the tokens of each step."""
    import torch
    from datasets.arrow_dataset import Dataset
    from trl import SFTConfig, SFTTrainer

    found = list(run.shown)
    data = Dataset.from_dict(
        {
            "input_ids": [row.ids for row in found],
            "completion_mask": [[0] * row.start + [1] * (len(row.ids) - row.start) for row in found],
        }
    )
    cuda = torch.cuda.is_available()
    arguments = SFTConfig(
        output_dir=str(run.folder), packing=True, max_length=run.config.max_length,
        max_steps=run.config.steps,
        report_to="none", save_strategy="no", disable_tqdm=True, use_cpu=not cuda, bf16=cuda,
    )  # fmt: skip
    trainer: Any = SFTTrainer(
        model=run.model,
        processing_class=run.tokenizer,
        train_dataset=data,
        args=arguments,
        callbacks=[clock(run.done)],
    )
    counted: list[int] = []
    collate = trainer.data_collator

    def counting(examples: Any) -> Any:
        counted.append(sum(len(example["input_ids"]) for example in examples))
        return collate(examples)

    trainer.data_collator = counting
    trainer.train()
    return counted


def bare(run: Run) -> None:
    """Train by a loop of PyTorch: packed rows, autocast on a GPU, fused AdamW, the model's own loss."""
    import torch

    from stages.student import packing

    cuda = torch.cuda.is_available()
    model, config = run.model, run.config
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=run.student.learning_rate, betas=(0.9, 0.95), fused=True
    )
    model.train()
    for step in range(run.shown.steps):
        of_step = run.shown.step(step)
        scored = sum(len(row.ids) - row.start for row in of_step)
        for begin in range(0, len(of_step), run.rows):
            part = packing.packed(
                of_step[begin : begin + run.rows], run.tokenizer.pad_token_id, config.max_length
            )
            inputs = {name: tensor.to(device, non_blocking=True) for name, tensor in part.items()}
            with torch.autocast("cuda", torch.bfloat16, enabled=cuda):
                loss = model(**inputs, use_cache=False, num_items_in_batch=scored).loss
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        run.done()


def score(case: dict[str, Any]) -> dict[str, Any]:
    """Answer made-up items; return how many a second."""
    import torch

    from stages.student import scoring, tokenizing

    cuda = torch.cuda.is_available()
    model = scoring.on_device(model_of(case, "bfloat16" if cuda else "float32"))
    rows = qa(case["items"])
    tokenizer = tokenizing.train_tokenizer((row.prompt[0].content for row in rows[:500]), 2000)
    items = [
        BenchmarkItem(
            benchmark="made_up", item_id=row.question_id, question=row.prompt[0].content, answers=["ba"]
        )
        for row in rows
    ]
    config = Score(max_new_tokens=16, batch=256)
    scoring.answer_all(model, tokenizer, items[:8], config)  # not counted
    begin = time.perf_counter()
    scoring.answer_all(model, tokenizer, items, config)
    return case | {"examples_per_second": len(items) / (time.perf_counter() - begin)}


def inside(case: dict[str, Any]) -> dict[str, Any]:
    """Run one case in this process; return it with what it took."""
    quiet()
    import torch
    import trl  # noqa: F401  before memory is looked at

    if case["way"] == "scoring":
        return score(case)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    cuda = torch.cuda.is_available()
    try:
        steps = list(steps_of(case))
    except torch.OutOfMemoryError:
        return case | {"fault": "out of memory"}
    tokens = sum(count for _, count in steps[case["warm"] :])
    speed = tokens / (steps[-1][0] - steps[case["warm"] - 1][0])
    after = (
        torch.cuda.max_memory_allocated()
        if cuda
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return case | {
        "tokens_per_second": speed,
        "mfu": speed * case["flops"] / case["peak"] if case["peak"] else None,
        "memory": after if cuda else after - before,
    }


def line(case: dict[str, Any]) -> str:
    """Return a case as a line of the table."""
    name = case["model"] + (f", {case['layers']} of its layers" if case["layers"] else "")
    if case["way"] == "scoring" and "fault" not in case:
        cells = [name, "–", "scoring", f"{case['examples_per_second']:,.1f} examples/s", "–", "–", "–", ""]
    elif "fault" in case:
        cells = [name, f"{case['width']:,}", case["way"], case["fault"], "–", "–", "–", ""]
    else:
        plan = f"{case['planned'] / GIB:.1f}" if case["way"] == "seedbed" else "–"
        mfu = "–" if case["mfu"] is None else f"{case['mfu']:.1%}"
        cut = f"{case['at_once']} rows{', recomputed' if case['recomputed'] else ''}"
        cells = [
            name, f"{case['width']:,}", case["way"], f"{case['tokens_per_second']:,.0f}", mfu,
            f"{case['memory'] / GIB:.1f}", plan, cut if case["way"] != "TRL" else "its own",
        ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


@click.command()
@click.option("--tiny", is_flag=True, help="One layer, short sequences, few steps: for a CPU.")
@click.option("--model", "models", multiple=True, help="Presets; by default Qwen3 0.6B, 1.7B and 4B.")
@click.option("--tokens", default=131_072, show_default=True, help="About so many a step.")
@click.option("--steps", default=10, show_default=True, help="That are counted.")
@click.option("--inside", "within", hidden=True)
def main(tiny: bool, models: tuple[str, ...], tokens: int, steps: int, within: str | None) -> None:
    """Print one table."""
    if within:
        click.echo(json.dumps(inside(json.loads(within))))
        return
    widths, size = (512, 2048), {"layers": None, "vocabulary": None, "items": 4096, "warm": 3}
    if tiny:
        tokens, steps, widths = 1024, 2, (512,)
        size = {"layers": 2, "vocabulary": 2048, "items": 16, "warm": 1}
    cases = [
        {"model": model, **size, "way": way, "width": width, "tokens": tokens, "steps": steps}
        for model in models or (("qwen3-0.6b",) if tiny else ("qwen3-0.6b", "qwen3-1.7b", "qwen3-4b"))
        for width, way in (
            *((width, way) for width in widths for way in ("seedbed", "TRL", "loop")), (0, "scoring"),
        )
    ]  # fmt: skip
    heads = ("model", "length", "way", "tokens/s", "MFU", "peak, GiB", "planned at most, GiB", "at once")
    click.echo(f"| {' | '.join(heads)} |\n|:--|--:|:--|--:|--:|--:|--:|:--|")
    device = "CPU"
    for case in cases:
        run = subprocess.run(
            [sys.executable, __file__, "--inside", json.dumps(case)], capture_output=True, text=True
        )
        if run.returncode:
            last = (run.stderr.strip().splitlines() or ["no message"])[-1]
            found = {**case, "fault": last}
        else:
            found = json.loads(run.stdout.splitlines()[-1])
        device = found.get("device", device)
        click.echo(line(found))
    click.echo(
        f"\n{device}: "
        + (
            "random weights"
            if not tiny
            else "random weights, two layers, a small vocabulary: only that it runs"
        )
    )


if __name__ == "__main__":
    main()
