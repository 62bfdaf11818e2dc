"""The two sides that `lm_eval_rival.py` compares, each run in a process, and an environment, of its own.

Each has its libraries imported, and lm-evaluation-harness its model loaded, before the clock starts; both
write what they answered. Ours loads the model within the time; it leaves out the losses of the reference
answers, which the other side does not measure.
"""

import argparse
import json
import os
import resource
import time
from pathlib import Path
from typing import Any


class Clock:
    """Wall and CPU seconds since it was made, the latter of this process and those it has waited for."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), _cpu()

    def read(self) -> dict[str, float]:
        """Return both."""
        return {"seconds": time.perf_counter() - self.wall, "cpu_s": _cpu() - self.cpu}


def _cpu() -> float:
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, who))


def lm_eval(asked: argparse.Namespace) -> dict[str, Any]:
    """Run one task; grade its answers, and ours where they are given, by the task's own metric."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    import importlib.metadata

    import torch
    from lm_eval import evaluator
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    gpu = torch.cuda.is_available()
    torch.set_num_threads(asked.threads)
    model = HFLM(
        pretrained=str(asked.model),
        dtype="bfloat16" if gpu else "float32",
        device="cuda" if gpu else "cpu",
        batch_size=asked.batch,
        enable_thinking=False,
    )
    tasks = TaskManager(include_path=str(asked.tasks), include_defaults=False)
    clock = Clock()
    found = evaluator.simple_evaluate(
        model,
        tasks=[asked.task],
        task_manager=tasks,
        apply_chat_template=True,
        bootstrap_iters=0,
        log_samples=True,
    )
    result: dict[str, Any] = clock.read()
    samples = found["samples"][asked.task]
    result |= {
        "version": importlib.metadata.version("lm_eval"),
        "texts": [sample["resps"][0][0] for sample in samples],
        "correct": [bool(sample["exact_match"]) for sample in samples],
    }
    if asked.predictions:
        (task,) = tasks.load([asked.task])["tasks"].values()
        said = json.loads(asked.predictions.read_text())
        graded = [task.process_results(doc, [text]) for doc, text in zip(task.test_docs(), said, strict=True)]
        result["ours_correct"] = [bool(one["exact_match"]) for one in graded]
    return result


def ours(asked: argparse.Namespace) -> dict[str, Any]:
    """Answer the task's items as `stages.score` does."""
    from stages.records import BenchmarkItem
    from stages.student.quiet import quiet

    quiet()
    from stages.student import Score, answering, coordinates, modelling, scoring

    scoring.answer_losses = lambda model, tokenizer, rows, config: [(0.0, 1)] * len(rows)

    rows = [json.loads(line) for line in (asked.tasks / f"{asked.task}.jsonl").read_text().splitlines()]
    items = [BenchmarkItem(**row) for row in rows]
    modelling.load_libraries(asked.model)
    config = Score(max_new_tokens=asked.tokens, batch=asked.batch)
    clock = Clock()
    (answered,) = answering.answer(asked.model, [coordinates.BASE], items, config)
    return clock.read() | {"texts": [one.prediction for one in answered]}


def main() -> None:
    """Run one side and write its result as JSON."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("side", choices=["ours", "lm_eval"])
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--tasks", type=Path, required=True, help="Folder of TASK.yaml and TASK.jsonl.")
    parser.add_argument("--task", required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--tokens", type=int, default=16, help="Of an answer, at most.")
    parser.add_argument("--predictions", type=Path, help="Ours, to be graded by lm-eval's task.")
    asked = parser.parse_args()
    asked.out.write_text(json.dumps(ours(asked) if asked.side == "ours" else lm_eval(asked)))


if __name__ == "__main__":
    main()
