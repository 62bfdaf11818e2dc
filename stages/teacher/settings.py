"""The settings of a teacher: the section `teacher` of params.yaml, and what other teachers differ in."""

import difflib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError

from stages import params
from stages.errors import BadInput
from stages.teacher.batches import Batch
from stages.teacher.competence import Embedded
from stages.teacher.vllm_engine import Vllm
from stages.teacher.wire import Accepts


class Price(params.Section):
    """What the teacher charges; null where it is not known, then every cost is null too."""

    input: float | None = Field(ge=0)  # USD per million prompt tokens
    output: float | None = Field(ge=0)  # USD per million completion tokens


class Config(params.Section):
    """The teacher: which one, how it is sampled, how hard it may be worked."""

    # embedded: the simulator in process; openai: any OpenAI-compatible URL; batch: its Batch API;
    # vllm: vLLM in process, on this machine's GPU or CPU
    backend: Literal["embedded", "openai", "batch", "vllm"]
    model: str = Field(min_length=1)
    base_url: str | None  # of the API for backend openai; null is OpenAI's own
    api_key_env: str = Field(min_length=1)  # name of the environment variable with the key (backend openai)
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1)  # per reply
    concurrency: int = Field(ge=1)  # requests in flight, at most
    timeout: float = Field(gt=0)  # seconds for one reply
    retries: int = Field(ge=0)  # of a request, after 5xx, lost connections and garbled bodies
    patience: float = Field(default=120.0, ge=0)  # seconds without any reply at which an outage is given up
    requests_per_minute: float | None = Field(default=None, gt=0)  # never exceeded; null is no limit
    tokens_per_minute: float | None = Field(default=None, gt=0)  # prompt and max_tokens, before they are used
    accepts: Accepts = Accepts()
    answers_as: str | None = None  # the model's name in replies; null is `model`, whatever follows it
    max_bytes: int = Field(default=16 * 2**20, ge=1024)  # of a reply
    max_cost: float | None = Field(default=None, ge=0)  # USD spent on this model, ever; null is no limit
    max_malformed: float = Field(ge=0, le=1)  # share of replies still malformed after repair
    price: Price
    embedded: Embedded
    batch: Batch = Batch()
    vllm: Vllm = Vllm()


class _Others(params.Section):
    teachers: dict[str, Config]


def named(config: Config, others: Mapping[str, Mapping[str, Any]], name: str) -> Config:
    """Return the settings of one of several teachers.

    Args:
        config: the section `teacher`.
        others: the section `teachers`: by name, the settings in which each differs from `config`; of `price`
            and `embedded` too, only what differs.
        name: "teacher", or a name of `others`.

    Raises:
        BadInput: no teacher of this name; a setting that is unknown or out of range.
    """
    if name == "teacher":
        return config
    if name not in others:
        (close,) = difflib.get_close_matches(name, ["teacher", *others], n=1, cutoff=0.0)
        raise BadInput(f"params.yaml: setting 'teachers.{name}' is missing; did you mean '{close}'?")
    try:
        merged = _merged(config.model_dump(), others[name])
        return _Others.model_validate({"teachers": {name: merged}}).teachers[name]
    except ValidationError as error:
        raise BadInput(f"params.yaml: {params.explain(error, _Others)}") from error


def _merged(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    nested = {
        key: _merged(settings[key], value)
        for key, value in changes.items()
        if isinstance(value, Mapping) and isinstance(settings.get(key), Mapping)
    }
    return {**settings, **changes, **nested}
