"""How many answers a second the graders of mathematics and physics take, and the slowest of hostile ones.

Rival in the same run: the second opinion, which knows no algebra and converts no unit. CPU time, one thread.

    python benchmarks/grading.py
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from stages.grading import mathematics, quantities

BOMBS = [
    r"\frac{1}{0}",
    "9" * 10_000,
    "9^{9^{9^{9}}}",
    r"\frac{" * 500 + "1" + "}{2}" * 500,
    r"\sqrt{" * 500 + "2" + "}" * 500,
    r"\int_0^1 x^{x^{x}} dx",
    "(" * 2_000 + "1" + ")" * 2_000,
    r"\sum_{k=1}^{10^{12}} \frac{1}{k}",
    "100000!",
    r"\binom{10^9}{10^8}",
]


def rate(grade: Callable[[int], bool], n: int) -> float:
    """Return answers per second of CPU; every answer is another one."""
    begin = time.process_time()
    for i in range(n):
        grade(i)
    return n / (time.process_time() - begin)


@click.command()
def main() -> None:
    """Print answers per second, and the slowest hostile answer."""
    mathematics.equal(r"\frac{1}{2}", r"\frac{2}{4}")  # imports are paid here
    quantities.equal("1 km", "1000", "m")
    metres = r"$\mathrm{~m} / \mathrm{s}$"
    cases: dict[str, tuple[Callable[[int], bool], int]] = {
        "mathematics, plain integers": (lambda i: mathematics.equal(str(i), "72"), 50_000),
        "mathematics, expressions, each once": (lambda i: mathematics.equal(f"{i}x+1", "x+7"), 200),
        "mathematics, second opinion": (lambda i: mathematics.second_opinion(f"{i}x+1", "x+7"), 20_000),
        "physics, same unit": (lambda i: quantities.equal(f"{i} m/s", "12", metres), 20_000),
        "physics, converted unit": (lambda i: quantities.equal(f"{i} km/h", "12", metres), 5_000),
        "physics, second opinion": (lambda i: quantities.second_opinion(f"{i} m/s", "12", metres), 20_000),
    }
    for name, (grade, n) in cases.items():
        click.echo(f"{name}: {rate(grade, n):,.0f} answers/s")
    slowest = 0.0
    for bomb in BOMBS:
        begin = time.perf_counter()
        assert not mathematics.equal(bomb, "7")
        assert not quantities.equal(bomb, "7", "m")
        slowest = max(slowest, time.perf_counter() - begin)
    click.echo(f"{len(BOMBS)} hostile answers: none accepted, the slowest {slowest:.2f} s")


if __name__ == "__main__":
    main()
