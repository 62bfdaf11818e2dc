"""The embedded dump: its format, its bytes, and what the dump reader makes of it."""

import bz2
import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from lxml import etree

from stages import files
from stages.records import Article
from stages.world import __main__ as command
from stages.world import dump
from stages.world.fields import FIELDS, parse_table

ROOT = Path(__file__).parents[1]
CHECKED_IN = ROOT / "datasets" / "dump" / "seedbed.xml.bz2"
ENTRIES = parse_table(
    "countries",
    "title,aliases,note,capital,continent,area_km2\n"
    "Gambia,The Gambia,One river & its banks.,Banjul,Africa,\n"
    "Georgia (country),Sakartvelo,,Tbilisi,Asia,69700\n",
) + parse_table("elements", "title,aliases,note,symbol,category\nIron,Ferrum,,Fe,transition metal\n")
NS = "{http://www.mediawiki.org/xml/export-0.11/}"


def streams(content: bytes) -> list[bytes]:
    found = []
    while content:
        one = bz2.BZ2Decompressor()
        found.append(one.decompress(content))
        content = one.unused_data
    return found


def test_the_dump_is_multistream_and_well_formed():
    pages = dump.pages(ENTRIES) + [dump.Page(2, f"User:{i}", "x") for i in range(250)]
    parts = streams(dump.multistream(pages))
    assert parts[0].startswith(b"<mediawiki ") and parts[-1] == b"</mediawiki>\n"
    assert [part.count(b"<page>") for part in parts[1:-1]] == [100] * (len(pages) // 100) + [len(pages) % 100]
    root = etree.fromstring(b"".join(parts))
    assert root.tag == f"{NS}mediawiki" and root.get("version") == "0.11"


def test_ids_ascend_without_repeats_and_hashes_are_of_the_text():
    root = etree.fromstring(bz2.decompress(dump.multistream(dump.pages(ENTRIES))))
    pages = root.findall(f"{NS}page")
    for path in (f"{NS}id", f"{NS}revision/{NS}id"):
        ids = [int(page.findtext(path)) for page in pages]
        assert ids == sorted(set(ids))
    for page in pages:
        text = page.find(f"{NS}revision/{NS}text")
        assert int(text.get("bytes")) == len(text.text.encode())
        assert int(text.get("sha1"), 36) == int.from_bytes(hashlib.sha1(text.text.encode()).digest(), "big")
        assert re.fullmatch(
            r"202[34]-\d\d-\d\dT\d\d:\d\d:\d\dZ", page.findtext(f"{NS}revision/{NS}timestamp")
        )


def test_aliases_become_redirects_and_other_namespaces_are_there():
    pages = {page.title: page for page in dump.pages(ENTRIES)}
    assert pages["Ferrum"].redirect == "Iron" and "[[Iron" in pages["Ferrum"].text
    assert pages["Template:Infobox country"].namespace == 10
    assert pages["Category:Countries of Africa"].namespace == 14


@pytest.mark.slow
def test_the_same_tables_give_the_same_bytes_whatever_the_hash_seed(tmp_path):
    def build(seed: str) -> dict[str, bytes]:
        out = tmp_path / seed
        subprocess.run(
            [sys.executable, "-m", "stages.world", "--out", str(out)],
            check=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
        )
        return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}

    once = build("1")
    assert once == build("2")
    checked_in = {name: (ROOT / "datasets" / name).read_bytes() for name in once}
    assert once == checked_in, "run `python -m stages.world` and check in what it writes"
    assert len(once["dump/seedbed.xml.bz2"]) <= 2 * 2**20


def test_the_command_says_what_it_wrote_and_replaces_what_was_there(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "read_tables", lambda: ENTRIES)
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "old.json").write_text("[]")
    said = CliRunner().invoke(command.main, ["--out", str(tmp_path)])
    assert said.exit_code == 0, said.output
    assert "3 articles, 7 facts" in said.output and said.output.count("\n") == 1
    assert not (tmp_path / "benchmarks" / "old.json").exists()
    assert bz2.decompress((tmp_path / "dump" / "seedbed.xml.bz2").read_bytes()).endswith(b"</mediawiki>\n")


@pytest.mark.slow
def test_the_dump_reader_finds_every_article_alias_and_fact_again(tmp_path):
    from stages.extract import main as extract

    result = CliRunner().invoke(extract, ["--dump", str(CHECKED_IN), "--out", str(tmp_path / "articles")])
    assert result.exit_code == 0, result.output
    read = {article.title: article for article in files.read_parquet(tmp_path / "articles", Article)}
    world = command.read_tables()
    assert set(read) == {entry.title for entry in world}
    for entry in world:
        article = read[entry.title]
        # A lone sign such as "$" is no value to the reader.
        legible = {column: value for column, value in entry.facts.items() if re.search(r"\w", value)}
        found = {fact.name: fact.value for fact in article.facts}
        assert {column: value for column, value in found.items() if re.search(r"\w", value)} == legible
        assert article.aliases == sorted(entry.aliases)
        assert not re.search(r"\{\{|\}\}|\[\[|\]\]|<|\|\}|'''|\(\s*\)|==", article.text), article.text
        heads = [entry.facts[head] for head in FIELDS[entry.field].heads if head in entry.facts]
        lead = article.text.split("\n")[0]
        assert all(value in lead for value in heads), (entry.title, lead)
        assert entry.note in article.text
