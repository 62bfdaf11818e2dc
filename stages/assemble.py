"""Cut training sets: what a protocol makes of the teacher's calls about a share of a pool within a budget."""

from pathlib import Path
from typing import Any

import click
from pydantic import Field

from stages import files, params, protocols, student
from stages.errors import BadInput
from stages.grid import CUT, PLAIN, TARGET, Coordinate, Cut, Target
from stages.protocols import card, cutting, ledger
from stages.records import Response, TrainingExample
from stages.student import prompting
from stages.teacher import client

READ = click.Path(exists=True, path_type=Path)
WRITTEN = click.Path(path_type=Path)


class Params(params.Section):
    """What this verb reads from params.yaml; the dataset card states the teacher and the training compute."""

    teacher: client.Config
    teachers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    train: student.Train


@click.command()
@click.option("--responses", type=READ, required=True, help="Ledger, Parquet.")
@click.option("--target", type=TARGET, required=True, help="Target of the pool: dex, or a strategy.")
@click.option("--teacher", default=PLAIN.teacher, help="The ledger's: `teacher`, or a name under `teachers`.")
@click.option(
    "--protocol",
    type=Coordinate(protocols.parse, "protocol"),
    default=PLAIN.protocol,
    help="What is made of the calls: rejection_sampling, majority_vote, …",
)
@click.option(
    "--matched",
    type=click.Choice(["samples", "tokens"]),
    default=PLAIN.matched,
    help="Held equal between protocols: calls per question, or the teacher tokens that --reference spends.",
)
@click.option(
    "--reference", type=READ, help="The same pool's ledger of rejection_sampling, for matched tokens."
)
@click.option(
    "--cut",
    "cuts",
    type=CUT,
    multiple=True,
    required=True,
    help="SHARExBUDGET, such as 0.25x4; may be repeated.",
)
@click.option(
    "--out", "outs", type=WRITTEN, multiple=True, required=True, help="A cut's training set, Parquet."
)
@click.option("--card", "cards", type=WRITTEN, multiple=True, required=True, help="A cut's dataset card.")
def main(
    responses: Path,
    target: Target,
    teacher: str,
    protocol: protocols.Protocol,
    matched: str,
    reference: Path | None,
    cuts: tuple[Cut, ...],
    outs: tuple[Path, ...],
    cards: tuple[Path, ...],
) -> None:
    """Keep what PROTOCOL accepts among the first BUDGET calls about a SHARE of the questions."""
    p = params.load(Params)
    config = client.named(p.teacher, p.teachers, teacher)
    if not len(cuts) == len(outs) == len(cards):
        counts = f"--cut is given {len(cuts)} times, --out {len(outs)}, --card {len(cards)}"
        raise BadInput(f"{counts}; give one --out and one --card for each --cut")
    if (matched == "tokens") != (reference is not None):
        raise BadInput("--matched tokens and --reference go together: give both or neither")
    rows = files.read_parquet(responses, Response)
    ledger.check(rows, protocol, teacher, str(responses))
    plain = files.read_parquet(reference, Response) if reference else None
    if plain is not None:
        ledger.check(plain, protocols.PLAIN, teacher, str(reference))
    sets = [cutting.training_set(rows, plain, protocol, cut, prompting.completion) for cut in cuts]
    for cut, out, card_path, (drawn, kept) in zip(cuts, outs, cards, sets, strict=True):
        files.write_parquet(out, kept, TrainingExample)
        figures = card.facts(drawn, kept, cut, target, protocol, matched)
        simulated = config.backend == "embedded"
        text = card.card(figures, config.model, simulated, protocol, p.train.steps, p.train.batch)
        files.write_text(card_path, text)
        click.echo(f"{out}: kept {len(kept)} of {len(drawn)} responses to {figures['questions']} questions")


if __name__ == "__main__":
    main()
