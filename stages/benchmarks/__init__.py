"""The knowledge benchmarks: their official files, read into one kind of row."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from stages.benchmarks import formats
from stages.errors import BadInput
from stages.params import Section
from stages.records import BenchmarkItem

__all__ = ["FORMATS", "NAMES", "Config", "parse"]

FORMATS: dict[str, Callable[[str, bytes], list[BenchmarkItem]]] = {
    "webquestions": formats.webquestions,
    "natural_questions": formats.natural_questions,
    "triviaqa": formats.triviaqa,
    "simpleqa": formats.simpleqa,
    "simpleqa_verified": formats.simpleqa_verified,
    "entityquestions": formats.entityquestions,
}
NAMES = tuple(FORMATS)


class Config(Section):
    """The section `benchmarks` of params.yaml."""

    folder: Path  # holds one folder per benchmark, named as in `NAMES`; those that are absent are not scored


def parse(name: str, contents: Sequence[tuple[str, bytes]]) -> list[BenchmarkItem]:
    """Read one benchmark from the contents of its official files.

    Args:
        name: one of `NAMES`.
        contents: (file name, bytes) in the order in which the items shall come.

    Raises:
        BadInput: a file is not in the benchmark's format, names an item twice, or has no item; the line
            names the file and the record.
        ValueError: no such benchmark.
    """
    if name not in FORMATS:
        raise ValueError(f"no benchmark '{name}'; known are {', '.join(NAMES)}")
    items: list[BenchmarkItem] = []
    for file_name, content in contents:
        found = FORMATS[name](file_name, content)
        if not found:
            raise BadInput(f"{file_name}: no item of {name}; fetch the file again")
        items += found
    if not items:
        raise BadInput(f"{name}: no file; give its official file")
    item_id, count = Counter(item.item_id for item in items).most_common(1)[0]
    if count > 1:
        raise BadInput(f"{contents[0][0]}: item '{item_id}' of {name} is there {count} times; remove one")
    return items
