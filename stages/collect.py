"""Collect the fixed source of one domain: its seed questions or problems as they are, checked and ranked."""

from collections import Counter
from pathlib import Path

import click

from stages import benchmarks, files, grid, params
from stages.benchmarks import reading as benchmark_files
from stages.errors import BadInput
from stages.problems import reading, source
from stages.records import PoolQuestion, SeedQuestion


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    collect: source.Config
    benchmarks: benchmarks.Config


FOUND, PATH = click.Path(exists=True, path_type=Path), click.Path(path_type=Path)

NEEDED = {"knowledge": "--questions", "mathematics": "--problems", "physics": "--problems", "mixed": "--pool"}


@click.command()
@click.option("--domain", required=True, help=f"One of {', '.join(grid.SOURCES)}.")
@click.option("--questions", type=FOUND, help="Seed questions, Parquet; for knowledge.")
@click.option("--problems", type=FOUND, help="Problems, file or folder; for mathematics and physics.")
@click.option("--pool", "pools", type=FOUND, multiple=True, help="Pool to merge, Parquet; for mixed.")
@click.option("--out", type=PATH, required=True, help="Pool to write, Parquet.")
@click.option("--metrics", type=PATH, required=True, help="JSON of counts by reason.")
def main(
    domain: str,
    questions: Path | None,
    problems: Path | None,
    pools: tuple[Path, ...],
    out: Path,
    metrics: Path,
) -> None:
    """Draw the source of DOMAIN at random; verify, deduplicate and decontaminate problems."""
    if domain not in grid.SOURCES:
        raise BadInput(f"domain '{domain}': none of {', '.join(grid.SOURCES)}")
    p = params.load(Params)
    size, seed = p.collect.questions, p.seed
    reasons: Counter[str] = Counter()
    if domain == "mixed" and pools:
        rows = source.mixed([files.read_parquet(pool, PoolQuestion) for pool in pools], seed)
        read = len(rows)
    elif domain == "knowledge" and questions:
        asked = files.read_parquet(questions, SeedQuestion)
        rows, read = source.of_questions(asked, size, seed), len(asked)
    elif domain in ("mathematics", "physics") and problems:
        found = reading.read(problems)
        items = benchmark_files.read(p.benchmarks, domain)
        kept, reasons = source.sift(found, domain, items, p.collect)
        rows, read = source.of_problems(kept, domain, size, seed), len(found)
    else:
        raise BadInput(f"domain '{domain}': give {NEEDED[domain]}")
    files.write_parquet(out, rows, PoolQuestion)
    counts = {"domain": domain, "read": read, "questions": len(rows)}
    files.write_json(metrics, counts | {"rejected": dict(sorted(reasons.items()))})
    click.echo(f"{out}: {len(rows)} of {read} questions of {domain}; {reasons.total()} rejected")


if __name__ == "__main__":
    main()
