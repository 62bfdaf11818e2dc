"""One POST to an endpoint: over the network with aiohttp, or to an ASGI application in this process.

The `openai` package's own transports take four to six times the CPU a request for nothing that is used here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import aiohttp

Application = Callable[..., Awaitable[None]]  # ASGI


class Reply(NamedTuple):
    """What came back, whatever it is."""

    status: int
    headers: Mapping[str, str]  # names in any case for aiohttp, in lower case in process
    content: bytes


class Lost(Exception):
    """No reply came: the connection failed or was lost; the text says how."""


class Late(Lost):
    """No reply came in time."""


class TooLong(Lost):
    """The reply is longer than is read; what was read of it is thrown away."""


class Transport(Protocol):
    """Sends requests to one address."""

    async def post(self, content: bytes) -> Reply:
        """Send one request; raise `Lost` where no whole reply comes."""

    async def close(self) -> None:
        """Close the connections."""


class Socket:
    """HTTP over the network.

    Args:
        url: to post to.
        headers: of every request.
        timeout: seconds for one reply, from the request to its last byte.
        connections: open at once, at most.
        max_bytes: of a reply.
    """

    def __init__(
        self, url: str, headers: Mapping[str, str], *, timeout: float, connections: int, max_bytes: int
    ) -> None:
        import aiohttp

        self._url, self._max_bytes = url, max_bytes
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=connections, ttl_dns_cache=300),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def post(self, content: bytes) -> Reply:
        """Send one request.

        Raises:
            Lost: no connection, it broke, it took too long, or the reply is too long.
        """
        import aiohttp

        try:
            async with self._session.post(self._url, data=content) as response:
                return Reply(response.status, response.headers, await self._body(response))
        except TimeoutError as error:
            raise Late("no reply in time") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            cause = " ".join(str(error).split()) or type(error).__name__
            raise Lost(cause) from error

    async def _body(self, response: "aiohttp.ClientResponse") -> bytes:
        if (response.content_length or 0) <= self._max_bytes:
            parts, length = [], 0
            async for part in response.content.iter_any():
                parts.append(part)
                length += len(part)
                if length > self._max_bytes:
                    break
            else:
                return b"".join(parts)
        response.close()  # not released: what is left of it is not read
        raise TooLong(f"a reply of more than {self._max_bytes:,} bytes")

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()


class InProcess:
    """An ASGI application in this process, by the same rules.

    Args:
        app: takes every request.
        path: that is posted to.
        headers: of every request.
        timeout: seconds for one reply.
        max_bytes: of a reply.
    """

    def __init__(
        self, app: Application, path: str, headers: Mapping[str, str], *, timeout: float, max_bytes: int
    ) -> None:
        self._app, self._timeout, self._max_bytes = app, timeout, max_bytes
        self._scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in headers.items()],
            "server": ("embedded-teacher", 80),
            "client": ("127.0.0.1", 0),
        }

    async def post(self, content: bytes) -> Reply:
        """Call the application; an exception of its own is a 500, as a server would make it.

        Raises:
            Lost: it takes too long, or the reply is too long.
        """
        status, headers, parts = 0, {}, []
        events = iter([{"type": "http.request", "body": content, "more_body": False}])

        async def receive() -> MutableMapping[str, Any]:
            return next(events, {"type": "http.disconnect"})

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = {k.decode().lower(): v.decode() for k, v in message.get("headers", ())}
            else:
                parts.append(message.get("body", b""))

        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.sleep(0)  # an application that waits for nothing would never let others run
                await self._app(dict(self._scope), receive, send)
        except TimeoutError as error:
            raise Late("no reply in time") from error
        except Exception:
            return Reply(500, {}, b"")
        content = b"".join(parts)
        if len(content) > self._max_bytes:
            raise TooLong(f"a reply of more than {self._max_bytes:,} bytes")
        return Reply(status, headers, content)

    async def close(self) -> None:
        """Nothing is open."""
