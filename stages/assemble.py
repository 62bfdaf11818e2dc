"""Cut one training set: accepted responses to a share of a pool's questions within a response budget."""

from pathlib import Path

import click

from stages import files, params, student
from stages.grid import CUT, TARGET, Cut, Target
from stages.protocols import card, rejection_sampling
from stages.records import Response, TrainingExample
from stages.student import prompting
from stages.teacher import client


class Params(params.Section):
    """What this verb reads from params.yaml; the dataset card states the teacher and the training compute."""

    teacher: client.Config
    train: student.Train


@click.command()
@click.option(
    "--responses", type=click.Path(exists=True, path_type=Path), required=True, help="Ledger, Parquet."
)
@click.option("--target", type=TARGET, required=True, help="Target of the pool: dex, or a strategy.")
@click.option("--cut", type=CUT, required=True, help="SHARExBUDGET, such as 0.25x4.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Training set to write, Parquet.")
@click.option(
    "--card", "card_path", type=click.Path(path_type=Path), required=True, help="Dataset card to write."
)
def main(responses: Path, target: Target, cut: Cut, out: Path, card_path: Path) -> None:
    """Keep the verified responses among the first BUDGET draws of a SHARE of the questions."""
    p = params.load(Params)
    drawn = rejection_sampling.within(files.read_parquet(responses, Response), cut)
    kept = rejection_sampling.select(drawn, cut, prompting.completion)
    files.write_parquet(out, kept, TrainingExample)
    figures = card.facts(drawn, kept, cut, target)
    simulated = p.teacher.backend == "embedded"
    text = card.card(
        figures, p.teacher.model, simulated, rejection_sampling.NAME, p.train.steps, p.train.batch
    )
    files.write_text(card_path, text)
    click.echo(f"{out}: kept {len(kept)} of {len(drawn)} responses to {figures['questions']} questions")


if __name__ == "__main__":
    main()
