"""Many requests at half the price and a day's patience: a teacher reached through OpenAI's Batch API.

A file of requests goes up, its batch is waited for, and two files come down: answers in any order, and
failures. A request's `custom_id` is its key in the store. A batch stays open in the store's file
(`store_batches`) until its replies are in the store; a process that starts collects the open ones first, so
that no kill, at whatever instant, makes a reply be paid for again.
"""

import asyncio
import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, NamedTuple

import click
from pydantic import Field

from stages import params
from stages.errors import BadInput
from stages.progress import Progress
from stages.teacher import wire
from stages.teacher.store_batches import BatchLedger, Sent

if TYPE_CHECKING:
    from stages.teacher.batch_api import State

MAX_REQUESTS = 50_000  # of a file, OpenAI's limit
FILE_BYTES = 200_000_000  # of a file, OpenAI's limit
ENDPOINT = "/v1/chat/completions"
SLOWEST = 10.0  # poll_s times this is the longest wait between two looks
COMMITS = 256  # rows handed over before their commits are waited for
ENVELOPE = 2048  # bytes that a line of an output file adds to its response, at most
_LASTING = (400, 401, 403, 404, 413, 422)  # a request that is refused with these is refused again
_CROWDED = ("token_limit_exceeded", "rate_limit_exceeded")  # codes of a batch that failed for want of room


class Batch(params.Section):
    """How batches are sent and waited for."""

    size: int = Field(default=MAX_REQUESTS, ge=1, le=MAX_REQUESTS)  # requests in a file, at most
    poll_s: float = Field(default=10.0, gt=0)  # seconds between the first two looks at a batch; grows tenfold
    window: Literal["24h"] = "24h"  # in which the server answers; OpenAI offers no other


class Settled(NamedTuple):
    """A reply of a batch that an earlier run had sent."""

    key: str
    received: wire.Received
    task: str | None  # wire name of the reply's schema


class _Failed(NamedTuple):
    """A request of a batch that was not answered."""

    status: int | None
    said: str


class _File(NamedTuple):
    """Requests of one task, written for upload; the file is gone when the next one is asked for."""

    file: IO[bytes]
    keys: list[str]
    task: str | None


class Batches:
    """Gets jobs answered in batches, for use inside one event loop: `settle` first, then `complete`.

    Args:
        base_url: of the API, such as https://api.openai.com/v1.
        key: sent as the bearer token; shown nowhere.
        model: of every job.
        config: the section of this engine.
        path: of the response store, which must be open; the batches are noted in its file.
        timeout: seconds to wait for an answer of the server, not for a batch.
        retries: further batches for requests that failed, and further tries after a fault that may pass.
        max_bytes: of a response; a longer one counts as failed.
        app: the ASGI application to ask instead of the network.
        say: told, in one line, what takes long or costs twice; by default it goes to standard error.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        model: str,
        config: Batch,
        path: Path,
        timeout: float,
        retries: int,
        max_bytes: int,
        app: Callable[..., Any] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        from stages.teacher import batch_api  # openai takes a second to import

        self._api = batch_api.BatchApi(
            base_url, key, timeout=timeout, retries=retries, max_bytes=max_bytes + ENVELOPE, app=app
        )
        self._passing, self._absent, self._ended = batch_api.Passing, batch_api.Absent, batch_api.ENDED
        self._looks = batch_api.LOOKS
        self._ledger = BatchLedger(path)
        self._model, self._config, self._retries = model, config, retries
        self._say = say or (lambda line: click.echo(line, err=True))
        self._progress = Progress("replies of the batches")
        self._counts: dict[str, tuple[int, int]] = {}  # (done, total) of each batch of this run
        self._returned: list[tuple[str, list[str]]] = []  # (intent, keys) not yet seen in the store
        self.size = config.size

    async def close(self) -> None:
        """Close the connections, and the batches whose replies the store has got."""
        with closing(self._ledger):
            await self._api.close()
            self._confirm()

    async def settle(self, put: Callable[[Settled], "Future[Any]"]) -> int:
        """Collect what earlier runs had sent, waiting where it must; return the number of replies.

        Call it before the store is asked what is missing. Batches of another model, or that were sent to
        another host, stay open.

        Args:
            put: keeps a reply in the store; its future resolves after the commit.

        Raises:
            BadInput: the server cannot be reached or does not speak the protocol; a reply cannot be stored.
        """
        await self._heal([sent for sent in self._open() if sent.id is None])
        return sum([await self._collect(sent, put) for sent in self._open() if sent.id])

    async def complete(self, jobs: Sequence[wire.Job]) -> list[wire.Received]:
        """Get every job answered; return the answers in the jobs' order.

        Requests that fail, expire, or come back garbled or not at all go into a further batch, up to
        `retries` times.

        Raises:
            BadInput: a request is refused or keeps failing; a batch is refused or was cancelled; the server
                cannot be reached. The next run's `settle` collects what had been answered.
            ValueError: a job is of another model, or asks for more than one choice.
        """
        self._confirm()
        wanted = {job.key: job for job in jobs}
        if any(job.body["model"] != self._model or job.body.get("n", 1) != 1 for job in jobs):
            raise ValueError(f"a batch takes single draws of {self._model}")
        found: dict[str, wire.Received] = {}
        failed: dict[str, _Failed] = {}
        for attempt in range(self._retries + 1):
            missing = [job for key, job in wanted.items() if key not in found]
            if not missing:
                break
            if attempt:
                self._say(
                    f"teacher at {self._api.host}: {len(missing):,} of {len(wanted):,} requests failed "
                    f"({_example(failed)}) and are sent again"
                )
            failed = await self._round(missing, found)
        if failed:
            raise self._api.fault(
                f"left {len(failed):,} of {len(wanted):,} requests of its batches unanswered "
                f"({_example(failed)})",
                "run again, what was answered is kept",
            )
        return [found[job.key] for job in jobs]

    async def _round(self, jobs: Sequence[wire.Job], found: dict[str, wire.Received]) -> dict[str, _Failed]:
        """Send jobs in as many batches as they need; add answers to `found` and return what failed."""
        batches = [await self._send(file) for file in _files(jobs, self._config.size)]
        failed: dict[str, _Failed] = {}
        for sent in batches:
            failed |= await self._answers(sent, found)
        lasting = [fault for fault in failed.values() if fault.status in _LASTING]
        if lasting:
            said = f"with status {lasting[0].status}: {lasting[0].said}"
            raise self._api.fault(
                f"refused {len(lasting):,} requests of a batch {said}",
                "check teacher settings; what was answered is kept",
            )
        return failed

    async def _send(self, file: _File) -> Sent:
        """Upload a file and create its batch, noted before it is created."""
        uploaded = await self._api.upload(file.file)
        intent = uuid.uuid4().hex
        self._ledger.intend(intent, self._model, self._api.host, file.task, file.keys)
        try:
            name = await self._api.create(uploaded, ENDPOINT, self._config.window, intent)
        except self._passing:
            raise  # it may have been created: the next run looks
        except BadInput:
            self._ledger.end(intent, "refused")
            raise
        self._ledger.sent(intent, name)
        return Sent(intent, name, file.task, file.keys, "")

    async def _answers(self, sent: Sent, found: dict[str, wire.Received]) -> dict[str, _Failed]:
        """Wait for a batch; add its answers to `found` and return its other requests."""
        failed = dict.fromkeys(sent.keys, _Failed(None, "no line in the output"))
        try:
            state = await self._wait(sent)
            if state.status == "failed":
                fault = self._failure(sent, state)
                return dict.fromkeys(sent.keys, fault)
            async for key, result in self._results(sent, state):
                if isinstance(result, _Failed):
                    failed[key] = result
                else:
                    found[key] = result
                    failed.pop(key)
        except self._absent as error:
            self._lost(sent, error)
            return {key: _Failed(None, "the server lost the batch") for key in failed}
        if state.status == "cancelled" and failed:
            raise self._api.fault(
                f"says that batch {sent.id} was cancelled",
                "run again to send the rest, what was answered is kept",
            )
        if len(failed) == len(sent.keys):
            self._ledger.end(sent.intent, "failed")
        else:
            self._returned.append((sent.intent, [key for key in sent.keys if key not in failed]))
        return failed

    def _failure(self, sent: Sent, state: "State") -> _Failed:
        """Return why a batch failed as a whole: none of it was served.

        Raises:
            BadInput: it would fail again.
        """
        self._ledger.end(sent.intent, "failed")
        code, message = state.faults[0] if state.faults else ("", "no reason given")
        if state.faults and code not in _CROWDED:
            raise self._api.fault(
                f"refused a batch of {len(sent.keys):,} requests: {message} ({code})",
                "check teacher settings",
            )
        return _Failed(None, self._api.redacted(message))

    async def _heal(self, unsure: Sequence[Sent]) -> None:
        """Find out at the server which batches were created whose creation was not noted."""
        marks = {sent.intent for sent in unsure}
        for look in range(self._looks):
            if not marks:
                return
            if look:
                await asyncio.sleep(self._config.poll_s)
            found = await self._api.find(marks)
            for intent, name in found.items():
                self._ledger.sent(intent, name)
            marks -= set(found)
        for intent in marks:
            self._ledger.void(intent)

    async def _collect(self, sent: Sent, put: Callable[[Settled], "Future[Any]"]) -> int:
        """Hand over the replies of an earlier run's batch, and close it."""
        self._say(
            f"teacher at {self._api.host}: collecting batch {sent.id} of {len(sent.keys):,} requests, "
            f"sent {sent.created}"
        )
        count, commits = 0, list[Future[Any]]()
        try:
            state = await self._wait(sent)
            async for key, result in self._results(sent, state):
                if isinstance(result, _Failed):
                    continue
                commits.append(put(Settled(key, result, sent.task)))
                count += 1
                if len(commits) == COMMITS:
                    await _committed(commits)
            await _committed(commits)
        except self._absent as error:
            await _committed(commits)
            self._lost(sent, error)
        else:
            self._ledger.end(sent.intent, "stored" if count else "failed")
        return count

    def _lost(self, sent: Sent, error: BadInput) -> None:
        self._ledger.end(sent.intent, "lost")
        self._say(f"batch {sent.id} is lost, its {len(sent.keys):,} requests are sent again: {error.message}")

    async def _wait(self, sent: Sent) -> "State":
        """Look at a batch until it has ended, ever less often.

        Raises:
            Absent: the server has no such batch, however often it is asked.
        """
        assert sent.id
        pause, faults = self._config.poll_s, 0
        while True:
            try:
                state = await self._api.state(sent.id)
            except (self._passing, self._absent):
                faults += 1
                if faults >= max(self._looks, self._retries + 1):
                    raise
            else:
                faults = 0
                self._counts[sent.intent] = (state.done, state.total or len(sent.keys))
                self._progress(*(sum(part) for part in zip(*self._counts.values(), strict=True)))
                if state.status in self._ended:
                    return state
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, self._config.poll_s * SLOWEST)

    async def _results(
        self, sent: Sent, state: "State"
    ) -> AsyncIterator[tuple[str, wire.Received | _Failed]]:
        """Yield what came of each request of a batch that has a line in its files, once."""
        left = set(sent.keys)
        for name in state.files:
            async for line in self._api.lines(name):
                key, result = self._read(line, state.latency_s)
                if key in left:  # other ids are none of ours
                    left.remove(key)
                    yield key, result

    def _read(self, line: bytes, latency_s: float) -> tuple[str, wire.Received | _Failed]:
        """Return (custom id, what came of it) of a line; the id is empty where the line is none."""
        try:
            data = json.loads(line.decode("utf-8", "replace"))
            key, response, error = data["custom_id"], data.get("response") or {}, data.get("error") or {}
            status, body, name = response.get("status_code"), response.get("body"), response.get("request_id")
            if not isinstance(key, str):
                return "", _Failed(None, "no custom_id")
            if status != 200:
                told = error or (body or {}).get("error") or {}
                said = told.get("message") or told.get("code") or f"status {status}"
                return key, _Failed(status, " ".join(self._api.redacted(str(said)).split())[:300])
            text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            return "", _Failed(None, "a line that is none")
        text = self._api.redacted(text.encode("utf-8", "replace").decode())
        try:
            said = wire.read_completion(text)
        except wire.Garbled as garbled:
            return key, _Failed(None, f"sent {garbled}")
        request_id = self._api.redacted(name) if isinstance(name, str) else None
        return key, wire.Received(text, said, request_id, latency_s)

    def _open(self) -> list[Sent]:
        return self._ledger.open(self._model, self._api.host)

    def _confirm(self) -> None:
        """Close the batches whose replies have been stored since they were returned."""
        waiting = self._returned
        self._returned = []
        for intent, keys in waiting:
            if self._ledger.stored(keys):
                self._ledger.end(intent, "stored")
            else:
                self._returned.append((intent, keys))


def _files(jobs: Sequence[wire.Job], size: int) -> Iterator[_File]:
    """Write jobs into files for upload, each of one task and within the limits; one file exists at a time.

    Raises:
        BadInput: the disk is full.
    """
    try:
        yield from _written(jobs, size)
    except OSError as error:
        raise BadInput(
            f"{tempfile.gettempdir()}: cannot write a batch's requests: {error.strerror}; "
            "free some disk space or set TMPDIR"
        ) from error


def _written(jobs: Sequence[wire.Job], size: int) -> Iterator[_File]:
    tasks: dict[str | None, list[wire.Job]] = {}
    for job in jobs:
        tasks.setdefault(job.task, []).append(job)
    for task, group in tasks.items():
        lines = map(_line, group)
        keys = [job.key for job in group]
        start, line = 0, next(lines, None)
        while line is not None:
            with tempfile.TemporaryFile(prefix="seedbed-batch-") as file:
                end, written = start, 0
                while (
                    line is not None
                    and end - start < size
                    and (end == start or written + len(line) <= FILE_BYTES)
                ):
                    written += file.write(line)
                    end, line = end + 1, next(lines, None)
                file.seek(0)
                yield _File(file, keys[start:end], task)
                start = end


def _line(job: wire.Job) -> bytes:
    data = {"custom_id": job.key, "method": "POST", "url": ENDPOINT, "body": job.body}
    return wire.compact(data) + b"\n"


def _example(failed: dict[str, _Failed]) -> str:
    """Say how the first of some requests failed."""
    first = next(iter(failed.values()))
    return first.said


async def _committed(commits: "list[Future[Any]]") -> None:
    """Wait for commits, and forget them."""
    waiting = list(commits)
    commits.clear()
    await asyncio.gather(*map(asyncio.wrap_future, waiting))
