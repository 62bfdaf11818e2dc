"""Peak memory of training's data path on a training set and on one with ten times the rows.

Both are streamed from Parquet, encoded onto disk, ordered for one pass over them, and their batches made as
the trainer asks for them, without the model: its memory is the same for both. The tokenizer is one trained on
the spot, so nothing is downloaded.

    python benchmarks/train_memory.py [--rows 100000]
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import click
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.records import TrainingExample

_GROUP = 65_536  # rows of a row group
_WHY = "It rises near the old town and flows through the valley to the sea, as the survey says. " * 3
_RESPONSES = 8  # rows a question

RUN = """
import resource, sys, tempfile, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from stages import files
from stages.records import TrainingExample
from stages.student import Train, encoding, modelling, packing, showing, tokenizing
import torch, transformers, trl
texts = [f"what is the length of river {n} {n} km\\n{sys.argv[3]}" for n in range(300)]
tokenizer = tokenizing.train_tokenizer(texts, 600)
begin = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    batches = files.stream_parquet(Path(sys.argv[1]), TrainingExample)
    rows = encoding.encode(batches, tokenizer, 512, Path(folder))
    encoded = time.perf_counter()
    train = Train(steps=1, batch=64, weight_decay=0, warmup=0, max_length=512, seeds=(0,))
    tokens = int(rows.lengths.sum())
    shown = showing.show(rows, train, 0, tokens=tokens)
    parts = packing.Parts(shown, 16)
    seen = sum(int((packing.packed(part, 0, 512)["labels"] != encoding.IGNORED).sum()) for part in parts)
    assert seen == shown.completion_tokens()
    done = time.perf_counter()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(len(rows), tokens, encoded - begin, done - encoded, peak)
"""


def write_rows(path: Path, count: int) -> None:
    """Write a training set of `count` rows, eight a question, of about 60 words each."""
    schema = TrainingExample.arrow_schema()
    with pq.ParquetWriter(path, schema, compression="zstd") as out:
        for start in range(0, count, _GROUP):
            asked = "What is the length of river"
            rows = [
                {
                    "strategy": "density",
                    "density": 4.0,
                    "teacher": "teacher",
                    "share": 1.0,
                    "budget": _RESPONSES,
                    "protocol": "rejection_sampling",
                    "matched": "samples",
                    "question_id": f"{n // _RESPONSES:016x}",
                    "rollout": n % _RESPONSES,
                    "prompt": [{"role": "user", "content": f"{asked} {n // _RESPONSES}?"}],
                    "completion": [{"role": "assistant", "content": f"{n} km\n{_WHY}"}],
                }
                for n in range(start, min(count, start + _GROUP))
            ]
            out.write_table(pa.Table.from_pylist(rows, schema=schema))


@click.command()
@click.option("--rows", default=100_000, show_default=True, help="Rows of the small training set.")
def main(rows: int) -> None:
    """Print speed and peak resident memory for ROWS and ten times ROWS rows, and the ratio of the peaks."""
    click.echo(f"{'rows':>10} {'tokens':>12} {'encoded/s':>10} {'shown/s':>10} {'peak MiB':>9}")
    peaks = []
    root = str(Path(__file__).parents[1])
    for times in (1, 10):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.parquet"
            write_rows(path, rows * times)
            command = [sys.executable, "-c", RUN, str(path), root, _WHY]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        count, tokens, encoding, showing, peak = map(float, done.stdout.split())
        peaks.append(peak)
        speeds = f"{count / encoding:10,.0f} {count / showing:10,.0f}"
        click.echo(f"{int(count):10,} {int(tokens):12,} {speeds} {peak:9.0f}")
    click.echo(f"peak of ten times the rows to that of the rows: {peaks[1] / peaks[0]:.2f}")


if __name__ == "__main__":
    main()
