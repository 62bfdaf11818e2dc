"""Files sent to the simulator for its Batch API: POST /v1/files and what reads them back."""

import secrets
from email.message import Message
from email.parser import BytesHeaderParser
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect, Request

from stages.teacher.simulator_wire import FINGERPRINT, Refused

FILE_BYTES = 200_000_000  # of an input file, at most
FORM_BYTES = 10_000  # what a form adds to its file, at most


class Upload(NamedTuple):
    """A file of the Batch API."""

    id: str
    content: bytes
    filename: str
    purpose: str  # "batch" or "batch_output"
    created: int  # Unix time, seconds

    def shown(self) -> dict[str, Any]:
        """Return OpenAI's file object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": self.created,
            "filename": self.filename,
            "purpose": self.purpose,
            "status": "processed",
            "status_details": None,
            "expires_at": None,
            "system_fingerprint": FINGERPRINT,
        }


def made(content: bytes, filename: str, purpose: str, created: float) -> Upload:
    """Return a file under an id that no other file has, in whatever process."""
    return Upload(f"file-{secrets.token_hex(12)}", content, filename, purpose, int(created))


async def read(request: Request, created: float) -> Upload:
    """Return the file of an upload.

    Raises:
        Refused: no form of the fields that OpenAI asks for, another purpose than batch, or too large a file.
    """
    form = _form(request.headers.get("content-type", ""), await _body(request))
    purpose = form.get("purpose", ("", b""))[1].decode("utf-8", "replace")
    if "file" not in form or not purpose:
        missing = "purpose" if "file" in form else "file"
        raise Refused(400, f"'{missing}' is a required property", missing)
    if purpose != "batch":
        raise Refused(400, f"'{purpose}' is not one of ['batch'] - 'purpose'", "purpose")
    filename, content = form["file"]
    if not filename.endswith(".jsonl"):
        raise Refused(400, "Invalid file format for Batch API. Must be .jsonl", "file")
    if len(content) > FILE_BYTES:
        raise _too_large()
    return made(content, filename, purpose, created)


async def _body(request: Request) -> bytes:
    """Return the request's body, refused as soon as it is too long."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > FILE_BYTES + FORM_BYTES:
                raise _too_large()
    except ClientDisconnect:  # a client that was killed in mid-upload: nothing was kept
        raise Refused(400, "The upload is not whole.", "file") from None
    return bytes(body)


def _too_large() -> Refused:
    return Refused(413, f"The file is larger than {FILE_BYTES} bytes.", "file", "file_too_large")


def _form(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """Return (file name, content) of each field of a multipart form.

    Starlette's own reader needs another package; a form of two fields does not. What stands in a field stays
    as it is to the byte.
    """
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise Refused(400, "The request body must be a multipart/form-data form.")
    marker = b"--" + boundary.encode("latin-1", "replace")
    fields = {}
    for part in body.removeprefix(marker).split(b"\r\n" + marker):
        head, gap, content = part.partition(b"\r\n\r\n")
        if not gap:  # the end of the form
            continue
        headers = BytesHeaderParser().parsebytes(head.removeprefix(b"\r\n"))
        name = headers.get_param("name", header="content-disposition")
        if isinstance(name, str):
            fields[name] = (headers.get_filename() or "", content)
    return fields
