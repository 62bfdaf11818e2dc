"""A Hugging Face Hub in small: one repository at one commit, served from a folder over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def serving(repository: str, folder: Path, gated: bool = False) -> Iterator[tuple[str, list[str]]]:
    """Serve `folder` as `repository`; yield the server's address and the list of files sent so far."""
    sent: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, body: bool) -> None:
            path = unquote(self.path.partition("?")[0]).strip("/")
            if gated and path.startswith((repository, "api/")):
                self._send(403, b"", {"X-Error-Code": "GatedRepo"}, body)
            elif path == f"api/models/{repository}/revision/{COMMIT}":
                listed = [{"rfilename": p.name} for p in sorted(folder.iterdir())]
                answer = {"id": repository, "modelId": repository, "sha": COMMIT, "siblings": listed}
                self._send(200, json.dumps(answer).encode(), {"Content-Type": "application/json"}, body)
            elif path.startswith(f"api/models/{repository}/tree/{COMMIT}"):
                tree = [
                    {"type": "file", "path": p.name, "size": p.stat().st_size, "oid": p.name.encode().hex()}
                    for p in sorted(folder.iterdir())
                ]
                self._send(200, json.dumps(tree).encode(), {"Content-Type": "application/json"}, body)
            elif (name := path.removeprefix(f"{repository}/resolve/{COMMIT}/")) != path and (
                folder / name
            ).is_file():
                if body:
                    sent.append(name)
                headers = {"ETag": f'"{name.encode().hex()}"', "X-Repo-Commit": COMMIT}
                self._send(200, (folder / name).read_bytes(), headers, body)
            else:
                code = "EntryNotFound" if path.startswith(repository) else "RepoNotFound"
                self._send(404, b"", {"X-Error-Code": code}, body)

        def _send(self, status: int, content: bytes, headers: dict[str, str], body: bool) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", sent
    finally:
        server.shutdown()
        server.server_close()
