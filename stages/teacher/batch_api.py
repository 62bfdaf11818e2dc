"""OpenAI's Batch API through the `openai` package: files up, batches made and watched, files down."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple, TypeVar

import httpx2
import openai
from openai.pagination import AsyncCursorPage
from openai.types import Batch, FileObject

from stages.errors import BadInput

MARK = "seedbed"  # name of the metadata that holds our name of a batch
TRANSFER_S = 600.0  # least time to wait for the server's part in moving a file
LOOKS = 3  # at the server before a batch is believed not to be there
PAGE = 100  # batches listed at once
ENDED = ("completed", "failed", "expired", "cancelled")
_PAUSE_S = 0.5  # before the second try, doubled at each further one, up to 8 s

T = TypeVar("T")


class Passing(BadInput):
    """A fault that may pass: no connection, no answer in time, 408, 409, 429, 5xx."""


class Absent(BadInput):
    """The server knows no batch or file of this name."""


class State(NamedTuple):
    """How far a batch is."""

    status: str
    done: int  # requests answered or failed
    total: int
    files: list[str]  # ids of the output file and the file of errors, as far as there are any
    faults: list[tuple[str, str]]  # (code, message) of what made it fail as a whole
    latency_s: float  # from its creation to its end by the server's clock; 0 before


class BatchApi:
    """A connection to the Batch API, for use inside one event loop.

    Args:
        base_url: of the API, such as https://api.openai.com/v1.
        key: sent as the bearer token; shown nowhere.
        timeout: seconds to wait for an answer.
        retries: further tries after a fault that may pass.
        max_bytes: of a line of a file, at most.
        app: the ASGI application to ask instead of the network.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout: float,
        retries: int,
        max_bytes: int,
        app: Callable[..., Any] | None = None,
    ) -> None:
        transport = httpx2.ASGITransport(app, raise_app_exceptions=False) if app else None
        http = httpx2.AsyncClient(transport=transport, timeout=timeout, follow_redirects=True)
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
        self._max_bytes = max_bytes
        self._transfer_s = max(timeout, TRANSFER_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def upload(self, file: IO[bytes]) -> str:
        """Send a file of requests; return its id."""
        sent = self._client.files.create(
            file=("requests.jsonl", file), purpose="batch", timeout=self._transfer_s
        )
        return (await self._asked(sent, FileObject)).id

    async def create(self, file_id: str, endpoint: str, window: str, mark: str) -> str:
        """Create a batch; return its id.

        It is created once: where it is not known whether a try did it, the server's list is searched for the
        mark, again and again for it may lag behind, before the next try.
        """
        once = self._client.with_options(max_retries=0)
        for attempt in range(self._retries + 1):
            made = once.batches.create(
                input_file_id=file_id,
                endpoint=endpoint,  # type: ignore[arg-type]
                completion_window=window,  # type: ignore[arg-type]
                metadata={MARK: mark},
            )
            try:
                return (await self._asked(made, Batch)).id
            except Passing:
                for look in range(LOOKS):
                    await self._pause(attempt + look)
                    found = await self.find([mark])
                    if found:
                        return found[mark]
                if attempt == self._retries:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def find(self, marks: Collection[str]) -> dict[str, str]:
        """Return the ids of the batches that carry one of `marks`, by mark."""
        found: dict[str, str] = {}
        ends: set[str] = set()  # a server that does not know `after` sends the same page for ever
        page = await self._asked(self._client.batches.list(limit=PAGE), AsyncCursorPage)
        while True:
            for batch in page.data or []:
                mark = (batch.metadata or {}).get(MARK)
                if mark is not None and mark in marks:
                    found.setdefault(mark, batch.id)
            last = page.data[-1].id if page.data else ""
            if len(found) == len(marks) or last in ends or not page.has_next_page():
                return found
            ends.add(last)
            page = await self._asked(page.get_next_page(), AsyncCursorPage)

    async def state(self, batch_id: str) -> State:
        """Look at a batch.

        Raises:
            Absent: there is none of this id.
        """
        batch = await self._asked(self._client.batches.retrieve(batch_id), Batch)
        counts = batch.request_counts
        errors = (batch.errors.data if batch.errors else None) or []
        end = batch.completed_at or batch.expired_at or batch.cancelled_at
        return State(
            batch.status,
            counts.completed + counts.failed if counts else 0,
            counts.total if counts else 0,
            [name for name in (batch.output_file_id, batch.error_file_id) if name],
            [(error.code or "", error.message or "") for error in errors],
            float(max(0, end - batch.created_at)) if end else 0.0,
        )

    async def lines(self, file_id: str) -> AsyncIterator[bytes]:
        """Yield the lines of a file as they arrive, without those longer than `max_bytes`.

        A file that breaks off is read again from its start: a line may come twice.

        Raises:
            Absent: there is no such file.
        """
        for attempt in range(self._retries + 1):
            try:
                async for line in self._lines(file_id):
                    yield line
                return
            except Passing:
                if attempt == self._retries:
                    raise
                await self._pause(attempt)

    async def _lines(self, file_id: str) -> AsyncIterator[bytes]:
        said = (await self._asked(self._client.files.retrieve(file_id), FileObject)).bytes
        content = self._client.files.with_streaming_response.content(file_id, timeout=self._transfer_s)
        read, splitter = 0, _Splitter(self._max_bytes)
        with self._faults():
            async with content as response:
                async for chunk in response.iter_bytes():
                    read += len(chunk)
                    for line in splitter.feed(chunk):
                        yield line
        if read < (said or 0):
            raise self._passing(f"sent {read:,} of the {said:,} bytes of {file_id}")
        for line in splitter.feed(b"\n"):
            yield line

    async def _pause(self, attempt: int) -> None:
        await asyncio.sleep(min(_PAUSE_S * 2.0**attempt, 8.0))

    async def _asked(self, call: Coroutine[Any, Any, T] | Any, kind: type[T]) -> T:
        """Return what a call of the package gives, which must be of a kind, with an id where that has one."""
        with self._faults():
            value = await call
        named = not isinstance(value, (Batch, FileObject)) or isinstance(value.id, str)
        if not isinstance(value, kind) or not named:
            raise self.fault(f"sent no {kind.__name__} object", "does it offer OpenAI's Batch API?")
        return value

    @contextmanager
    def _faults(self) -> Iterator[None]:
        """Turn the package's errors into one line; not chained, for a server may echo the key in its own."""
        try:
            yield
        except openai.APIStatusError as error:
            raise self._refusal(error) from None
        except (openai.APITimeoutError, httpx2.TimeoutException):
            raise self._passing("did not answer in time") from None
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = " ".join(str(error.__cause__ or error).split()) or type(error).__name__
            raise self._passing(f"cannot be reached ({cause})") from None
        except (openai.OpenAIError, ValueError, TypeError, AttributeError):
            raise self.fault("sent JSON that is no answer", "does it offer OpenAI's Batch API?") from None

    def _refusal(self, error: openai.APIStatusError) -> BadInput:
        detail = error.body.get("message") if isinstance(error.body, dict) else None
        status = error.status_code
        said = f": {' '.join(str(detail).split())[:300]}" if detail else ""
        what = f"answered with status {status}{said}"
        if status in (408, 409, 429) or status >= 500:
            return self._passing(what)
        advice = {
            401: "check the API key in the variable that teacher.api_key_env names",
            403: "the API key may not use batches",
            404: "check teacher.base_url and that it offers OpenAI's Batch API",
        }.get(status, "check teacher settings")
        return self.fault(what, advice, Absent if status == 404 else BadInput)

    def _passing(self, what: str) -> BadInput:
        return self.fault(what, "run again later, batches that were sent are kept", Passing)

    def fault(self, what: str, advice: str, kind: type[BadInput] = BadInput) -> BadInput:
        """Return an error of one line, without the key."""
        return kind(self.redacted(f"teacher at {self.host} {' '.join(what.split())}; {advice}"))

    def redacted(self, text: str) -> str:
        """Return `text` without the key: a server may echo it."""
        return text.replace(self._key, "***")


class _Splitter:
    """Cuts chunks into lines, and holds no more than one line of at most `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._skipping = False  # inside a line that is too long

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that end in `chunk`, without those that are empty or too long."""
        *ended, rest = chunk.split(b"\n")
        for piece in ended:
            self._add(piece)
            if self._begun.strip() and not self._skipping:
                yield bytes(self._begun)
            self._begun.clear()
            self._skipping = False
        self._add(rest)

    def _add(self, piece: bytes) -> None:
        if len(self._begun) + len(piece) > self._limit:
            self._skipping = True
            self._begun.clear()
        if not self._skipping:
            self._begun += piece
