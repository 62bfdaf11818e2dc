"""`params.yaml`: each verb declares the sections it reads; the rest is checked for its names only."""

import difflib
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from stages.errors import BadInput

# Every top-level name of params.yaml. A test holds it equal to what the verbs declare.
NAMES = (
    "seed",
    "budget",
    "densities",
    "extract",
    "ask",
    "problems",
    "collect",
    "knowledge",
    "synthesize",
    "teacher",
    "teachers",
    "students",
    "train",
    "score",
    "judge",
    "benchmarks",
    "fit",
    "conclude",
    "audit",
    "weigh",
    "advise",
)


class Section(BaseModel):
    """A frozen group of settings that refuses unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


S = TypeVar("S", bound=Section)


def load(section: type[S], path: Path = Path("params.yaml")) -> S:
    """Read the fields of `section` from `path`.

    Args:
        section: its field names are top-level names of the file.
        path: a YAML mapping, by default in the current folder.

    Raises:
        BadInput: no such file, not a YAML mapping, an unknown name (with its nearest neighbour), a
            missing name, or a value of the wrong type or range; the line names the setting.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}; run from the project's root folder") from error
    except yaml.YAMLError as error:
        raise BadInput(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict):
        raise BadInput(f"{path}: expected a mapping of settings")
    for name in data:
        if name not in NAMES:
            raise BadInput(f"{path}: unknown setting '{name}'{_nearest(str(name), NAMES)}")
    try:
        return section.model_validate({k: v for k, v in data.items() if k in section.model_fields})
    except ValidationError as error:
        raise BadInput(f"{path}: {explain(error, section)}") from error


def explain(error: ValidationError, section: type[BaseModel]) -> str:
    """Say in one line what the first fault is, with the nearest known name for an unknown one."""
    # A mistyped name shows up twice, as unknown and as missing: the first says more.
    first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        return f"unknown setting '{where}'{_nearest(name, _siblings(section, first['loc'][:-1]))}"
    if first["type"] == "missing":
        return f"setting '{where}' is missing"
    return f"setting '{where}': {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}"


def _siblings(section: type[BaseModel], loc: tuple[Any, ...]) -> list[str]:
    """Return the known names at a location inside a section."""
    here: Any = section
    for part in loc:
        field = getattr(here, "model_fields", {}).get(part)
        if field is None:  # a name of the user's own, such as students.<name>
            continue
        here = field.annotation
        while not hasattr(here, "model_fields") and getattr(here, "__args__", None):
            here = here.__args__[-1] if here.__args__[-1] is not type(None) else here.__args__[0]
    return list(getattr(here, "model_fields", {}))


def _nearest(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.0)
    return f"; did you mean '{close[0]}'?" if close else ""
