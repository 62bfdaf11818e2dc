"""Time and peak memory of `compare` on ledgers of 50 million responses, and of PyArrow on fewer.

The grid is the tests' planted one, its two ledgers replaced by generated ones with 16 rollouts a question, so
that every response counts in some cut, and with texts as long as real ones. Each measurement is a process of
its own, start and imports included. Rival, on the ledgers' first part: PyArrow reads the same columns whole
and groups them cut by cut, without asking whether a rollout is missing or there twice.

    python benchmarks/compare.py --folder /var/tmp/ledgers
"""

import multiprocessing
import os
import resource
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

ROLLOUTS, QUESTIONS = 16, 62_500  # of a question; of a row group
TEXTS, WORDS = 20_000, ("the", "river", "of", "symbol", "mountain", "element", "near", "largest", "is", "in")
LEDGERS = tuple(f"datasets/responses/{density}.parquet" for density in (2.0, 3.0))
FIGURES = ("accepted", "covered", "prompt_tokens")  # that both must agree on


def write_ledger(path: Path, density: float, responses: int) -> None:
    """Write one ledger in row groups of a million responses, in the order of `respond`."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from stages.records import Response

    schema, rng = Response.arrow_schema(), np.random.default_rng(0)

    def text(words: int) -> str:
        return " ".join(rng.choice(WORDS, words))

    answers, rationales = (pa.array([text(words) for _ in range(TEXTS)]) for words in (2, 12))
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for first in range(0, responses // ROLLOUTS, QUESTIONS):
            ranks = np.arange(first, min(first + QUESTIONS, responses // ROLLOUTS))
            asked = pa.array(np.repeat(ranks - first, ROLLOUTS))
            n = len(asked)
            accepted = rng.random(n) < np.repeat(rng.beta(0.7, 0.9, len(ranks)), ROLLOUTS)
            prompt_tokens = np.repeat(rng.integers(30, 90, len(ranks)), ROLLOUTS)
            completion_tokens = rng.integers(10, 60, n)
            keys = pa.py_buffer(rng.bytes(32 * n).hex().encode())
            same = {"strategy": "density", "density": density, "domain": "knowledge", "teacher": "teacher"}
            same |= {"protocol": "rejection_sampling", "step": "answer", "score": None}
            columns = {
                "question_id": pa.array(
                    [f"{rank * 0x9E3779B97F4A7C15 % 2**64:016x}" for rank in ranks.tolist()]
                ),
                "question": pa.array([f"{text(8)} {rank}?" for rank in ranks.tolist()]),
            }
            columns = {name: values.take(asked) for name, values in columns.items()} | {
                "rank": np.repeat(ranks, ROLLOUTS),
                "rollout": np.tile(np.arange(ROLLOUTS), len(ranks)),
                "answer": answers.take(pa.array(rng.integers(0, TEXTS, n))),
                "rationale": rationales.take(pa.array(rng.integers(0, TEXTS, n))),
                "accepted": accepted,
                "reason": pa.array(["wrong_answer", "accepted"]).take(pa.array(accepted.astype(int))),
                "prompt_tokens": prompt_tokens,
                "completion_tokens": completion_tokens,
                "cost_usd": 0.15e-6 * prompt_tokens + 0.6e-6 * completion_tokens,
                "request_key": pa.StringArray.from_buffers(
                    n, pa.py_buffer(np.arange(0, 64 * n + 1, 64, dtype=np.int32)), keys
                ),
            }
            columns |= {name: pa.repeat(pa.scalar(v, schema.field(name).type), n) for name, v in same.items()}
            file.write_table(pa.table([pa.array(columns[name]) for name in schema.names], schema=schema))


def prepare(folder: Path, responses: int) -> None:
    """Write the planted grid with two generated ledgers of half as many responses each."""
    import planted_files
    import planted_grid

    planted_files.write(folder)
    for density, name in zip(planted_grid.DENSITIES, LEDGERS, strict=True):
        write_ledger(folder / name, density, responses // 2)


def compare(folder: Path) -> None:
    """Run the verb."""
    import planted_files

    from stages import compare

    os.chdir(folder)
    compare.main(planted_files.COMPARE, standalone_mode=False)


def draws(path: Path) -> list[list[int]]:
    """Aggregate one ledger as the verb does."""
    import planted_grid

    from stages.tables import ledgers

    found = ledgers.draws([path], planted_grid.CUTS).select(FIGURES).to_pylist()
    return [[row[name] for name in FIGURES] for row in found]


def rival(path: Path) -> list[list[int]]:
    """Aggregate one ledger in memory, its columns read whole."""
    import math

    import planted_grid
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from stages.tables.ledgers import COLUMNS

    table, found = pq.read_table(path, columns=list(COLUMNS)), []
    questions = pc.max(table["rank"]).as_py() + 1
    for cut in sorted(planted_grid.CUTS, key=lambda cut: (-cut.share, cut.budget)):
        inside = pc.less(table["rank"], math.ceil(cut.share * questions))
        paid = table.filter(pc.and_(inside, pc.less(table["rollout"], cut.budget)))
        sums = [(name, "sum") for name in ("accepted", "prompt_tokens", "completion_tokens", "cost_usd")]
        total = paid.group_by(list(COLUMNS[:4])).aggregate([*sums, ("rollout", "count")]).to_pylist()[0]
        covered = len(paid.filter(paid["accepted"]).group_by("question_id").aggregate([]))
        found.append([total["accepted_sum"], covered, total["prompt_tokens_sum"]])
    return found


def with_peak(work: Callable[..., Any], *of: Any) -> tuple[float, Any]:
    """Return this process's peak memory after some work, GiB, and the work's result."""
    result = work(*of)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, result


def measured(work: Callable[..., Any], *of: Any) -> tuple[float, float, Any]:
    """Run work in a process of its own; return seconds, its start included, peak GiB and the result."""
    start = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        peak, result = pool.apply(with_peak, (work, *of))
    return time.perf_counter() - start, peak, result


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Made, filled and removed.")
@click.option("--responses", default=50_000_000, show_default=True, help="Of both ledgers.")
@click.option("--rival", "fewer", default=10_000_000, show_default=True, help="Of PyArrow's ledger.")
def main(folder: Path, responses: int, fewer: int) -> None:
    """Print a table of times and peak memory."""
    folder.mkdir(parents=True)
    part = folder / "part.parquet"
    try:
        measured(prepare, folder, responses)
        measured(write_ledger, part, 2.0, fewer)
        size = sum((folder / name).stat().st_size for name in LEDGERS) / 2**30
        whole, ours, theirs = measured(compare, folder), measured(draws, part), measured(rival, part)
    finally:
        shutil.rmtree(folder)
    if ours[2] != theirs[2]:
        raise click.ClickException(f"PyArrow counts otherwise: {theirs[2]}, not {ours[2]}")
    click.echo("| what | responses | seconds | peak, GiB |\n|---|---|---|---|")
    click.echo(f"| compare ({size:.1f} GiB of Parquet) | {responses:,} | {whole[0]:.1f} | {whole[1]:.2f} |")
    click.echo(f"| its reading of a ledger | {fewer:,} | {ours[0]:.1f} | {ours[1]:.2f} |")
    click.echo(f"| PyArrow, the same figures | {fewer:,} | {theirs[0]:.1f} | {theirs[1]:.2f} |")
    click.echo(f"\nPyArrow: {theirs[0] / ours[0]:.1f}× the time and {theirs[1] / ours[1]:.1f}× the memory.")


if __name__ == "__main__":
    main()
