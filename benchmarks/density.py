"""How long the k-NN density takes, how exact it is, and what a grown pool costs again.

Each estimate runs in a fresh process, whose peak memory is read. Rival: scikit-learn's brute-force
`NearestNeighbors` on 100,000 points in the same run: a sample of 2,500 queries × 40, and for another size n
× (n / 100,000)². Clustered points lie on 200 planes of 10 dimensions; isotropic points are the worst case for
approximate search. Recall is measured on 500 points by brute force. Prints Markdown; draws the time of a
round against the size of the pool.

    python benchmarks/density.py --sizes 10000,100000,1000000
"""

import json
import multiprocessing
import resource
import sys
import time
from pathlib import Path

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.knowledge.neighbours import Neighbours

K, D, INTRINSIC, CLUSTERS = 16, 32, 10, 200
GROWTH = 0.05  # of the pool, a round
RIVAL, QUERIES = 100_000, 2_500


def clustered(n: int, d: int) -> np.ndarray:
    """Return n unit-norm points on planes of `INTRINSIC` dimensions through `CLUSTERS` centres."""
    rng = np.random.default_rng(0)
    inner = min(INTRINSIC, d)
    points = np.empty((n, d))
    group = np.sort(rng.integers(CLUSTERS, size=n))
    for cluster in range(CLUSTERS):
        rows = group == cluster
        plane = np.linalg.qr(rng.standard_normal((d, inner)))[0]
        within = 0.7 * rng.standard_normal((np.count_nonzero(rows), inner)) @ plane.T
        points[rows] = rng.standard_normal(d) + within
    return rng.permutation(points / np.linalg.norm(points, axis=1, keepdims=True))


def isotropic(n: int, d: int) -> np.ndarray:
    """Return n standard normal points."""
    return np.random.default_rng(0).standard_normal((n, d))


POINTS = {"clustered": clustered, "isotropic": isotropic}


def estimate(kind: str, n: int, d: int) -> dict[str, float]:
    """Time a whole estimate of n points, then a round that adds 5 %; measure recall after each."""
    points = POINTS[kind](n + int(GROWTH * n), d)
    for below in (10, 1000):  # imports both searches
        Neighbours(K, d, exact_below=below).add(points[:100])
    found, rng = Neighbours(K, d), np.random.default_rng(1)
    start = time.perf_counter()
    found.add(points[:n])
    whole, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    recall = found.recall(500, rng)
    start = time.perf_counter()
    found.add(points[n:])
    return {
        "full_s": whole,
        "peak_gib": peak,
        "recall": recall,
        "round_s": time.perf_counter() - start,
        "recall_after": found.recall(500, rng),
    }


def rival(kind: str, d: int) -> dict[str, float]:
    """Time scikit-learn's brute force on `RIVAL` points."""
    from sklearn.neighbors import NearestNeighbors

    points = POINTS[kind](RIVAL, d)
    search = NearestNeighbors(n_neighbors=K + 1, algorithm="brute").fit(points)
    search.kneighbors(points[:100])
    start = time.perf_counter()
    search.kneighbors(points[:QUERIES])
    return {"full_s": (time.perf_counter() - start) * RIVAL / QUERIES}


@click.command()
@click.option("--sizes", default="10000,100000", show_default=True, help="Numbers of points, with commas.")
@click.option("--kinds", default="clustered,isotropic", show_default=True, help="Kinds of points.")
@click.option("-d", "d", type=click.IntRange(min=1), default=D, show_default=True, help="Dimension.")
@click.option("--raw", type=click.Path(path_type=Path), help="JSON of finished measurements, to resume from.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    default=Path(__file__).with_name("density-rounds.svg"),
    help="SVG to write.",
)
def main(sizes: str, kinds: str, d: int, raw: Path | None, plot: Path) -> None:
    """Print a table of times, memory and recall."""
    done = json.loads(raw.read_text()) if raw and raw.exists() else {}
    context = multiprocessing.get_context("spawn")

    def measured(name: str, work: object, *of: object) -> dict[str, float]:
        if name not in done:
            with context.Pool(1) as pool:
                done[name] = pool.apply(work, of)  # type: ignore[arg-type]
            if raw:
                raw.write_text(json.dumps(done, indent=1))
        return done[name]

    click.echo("| points | n | full, s | brute force, s | faster | peak, GiB | recall@16 |")
    click.echo("|---|---|---|---|---|---|---|")
    rounds: dict[str, list[tuple[int, float, float]]] = {}
    grown = []
    for kind in kinds.split(","):
        brute = measured(f"{kind} {d} brute", rival, kind, d)["full_s"]
        for n in map(int, sizes.split(",")):
            r = measured(f"{kind} {d} {n}", estimate, kind, n, d)
            against = brute * (n / RIVAL) ** 2
            click.echo(
                f"| {kind} | {n:,} | {r['full_s']:.2f} | {against:.1f} | {against / r['full_s']:.1f}× | "
                f"{r['peak_gib']:.2f} | {r['recall']:.3f} |"
            )
            rounds.setdefault(kind, []).append((n, r["full_s"], r["round_s"]))
            grown.append(
                f"| {kind} | {n:,} | {r['round_s']:.2f} | {r['round_s'] / r['full_s']:.1%} | "
                f"{r['recall_after']:.3f} |"
            )
    click.echo("\n| points | n | round of +5 %, s | of a full estimate | recall@16 after |")
    click.echo("\n".join(["|---|---|---|---|---|", *grown]))
    draw(rounds, d, plot)


def draw(rounds: dict[str, list[tuple[int, float, float]]], d: int, path: Path) -> None:
    """Draw the seconds of a full estimate and of a round against the size of the pool."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "seedbed"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(5, 3.5), layout="constrained")
    for number, (kind, rows) in enumerate(rounds.items()):
        n, full, again = zip(*rows, strict=True)
        axes.loglog(n, full, "o-", color=f"C{number}", label=f"{kind}, full estimate")
        axes.loglog(n, again, "o--", color=f"C{number}", label=f"{kind}, round of +5 %")
    axes.set(xlabel="points in the pool", ylabel="seconds", title=f"k-NN density, d = {d}, k = {K}, 2 cores")
    axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
