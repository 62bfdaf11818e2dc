"""Reading seed problems: the one module of this noun that touches the disk.

A source may be a file or a folder of files, which is no matter of the verb that reads it.
"""

from pathlib import Path

from stages.errors import BadInput
from stages.problems.formats import parse
from stages.records import SeedProblem

_SUFFIXES = (".json", ".jsonl")


def read(path: Path) -> list[SeedProblem]:
    """Read a file, or every .json and .jsonl file of a folder and its sub-folders in name order.

    Args:
        path: files in the formats of `formats.FORMATS`.

    Raises:
        BadInput: nothing there, not readable, or not in a known format.
    """
    parts = [path]
    if path.is_dir():
        parts = sorted(part for part in path.rglob("*") if part.suffix in _SUFFIXES and part.is_file())
    if not parts:
        raise BadInput(f"{path}: no .json or .jsonl file here; add problems or name another folder")
    problems: list[SeedProblem] = []
    for part in parts:
        try:
            content = part.read_bytes()
        except OSError as error:
            raise BadInput(f"{part}: {error.strerror}; name a file of problems") from error
        problems += parse(str(part), content)
    return problems
