"""Scoring beside lm-evaluation-harness: examples a second, and item by item what either answered.

Same model, same machine, same items, taking turns; NQ-open, TriviaQA and WebQuestions from official files.
Both ask the bare question through the model's chat template, without examples, greedily and for at most 16
tokens of answer. lm-evaluation-harness is given local tasks with the stops, filters and metric of its own
nq_open and triviaqa; its webqs ranks given answers instead of writing one, so nq_open's are taken.
Its batch size and number of threads are tried on the first task and the fastest are kept.

Speeds, items a second by medians over the turns:

* command: wall time of `python -m lm_eval` and of `python -m stages.score`, from start to written results;
  ours also measures the losses of the reference answers;
* loaded: wall time of `simple_evaluate` with the model loaded and no bootstrap, and of our answers with the
  libraries imported (the model is loaded within the time, and no loss is measured);
* CPU: the same with CPU seconds, of all threads and processes, which other guests of the machine change less.

Agreement: our answers graded by lm-eval's task against its own logged grades. Every other text has a reason,
and every item with another grade is printed; `--differences` names a file for all of them.

    python -m venv peers/lm-eval && peers/lm-eval/bin/pip install 'lm_eval[hf]==0.4.13'
    python benchmarks/lm_eval_rival.py --python peers/lm-eval/bin/python \\
        --model models/students/tiny-4.3-1x16/seed-0 --benchmarks datasets/benchmarks
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

import click
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages import files
from stages.benchmarks.reading import read
from stages.records import BenchmarkItem, ItemScore
from stages.student import processes

ROOT = Path(__file__).parents[1]
SIDES = Path(__file__).with_name("lm_eval_sides.py")
TASKS = ("natural_questions", "triviaqa", "webquestions")
STOPS = ("\n", ".", ",")  # of lm-eval's nq_open and triviaqa
SPEEDS = ("their command", "their loaded", "their CPU", "our command", "our loaded", "our CPU")
TOKENS = 16  # of an answer
ARTICLES = r"\b(?:The |the |An |A |The |a |an )"  # what nq_open's metric leaves out


def task_of(name: str, data: Path) -> dict[str, Any]:
    """Return lm-eval's definition of a task: the questions of a file, its own stops, filter and metric."""
    metric = {"metric": "exact_match", "aggregation": "mean", "higher_is_better": True}
    metric |= {"ignore_case": True, "ignore_punctuation": True}
    if name != "triviaqa":
        metric["regexes_to_ignore"] = [ARTICLES]
    return {
        "task": name,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(data)}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{question}}",
        "doc_to_target": "{{answers}}",
        "generation_kwargs": {"until": list(STOPS), "do_sample": False, "max_gen_toks": TOKENS},
        "filter_list": [
            {"name": "said", "filter": [{"function": "remove_whitespace"}, {"function": "take_first"}]}
        ],
        "metric_list": [metric],
    }


def reason(ours: str, theirs: str) -> str:
    """Return why two answers to one item differ; "same" where they do not."""
    theirs = theirs.strip()
    if ours == theirs:
        return "same"
    cut = ours
    for stop in STOPS:
        cut = cut.split(stop)[0]
    if cut.strip() == theirs:
        first = min((ours.index(stop), stop) for stop in STOPS if stop in ours)[1]
        return f"it stops at {first!r}"
    return "unexplained"


class Compared:
    """One task on one model: folders, runs and their results."""

    def __init__(self, python: str, model: Path, name: str, items: list[BenchmarkItem], folder: Path) -> None:
        self.python, self.model, self.name, self.items, self.folder = python, model, name, items, folder
        self.tasks = folder / "tasks"
        self.tasks.mkdir(parents=True)
        data = self.tasks / f"{name}.jsonl"
        data.write_text("".join(json.dumps(item.model_dump()) + "\n" for item in items), encoding="utf-8")
        (self.tasks / f"{name}.yaml").write_text(yaml.safe_dump(task_of(name, data)), encoding="utf-8")

    def side(self, side: str, batch: int, threads: int, *more: str) -> dict[str, Any]:
        """Run one side with everything loaded before its clock starts."""
        out = self.folder / "side.json"
        python = sys.executable if side == "ours" else self.python
        command = [python, str(SIDES), side, str(out), "--model", str(self.model)]
        command += ["--tasks", str(self.tasks), "--task", self.name]
        command += ["--batch", str(batch), "--threads", str(threads), "--tokens", str(TOKENS), *more]
        _run(command, threads if side == "lm_eval" else None, self.folder)
        result: dict[str, Any] = json.loads(out.read_text())
        return result

    def their_command(self, batch: int, threads: int) -> float:
        """Return the wall seconds of lm-eval's command."""
        command = [
            self.python,
            "-m",
            "lm_eval",
            "--model",
            "hf",
            "--tasks",
            self.name,
            "--apply_chat_template",
        ]
        command += ["--model_args", f"pretrained={self.model},dtype={_dtype()},enable_thinking=False"]
        command += ["--include_path", str(self.tasks), "--batch_size", str(batch), "--log_samples"]
        command += ["--device", _device(), "--output_path", str(self.folder / "written")]
        return _run(command, threads, self.folder)

    def our_command(self, benchmark: Path, batch: int) -> tuple[float, list[str]]:
        """Return the wall seconds of our command, and its predictions in the items' order."""
        link = self.folder / "benchmarks" / self.name
        link.parent.mkdir(exist_ok=True)
        link.unlink(missing_ok=True)
        link.symlink_to(benchmark.resolve())
        settings = {
            "score": {"max_new_tokens": TOKENS, "batch": batch},
            "benchmarks": {"folder": str(link.parent)},
        }
        (self.folder / "params.yaml").write_text(yaml.safe_dump(settings))
        out = self.folder / "ours.parquet"
        command = [sys.executable, "-m", "stages.score", "--student", "s", "--base", str(self.model)]
        seconds = _run([*command, "--out", str(out)], None, self.folder)
        said = {row.item_id: row.prediction for row in files.read_parquet(out, ItemScore)}
        return seconds, [said[item.item_id] for item in self.items]


def _run(command: list[str], threads: int | None, folder: Path) -> float:
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT), "HF_HOME": str(folder / "hf")}
    environment["TOKENIZERS_PARALLELISM"] = "true" if threads else "false"
    if threads:
        environment["OMP_NUM_THREADS"] = str(threads)
    begun = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    seconds = time.perf_counter() - begun
    if ran.returncode:
        raise click.ClickException(f"{' '.join(command)}\n{ran.stderr[-3000:]}")
    return seconds


def _device() -> str:
    return "cuda" if processes.cuda() else "cpu"


def _dtype() -> str:
    return "bfloat16" if processes.cuda() else "float32"


@click.command()
@click.option("--python", required=True, help="Interpreter of the environment with lm_eval.")
@click.option("--model", type=click.Path(exists=True, path_type=Path), required=True, help="Model's folder.")
@click.option("--benchmarks", type=click.Path(exists=True, path_type=Path), required=True, help="As params'.")
@click.option(
    "--batch", "batches", type=int, multiple=True, default=(64, 256, 1024), help="Tried for lm-eval."
)
@click.option("--ours", "our_batch", type=int, default=256, show_default=True, help="Our score.batch.")
@click.option("--repeats", type=int, default=3, show_default=True, help="Turns of each.")
@click.option("--limit", type=int, help="Items of a task, for a trial.")
@click.option("--differences", type=click.File("w"), help="Text to write every item with another text to.")
def main(
    python: str,
    model: Path,
    benchmarks: Path,
    batches: tuple[int, ...],
    our_batch: int,
    repeats: int,
    limit: int | None,
    differences: TextIO | None,
) -> None:
    """Print a table a task, and each item of which the grade differs."""
    python = shutil.which(python) or python
    everything = read({name: benchmarks / name for name in TASKS if (benchmarks / name).exists()})
    best: tuple[int, int] | None = None
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for name in dict.fromkeys(item.benchmark for item in everything):
            items = [item for item in everything if item.benchmark == name][:limit]
            one = Compared(str(Path(python).absolute()), model.resolve(), name, items, Path(folder) / name)
            if best is None:
                best = fastest(one, batches)
            lines.append(compared(one, benchmarks / name, best, our_batch, repeats, limit, differences))
    speeds = "command | loaded | CPU"
    columns = f"task | items | lm-eval: {speeds} | ours: {speeds} | ratio: {speeds} | "
    columns += "same text | same grade | other texts by reason"
    click.echo(f"| {columns} |\n|" + "---|" * (columns.count("|") + 1))
    click.echo("\n".join(lines))


def fastest(one: Compared, batches: tuple[int, ...]) -> tuple[int, int]:
    """Return lm-eval's fastest batch size and number of threads."""
    threads = sorted({1, processes.cores()})
    tried = {(b, t): one.side("lm_eval", b, t)["seconds"] for b in batches for t in threads}
    for (batch, count), seconds in tried.items():
        click.echo(
            f"lm-eval, {one.name}, batch {batch}, {count} threads: {len(one.items) / seconds:,.0f} items/s"
        )
    return min(tried, key=lambda setting: tried[setting])


def compared(
    one: Compared,
    benchmark: Path,
    best: tuple[int, int],
    our_batch: int,
    repeats: int,
    limit: int | None,
    differences: TextIO | None,
) -> str:
    """Return a task's row of the table; print the items whose grades differ."""
    times: dict[str, list[float]] = {name: [] for name in SPEEDS}
    for _ in range(repeats):
        ours = one.side("ours", our_batch, 1)
        (one.folder / "said.json").write_text(json.dumps(ours["texts"]))
        theirs = one.side("lm_eval", *best, "--predictions", str(one.folder / "said.json"))
        for which, result in (("our", ours), ("their", theirs)):
            times[f"{which} loaded"].append(result["seconds"])
            times[f"{which} CPU"].append(result["cpu_s"])
        if limit is None:
            seconds, said = one.our_command(benchmark, our_batch)
            if said != ours["texts"]:
                raise click.ClickException(f"{one.name}: the command's answers differ from the library's")
            times["our command"].append(seconds)
            times["their command"].append(one.their_command(*best))
    reasons = [reason(o, t) for o, t in zip(ours["texts"], theirs["texts"], strict=True)]
    grades = list(zip(theirs["ours_correct"], theirs["correct"], strict=True))
    for item, why, (mine, other), o, t in zip(
        one.items, reasons, grades, ours["texts"], theirs["texts"], strict=True
    ):
        line = (
            f"{one.name} {item.item_id}: ours {o!r} {_word(mine)}, theirs {t.strip()!r} {_word(other)}, "
            f"reference {item.answers[0]!r}: {why}"
        )
        if mine != other or why == "unexplained":
            click.echo(line)
        if differences is not None and why != "same":
            differences.write(line + "\n")
    rates = {name: len(one.items) / statistics.median(t) if t else None for name, t in times.items()}
    texts = Counter(why for why in reasons if why != "same")
    cells = [
        one.name,
        f"{len(one.items):,}",
        *(f"{rate:,.0f}" if rate else "–" for rate in rates.values()),
        *(_ratio(rates[ours], rates[theirs]) for theirs, ours in zip(SPEEDS[:3], SPEEDS[3:], strict=True)),
        f"{reasons.count('same'):,}",
        f"{sum(a == b for a, b in grades):,}",
        ", ".join(f"{why}: {count:,}" for why, count in sorted(texts.items())) or "none",
    ]
    return f"| {' | '.join(cells)} |"


def _word(right: bool) -> str:
    return "right" if right else "wrong"


def _ratio(ours: float | None, theirs: float | None) -> str:
    return f"{ours / theirs:.1f}" if ours and theirs else "–"


if __name__ == "__main__":
    main()
