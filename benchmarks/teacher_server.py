"""A mock OpenAI-compatible teacher that counts what is asked of it, in a process and on a core of its own.

Every reply takes the same time and is the same number of tokens long, and names the question it answers, so
that a lost, stale or mixed-up reply shows. A seeded share of the calls fails. A call is *begun* when the
server has it and will answer it soundly, and *answered* when the whole reply was sent to a client that was
still there; what a provider charges for lies between the two. Calls that fail are neither, and are counted by
the kind of their fault; a reply that comes byte by byte is slow but sound, and is counted as both.

    python benchmarks/teacher_server.py --port 8001
    curl -d '{"latency_s": 0.05, "faults": {"429": 0.05, "500": 0.02}}' localhost:8001/reset
    curl localhost:8001/count
"""

import argparse
import asyncio
import hashlib
import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

FAULTS = ("429", "500", "reset", "hang", "slow", "truncated", "empty")
PATIENCE_S = 120.0  # of `/wait`, in case that the client has died
PIECE_S = 0.0005  # between two bytes of a slow reply


class Settings(NamedTuple):
    """How the teacher answers."""

    latency_s: float = 0.05
    tokens: int = 150  # of a reply, counted as words
    faults: Mapping[str, float] = {}  # share of calls by kind, see `FAULTS`
    retry_after_s: float | None = 0.1  # said with a 429
    hang_s: float = 60.0
    storm_s: float = 0.0  # from the first call on, answer nothing but 429 and 500
    seed: int = 0


class Count(NamedTuple):
    """What the server saw since it was reset; a body is a request's body, byte for byte."""

    calls: int  # all of them
    begun: int  # to be answered soundly
    answered: int  # soundly, to a client that was there
    distinct: int  # bodies answered
    distinct_begun: int
    answered_twice: int  # bodies answered more than once
    probes: int  # calls without a message: a client asks for the endpoint's limits
    faults: dict[str, int]
    in_flight: int
    peak: int  # most in flight at once
    span_s: float  # from the first call to the last answer
    cpu_s: float  # the server's own, user and system
    late: int  # answered after an instant that was asked about


def answer_to(question: str) -> str:
    """Return the answer that the mock gives to a question: a sign that the reply belongs to it."""
    return f"answer {hashlib.sha256(question.encode()).hexdigest()[:12]}"


def fault_of(settings: Settings, body: bytes, attempt: int) -> str | None:
    """Return the fault of the attempt-th call with this body, the same in every run."""
    if not settings.faults:
        return None
    digest = hashlib.sha256(b"%d %d " % (settings.seed, attempt) + body).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    for kind, share in settings.faults.items():
        if draw < share:
            return kind
        draw -= share
    return None


class Teacher:
    """The mock, as a handler of aiohttp's low-level server: a router would cost as much as the answer."""

    def __init__(self) -> None:
        self.waiting: list[tuple[int, asyncio.Event]] = []  # (calls answered, whom to tell)
        self.reset(Settings())

    def reset(self, settings: Settings) -> None:
        """Forget all counts and take new settings."""
        self.settings = settings
        self.begun: Counter[bytes] = Counter()
        self.answered: Counter[bytes] = Counter()
        self.attempts: Counter[bytes] = Counter()
        self.faults: Counter[str] = Counter()
        self.calls = self.probes = self.in_flight = self.peak = self.sent = 0
        self.times: list[float] = []  # of each answer, time.monotonic(), which processes share
        self.first = self.last = 0.0
        self.cpu = _cpu()
        self.filler = " ".join(["word"] * max(0, settings.tokens - 8))

    def count(self, since: float = math.inf) -> Count:
        """Return the counts since the reset."""
        return Count(
            calls=self.calls,
            begun=self.begun.total(),
            answered=self.sent,
            distinct=len(self.answered),
            distinct_begun=len(self.begun),
            answered_twice=sum(n > 1 for n in self.answered.values()),
            probes=self.probes,
            faults=dict(sorted(self.faults.items())),
            in_flight=self.in_flight,
            peak=self.peak,
            span_s=max(0.0, self.last - self.first),
            cpu_s=_cpu() - self.cpu,
            late=sum(at > since for at in self.times),
        )

    async def handle(self, request: Any) -> Any:
        """Answer one HTTP request."""
        from aiohttp import web

        path = request.path
        if path.endswith("/chat/completions"):
            return await self._complete(request)
        if path.endswith("/models"):
            return web.json_response({"object": "list", "data": [{"id": "mock", "object": "model"}]})
        if path == "/reset":
            self.reset(Settings(**await request.json()))
        if path == "/wait":
            await self._wait(int(request.query["answered"]))
        return web.json_response(self.count(float(request.query.get("since", "inf")))._asdict())

    async def _wait(self, answered: int) -> None:
        if self.sent < answered:
            event = asyncio.Event()
            self.waiting.append((answered, event))
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), PATIENCE_S)

    async def _complete(self, request: Any) -> Any:
        try:
            body = await request.read()
        except ConnectionError:
            return _error(400, "half a request", {})
        now = time.monotonic()
        asked = json.loads(body)
        if not asked.get("messages"):
            self.probes += 1
            return _error(400, "no messages", {"x-ratelimit-limit-requests": "1000000"})
        self.calls += 1
        self.first = self.first or now
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        try:
            return await self._answer(request, body, _text(asked["messages"][-1]["content"]), now)
        finally:
            self.in_flight -= 1

    async def _answer(self, request: Any, body: bytes, question: str, now: float) -> Any:
        from aiohttp import web

        settings = self.settings
        digest = hashlib.sha256(body).digest()[:16]
        self.attempts[digest] += 1
        fault = fault_of(settings, body, self.attempts[digest])
        if now - self.first < settings.storm_s:
            fault = ("429", "500")[self.calls % 2]
        if fault:
            self.faults[fault] += 1
        if fault and fault != "slow":
            return await self._fail(request, fault, question)
        self.begun[digest] += 1
        await asyncio.sleep(settings.latency_s)
        whole = self._completion(question)
        if fault == "slow":
            response = await _slowly(request, whole)
        else:
            response = web.Response(body=whole, content_type="application/json")
        if not _gone(request) and settings is self.settings:
            self.answered[digest] += 1
            self.sent += 1
            self.last = time.monotonic()
            self.times.append(self.last)
            self._tell()
        return response

    def _tell(self) -> None:
        for wait in [wait for wait in self.waiting if wait[0] <= self.sent]:
            self.waiting.remove(wait)
            wait[1].set()

    async def _fail(self, request: Any, fault: str, question: str) -> Any:
        from aiohttp import web

        settings = self.settings
        if fault in ("429", "500"):
            wait = settings.retry_after_s
            headers = {} if fault == "500" or wait is None else {"Retry-After": f"{wait:g}"}
            return _error(int(fault), "rate limit reached" if fault == "429" else "it went wrong", headers)
        await asyncio.sleep(settings.latency_s)
        body = self._completion(question)
        if fault == "truncated":
            body = body[: len(body) // 2]
        elif fault == "empty":
            body = json.dumps({"object": "chat.completion", "choices": [], "usage": _usage(0)}).encode()
        elif fault == "hang":
            until = time.monotonic() + settings.hang_s
            while not _gone(request) and time.monotonic() < until:
                await asyncio.sleep(0.05)
        elif request.transport is not None:
            request.transport.abort()
        return web.Response(body=body, content_type="application/json")

    def _completion(self, question: str) -> bytes:
        content = json.dumps({"rationale": self.filler or "word", "answer": answer_to(question)})
        message = {"role": "assistant", "content": content, "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        completion = {
            "id": f"chatcmpl-{self.sent}",
            "object": "chat.completion",
            "created": 0,
            "model": "mock",
            "choices": [choice],
            "usage": _usage(self.settings.tokens),
        }
        return json.dumps(completion).encode()


def _text(content: str | list[dict[str, str]]) -> str:
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def _gone(request: Any) -> bool:
    return request.transport is None or request.transport.is_closing()


async def _slowly(request: Any, body: bytes) -> Any:
    """Send a sound reply byte by byte."""
    from aiohttp import web

    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(body)
    await response.prepare(request)
    with suppress(ConnectionError):  # a client that has waited long enough
        for i in range(len(body)):
            await response.write(body[i : i + 1])
            await asyncio.sleep(PIECE_S)
        await response.write_eof()
    return response


def _usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": 50, "completion_tokens": tokens, "total_tokens": 50 + tokens}


def _error(status: int, message: str, headers: dict[str, str]) -> Any:
    from aiohttp import web

    return web.json_response({"error": {"message": message}}, status=status, headers=headers)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def serve(port: int) -> None:
    """Serve until the process is told to end; print the base URL first."""
    from aiohttp import web

    runner = web.ServerRunner(web.Server(Teacher().handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, backlog=4096).start()
    port = runner.addresses[0][1]
    # A second address, for clients that treat an endpoint on 127.0.0.1 differently from a remote one.
    await web.TCPSite(runner, "127.0.0.2", port, backlog=4096).start()
    print(f"http://127.0.0.1:{port}", flush=True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


class Counted:
    """A running mock, as its users see it."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.url = f"{root}/v1"  # the API's base URL

    def reset(self, **settings: Any) -> None:
        """Forget all counts; see `Settings` for what can be set."""
        self._ask("/reset", json.dumps(settings).encode())

    def count(self, since: float = math.inf) -> Count:
        """Return what was counted since the reset; `late` since an instant of time.monotonic()."""
        return self._ask(f"/count?since={since}")

    def wait(self, answered: int) -> Count:
        """Return the counts as soon as so many calls are answered."""
        return self._ask(f"/wait?answered={answered}")

    def settle(self) -> Count:
        """Return the counts once nothing is in flight any more, as after a killed client."""
        while (count := self.count()).in_flight:
            time.sleep(0.005)
        return count

    def _ask(self, path: str, body: bytes | None = None) -> Count:
        with urllib.request.urlopen(self.root + path, body, timeout=600) as response:
            return Count(**json.loads(response.read()))


@contextmanager
def running(core: int | None = None) -> Iterator[Counted]:
    """Run the mock in a process of its own, on one core if so told."""
    command = [sys.executable, str(Path(__file__)), "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pinned(core))
    try:
        assert process.stdout is not None
        yield Counted(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


def pinned(core: int | None) -> Callable[[], None] | None:
    """Return what makes a child process stay on one of the cores; None where there is but one."""
    cores = sorted(os.sched_getaffinity(0))
    return None if core is None or len(cores) < 2 else lambda: os.sched_setaffinity(0, {cores[core]})


def questions(count: int) -> list[str]:
    """Return as many different questions, the same ones in every run."""
    rng = random.Random(0)
    return [f"Question {i}: what is the code of item {rng.randrange(10**9)}?" for i in range(count)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--port", type=int, default=8001, help="0 takes a free one")
    asyncio.run(serve(parser.parse_args().port))
