"""The embedded teacher: an OpenAI-compatible application that reads articles, solves problems. A simulator.

It takes POST /v1/chat/completions, GET /v1/models, GET /health and OpenAI's Batch API (`simulator_batches`),
and says that it is a simulator in the model list and in every completion's `system_fingerprint`. Its replies
depend on the request, the articles, the problems and the competence alone: the same request gives the same
bytes in every process. A task is known by its schema's name, the judge's, which has none, by its rules.

Tokens are counted by a rule of its own: every run of letters and digits is one token, every other
character that is not a space is one token; the reply's schema is not counted.
"""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from stages.problems.solving import Book
from stages.records import Article, SeedProblem
from stages.teacher import knowing_problems, prompts_judging, replies_judging, simulator_batches, wire
from stages.teacher.competence import Embedded, stable_hash, true_competence
from stages.teacher.corpus import Corpus, digest
from stages.teacher.mind import TASKS, Mind
from stages.teacher.simulator_wire import (
    FINGERPRINT,
    HANDLERS,
    Refused,
    json_response,
    read_object,
    request_id,
)

VERSION = 2  # raise it with every change of what a known request is answered: it is part of the model's id
MAX_CHOICES = 128  # n
_TOKEN = re.compile(r"\w+|[^\w\s]")


def model_id(
    model: str, embedded: Embedded, articles: Sequence[Article], problems: Sequence[SeedProblem] = ()
) -> str:
    """Return the simulated model's full id: its name and 12 hex digits for all that decides its answers.

    What weights are to a model, the articles, the problems, the competence and this code's version are to the
    simulator; so replies of one never pass for replies of another.
    """
    decides = f"{VERSION} {embedded.model_dump_json()} {digest(articles)}"
    if problems:
        decides += f" {knowing_problems.digest(problems)}"
    return f"{model}@{hashlib.sha256(decides.encode()).hexdigest()[:12]}"


class Prepared(NamedTuple):
    """A simulator that has read its articles."""

    model_id: str
    application: Starlette


class _Same(NamedTuple):
    """Rows that equal only themselves: comparing thousands of them would cost more than it saves."""

    articles: Sequence[Article]
    problems: Sequence[SeedProblem]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Same) and self.articles is other.articles and self.problems is other.problems
        )

    def __hash__(self) -> int:
        return hash((id(self.articles), id(self.problems)))


def prepared(
    articles: Sequence[Article], model: str, embedded: Embedded, problems: Sequence[SeedProblem] = ()
) -> Prepared:
    """Return a simulator; the last one is kept, for callers that draw in rounds.

    Args:
        articles: not to be changed while it is used.
        model: its name.
        embedded: how often it is right.
        problems: not to be changed while it is used.
    """
    return _prepared(_Same(articles, problems), model, embedded)


@functools.lru_cache(maxsize=1)
def _prepared(same: _Same, model: str, embedded: Embedded) -> Prepared:
    full = model_id(model, embedded, *same)
    return Prepared(full, application(same.articles, model, embedded, problems=same.problems))


@functools.lru_cache(maxsize=16384)
def count_tokens(text: str) -> int:
    """Return the number of tokens of `text` by the rule of this module."""
    return len(_TOKEN.findall(text))


def application(
    articles: Sequence[Article],
    model: str,
    embedded: Embedded,
    on_served: Callable[[bytes], None] | None = None,
    problems: Sequence[SeedProblem] = (),
) -> Starlette:
    """Return the simulator as an ASGI application.

    Args:
        articles: all the facts that it knows.
        model: its name; it also answers to the full id (`model_id`).
        embedded: how often it is right.
        on_served: called with the body of each completion request that is answered with status 200, alone or
            in a batch.
        problems: all that it can solve.
    """
    full = model_id(model, embedded, articles, problems)

    @functools.cache
    def competence(title: str, key: str) -> float:
        return true_competence(title, key, model=model, embedded=embedded)

    mind = Mind(Corpus(articles), Book(problems), competence, embedded)

    def answer(body: bytes) -> dict[str, Any]:
        data = _read(body)
        if data.get("model") not in (model, full):
            message = f"The model `{data.get('model')}` does not exist; this simulator is `{full}`."
            raise Refused(404, message, "model", "model_not_found")
        completion = _complete(mind, full, body, data)
        if on_served:
            on_served(body)
        return completion

    async def complete(request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:  # a client that was killed in mid-request: nothing was served
            return Response(status_code=400)
        completion = answer(body)
        return json_response(completion, headers={"x-request-id": request_id(completion)})

    async def models(request: Request) -> Response:
        entry = {"object": "model", "created": 0, "owned_by": FINGERPRINT, "description": "a simulator"}
        return json_response({"object": "list", "data": [{"id": name, **entry} for name in (model, full)]})

    async def health(request: Request) -> Response:
        return json_response(
            {"status": "ok", "simulator": True, "articles": len(articles), "problems": len(problems)}
        )

    return Starlette(
        routes=[
            Route("/v1/chat/completions", complete, methods=["POST"]),
            Route("/v1/models", models),
            Route("/health", health),
            *simulator_batches.routes(answer, (model, full)),
        ],
        exception_handlers=HANDLERS,
    )


def _complete(mind: Mind, full: str, body: bytes, data: dict[str, Any]) -> dict[str, Any]:
    """Return the completion object for a checked request."""
    messages: list[tuple[str, str]] = data["messages"]
    user = next((content for role, content in reversed(messages) if role == "user"), "")
    if user.startswith(wire.REPAIR):  # it is about the conversation's first user message
        user = next(content for role, content in messages if role == "user")
    task, talk = data["task"], stable_hash(*(part for message in messages for part in message))
    judged = prompts_judging.read_grade(messages) if task is None else None
    choices, spent = [], 0
    for i in range(data["n"]):
        if judged:
            text = replies_judging.grade(mind.corpus, judged)
        else:
            said = mind.reply(task, user, data["temperature"], talk, data["seed"], i)
            prose = task not in TASKS
            text = (
                f"{said['rationale']} ({said['answer']})" if prose else json.dumps(said, ensure_ascii=False)
            )
        text, tokens, finish = _cut(text, data["max_tokens"])
        spent += tokens
        message = {"role": "assistant", "content": text, "refusal": None}
        choices.append({"index": i, "message": message, "logprobs": None, "finish_reason": finish})
    asked = sum(count_tokens(content) for _, content in messages)
    return {
        "id": f"chatcmpl-{hashlib.blake2b(body, digest_size=12).hexdigest()}",
        "object": "chat.completion",
        "created": 0,  # no clock: the same request gives the same bytes
        "model": full,
        "system_fingerprint": FINGERPRINT,
        "choices": choices,
        "usage": {"prompt_tokens": asked, "completion_tokens": spent, "total_tokens": asked + spent},
    }


def _cut(text: str, max_tokens: int | None) -> tuple[str, int, str]:
    """Return (text, its tokens, finish reason), cut after `max_tokens` tokens."""
    ends = [match.end() for match in _TOKEN.finditer(text)]
    if max_tokens is None or len(ends) <= max_tokens:
        return text, len(ends), "stop"
    return text[: ends[max_tokens - 1]], max_tokens, "length"


def _read(body: bytes) -> dict[str, Any]:
    """Return the settings of a request body, checked and with defaults filled in."""
    data = read_object(body)
    if data.get("stream"):
        raise Refused(400, "This simulator does not stream.", "stream", "unsupported_value")
    limit = "max_completion_tokens" if data.get("max_completion_tokens") is not None else "max_tokens"
    form = data.get("response_format")
    schema = form.get("json_schema") if isinstance(form, dict) else None
    return {
        "model": data.get("model"),
        "messages": _messages(data.get("messages")),
        "n": _number(data, "n", 1, MAX_CHOICES, whole=True, default=1),
        "temperature": _number(data, "temperature", 0, 2, whole=False, default=1.0),
        "max_tokens": _number(data, limit, 1, 2**31, whole=True, default=None),
        "seed": _number(data, "seed", -(2**63), 2**63 - 1, whole=True, default=0),
        "task": schema.get("name") if isinstance(schema, dict) else None,
    }


def _messages(value: Any) -> list[tuple[str, str]]:
    """Return (role, text) of each message; content may be text or a list of text parts."""
    if not isinstance(value, list) or not value:
        raise Refused(400, "'messages' must be an array with at least one message.", "messages")
    read = []
    for i, message in enumerate(value):
        role = message.get("role") if isinstance(message, dict) else None
        if role not in ("system", "developer", "user", "assistant"):
            raise Refused(400, f"'messages[{i}].role' is not a known role.", f"messages[{i}].role")
        parts = message.get("content")
        if isinstance(parts, list):
            parts = [part.get("text") if isinstance(part, dict) else None for part in parts]
        texts = [text for text in (parts if isinstance(parts, list) else [parts]) if isinstance(text, str)]
        if (isinstance(parts, list) and len(texts) != len(parts)) or not isinstance(parts, (list, str)):
            raise Refused(400, f"'messages[{i}].content' must be text.", f"messages[{i}].content")
        read.append((role, "".join(texts)))
    return read


def _number(data: dict[str, Any], name: str, least: float, most: float, whole: bool, default: Any) -> Any:
    value = data.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
        kind = "an integer" if whole else "a number"
        raise Refused(400, f"'{name}' must be {kind}.", name, "invalid_type")
    if not least <= value <= most:
        raise Refused(400, f"'{name}' must be between {least} and {most}.", name, "value_out_of_range")
    return value
