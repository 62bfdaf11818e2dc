"""Make the pool of one density target."""

from pathlib import Path

import click

from stages import files, knowledge, params
from stages.grid import DENSITY
from stages.knowledge import pool
from stages.records import KnowledgePoint, PoolQuestion, SeedQuestion


class Params(params.Section):
    """What this verb reads from params.yaml."""

    seed: int
    knowledge: knowledge.Config
    synthesize: pool.Config


@click.command()
@click.option(
    "--questions", type=click.Path(exists=True, path_type=Path), required=True, help="Source, Parquet."
)
@click.option(
    "--points", type=click.Path(exists=True, path_type=Path), required=True, help="Points, Parquet."
)
@click.option("--density", type=DENSITY, required=True, help="Target, dex: mean log10 knowledge density.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Pool to write, Parquet.")
@click.option("--metrics", type=click.Path(path_type=Path), required=True, help="JSON of how it was reached.")
def main(questions: Path, points: Path, density: float, out: Path, metrics: Path) -> None:
    """Choose the pool whose knowledge density is DENSITY."""
    p = params.load(Params)
    located = files.read_parquet(points, KnowledgePoint)
    known = {point.question_id for point in located}
    source = [row for row in files.read_parquet(questions, SeedQuestion) if row.question_id in known]
    rows, trace = pool.steer(source, located, density, p.synthesize, p.knowledge.neighbours, p.seed)
    files.write_parquet(out, rows, PoolQuestion)
    files.write_json(metrics, {k: round(v, 4) for k, v in trace._asdict().items()})
    click.echo(
        f"{out}: {len(rows)} of {len(source)} questions at {trace.reached:.3f} dex "
        f"(target {density}, reachable {trace.lowest:.2f} to {trace.highest:.2f})"
    )


if __name__ == "__main__":
    main()
