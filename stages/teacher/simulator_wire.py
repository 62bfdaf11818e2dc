"""How the simulator speaks: JSON responses, and refusals in the shape of OpenAI's error object."""

import json
from collections.abc import Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from stages.teacher import wire

FINGERPRINT = "seedbed-simulator"  # stands in all that it says


class Refused(Exception):
    """A request that an OpenAI endpoint would refuse."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.param, self.code = status, param, code

    def body(self) -> dict[str, Any]:
        """Return OpenAI's error object."""
        return _error(str(self), self.param, self.code)


def json_response(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a response that holds `value`."""
    # Not JSONResponse: half of a request's time would go into its stricter encoder.
    return Response(wire.compact(value), status, headers, media_type="application/json")


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object that a request's body is.

    Raises:
        Refused: it is none.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "We could not parse the JSON body of your request.") from None
    if not isinstance(data, dict):
        raise Refused(400, "The request body must be a JSON object.")
    return data


def request_id(completion: dict[str, Any]) -> str:
    """Return the id of the request that a completion answers."""
    return str(completion["id"]).replace("chatcmpl", "req")


def _error(message: str, param: str | None, code: str | None) -> dict[str, Any]:
    kind = "invalid_request_error"
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return json_response(error.body(), error.status)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = f"{request.method} {request.url.path}: {error.detail}"
    return json_response(_error(message, None, None), error.status_code)


HANDLERS: dict[Any, Callable[..., Any]] = {Refused: _on_refused, HTTPException: _on_http}
