"""How long a plan of many requests takes, and how much memory: nothing is sent.

Writes a pool of questions, puts the replies to some of them into a store, and lets `respond` be planned in a
process of its own. Peak memory is that process's; twice as many requests a question need no more.

    python benchmarks/teacher_plan.py --questions 312500 --budget 32
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.records import PoolQuestion

TEACHER = {
    "backend": "openai",
    "model": "m",
    "base_url": "http://127.0.0.1:9/v1",
    "api_key_env": "NO_KEY",
    "temperature": 1.0,
    "max_tokens": 512,
    "concurrency": 64,
    "timeout": 60.0,
    "retries": 5,
    "max_malformed": 0.5,
    "price": {"input": 0.5, "output": 2.0},
    "embedded": {"a": 1.0, "b": 1.0, "never": 0.0, "slip": 0.0, "miss": 0.0, "false_alarm": 0.0},
}


def write_pool(path: Path, questions: int) -> None:
    """Write a pool of made-up questions, a row group at a time."""
    schema = PoolQuestion.arrow_schema()
    row = PoolQuestion(
        density=2.0, question_id="", rank=0, strategy="density", round=0, question="", answer="Person",
        answer_aliases=[], title="Town", page_id=1, revision_id=1, log10_density=2.0, acceptance=1.0, group=0,
    ).model_dump()  # fmt: skip
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, questions, 50_000):
            rows = [
                row
                | {
                    "question_id": f"q{i}",
                    "rank": i,
                    "question": f"Who leads Town {i} of the third province?",
                }
                for i in range(start, min(start + 50_000, questions))
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def planned(folder: Path, budget: int) -> dict[str, float]:
    """Plan one stage in a process of its own; return what it says of itself."""
    run = subprocess.run(
        [sys.executable, __file__, "--inside", str(folder), "--budget", str(budget)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(run.stdout)
    return found


def inside(folder: Path, budget: int) -> None:
    """Look at one stage, and print requests, missing ones, seconds and peak memory."""
    import os

    from stages.teacher.plan_command import Stage, look

    os.chdir(folder)
    os.environ["SEEDBED_STORE"] = str(folder / "store.sqlite")
    arguments = f"--pool pool.parquet --budget {budget} --out ledger.parquet --metrics m.json".split()
    started = time.perf_counter()
    (found,) = look(Stage("respond", "respond", arguments, frozenset()), frozenset()).looks
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    seconds = time.perf_counter() - started
    print(json.dumps({"requests": found.requests, "missing": found.missing, "s": seconds, "peak": peak}))


@click.command()
@click.option("--questions", default=312_500)
@click.option("--budget", default=32)
@click.option("--inside", "within", type=click.Path(path_type=Path), hidden=True)
def main(questions: int, budget: int, within: Path | None) -> None:
    """Plan the responses to many questions."""
    if within:
        inside(within, budget)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_pool(folder / "pool.parquet", questions)
        (folder / "params.yaml").write_text(yaml.safe_dump({"seed": 0, "teacher": TEACHER}))
        print("| requests | missing | s | requests/s | peak, GiB |\n|---|---|---|---|---|")
        for rollouts in (budget // 4, budget):
            row = planned(folder, rollouts)
            n, missing, seconds = row["requests"], row["missing"], row["s"]
            print(f"| {n:,} | {missing:,} | {seconds:.0f} | {n / seconds:,.0f} | {row['peak']:.2f} |")


if __name__ == "__main__":
    main()
