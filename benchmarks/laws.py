"""How long it takes to fit the laws to the published curves, beside scipy from the same starts.

Rival: `scipy.optimize.least_squares` (trust-region reflective, exact Jacobian) once from every start of the
law, inside the same box, its best end kept: what `curve_fit` with several starts does. It runs on every n-th
curve in the same process and is scaled to all of them. CPU time of one thread. "as low" is the share of the
rival's fits whose minimum ours reaches within 1e-6 of the sum of squares. The last line times the whole verb
`backtest`: every law below every cut-off, with profile, bootstrap and calibrated intervals.

    python benchmarks/laws.py --curves flan.csv --curves gigaword.csv --every 10
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.laws.curves import Law, all_laws
from stages.laws.least_squares import Means, Surface, average
from stages.laws.published import Published, read


def rival(law: Law, means: Means) -> float:
    """Return the lowest sum of squares that scipy finds."""
    from scipy.optimize import least_squares

    low, high = law.box(means.r, means.loss)
    costs = []
    for start in law.starts(means.r, means.loss):
        found = least_squares(
            lambda phi: law.log_loss(phi, means.r) - means.y,
            np.clip(start, low + 1e-9, high - 1e-9),
            jac=lambda phi: law.gradient(phi, means.r),
            bounds=(low, high),
            xtol=1e-12,
            ftol=1e-12,
            gtol=1e-12,
        )
        costs.append(2 * float(found.cost))
    return min(costs)


def ours(law: Law, curve: Published) -> float:
    """Return the lowest sum of squares of the batched descents."""
    means, within = average(curve.points)
    return Surface(law, means, within).minimise().squares


@click.command()
@click.option("--curves", type=click.Path(exists=True, path_type=Path), multiple=True, required=True)
@click.option("--every", type=click.IntRange(min=1), default=10, help="The rival fits every n-th curve.")
def main(curves: tuple[Path, ...], every: int) -> None:
    """Print Markdown: seconds of CPU for all curves, ours and the rival's, law by law."""
    measured = [c for path in curves for c in read(path.read_text(), path.stem, str(path))]
    click.echo(
        "| law | starts | ours, s | least_squares, s | faster | as low |\n|---|---:|---:|---:|---:|---:|"
    )
    for j in range(4):
        start = time.process_time()
        found = [ours(all_laws(c.base_loss)[j], c) for c in measured]
        mine = time.process_time() - start
        start = time.process_time()
        best = [rival(all_laws(c.base_loss)[j], average(c.points)[0]) for c in measured[::every]]
        theirs = (time.process_time() - start) * len(measured) / len(best)
        law, means = all_laws(measured[0].base_loss)[j], average(measured[0].points)[0]
        low = np.mean([a <= b * (1 + 1e-6) for a, b in zip(found[::every], best, strict=True)])
        starts = len(law.starts(means.r, means.loss))
        click.echo(
            f"| {law.name} | {starts} | {mine:.2f} | {theirs:.1f} | {theirs / mine:.0f}× | {low:.0%} |"
        )
    with tempfile.TemporaryDirectory() as folder:
        flags = [part for path in curves for part in ("--curves", str(path))]
        begin = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "stages.backtest", *flags, "--out", folder],
            cwd=Path(__file__).parents[1],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    click.echo(f"\n`backtest` of {len(measured)} curves: {time.perf_counter() - begin:.1f} s wall")


if __name__ == "__main__":
    main()
