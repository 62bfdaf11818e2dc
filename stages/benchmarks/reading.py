"""Reading the benchmark files: the one module of this noun that touches the disk.

Three verbs need the same items, and a file may as well be a folder of files; so the reading stands here
once instead of in each verb.
"""

from collections.abc import Mapping
from pathlib import Path

from stages.benchmarks import NAMES, Config, parse
from stages.errors import BadInput
from stages.records import BenchmarkItem

_SUFFIXES = (".json", ".jsonl", ".csv")


def read(where: Config | Mapping[str, Path | None]) -> list[BenchmarkItem]:
    """Read the items of every benchmark that is there, in the order of `NAMES`.

    Args:
        where: the section of params.yaml, whose folder holds one folder per benchmark; or benchmark name →
            official file or folder, None = left out. Of a folder every .json, .jsonl and .csv file is read,
            in name order.

    Raises:
        BadInput: no benchmark in the section's folder, no such file, no file in a folder, or not the
            benchmark's format.
        ValueError: a name is no benchmark.
    """
    by_name = _inside(where.folder) if isinstance(where, Config) else where
    unknown = sorted(set(by_name) - set(NAMES))
    if unknown:
        raise ValueError(f"no benchmark '{unknown[0]}'; known are {', '.join(NAMES)}")
    items: list[BenchmarkItem] = []
    for name in NAMES:
        path = by_name.get(name)
        if path is not None:
            items += parse(name, _contents(path))
    return items


def _inside(folder: Path) -> dict[str, Path]:
    found = {name: folder / name for name in NAMES if (folder / name).is_dir()}
    if not found:
        raise BadInput(f"{folder}: no folder named {', '.join(NAMES)} here; set `benchmarks.folder`")
    return found


def _contents(path: Path) -> list[tuple[str, bytes]]:
    try:
        if not path.is_dir():
            return [(str(path), path.read_bytes())]
        parts = sorted(part for part in path.iterdir() if part.suffix in _SUFFIXES)
        contents = [(str(part), part.read_bytes()) for part in parts]
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; set `benchmarks.folder`") from error
    if not contents:
        raise BadInput(
            f"{path}: no .json, .jsonl or .csv file here; add the official file or remove the folder"
        )
    return contents
