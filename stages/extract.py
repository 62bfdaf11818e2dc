"""Read a Wikipedia dump into clean articles with facts, categories and aliases."""

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from stages import files
from stages.errors import BadInput
from stages.progress import Progress

FILE = click.Path(path_type=Path)


def _sources(dump: Path, out: Path) -> list[Path]:
    """Return the dump's files, after making sure that replacing `out` destroys nothing of the user's."""
    found = sorted(dump.glob("*.parquet")) if dump.is_dir() else [dump]
    if not found or not all(path.is_file() for path in found):
        raise BadInput(f"{dump}: no such file, or a folder without Parquet; give the path of a dump")
    if out.exists() and (not out.is_dir() or any(not p.match("part-*.parquet") for p in out.iterdir())):
        raise BadInput(f"{out}: holds other things than articles and would be replaced; give another --out")
    return found


@contextmanager
def _database(folder: Path, out: Path) -> Iterator[sqlite3.Connection]:
    """Yield a database in `folder`, which is removed again."""
    folder.mkdir()
    try:
        with closing(sqlite3.connect(folder / "catalog.sqlite")) as connection:
            yield connection
    except sqlite3.OperationalError as error:
        raise BadInput(f"{out}: cannot write: {error}; nothing was changed") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _progress(found: Iterable[Any], counts: Counter[str]) -> Iterator[Any]:
    """Pass everything on, saying how far it is."""
    report = Progress("pages")
    for row in found:
        yield row
        report(counts["pages"], 0)


@click.command()
@click.option("--dump", type=FILE, required=True, help="MediaWiki XML, Parquet or JSON rows {title, text}.")
@click.option("--out", type=FILE, required=True, help="Folder of articles to write.")
@click.option("--shard-rows", type=click.IntRange(min=1), default=10_000, help="Articles per file.")
def main(dump: Path, out: Path, shard_rows: int) -> None:
    """Turn a DUMP's main-namespace pages into clean articles, in page order, in constant memory."""
    import pyarrow.parquet as pq

    from stages.wiki import articles, catalog, markup, sources

    paths, counts = _sources(dump, out), Counter[str]()
    with files.replacing_folder(out) as folder:
        with _database(folder / ".catalog", out) as connection:
            everything = catalog.Catalog(connection)
            pages = (page for path in paths for page in sources.read_file(path, markup.MAX_WIKITEXT))
            everything.add(_progress(articles.sort_out(pages, counts), counts))
            for number, shard in enumerate(catalog.shards(everything.rows(counts), shard_rows)):
                part = folder / f"part-{number:05d}.parquet"
                with pq.ParquetWriter(part, catalog.SCHEMA, compression="zstd") as writer:
                    for rows in shard:
                        writer.write_table(rows)
        if not counts["articles"]:
            raise BadInput(f"{dump}: {articles.why_none(counts)}; give a pages-articles dump")
    click.echo(f"{out}: {articles.summary(counts)}")


if __name__ == "__main__":
    main()
