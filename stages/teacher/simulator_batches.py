"""The simulator's Batch API: a file of requests in, a file of replies out, later, in another order.

POST /v1/files, GET /v1/files/{id} and its /content; POST and GET /v1/batches, GET /v1/batches/{id}, POST to
its /cancel; in the shapes of OpenAI's. Each reply is, to the byte, that of the same request sent alone. A
batch goes on whether anyone asks for it or not. All is held in memory: it is gone when the process ends.
"""

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from stages.teacher import simulator_uploads, wire
from stages.teacher.competence import stable_hash
from stages.teacher.simulator_uploads import Upload
from stages.teacher.simulator_wire import (
    FINGERPRINT,
    Refused,
    json_response,
    read_object,
    request_id,
)

MAX_REQUESTS = 50_000  # of a file
ENDPOINT = "/v1/chat/completions"
WINDOWS = {"24h": 24 * 3600}  # seconds
ENDED = ("completed", "failed", "expired", "cancelled")
PAGE = 100  # batches listed at once, at most
CHECKED = 200  # lines looked at before others get their turn
STAMPS = ("in_progress", "finalizing", "completed", "failed", "expired", "cancelling", "cancelled")

Answer = Callable[[bytes], dict[str, Any]]  # a request's body → its completion; raises Refused


class Line(NamedTuple):
    """A request of a batch."""

    custom_id: str
    body: bytes


class _Invalid(Exception):
    """A line of an input file that cannot be served."""

    def __init__(self, code: str, message: str, line: int | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.shown = {"code": code, "message": message, "line": line, "param": param}


class Batch:
    """One batch as it goes along; `status` is OpenAI's."""

    def __init__(self, upload: Upload, window: str, metadata: dict[str, str] | None, now: float) -> None:
        self.id = f"batch_{secrets.token_hex(12)}"
        self.upload, self.window, self.metadata = upload, window, metadata
        self.status = "validating"
        self.created = int(now)
        self.expires = self.created + WINDOWS[window]
        self.stamps: dict[str, int] = {}
        self.model: str | None = None
        self.lines: list[Line] = []  # in the order in which they are served
        self.served: list[bytes] = []  # lines of the output file
        self.failed: list[bytes] = []  # lines of the error file
        self.output: Upload | None = None
        self.error: Upload | None = None
        self.faults: list[dict[str, Any]] = []
        self.task: asyncio.Task[None] | None = None

    def turn(self, status: str, now: float) -> None:
        """Enter a status."""
        self.status = status
        self.stamps[status] = int(now)

    def shown(self) -> dict[str, Any]:
        """Return OpenAI's batch object."""
        counts = {"total": len(self.lines), "completed": len(self.served), "failed": len(self.failed)}
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": ENDPOINT,
            "model": self.model,
            "errors": {"object": "list", "data": self.faults} if self.faults else None,
            "input_file_id": self.upload.id,
            "completion_window": self.window,
            "status": self.status,
            "output_file_id": self.output.id if self.output else None,
            "error_file_id": self.error.id if self.error else None,
            "created_at": self.created,
            "expires_at": self.expires,
            **{f"{status}_at": self.stamps.get(status) for status in STAMPS},
            "request_counts": counts,
            "metadata": self.metadata,
            "system_fingerprint": FINGERPRINT,
        }


def routes(answer: Answer, models: Sequence[str], clock: Callable[[], float] = time.time) -> list[Route]:
    """Return the Batch API of a teacher.

    Args:
        answer: gives the completion for the body of a request, or raises `Refused`.
        models: the names that it answers to.
        clock: Unix time in seconds.
    """
    desk = _Desk(answer, models, clock)
    return [
        Route("/v1/files", desk.upload, methods=["POST"]),
        Route("/v1/files/{id}", desk.file),
        Route("/v1/files/{id}/content", desk.content),
        Route("/v1/batches", desk.create, methods=["POST"]),
        Route("/v1/batches", desk.page),
        Route("/v1/batches/{id}", desk.retrieve),
        Route("/v1/batches/{id}/cancel", desk.cancel, methods=["POST"]),
    ]


class _Desk:
    """Where files and batches are kept."""

    def __init__(self, answer: Answer, models: Sequence[str], clock: Callable[[], float]) -> None:
        self.answer, self.models, self.clock = answer, models, clock
        self.files: dict[str, Upload] = {}
        self.batches: dict[str, Batch] = {}  # oldest first

    async def upload(self, request: Request) -> Response:
        found = await simulator_uploads.read(request, self.clock())
        self.files[found.id] = found
        return json_response(found.shown())

    async def file(self, request: Request) -> Response:
        return json_response(self._file(request.path_params["id"], "id", 404).shown())

    async def content(self, request: Request) -> Response:
        found = self._file(request.path_params["id"], "id", 404)
        return Response(found.content, media_type="application/octet-stream")

    async def create(self, request: Request) -> Response:
        data = read_object(await request.body())
        if data.get("endpoint") != ENDPOINT:
            raise Refused(400, f"'{data.get('endpoint')}' is not '{ENDPOINT}'.", "endpoint", "invalid_value")
        if data.get("completion_window") not in WINDOWS:
            message = f"'completion_window' must be one of {', '.join(WINDOWS)}."
            raise Refused(400, message, "completion_window", "invalid_value")
        upload = self._file(data.get("input_file_id"), "input_file_id", 400)
        if upload.purpose != "batch":
            message = f"File '{upload.id}' has purpose '{upload.purpose}', not 'batch'."
            raise Refused(400, message, "input_file_id", "invalid_value")
        metadata = _metadata(data.get("metadata"))
        batch = Batch(upload, data["completion_window"], metadata, self.clock())
        self.batches[batch.id] = batch
        self._start(batch)
        return json_response(batch.shown())

    async def retrieve(self, request: Request) -> Response:
        batch = self._batch(request)
        self._start(batch)
        return json_response(batch.shown())

    async def page(self, request: Request) -> Response:
        """Newest first, from behind the batch `after` on."""
        ids = list(reversed(self.batches))
        after, limit = request.query_params.get("after"), request.query_params.get("limit", "20")
        if after is not None and after not in self.batches:
            raise Refused(404, f"No batch found with id '{after}'.", "after")
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= PAGE:
            raise Refused(400, f"'limit' must be between 1 and {PAGE}.", "limit", "value_out_of_range")
        rest = ids[ids.index(after) + 1 :] if after else ids
        page = [self.batches[i].shown() for i in rest[: int(limit)]]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {}
        return json_response({"object": "list", "data": page, "has_more": len(rest) > len(page), **ends})

    async def cancel(self, request: Request) -> Response:
        batch = self._batch(request)
        if batch.status in ENDED:
            message = f"Cannot cancel a batch with status '{batch.status}'."
            raise Refused(409, message, None, "invalid_status")
        if batch.status != "cancelling":
            batch.turn("cancelling", self.clock())
        self._start(batch)
        return json_response(batch.shown())

    def _file(self, name: Any, param: str, status: int) -> Upload:
        if not isinstance(name, str) or name not in self.files:
            raise Refused(status, f"No such File object: {name}", param)
        return self.files[name]

    def _batch(self, request: Request) -> Batch:
        name = request.path_params["id"]
        if name not in self.batches:
            raise Refused(404, f"No batch found with id '{name}'.")
        return self.batches[name]

    def _start(self, batch: Batch) -> None:
        """Let a batch go on, also where the event loop in which it ran has ended."""
        if batch.status not in ENDED and (batch.task is None or batch.task.done()):
            batch.task = asyncio.get_running_loop().create_task(self._serve(batch))

    async def _serve(self, batch: Batch) -> None:
        if batch.status == "validating":
            await asyncio.sleep(0)
            try:
                lines = await _read(batch.upload.content, self.models)
            except _Invalid as error:
                batch.faults = [error.shown]
                batch.turn("failed", self.clock())
                return
            if batch.status == "validating":  # not cancelled meanwhile
                batch.model = json.loads(lines[0].body)["model"]
                # Any order is allowed, so clients must not count on that of the input.
                batch.lines = sorted(lines, key=lambda line: stable_hash(line.custom_id))
                batch.turn("in_progress", self.clock())
        done = len(batch.served) + len(batch.failed)
        for line in batch.lines[done:]:
            if batch.status != "in_progress" or self.clock() >= batch.expires:
                break
            self._answer(batch, line)
            await asyncio.sleep(0)
        self._finish(batch)

    def _answer(self, batch: Batch, line: Line) -> None:
        try:
            completion = self.answer(line.body)
        except Exception as error:  # one request that cannot be served leaves the others alone
            refused = error if isinstance(error, Refused) else Refused(500, "The server had an error.")
            response = {"status_code": refused.status, "request_id": "", "body": refused.body()}
            batch.failed.append(_output(batch, line, response, None))
        else:
            response = {"status_code": 200, "request_id": request_id(completion), "body": completion}
            batch.served.append(_output(batch, line, response, None))

    def _finish(self, batch: Batch) -> None:
        """Close a batch that is served, cancelled or out of time, and write its files."""
        left = batch.lines[len(batch.served) + len(batch.failed) :]
        end = "cancelled" if batch.status == "cancelling" else "expired" if left else "completed"
        for line in left:
            what = "could not be executed before the completion window ended"
            what = "was not executed before the batch was cancelled" if end == "cancelled" else what
            error = {"code": f"batch_{end}", "message": f"This request {what}."}
            batch.failed.append(_output(batch, line, None, error))
        batch.turn("finalizing", self.clock())
        batch.output = self._written(batch, "output", batch.served)
        batch.error = self._written(batch, "error", batch.failed)
        batch.turn(end, self.clock())

    def _written(self, batch: Batch, what: str, lines: Sequence[bytes]) -> Upload | None:
        if not lines:
            return None
        content = b"".join(lines)
        upload = simulator_uploads.made(content, f"{batch.id}_{what}.jsonl", "batch_output", self.clock())
        self.files[upload.id] = upload
        return upload


def _output(batch: Batch, line: Line, response: Any, error: Any) -> bytes:
    name = f"batch_req_{stable_hash(batch.id, line.custom_id):016x}"
    told = {"id": name, "custom_id": line.custom_id, "response": response, "error": error}
    return wire.compact(told) + b"\n"


def _metadata(value: Any) -> dict[str, str] | None:
    """Check what is attached to a batch."""
    if value is None:
        return None
    pairs = value.items() if isinstance(value, dict) else [(None, None)]
    if len(pairs) > 16 or not all(
        isinstance(k, str) and isinstance(v, str) and len(k) <= 64 and len(v) <= 512 for k, v in pairs
    ):
        message = "'metadata' must hold at most 16 texts, of up to 512 characters, with names of up to 64."
        raise Refused(400, message, "metadata", "invalid_value")
    return dict(pairs)


async def _read(content: bytes, models: Sequence[str]) -> list[Line]:
    """Return the requests of an input file.

    Raises:
        _Invalid: one of them, or the file, is not as the Batch API wants it.
    """
    lines: list[Line] = []
    ids: set[str] = set()
    asked = None
    for number, text in enumerate(content.splitlines(), start=1):
        if not text.strip():
            continue
        if len(lines) == MAX_REQUESTS:
            raise _Invalid("too_many_tasks", f"The file has more than {MAX_REQUESTS} requests.")
        line, model = _line(text, number)
        if line.custom_id in ids:
            message = f"The custom_id '{line.custom_id}' is used twice in this file."
            raise _Invalid("duplicate_custom_id", message, number, "custom_id")
        if model not in models:
            raise _Invalid("model_not_found", f"The model `{model}` does not exist.", number, "body.model")
        if asked not in (None, model):
            message = f"The model `{model}` is not that of the lines before, `{asked}`."
            raise _Invalid("mismatched_model", message, number, "body.model")
        asked = model
        ids.add(line.custom_id)
        lines.append(line)
        if not number % CHECKED:
            await asyncio.sleep(0)
    if not lines:
        raise _Invalid("empty_file", "The file has no requests.")
    return lines


def _line(text: bytes, number: int) -> tuple[Line, Any]:
    """Return a request and its model."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    if not isinstance(data, dict):
        raise _Invalid("invalid_json_line", "This line is not parseable as a JSON object.", number)
    name, body = data.get("custom_id"), data.get("body")
    if not isinstance(name, str) or not name or not isinstance(body, dict):
        param = "body" if isinstance(name, str) and name else "custom_id"
        raise _Invalid("missing_required_parameter", f"'{param}' is missing.", number, param)
    if data.get("method") != "POST":
        raise _Invalid("invalid_method", "The method must be POST.", number, "method")
    if data.get("url") != ENDPOINT:
        message = f"The URL of this line is not the batch's endpoint, {ENDPOINT}."
        raise _Invalid("invalid_url", message, number, "url")
    return Line(name, wire.compact(body)), body.get("model")
