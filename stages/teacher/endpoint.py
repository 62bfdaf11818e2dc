"""Where a teacher is reached: address and key as the `openai` package reads them, one request at a time."""

import asyncio
import email.utils
import json
import os
import random
import time
from collections.abc import Mapping

import openai

from stages.errors import BadInput
from stages.teacher import wire
from stages.teacher.pace import FIRST_WAIT_S, LONGEST_WAIT_S, Pace
from stages.teacher.transport import Application, InProcess, Late, Lost, Reply, Socket, TooLong, Transport

OPENAI_URL = "https://api.openai.com/v1"
IN_PROCESS_URL = "http://embedded-teacher/v1"
MAX_BYTES = 16 * 2**20  # of a reply
OVERLOAD = frozenset({429, 503, 529})  # statuses that say that it was too much
PASSING = frozenset({408, 409, 425})  # besides the 5xx: worth another try
SECRET = 8  # characters that a key has at least
CHARACTERS = 3  # of a token, at least, for the estimate that a limit of tokens claims


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
        pace: how fast it is worked.
        timeout: seconds to wait for one reply.
        retries: further tries after 408, 409, 425, 5xx, a lost connection or a garbled body. Overload is
            waited out and not counted; where no request at all is answered any more, that is an outage, and
            `pace.patience` decides.
        app: the ASGI application to ask instead of the network.
        max_bytes: of a reply.
        answers_as: the model's name in replies; None is the name that is asked for, whatever follows it.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        pace: Pace,
        *,
        timeout: float,
        retries: int,
        app: Application | None = None,
        max_bytes: int = MAX_BYTES,
        answers_as: str | None = None,
    ) -> None:
        try:
            client = openai.AsyncOpenAI(api_key=key, base_url=base_url, max_retries=0)
            url = client.base_url.join("chat/completions")
            if url.scheme not in ("http", "https") or not url.host:
                raise ValueError(f"{url.scheme or 'no'} scheme")
            self.host = url.netloc.decode()
        except (openai.OpenAIError, ValueError, UnicodeError) as error:
            raise BadInput(
                f"teacher: base_url is no web address: {error}; write http://host:port/v1"
            ) from error
        headers = {**client.auth_headers, "Content-Type": "application/json", "User-Agent": client.user_agent}
        self._transport: Transport
        if app:
            self._transport = InProcess(app, url.path, headers, timeout=timeout, max_bytes=max_bytes)
        else:
            self._transport = Socket(
                str(url), headers, timeout=timeout, connections=pace.concurrency, max_bytes=max_bytes
            )
        self.pace = pace
        self._key, self._retries, self._answers_as = key, retries, answers_as

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def complete(self, job: wire.Job) -> list[wire.Received]:
        """Send one request; return what came back for each of its draws.

        Raises:
            BadInput: the teacher cannot be reached, refuses the request, answers as another model, or answers
                with something that is no chat completion, after all retries.
        """
        content = wire.compact(job.body)
        claim = job.draws * wire.token_limit(job.body) + len(content) / CHARACTERS
        tries = _Tries(self.pace, self._retries)
        started = time.monotonic()
        while True:
            await self.pace.enter(claim)
            tries.begin()
            try:
                reply = await self._transport.post(content)
            except Lost as error:
                fault, retry_after = self._no_reply(error), None
            else:
                if reply.status == 200:
                    try:
                        return self._read(reply, job, started)
                    except wire.Garbled as error:
                        fault, retry_after = self._garbled(error), None
                else:
                    fault, retry_after = self._refused(reply, job), _retry_after(reply.headers)
                    if reply.status in OVERLOAD:
                        self.pace.overloaded(retry_after)
                        tries.overloaded = True
                    elif reply.status >= 500:
                        tries.down = True
                    elif reply.status not in PASSING:
                        raise fault
            finally:
                self.pace.leave()
            await asyncio.sleep(tries.wait(fault, retry_after))

    def _read(self, reply: Reply, job: wire.Job, started: float) -> list[wire.Received]:
        drawn = wire.read_draws(self._without_key(reply.content.decode("utf-8", "replace")), job.draws)
        asked, said = str(job.body["model"]), drawn[0][1].model
        wanted = self._answers_as or asked
        if said and not (said == wanted or (said.startswith(wanted) and not self._answers_as)):
            raise self._fault(
                f"answered as the model '{said}', not '{wanted}'; nothing of it was kept",
                "if that is the same model, set teacher.answers_as to the name that it answers under",
            )
        self.pace.succeeded()
        request_id, latency = reply.headers.get("x-request-id"), round(time.monotonic() - started, 6)
        known = self._without_key(request_id) if request_id else None
        return [wire.Received(text, completion, known, latency) for text, completion in drawn]

    def _without_key(self, text: str) -> str:
        """Take the key out of what a server sends back; a word as short as a local server's is no secret."""
        return text.replace(self._key, "***") if len(self._key) >= SECRET else text

    def _no_reply(self, error: Lost) -> BadInput:
        if isinstance(error, Late):
            return self._fault("did not answer in time", "raise teacher.timeout or lower concurrency")
        if isinstance(error, TooLong):
            return self._fault(f"sent {error}", "raise teacher.max_bytes, or lower max_tokens")
        return self._fault(f"cannot be reached ({error})", "check teacher.base_url and that it runs")

    def _garbled(self, error: wire.Garbled) -> BadInput:
        return self._fault(f"sent {error}", "is teacher.base_url an OpenAI-compatible API?")

    def _refused(self, reply: Reply, job: wire.Job) -> BadInput:
        try:
            detail = json.loads(reply.content)["error"]["message"]
        except (ValueError, KeyError, TypeError, RecursionError):
            detail = None
        advice = {
            401: "check the API key in the variable that teacher.api_key_env names",
            403: "the API key may not use this model",
            404: f"check teacher.base_url and that it serves the model '{job.body['model']}'",
            429: "lower teacher.concurrency or requests_per_minute, or wait; the replies so far are kept",
        }.get(
            reply.status,
            "try again later; the replies so far are kept"
            if reply.status >= 500
            else "check teacher settings and what teacher.accepts says of this endpoint",
        )
        said = f": {' '.join(str(detail).split())[:300]}" if detail else ""
        return self._fault(f"answered with status {reply.status}{said}", advice)

    def _fault(self, what: str, advice: str) -> BadInput:
        # A server may echo the key in its error message.
        line = f"teacher at {self.host} {what}; {advice}"
        return BadInput(line.replace(self._key, "***"))


class _Tries:
    """The tries of one request, and when they are enough."""

    def __init__(self, pace: Pace, retries: int) -> None:
        self._pace, self._retries = pace, retries
        self._made = self._failed = 0
        self._begun = 0.0
        self.overloaded = False  # the last one was refused as too much
        self.down = False  # the last one was answered with a fault of the server's own

    def begin(self) -> None:
        """Note that a try is sent."""
        self._begun = time.monotonic()

    def wait(self, fault: BadInput, retry_after: float | None) -> float:
        """Return the seconds until the next try.

        Raises:
            BadInput: the fault, where there is none.
        """
        silent = self._pace.silent_s()
        # Nothing since the try was sent: an outage, if there is a server at all.
        outage = self._pace.last_success < self._begun and (self.down or self._pace.successes > 0)
        if self.overloaded:
            over = self._made >= self._retries and silent + (retry_after or 0.0) > self._pace.patience
        else:
            self._failed += 1
            over = self._failed > self._retries and (not outage or silent > self._pace.patience)
        if over:
            raise fault
        self.overloaded = self.down = False
        longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0**self._made)
        self._made += 1
        return max(retry_after or 0.0, longest * random.uniform(0.5, 1.0))


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header; a date is read against the server's own clock."""
    named = {name.lower(): value for name, value in headers.items()}
    value = named.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        then = email.utils.parsedate_to_datetime(value)
        now = email.utils.parsedate_to_datetime(named.get("date", email.utils.formatdate(usegmt=True)))
        return max(0.0, (then - now).total_seconds())
    except (ValueError, TypeError):
        return None
