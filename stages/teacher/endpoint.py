"""Where a teacher is reached: the `openai` package's client, over the network or in process."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

import httpx2
import openai

from stages.errors import BadInput
from stages.teacher import wire

OPENAI_URL = "https://api.openai.com/v1"
IN_PROCESS_URL = "http://embedded-teacher/v1"


class _InProcess(httpx2.ASGITransport):
    """An ASGI transport that keeps time: httpx's own ignores the request's timeout."""

    def __init__(self, app: Any, timeout: float) -> None:
        # An exception of the application becomes a 500, so that the package's retries see it.
        super().__init__(app, raise_app_exceptions=False)
        self._timeout = timeout

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            async with asyncio.timeout(self._timeout):
                return await super().handle_async_request(request)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("no reply in time", request=request) from error


def api_key(variable: str) -> str:
    """Return the key that an environment variable holds.

    Raises:
        BadInput: the variable is unset, empty, or cannot stand in a header; the value is never shown.
    """
    key = os.environ.get(variable, "").strip()
    if not key:
        raise BadInput(f"teacher: the environment variable {variable} is not set; put the API key there")
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise BadInput(f"teacher: the environment variable {variable} holds no API key; set it again")
    return key


class Endpoint:
    """An open connection to a teacher, for use inside one event loop.

    Args:
        base_url: of the API, such as http://localhost:8000/v1.
        key: sent as the bearer token; shown nowhere.
        timeout: seconds to wait for one reply.
        retries: further tries after 408, 409, 429, 5xx, a lost connection or a garbled body; a `Retry-After`
            header is honoured up to two minutes.
        app: the ASGI application to ask instead of the network.
        connections: open at once, at most.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float,
        retries: int,
        connections: int,
        app: Callable[..., Any] | None = None,
    ) -> None:
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        transport = _InProcess(app, timeout) if app else None
        http = httpx2.AsyncClient(transport=transport, limits=limits, timeout=timeout, follow_redirects=True)
        try:
            self._client = openai.AsyncOpenAI(
                api_key=key, base_url=base_url, timeout=timeout, max_retries=retries, http_client=http
            )
            self.host = httpx2.URL(base_url).netloc.decode() or base_url
        except (httpx2.InvalidURL, ValueError) as error:
            raise BadInput(
                f"teacher: base_url is no web address: {error}; write http://host:port/v1"
            ) from error
        self._key = key
        self._retries = retries

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def complete(self, body: dict[str, Any]) -> tuple[str, wire.Completion, str | None]:
        """Send one request; return (the response's text, what it says, the server's request id).

        Raises:
            BadInput: the teacher cannot be reached, refuses the request, or answers with something that is
                no chat completion, after all retries.
        """
        for attempt in range(self._retries + 1):
            try:
                # Not chat.completions.create: its typed round trip takes twice as long for nothing used here.
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, body=body)
                text = response.content.decode("utf-8", "replace")
                return text, wire.read_completion(text), response.headers.get("x-request-id")
            except wire.Garbled as error:
                if attempt == self._retries:
                    raise self._fault(
                        f"sent {error}", "is teacher.base_url an OpenAI-compatible API?"
                    ) from error
                await asyncio.sleep(min(0.5 * 2.0**attempt, 8.0))
            except openai.APIStatusError as error:
                raise self._refusal(error, str(body["model"])) from error
            except openai.APITimeoutError as error:
                raise self._fault(
                    "did not answer in time", "raise teacher.timeout or lower concurrency"
                ) from error
            except openai.APIConnectionError as error:
                cause = " ".join(str(error.__cause__ or error).split()) or type(error.__cause__).__name__
                raise self._fault(
                    f"cannot be reached ({cause})", "check teacher.base_url and that it runs"
                ) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _refusal(self, error: openai.APIStatusError, model: str) -> BadInput:
        detail = error.body.get("message") if isinstance(error.body, dict) else None
        status = error.status_code
        advice = {
            401: "check the API key in the variable that teacher.api_key_env names",
            403: "the API key may not use this model",
            404: f"check teacher.base_url and that it serves the model '{model}'",
            429: "lower teacher.concurrency or wait; the replies so far are kept",
        }.get(
            status,
            "try again later; the replies so far are kept" if status >= 500 else "check teacher settings",
        )
        said = f": {' '.join(str(detail).split())[:300]}" if detail else ""
        return self._fault(f"answered with status {status}{said}", advice)

    def _fault(self, what: str, advice: str) -> BadInput:
        # A server may echo the key in its error message.
        line = f"teacher at {self.host} {what}; {advice}"
        return BadInput(line.replace(self._key, "***"))
