"""The engines behind `teacher.backend`, opened as the settings say."""

from typing import TYPE_CHECKING, Protocol

from stages.teacher.settings import Config
from stages.teacher.store import ResponseStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stages.teacher.batches import Batches
    from stages.teacher.endpoint import Endpoint
    from stages.teacher.transport import Application
    from stages.teacher.wire import Job, Received


class Batched(Protocol):
    """An engine that takes many requests at once."""

    size: int  # jobs, at most

    async def complete(self, jobs: "Sequence[Job]") -> "list[Received]":
        """Return what came back, in the jobs' order; raise BadInput where it cannot go on."""

    async def close(self) -> None:
        """Let go of what it holds."""


def endpoint(config: Config, app: "Application | None") -> "Endpoint":
    """Return an open connection to an endpoint that takes requests one by one.

    Args:
        config: the teacher's settings.
        app: of the embedded teacher; None is the network.

    Raises:
        BadInput: no API key, or no web address.
    """
    from stages.teacher import endpoint as endpoints  # openai takes a second to import
    from stages.teacher.pace import Pace

    if app:
        url, key = endpoints.IN_PROCESS_URL, "embedded"
    else:
        url, key = config.base_url or endpoints.OPENAI_URL, endpoints.api_key(config.api_key_env)
    return endpoints.Endpoint(
        url,
        key,
        Pace(config.concurrency, config.requests_per_minute, config.tokens_per_minute, config.patience),
        timeout=config.timeout,
        retries=config.retries,
        app=app,
        max_bytes=config.max_bytes,
        answers_as=config.answers_as,
    )


def offline(config: Config) -> Batched:
    """Return vLLM in this process.

    Args:
        config: the teacher's settings.

    Raises:
        BadInput: vLLM is not installed, or cannot take the model.
    """
    from stages.teacher import vllm_engine

    return vllm_engine.Offline(config.model, config.vllm)


def batches(config: Config, model: str, store: ResponseStore) -> "Batches":
    """Return an open connection to a Batch API.

    Args:
        config: the teacher's settings.
        model: of every request.
        store: beside which the batches are noted.

    Raises:
        BadInput: no API key, or no web address.
    """
    from stages.teacher import batches as api
    from stages.teacher.endpoint import OPENAI_URL, api_key

    return api.Batches(
        config.base_url or OPENAI_URL,
        api_key(config.api_key_env),
        model=model,
        config=config.batch,
        path=store.path,
        timeout=config.timeout,
        retries=config.retries,
        max_bytes=config.max_bytes,
    )
