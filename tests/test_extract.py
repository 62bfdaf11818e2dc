"""The verb `extract`: from a file to shards, or one clear line and nothing changed."""

import bz2
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from export_samples import HEAD, page

from stages import files
from stages.extract import main
from stages.records import Article, Fact

SHARED = Path(__file__).parents[2] / "shared" / "data"
XML = (
    HEAD
    + page("Gold", "Gold is {{nowrap|a [[metal]]}}. [[Category:Metals]]", 9)
    + page("Aurum", "#REDIRECT [[gold]]", 3)
    + page("Datei:Gold", "x", 4, ns="<ns>6</ns>")
    + page("Iron", "{{Infobox element|symbol=Fe}}Iron is a [[metal]].", 5)
    + "</mediawiki>"
)


def run(dump: Path, out: Path, *flags: str) -> Result:
    return CliRunner().invoke(main, ["--dump", str(dump), "--out", str(out), *flags])


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(bz2.compress(XML.encode()))
    return path


def test_dump_becomes_articles_in_page_order(dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "articles"
    result = run(dump, out)
    assert result.exit_code == 0, result.output
    assert result.output == (
        f"{out}: 2 articles, 1 redirects as aliases, 1 infobox facts; skipped: 1 other_namespace\n"
    )
    iron, gold = files.read_parquet(out, Article)
    assert (iron.title, iron.text, iron.facts) == (
        "Iron",
        "Iron is a metal.",
        [Fact(name="symbol", value="Fe")],
    )
    assert (gold.title, gold.text, gold.aliases) == ("Gold", "Gold is a metal.", ["Aurum"])
    assert (gold.page_id, gold.revision_id, gold.categories) == (9, 109, ["Metals"])
    assert [p.name for p in out.iterdir()] == ["part-00000.parquet"]


def test_rerun_is_byte_identical_and_replaces_old_shards(dump: Path, tmp_path: Path) -> None:
    out = tmp_path / "articles"
    run(dump, out, "--shard-rows", "1")
    first = {p.name: p.read_bytes() for p in out.iterdir()}
    assert sorted(first) == ["part-00000.parquet", "part-00001.parquet"]
    run(dump, out, "--shard-rows", "1")
    assert {p.name: p.read_bytes() for p in out.iterdir()} == first
    run(dump, out)
    assert [p.name for p in out.iterdir()] == ["part-00000.parquet"]


def test_file_of_unknown_extension_is_read_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "dump.dat").write_text(json.dumps([{"title": "Iron", "text": "A metal."}]))
    assert run(tmp_path / "dump.dat", tmp_path / "articles").exit_code == 0


def test_folder_of_parquet_shards_is_one_source(tmp_path: Path) -> None:
    folder = tmp_path / "20231101.en"
    folder.mkdir()
    for n in (1, 0):
        columns = {"id": [f"{5 - n}"], "url": ["u"], "title": [f"T{n}"], "text": ["Some text."]}
        pq.write_table(pa.table(columns), folder / f"train-0000{n}-of-00002.parquet")
    assert run(folder, tmp_path / "articles").exit_code == 0
    assert [a.page_id for a in files.read_parquet(tmp_path / "articles", Article)] == [4, 5]


def test_page_of_ten_megabytes_is_read_in_part_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "dump.xml").write_text(HEAD + page("Big", "Some words. " * 900_000) + "</mediawiki>")
    result = run(tmp_path / "dump.xml", tmp_path / "articles")
    assert "1 articles" in result.output
    assert "read in part: 1 cut_at_limit" in result.output
    (article,) = files.read_parquet(tmp_path / "articles", Article)
    assert len(article.text) == pytest.approx(500_000, rel=0.01)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "the file is empty"),
        (bz2.compress(XML.encode())[:-20], "truncated"),
        (b"<!DOCTYPE html><html></html>", "an HTML page"),
        ((HEAD + "</mediawiki>").encode(), "no page in it"),
        (
            (HEAD + page("Talk:A", "x", ns="<ns>1</ns>") + "</mediawiki>").encode(),
            "no main-namespace page among its 1",
        ),
        (
            (HEAD + page("A", "#REDIRECT [[B]]") + "</mediawiki>").encode(),
            "skipped: 1 redirect_to_no_article",
        ),
        ((XML[:-40]).encode(), "the XML is cut off"),
    ],
)
def test_bad_dump_is_refused_in_one_line_and_changes_nothing(
    dump: Path, tmp_path: Path, data: bytes, line: str
) -> None:
    out = tmp_path / "articles"
    run(dump, out)
    before = {p: p.read_bytes() for p in out.iterdir()}
    (tmp_path / "bad").write_bytes(data)
    result = run(tmp_path / "bad", out)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {tmp_path / 'bad'}: ") and line in result.output
    assert result.output.count("\n") == 1
    assert {p: p.read_bytes() for p in out.iterdir()} == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["articles", "bad", "dump.xml.bz2"]


def test_missing_dump_and_foreign_out_folder_are_refused(dump: Path, tmp_path: Path) -> None:
    assert "no such file" in run(tmp_path / "none.xml", tmp_path / "articles").output
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    result = run(dump, tmp_path / "thesis")
    assert result.exit_code == 1 and "holds other things than articles" in result.output
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


@pytest.fixture
def wide_dump(tmp_path: Path) -> Path:
    """An export of 100 articles, 0.9 MB, that hardly compresses."""
    text = " ".join(str(n * 2654435761 % 2**32) for n in range(90_000))
    pages = "".join(page(f"T{n}", text[n * 9000 : n * 9000 + 9000], n + 1) for n in range(100))
    (tmp_path / "dump.xml").write_text(HEAD + pages + "</mediawiki>")
    return tmp_path / "dump.xml"


@pytest.mark.slow
def test_full_disk_while_reading_is_one_line_and_leaves_nothing(wide_dump: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "stages.extract", "--dump", str(wide_dump), "--out", str(tmp_path / "a")]
    done = subprocess.run(
        command,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 1, done.stderr
    assert "cannot write" in done.stderr and done.stderr.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["dump.xml"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that holds the database of `wide_dump` but not its shard as well."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a tmpfs here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_full_disk_while_writing_is_one_line_and_leaves_nothing(wide_dump: Path, small_disk: Path) -> None:
    result = run(wide_dump, small_disk / "articles")
    assert result.exit_code == 1, result.output
    assert "No space left on device; nothing was changed" in result.output
    assert result.output.count("\n") == 1
    assert list(small_disk.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="needs the shared data")
@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("dumps/enwiki-shortened.xml.bz2", "106 articles, 13 redirects as aliases"),
        ("seeds/wikipedia_intros.json", "6,119 articles, 0 redirects as aliases"),
    ],
)
def test_shared_sources_are_read_whole(tmp_path: Path, name: str, line: str) -> None:
    assert line in run(SHARED / name, tmp_path / "articles").output
