"""Tell a source's format from its first bytes and read its pages, whatever the file is called."""

import bz2
import gzip
import io
import itertools
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from stages.errors import BadInput
from stages.wiki import export
from stages.wiki.pages import Page, Site

CHUNK = 1 << 16  # bytes
LONGEST = 1 << 27  # characters of one JSON row; without a limit a file with no line end would fill memory
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_OTHER = {
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\xfd7zXZ\x00": "xz-compressed",
    b"\x28\xb5\x2f\xfd": "zstd-compressed",
    b"PK\x03\x04": "a zip archive",
    b"SQLite format 3": "an SQLite database",
}


def read_file(path: Path, max_characters: int) -> Iterator[Page]:
    """Yield the pages of the file at `path`; see `read`.

    Raises:
        BadInput: it cannot be opened, or as `read`.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}; give the path of a dump") from error
    with stream:
        yield from read(stream, str(path), max_characters)


def read(stream: BinaryIO, where: str, max_characters: int) -> Iterator[Page]:
    """Yield the pages of one file in file order.

    Args:
        stream: seekable; MediaWiki XML, JSON lines or a JSON array of {title, text} (each plain, bzip2,
            multistream bzip2 or gzip), or Parquet with the columns id, title, text.
        where: names the source in error lines.
        max_characters: of a page's text that are kept.

    Raises:
        BadInput: the format is none of these, or the file is empty, truncated or corrupt.
    """
    magic = stream.read(16)
    stream.seek(0)
    if magic[:4] == b"PAR1":
        yield from _parquet(stream, where, max_characters)
        return
    for start, kind in _OTHER.items():
        if magic.startswith(start):
            raise BadInput(f"{where}: {kind}; unpack it, or give .xml, .bz2, .gz, .parquet or .jsonl")
    chunks = _chunks(stream, where)
    first = next(chunks, b"")
    if not first.strip():
        raise BadInput(f"{where}: the file is empty; give a MediaWiki dump, Parquet or JSON lines")
    chunks = itertools.chain([first], chunks)
    encoding = next((name for bom, name in _BOMS.items() if first.startswith(bom)), "utf-8")
    head = first[:1024].decode(encoding, errors="replace").lstrip()
    if head.startswith("<") or first[:2] in (b"<\0", b"\0<"):
        yield from export.read(chunks, where, max_characters)
    elif head.startswith(("{", "[")):
        yield from _json(chunks, encoding, where, max_characters, array=head.startswith("["))
    else:
        raise BadInput(f"{where}: not XML, Parquet or JSON; give a MediaWiki dump, Parquet or JSON lines")


def _chunks(stream: BinaryIO, where: str) -> Iterator[bytes]:
    """Yield the file's bytes, decompressed; no chunk is longer than CHUNK."""
    magic = stream.read(4)
    stream.seek(0)
    try:
        if re.match(rb"BZh[1-9]", magic):
            yield from _bunzip2(stream)
        elif magic[:2] == b"\x1f\x8b":
            with gzip.GzipFile(fileobj=stream, mode="rb") as plain:
                yield from iter(lambda: plain.read(CHUNK), b"")
        else:
            yield from iter(lambda: stream.read(CHUNK), b"")
    except EOFError as error:
        raise BadInput(f"{where}: the compressed file is truncated; download it again") from error
    except (OSError, zlib.error) as error:
        raise BadInput(f"{where}: cannot be read or is corrupt: {error}; download it again") from error


def _bunzip2(stream: BinaryIO) -> Iterator[bytes]:
    """Decompress bzip2, one stream or many; unlike `bz2.open`, garbage between streams is an error."""
    decompressor = bz2.BZ2Decompressor()
    while True:
        data = b""
        if decompressor.eof:
            data = decompressor.unused_data or stream.read(CHUNK)
            if not data.strip(b"\0"):  # the end, or a tape's padding
                return
            decompressor = bz2.BZ2Decompressor()
        elif decompressor.needs_input:
            data = stream.read(CHUNK)
            if not data:
                raise EOFError
        if plain := decompressor.decompress(data, CHUNK):
            yield plain


def _plain(page_id: int, title: Any, text: Any, place: str, site: Site, max_characters: int) -> Page:
    if not isinstance(title, str) or not isinstance(text, str) or not title.strip():
        raise BadInput(f"{place}: 'title' and 'text' must be text and the title not empty")
    try:
        f"{title}{text}".encode()
    except UnicodeEncodeError as error:
        raise BadInput(f"{place}: half a surrogate pair (\\ud800 … \\udfff); mend the file's text") from error
    kept = text[:max_characters]
    return Page(page_id, 0, "", title.strip(), 0, None, "plain", kept, len(text), site)


def _parquet(stream: BinaryIO, where: str, max_characters: int) -> Iterator[Page]:
    """Yield the rows of one shard of Hugging Face's `wikimedia/wikipedia` (columns id, url, title, text)."""
    site = Site()
    try:
        source = pq.ParquetFile(stream)
        missing = sorted({"id", "title", "text"} - set(source.schema_arrow.names))
        if missing:
            raise BadInput(
                f"{where}: no column {missing}; expected id, title, text as in wikimedia/wikipedia"
            )
        for batch in source.iter_batches(batch_size=256, columns=["id", "title", "text"], use_threads=False):
            for row in batch.to_pylist():
                if not re.fullmatch(r"[0-9]{1,18}", str(row["id"])):
                    raise BadInput(
                        f"{where}: page id {row['id']!r} is no number; expected a wikipedia page id"
                    )
                place = f"{where}: page {row['id']}"
                yield _plain(int(row["id"]), row["title"], row["text"], place, site, max_characters)
    except (pa.ArrowException, OSError) as error:
        said = " ".join(str(error).split())
        raise BadInput(f"{where}: not readable as Parquet: {said}; download it again") from error


def _json(
    chunks: Iterator[bytes], encoding: str, where: str, max_characters: int, array: bool
) -> Iterator[Page]:
    """Yield {title, text} objects; a page's id is its line number, in an array its position from 1."""
    text = io.TextIOWrapper(io.BufferedReader(_Raw(chunks)), encoding=encoding, newline="\n")
    site = Site()
    try:
        for number, row in _elements(text, where) if array else _lines(text, where):
            place = f"{where}: {'element' if array else 'line'} {number}"
            if not isinstance(row, dict):
                raise BadInput(f"{place}: expected an object with 'title' and 'text'")
            yield _plain(number, row.get("title"), row.get("text"), place, site, max_characters)
    except UnicodeDecodeError as error:
        raise BadInput(f"{where}: not {encoding} text: {error.reason}; convert it to UTF-8") from error


class _Raw(io.RawIOBase):
    """An iterator of chunks as a raw file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer from the current chunk; 0 at the end."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        taken = self._rest[: len(buffer)]
        self._rest = self._rest[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def _lines(text: io.TextIOWrapper, where: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(iter(lambda: text.readline(LONGEST), ""), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise BadInput(f"{where}: line {number}: not JSON: {error}") from error


def _elements(text: io.TextIOWrapper, where: str) -> Iterator[tuple[int, Any]]:
    """Yield the elements of a JSON array without reading it whole."""
    decoder = json.JSONDecoder()
    buffer = text.read(CHUNK).lstrip()[1:]
    number, size, ended = 0, CHUNK, False
    while True:
        buffer = buffer.lstrip()
        if buffer.startswith("]") and not buffer[1:].strip():
            return
        try:
            value, at = decoder.raw_decode(buffer)
            after = buffer[at:].lstrip()
            if after[:1] not in (",", "]"):
                raise ValueError("expected ',' or ']'")
        except ValueError as error:
            if ended or len(buffer) > LONGEST:
                raise BadInput(f"{where}: element {number + 1}: cut off or not JSON: {error}") from error
            more = text.read(size)
            ended, size = not more, size * 2  # doubling keeps a long element's cost linear
            buffer += more
            continue
        number += 1
        yield number, value
        buffer, size = after[1:] if after[0] == "," else after, CHUNK
