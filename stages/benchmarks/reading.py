"""Reading the benchmark files: the one module of this noun that touches the disk.

Three verbs need the same items, and a file may as well be a folder of files; so the reading stands here
once instead of in each verb.
"""

from collections.abc import Mapping
from pathlib import Path

from stages.benchmarks import DOMAINS, NAMES, Config, parse
from stages.errors import BadInput
from stages.records import BenchmarkItem

_SUFFIXES = (".json", ".jsonl", ".csv")


def read(where: Config | Mapping[str, Path | None], domain: str | None = None) -> list[BenchmarkItem]:
    """Read the items of every benchmark that is there, in the order of `NAMES`.

    Args:
        where: the section of params.yaml, whose folder holds one folder per benchmark; or benchmark name →
            official file or folder, None = left out. Of a folder every .json, .jsonl and .csv file is read,
            in name order.
        domain: reads this domain's benchmarks alone; None all that `where` names.

    Raises:
        BadInput: a domain that is not configured or has no benchmark in the section's folder, no such file,
            no file in a folder, or not the benchmark's format.
        ValueError: a name is no benchmark.
    """
    by_name = _inside(where, domain) if isinstance(where, Config) else where
    unknown = sorted(set(by_name) - set(NAMES))
    if unknown:
        raise ValueError(f"no benchmark '{unknown[0]}'; known are {', '.join(NAMES)}")
    items: list[BenchmarkItem] = []
    for name in NAMES:
        path = by_name.get(name)
        if path is not None and domain in (None, DOMAINS[name]):
            items += parse(name, _contents(path))
    return items


def _inside(config: Config, domain: str | None) -> dict[str, Path]:
    if domain is not None and domain not in config.domains:
        raise BadInput(
            f"no domain '{domain}' among {', '.join(config.domains)}; add it to `benchmarks.domains`"
        )
    found: dict[str, Path] = {}
    for wanted in config.domains if domain is None else (domain,):
        names = [name for name in NAMES if DOMAINS[name] == wanted]
        there = {name: config.folder / name for name in names if (config.folder / name).is_dir()}
        if not there:
            raise BadInput(
                f"{config.folder}: no folder named {', '.join(names)} here; set `benchmarks.folder`, "
                f"or take {wanted} out of `benchmarks.domains`"
            )
        found |= there
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
