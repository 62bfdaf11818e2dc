"""Write the embedded dump and benchmarks from the fact tables: the same bytes on every run."""

from importlib import resources
from pathlib import Path

import click

from stages import files
from stages.benchmarks import KNOWLEDGE
from stages.problems import official_files as problem_files
from stages.world import dump, official_files, questions
from stages.world.fields import FIELDS, Entry, count_facts, parse_table


def read_tables() -> list[Entry]:
    """Return the rows of every fact table, fields in the order of `FIELDS`."""
    tables = resources.files("stages.world") / "tables"
    return [
        entry
        for name in FIELDS
        for entry in parse_table(name, (tables / f"{name}.csv").read_text(encoding="utf-8"))
    ]


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("datasets"),
    show_default=True,
    help="Folder that receives dump/, problems/ and benchmarks/.",
)
def main(out: Path) -> None:
    """Write the dump, the problems and the benchmarks under OUT/dump, OUT/problems and OUT/benchmarks."""
    entries = read_tables()
    pages = dump.pages(entries)
    compressed = dump.multistream(pages)
    with files.replacing(out / "dump" / "seedbed.xml.bz2") as temporary:
        temporary.write_bytes(compressed)
    asked = {name: questions.ask(entries, name) for name in KNOWLEDGE}
    written = official_files.files(asked) | problem_files.benchmark_files()
    written["README.md"] += problem_files.README.encode()
    for folder, contents in (("benchmarks", written), ("problems", problem_files.source_files())):
        with files.replacing_folder(out / folder) as temporary:
            for name, content in contents.items():
                (temporary / name).parent.mkdir(exist_ok=True)
                (temporary / name).write_bytes(content)
    click.echo(
        f"{out}: {len(entries):,} articles, {count_facts(entries):,} facts and {len(FIELDS)} fields in "
        f"{len(pages):,} pages ({len(compressed):,} bytes); {2 * problem_files.SOURCE} problems; "
        f"{sum(map(len, asked.values())) + sum(problem_files.ITEMS.values())} benchmark items"
    )


if __name__ == "__main__":
    main()
