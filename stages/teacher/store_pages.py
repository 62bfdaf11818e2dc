"""Rows read from a SQLite file's bytes, whatever is left of it.

SQLite gives up at the first damaged page on the way to a row. Here every leaf page is looked at by itself, so
that neither a lost root, nor a lost header, nor a cut end costs more rows than lay in the lost pages. The
file format is that of https://www.sqlite.org/fileformat2.html.
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

PAGE = 4096  # bytes; SQLite's own default, taken where the header is lost
MAX_PAYLOAD = 1 << 30  # bytes of one row; a longer one is a damaged length
_LEAF = 0x0D  # kind of page: leaf of a table
_FIXED = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)  # bytes of the serial types below 10

Value = int | float | str | bytes | None


class Pages:
    """The pages of a database as its last commit left them, the WAL's over the file's.

    Args:
        file: the database.
        wal: its write-ahead log, where there is one.
    """

    def __init__(self, file: BinaryIO, wal: BinaryIO | None) -> None:
        self._file, self._wal = file, wal
        file.seek(0)
        header = file.read(100)
        size = int.from_bytes(header[16:18], "big") if header.startswith(b"SQLite format 3\0") else 0
        self.size = 65536 if size == 1 else size if size >= 512 and not size & (size - 1) else PAGE
        reserved = header[20] if len(header) == 100 and header[20] < 33 else 0
        self.usable = self.size - reserved
        self._newer = _frames(wal, self.size) if wal else {}
        self.count = max([file.seek(0, os.SEEK_END) // self.size, *self._newer])

    def read(self, number: int) -> bytes:
        """Return page `number`, counted from 1; less than a page where the file ends."""
        if self._wal and number in self._newer:
            self._wal.seek(self._newer[number])
            return self._wal.read(self.size)
        self._file.seek((number - 1) * self.size)
        return self._file.read(self.size)

    def records(self) -> Iterator[tuple[Value, ...]]:
        """Yield the rows of all tables, page by page, leaving out what cannot be read."""
        for number in range(1, self.count + 1):
            page = self.read(number)
            start = 100 if number == 1 else 0
            if len(page) == self.size and page[start] == _LEAF:
                yield from self._leaf(page, start)

    def _leaf(self, page: bytes, start: int) -> Iterator[tuple[Value, ...]]:
        count = int.from_bytes(page[start + 3 : start + 5], "big")
        for i in range(min(count, (self.size - start - 8) // 2)):
            place = start + 8 + 2 * i
            try:
                yield _record(self._payload(page, int.from_bytes(page[place : place + 2], "big")))
            except (ValueError, IndexError, struct.error):
                continue  # this row is lost

    def _payload(self, page: bytes, at: int) -> bytes:
        """Return a row's bytes, gathered from its leaf and the pages that it overflows to."""
        size, at = _varint(page, at)
        _, at = _varint(page, at)  # the rowid, of no use here
        if size > MAX_PAYLOAD:
            raise ValueError("no row is as long as that")
        most, least = self.usable - 35, (self.usable - 12) * 32 // 255 - 23
        local = size
        if size > most:
            local = least + (size - least) % (self.usable - 4)
            local = local if local <= most else least
        parts = [page[at : at + local]]
        left = size - local
        following = int.from_bytes(page[at + local : at + local + 4], "big") if left else 0
        while left > 0:
            if not 0 < following <= self.count:
                raise ValueError("the row's next page is lost")
            more = self.read(following)
            if len(more) < self.size:
                raise ValueError("the row's next page is cut off")
            parts.append(more[4 : 4 + min(left, self.usable - 4)])
            left -= self.usable - 4
            following = int.from_bytes(more[:4], "big")
        return b"".join(parts)


def _frames(wal: BinaryIO, size: int) -> dict[int, int]:
    """Return where the WAL holds each page's last committed version."""
    wal.seek(0)
    header = wal.read(32)
    if len(header) < 32 or int.from_bytes(header[8:12], "big") != size:
        return {}
    committed: dict[int, int] = {}
    open_frames: dict[int, int] = {}
    at = 32
    while (
        len(frame := wal.read(24)) == 24 and frame[8:16] == header[16:24]
    ):  # salts: of this WAL, not an older
        number, total = struct.unpack(">II", frame[:8])
        open_frames[number] = at + 24
        if total:  # the last frame of a transaction
            committed |= open_frames
            open_frames = {}
        at += 24 + size
        wal.seek(at)
    return committed


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length and where it ends."""
    value = 0
    for i in range(8):
        byte = data[at + i]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, at + i + 1
    return value << 8 | data[at + 8], at + 9


def _record(payload: bytes) -> tuple[Value, ...]:
    size, at = _varint(payload, 0)
    kinds = []
    while at < size:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    values: list[Value] = []
    for kind in kinds:
        length = (kind - 12) // 2 if kind >= 12 else _FIXED[kind]
        data = payload[at : at + length]
        if len(data) < length:
            raise ValueError("the row is cut off")
        values.append(_value(kind, data))
        at += length
    return tuple(values)


def _value(kind: int, data: bytes) -> Value:
    if kind == 0:
        return None
    if kind == 7:
        return float(struct.unpack(">d", data)[0])
    if kind < 10:
        return kind - 8 if kind > 7 else int.from_bytes(data, "big", signed=True)
    if kind < 12:
        raise ValueError("no such kind of value")
    return data.decode() if kind % 2 else data
