"""Formats are told from content; JSON and Parquet sources; damaged files."""

import bz2
import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from export_samples import HEAD, page

from stages.errors import BadInput
from stages.wiki import sources
from stages.wiki.pages import Page

XML = (HEAD + page("Iron", "Fe") + page("Gold", "Au", 2) + "</mediawiki>").encode()
ROWS = [{"title": "Iron", "text": "A metal."}, {"title": "Gold", "text": "Au é"}]


def read(data: bytes, limit: int = 1000) -> list[Page]:
    return list(sources.read(io.BytesIO(data), "dump", limit))


def parquet(**columns: list[object]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def multistream(data: bytes, size: int = 300) -> bytes:
    return b"".join(bz2.compress(data[i : i + size]) for i in range(0, len(data), size))


@pytest.mark.parametrize("packed", [XML, bz2.compress(XML), multistream(XML), gzip.compress(XML, mtime=0)])
def test_compression_is_told_from_content(packed: bytes) -> None:
    assert [p.title for p in read(packed)] == ["Iron", "Gold"]


@pytest.mark.parametrize("pack", [bytes, bz2.compress, gzip.compress])
def test_json_lines_are_numbered_by_line(pack: object) -> None:
    lines = "\n\n".join(json.dumps(row) for row in ROWS).encode()
    found = read(pack(lines))  # type: ignore[operator]
    assert [(p.page_id, p.title, p.revision_id, p.timestamp) for p in found] == [
        (1, "Iron", 0, ""),
        (3, "Gold", 0, ""),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json_array_is_read_in_pieces_and_numbered_from_one(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "CHUNK", 16)
    found = read(json.dumps(ROWS * 50, ensure_ascii=False, indent=1).encode(encoding))
    assert [p.page_id for p in found] == list(range(1, 101))
    assert found[-1].text == "Au é"


def test_parquet_of_wikimedia_wikipedia_is_read() -> None:
    data = parquet(id=["12", "39"], url=["u", "v"], title=["Iron", "Gold"], text=["A metal.", "x" * 50])
    found = read(data, limit=20)
    assert [(p.page_id, p.title, p.text, p.length) for p in found] == [
        (12, "Iron", "A metal.", 8),
        (39, "Gold", "x" * 20, 50),
    ]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (bz2.compress(b""), "the file is empty"),
        (bytes(range(128, 255)), "not XML, Parquet or JSON"),
        (b"7z\xbc\xaf\x27\x1c....", "a 7z archive; unpack it"),
        (bz2.compress(XML)[:-9], "compressed file is truncated"),
        (gzip.compress(XML, mtime=0)[:-9], "compressed file is truncated"),
        (multistream(XML)[:-30], "truncated|corrupt"),
        (bz2.compress(XML)[:60] + b"\xff\x00\xaa" * 9 + bz2.compress(XML)[87:], "corrupt"),
        (bz2.compress(XML) + b"garbage", "corrupt"),
        (gzip.compress(XML, mtime=0)[:40] + b"\xff" * 40, "corrupt"),
        (b"PAR1 but no Parquet", "not readable as Parquet"),
        (parquet(id=["1"], title=["a"]), r"no column \['text'\]"),
        (parquet(id=["Q1"], title=["a"], text=["b"]), "page id 'Q1' is no number"),
        (parquet(id=["1"], title=["a"], text=[None]), "page 1: 'title' and 'text' must be text"),
        (b'{"title": "a", "text": "b"}\n{"title": "a", "text"\n', "line 2: not JSON"),
        (b'{"title": "a"}', "line 1: 'title' and 'text' must be text"),
        (b'{"title": "a", "text": "\\ud800"}', "line 1: half a surrogate pair"),
        (b'[{"title": "a", "text": "b"}, 5]', "element 2: expected an object"),
        (b'[{"title": "a", "text": "b"}, {"ti', "element 2: cut off or not JSON"),
        (b'[{"title": "a", "text": "b"} {"ti', "element 1: cut off or not JSON"),
        (b'{"title": "a", "text": "\xff"}', "not utf-8 text"),
    ],
)
def test_damaged_or_foreign_files_are_refused_with_one_line(data: bytes, line: str) -> None:
    with pytest.raises(BadInput, match=line) as refusal:
        read(data)
    assert "\n" not in refusal.value.message
    assert refusal.value.message.startswith("dump: ")


def test_highly_compressed_data_comes_in_small_pieces() -> None:
    packed = bz2.compress(b"x" * 5_000_000)
    assert max(map(len, sources._chunks(io.BytesIO(packed), "dump"))) <= sources.CHUNK
