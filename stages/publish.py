"""Publish training sets: a folder in the Hugging Face layout, with dataset card and Croissant metadata."""

import re
from pathlib import Path

import click

from stages import files
from stages.errors import BadInput

FOUND, PATH = click.Path(exists=True, path_type=Path), click.Path(path_type=Path)
WIKIPEDIA = "cc-by-sa-4.0"  # of text derived from its articles


def check(out: Path, force: bool) -> None:
    """Refuse to write over anything but an output of this verb."""
    from stages.publication import writing

    if not (out.exists() or out.is_symlink()):
        return
    if out.is_symlink() or not writing.is_ours(out):
        raise BadInput(f"{out}: exists and is no output of `publish`; name a new folder")
    if not force:
        raise BadInput(f"{out}: exists; pass --force to replace it, or name a new folder")


@click.command()
@click.option("--data", type=FOUND, multiple=True, required=True, help="Training set, Parquet; repeat it.")
@click.option(
    "--card",
    "cards",
    type=FOUND,
    multiple=True,
    help="Its dataset card, one for each --data; by default the file beside it that ends in .md.",
)
@click.option(
    "--pool",
    "pools",
    type=FOUND,
    help="Pools, file or folder; by default the nearest datasets/pools above each set.",
)
@click.option("--title", default="Synthetic training sets", show_default=True, help="Title of the card.")
@click.option(
    "--license",
    help=f"As the hub names it; by default {WIKIPEDIA} where text derives from articles, else other.",
)
@click.option("--out", type=PATH, required=True, help="Folder to write.")
@click.option("--force", is_flag=True, help="Replace an earlier output of this verb.")
def main(
    data: tuple[Path, ...],
    cards: tuple[Path, ...],
    pools: Path | None,
    title: str,
    license: str | None,
    out: Path,
    force: bool,
) -> None:
    """Write each --data as a configuration that `datasets.load_dataset` reads, the first as the default."""
    from stages.publication import croissant, layout, text, writing
    from stages.tracing.reading import nearest

    if cards and len(cards) != len(data):
        raise BadInput(
            f"--card is given {len(cards)} times, --data {len(data)}; give one --card for each set"
        )
    if license is not None and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,63}", license):
        raise BadInput(f"license {license!r}: no identifier of the hub; write one such as {WIKIPEDIA}")
    check(out, force)
    names = [layout.config_name(writing.first(path)) for path in data]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise BadInput(f"--data: two sets are both {twice}; publish each once")
    with files.replacing_folder(out) as folder:
        sets = []
        for i, path in enumerate(data):
            told = writing.figures(cards[i] if cards else path.with_suffix(".md"))
            pool = pools or nearest(path, "datasets/pools")
            sets.append(writing.copy(path, told, writing.sources(path, pool) if pool else None, folder))
        made_of_text = any(one.sources is None or "knowledge" in one.sources.domains for one in sets)
        stated = license or (WIKIPEDIA if made_of_text else "other")
        (folder / layout.README).write_text(text.card(title, stated, sets), encoding="utf-8")
        described = croissant.document(title, text.description(sets), stated, sets)
        files.write_json(folder / layout.CROISSANT, described)
    examples = sum(one.examples for one in sets)
    click.echo(
        f"{out}: {len(sets)} configurations, {examples:,} examples, {sum(s.size for s in sets):,} bytes"
    )


if __name__ == "__main__":
    main()
