"""A teacher on a real socket that answers what a test tells it to, one entry per request."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from stages.records import Article, Fact
from stages.teacher import prompts
from stages.teacher.client import Config, Request

SYNTHESIS = {"slip": 0.12, "miss": 0.2, "false_alarm": 0.03}  # of the embedded teacher
DROP = "drop"  # close the connection without a reply


class Entry(NamedTuple):
    """One scripted reply."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)


class Served(NamedTuple):
    """A request as the server saw it."""

    at: float  # time.monotonic()
    body: dict[str, Any]
    headers: dict[str, str]  # names in lower case


def completion(content: str | None, finish: str = "stop", refusal: str | None = None) -> Entry:
    """Return a well-formed completion of 10 prompt and 5 completion tokens."""
    message = {"role": "assistant", "content": content, "refusal": refusal}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    choices = [{"index": 0, "message": message, "finish_reason": finish}]
    return Entry(body=json.dumps({"object": "chat.completion", "choices": choices, "usage": usage}))


GOOD = completion('{"rationale": "The capital of France is Paris.", "answer": "Paris"}')


@contextmanager
def teacher(*script: Entry | str, then: Entry | str = GOOD) -> Iterator[tuple[str, list[Served]]]:
    """Serve `script`, then `then` for ever; yield (base URL, the list of requests so far)."""
    entries, served, lock = list(script), [], threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                served.append(Served(time.monotonic(), body, {k.lower(): v for k, v in self.headers.items()}))
                entry = entries.pop(0) if entries else then
            if isinstance(entry, str):
                self.close_connection = True
                return
            content = entry.body.encode()
            self.send_response(entry.status)
            for name, value in (*entry.headers, ("Content-Length", str(len(content)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # a client that is killed or stopped leaves in mid-request

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def config(**changes: Any) -> Config:
    """Return a teacher's settings: the simulator in process unless `changes` say otherwise."""
    settings = {
        "backend": "embedded",
        "model": "seedbed-simulator",
        "base_url": None,
        "api_key_env": "SCRIPTED_TEACHER_KEY",
        "temperature": 1.0,
        "max_tokens": 800,
        "concurrency": 8,
        "timeout": 10.0,
        "retries": 2,
        "max_malformed": 0.1,
        "price": {"input": 1.0, "output": 2.0},
        "embedded": {"a": 0.6, "b": 0.8, "never": 0.1, **SYNTHESIS},
    }
    return Config.model_validate(settings | changes)


PROMPT = prompts.answer("What is the capital of France?")


def rollouts(count: int, prompt: prompts.Prompt = PROMPT, **sampling: Any) -> list[Request]:
    """Return the first draws of a prompt."""
    return [Request(prompt, rollout=i, **sampling) for i in range(count)]


def article(page_id: int, title: str, facts: dict[str, str], text: str = "", **more: Any) -> Article:
    """Return an article with the given infobox."""
    rows = [Fact(name=name, value=value) for name, value in facts.items()]
    fields = {"aliases": [], "categories": []} | more
    return Article(
        page_id=page_id, revision_id=page_id, timestamp="", title=title, text=text, facts=rows, **fields
    )


FRANCE = article(
    1,
    "France",
    {"continent": "Europe", "calling_code": "+33", "capital": "Paris", "largest_city": "Paris"},
    "The capital of France is Paris. France lies in Europe.\n\nCalls to the country start with code +33.",
    aliases=["French Republic"],
    categories=["Countries"],
)
GEORGIA = article(
    2,
    "Georgia (country)",
    {"capital": "Tbilisi", "continent": "Asia"},
    "Georgia is governed from Tbilisi.",
    categories=["Countries"],
)
STATE = article(
    3,
    "Georgia (U.S. state)",
    {"capital": "Atlanta", "state_bird": "Brown thrasher"},
    "Its capital is Atlanta.",
    categories=["States"],
)
IRON = article(
    4,
    "Iron",
    {"image": "Iron.jpg", "symbol": "Fe", "atomic_number": "26", "group": "8", "odd_key": "strange value"},
    "Iron is an element with the symbol Fe. It has 26 protons, which is the atomic number.",
    categories=["Elements"],
)
GOLD = article(
    5, "Gold", {"symbol": "Au", "atomic_number": "79"}, "Gold has the symbol Au.", categories=["Elements"]
)
WORLD = [FRANCE, GEORGIA, STATE, IRON, GOLD]
