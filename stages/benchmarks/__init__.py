"""The benchmarks of knowledge, mathematics and physics: their official files, read into one kind of row."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import Field, field_validator

from stages.benchmarks import formats, problem_formats
from stages.errors import BadInput
from stages.grid import DOMAINS as _DOMAINS
from stages.params import Section
from stages.records import BenchmarkItem

__all__ = ["DOMAINS", "FORMATS", "KNOWLEDGE", "NAMES", "Config", "parse"]

FORMATS: dict[str, Callable[[str, bytes], list[BenchmarkItem]]] = {
    "webquestions": formats.webquestions,
    "natural_questions": formats.natural_questions,
    "triviaqa": formats.triviaqa,
    "simpleqa": formats.simpleqa,
    "simpleqa_verified": formats.simpleqa_verified,
    "entityquestions": formats.entityquestions,
    "gsm8k": problem_formats.gsm8k,
    "math500": problem_formats.math500,
    "scibench": problem_formats.scibench,
}
NAMES = tuple(FORMATS)
DOMAINS = dict.fromkeys(NAMES, "knowledge") | {
    "gsm8k": "mathematics",
    "math500": "mathematics",
    "scibench": "physics",
}
KNOWLEDGE = tuple(name for name in NAMES if DOMAINS[name] == "knowledge")
# SciBench's worked problems, which it puts into its prompts, are no items.
_LEFT_OUT = {"scibench": "_sol.json"}


class Config(Section):
    """The section `benchmarks` of params.yaml."""

    folder: Path  # holds one folder per benchmark, named as in `NAMES`; those that are absent are not scored
    domains: tuple[str, ...] = Field(("knowledge",), min_length=1)  # whose benchmarks are read

    @field_validator("domains")
    @classmethod
    def _known(cls, domains: tuple[str, ...]) -> tuple[str, ...]:
        for name in domains:
            if name not in _DOMAINS:
                raise ValueError(f"no domain '{name}'; known are {', '.join(_DOMAINS)}")
        return domains


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
        if name in _LEFT_OUT and file_name.endswith(_LEFT_OUT[name]):
            continue
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
