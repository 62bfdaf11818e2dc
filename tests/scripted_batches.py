"""A Batch API on a real socket that does with each batch what a test tells it to, and jobs to send there."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from scripted_teacher import GOOD

from stages.teacher import batches, prompts, wire
from stages.teacher.store import ResponseStore, Row

MODEL = "seedbed-simulator"
KEY = "sk-canary-0123456789"


def job(i: int, prompt: prompts.Prompt | None = None, **changes: Any) -> wire.Job:
    """Return the i-th rollout of a prompt."""
    prompt = prompt or prompts.answer("What is the capital of France?")
    sampling = wire.Sampling(temperature=1.0, max_tokens=800, seed=0, rollout=i)
    body = wire.request_body(MODEL, prompt.messages, prompt.reply, sampling) | changes
    key = wire.request_key(MODEL, prompt.messages, prompt.reply, sampling)
    return wire.Job(key, body, task=prompt.reply.wire_name())


def engine(url: str, store: ResponseStore, app: Any = None, **changes: Any) -> batches.Batches:
    """Return an engine that polls fast and says nothing."""
    settings = {"retries": 1, "timeout": 10.0, "max_bytes": 100_000, "say": lambda line: None} | changes
    size = settings.pop("size", 50_000)
    config = batches.Batch(size=size, poll_s=settings.pop("poll_s", 0.01))
    return batches.Batches(url, KEY, model=MODEL, config=config, path=store.path, app=app, **settings)


def row(key: str, received: wire.Received) -> Row:
    """Return what the store keeps of a reply."""
    said = received.said
    return Row(
        key,
        MODEL,
        received.text,
        said.finish_reason,
        said.prompt_tokens,
        said.completion_tokens,
        received.latency_s,
        received.request_id,
    )


async def run(made: batches.Batches, store: ResponseStore, jobs: list[wire.Job]) -> list[wire.Received]:
    """Do what the client does: settle, ask for what is missing, and store it."""
    try:
        await made.settle(lambda settled: store.put(row(settled.key, settled.received)))
        held = store.get([job.key for job in jobs])
        missing = [job for job in jobs if job.key not in held]
        found = await made.complete(missing)
        for future in [store.put(row(j.key, r)) for j, r in zip(missing, found, strict=True)]:
            future.result()
        return found
    finally:
        await made.close()


def served(line: dict[str, Any], body: str = GOOD.body, status: int = 200, **changes: Any) -> bytes:
    """Return a line of an output file, by default a good answer to `line` of the input."""
    response = {"status_code": status, "request_id": "req-1", "body": json.loads(body)}
    return json.dumps(
        {"custom_id": line["custom_id"], "response": response, "error": None} | changes
    ).encode()


def good(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Answer every line."""
    return {"output": [served(line) for line in lines]}


Plan = Callable[[list[dict[str, Any]]], dict[str, Any]]  # lines of the input → fields of the batch's end


class Script:
    """What a server does, and what it has seen."""

    def __init__(self, plans: tuple[Plan, ...]) -> None:
        self.plans = list(plans)
        self.inputs: list[list[dict[str, Any]]] = []  # lines of each batch created
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []  # "METHOD path"
        self.before: Callable[[str], Any] = lambda asked: None  # may return (status, JSON) or "drop"
        self.after: Callable[[str], Any] = lambda asked: None  # the same, once it has been done

    def keep(self, content: bytes) -> str:
        """Keep a file; return its id."""
        self.files[f"file-{len(self.files)}"] = content
        return f"file-{len(self.files) - 1}"

    def answer(self, asked: str, headers: Message, body: bytes) -> Any:
        """Return the JSON, or the bytes, that answer a request; None is a 404."""
        path = asked.split()[1]
        if asked == "POST /v1/files":
            edge = re.search(r"boundary=(\S+)", headers["Content-Type"])
            assert edge
            part = next(p for p in body.split(b"--" + edge[1].encode()) if b"filename=" in p)
            return self._file(self.keep(part.split(b"\r\n\r\n", 1)[1].removesuffix(b"\r\n")))
        if asked == "POST /v1/batches":
            return self._create(json.loads(body))
        if path == "/v1/batches":
            return {"object": "list", "data": list(self.batches.values()), "has_more": False}
        name = path.split("/")[3]
        if path.startswith("/v1/batches/"):
            return self.batches.get(name)
        if name not in self.files:
            return None
        return self.files[name] if path.endswith("/content") else self._file(name)

    def _file(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "file", "bytes": len(self.files[name]), "purpose": "batch"}

    def _create(self, asked: dict[str, Any]) -> dict[str, Any]:
        lines = [json.loads(x) for x in self.files[asked["input_file_id"]].splitlines()]
        self.inputs.append(lines)
        end = (self.plans.pop(0) if self.plans else good)(lines)
        files = {
            f"{what}_file_id": self.keep(b"".join(x + b"\n" for x in end.pop(what))) if what in end else None
            for what in ("output", "error")
        }
        batch = {
            "id": f"batch_{len(self.batches)}",
            "object": "batch",
            "created_at": 100,
            "completed_at": 107,
        }
        batch |= {"status": "completed", "metadata": asked["metadata"], **files, **end}
        self.batches[batch["id"]] = batch
        return batch


@contextmanager
def batch_teacher(*plans: Plan) -> Iterator[tuple[str, Script]]:
    """Serve one plan per batch, then good answers for ever; yield (base URL, the script)."""
    script = Script(plans)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self._body()
            asked = f"{self.command} {self.path.partition('?')[0]}"
            script.asked.append(asked)
            told = script.before(asked)
            if told is None:
                found = script.answer(asked, self.headers, body)
                absent = (404, {"error": {"message": "no such"}})
                told = script.after(asked) or (absent if found is None else (200, found))
            if told == "drop":
                self.close_connection = True
                return
            status, content = told
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            kind = "octet-stream" if raw is content else "json"
            self.send_header("Content-Type", f"application/{kind}")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chunks = []
            while size := int(self.rfile.readline(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", script
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
