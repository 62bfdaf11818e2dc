"""The layout: names of configurations and files, features, sizes, and the head of the dataset card."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import yaml

from stages.errors import BadInput
from stages.grid import PLAIN, Cut, Target
from stages.records import TrainingExample

README, CROISSANT = "README.md", "croissant.json"
SPLIT = "train"  # of every configuration: what a student is scored on is no part of a training set
MADE_BY = "seedbed"  # key of the card's head, by which an output of ours is known
COORDINATES = ("strategy", "density", "teacher", "share", "budget", "protocol", "matched")
_SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"), (1e7, "1M<n<10M"))


class Sources(NamedTuple):
    """What a training set's questions were made of, from its pool."""

    articles: int  # distinct
    domains: tuple[str, ...]


class Published(NamedTuple):
    """One training set as it was written."""

    config: str
    examples: int
    memory: int  # bytes as Arrow
    size: int  # bytes of the file
    sha256: str  # of the file
    figures: dict[str, Any]  # from its dataset card, see `stages.protocols.card.facts`
    sources: Sources | None  # None: the pool is not at hand

    @property
    def path(self) -> str:
        """Return the file's path in the folder."""
        return path(self.config)


def config_name(row: TrainingExample) -> str:
    """Return the name of a set's configuration: `4.3-1x16`, or `strong-physics-1x8-self_refine-tokens`.

    What is as in `grid.PLAIN` is not named.

    Raises:
        BadInput: a coordinate has characters that cannot stand in a path, YAML or a glob.
    """
    parts = [
        "" if row.teacher == PLAIN.teacher else row.teacher,
        str(Target(row.strategy, row.density)),
        str(Cut(row.share, row.budget)),
        "" if row.protocol == PLAIN.protocol else row.protocol,
        "" if row.matched == PLAIN.matched else row.matched,
    ]
    name = "-".join(part for part in parts if part)
    if not re.fullmatch(r"[A-Za-z0-9-][A-Za-z0-9._-]{0,199}", name):
        raise BadInput(
            f"configuration {name[:80]!r}: a coordinate of the set has characters other than letters, "
            "digits, '.', '_' and '-'; rename the teacher or the protocol and build the set again"
        )
    return name


def path(config: str) -> str:
    """Return the path of a configuration's one file."""
    return f"data/{config}/{SPLIT}-00000-of-00001.parquet"


def features(fields: Iterable[pa.Field]) -> list[dict[str, Any]]:
    """Return columns as the hub's YAML names their types."""
    return [{"name": field.name, **_feature(field.type)} for field in fields]


def _feature(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = _feature(kind.value_type)
        return {"list": inner.get("struct", inner.get("dtype", inner))}
    if pa.types.is_struct(kind):
        return {"struct": features(kind)}
    return {"dtype": {"double": "float64"}.get(str(kind), str(kind))}


def size_category(examples: int) -> str:
    """Return the hub's name of a number of rows."""
    return next((name for limit, name in _SIZES if examples < limit), "n>10M")


def front_matter(title: str, license: str, sets: Sequence[Published]) -> str:
    """Return the head of the card, between its marks.

    YAML quotes every text that needs it and indents what it breaks, so that none can end the head.

    Args:
        title: shown by the hub.
        license: identifier of the hub's list.
        sets: the first is the default configuration.
    """
    columns = features(TrainingExample.arrow_schema())
    head = {
        "pretty_name": " ".join(title.split()),
        "license": license,
        "task_categories": ["question-answering", "text-generation"],
        "tags": ["synthetic", "seedbed", "croissant"],
        "size_categories": [size_category(sum(one.examples for one in sets))],
        "configs": [
            {
                "config_name": one.config,
                **({"default": True} if place == 0 else {}),
                "data_files": [{"split": SPLIT, "path": one.path}],
            }
            for place, one in enumerate(sets)
        ],
        "dataset_info": [
            {
                "config_name": one.config,
                "features": columns,
                "splits": [{"name": SPLIT, "num_bytes": one.memory, "num_examples": one.examples}],
                "download_size": one.size,
                "dataset_size": one.memory,
            }
            for one in sets
        ],
        MADE_BY: {"sets": {one.config: one.figures for one in sets}},
    }
    text = yaml.dump(head, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=2**31)
    return f"---\n{text}---\n"


class _Plain(yaml.SafeDumper):
    """Writes what repeats in full: the hub's reader need not know YAML's anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def head_of(text: str) -> dict[str, Any]:
    """Return the head of a dataset card; empty where it has none."""
    found = re.match(r"---\n(.*?)\n---(\n|\Z)", text, re.DOTALL)
    try:
        head = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        head = None
    return head if isinstance(head, dict) else {}
