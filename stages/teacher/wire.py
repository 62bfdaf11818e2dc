"""What goes over the wire: the request body, its key, and the verdict on what comes back."""

import hashlib
import json
from typing import Any, NamedTuple

from pydantic import ValidationError

from stages.teacher import prompts

OK = "ok"
REPAIR = "This reply cannot be used:"  # how the message that asks for a repair begins
FAULTS = {
    "refused": "the request was refused",
    "truncated": "the reply was cut off by the token limit; be shorter",
    "empty": "the reply was empty",
    "not_json": "the reply is not JSON",
    "wrong_schema": "the reply does not have the fields asked for",
}
Messages = tuple[tuple[str, str], ...]


class Sampling(NamedTuple):
    """How one request is sampled; `seed` is the request's own, before the rollout is added."""

    temperature: float
    max_tokens: int
    seed: int
    rollout: int


class Completion(NamedTuple):
    """The one choice of a chat completion."""

    content: str
    refusal: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int


class Job(NamedTuple):
    """One request to a teacher."""

    key: str  # the store's key of the (first) draw
    body: dict[str, Any]  # of POST /chat/completions


class Received(NamedTuple):
    """What came back for a job."""

    text: str  # the response as JSON, an OpenAI chat completion with one choice
    said: Completion
    request_id: str | None
    latency_s: float


class Garbled(Exception):
    """A response with status 200 that is no chat completion; the text says what came instead."""


def request_key(model: str, messages: Messages, reply: type[prompts.Reply], sampling: Sampling) -> str:
    """Return sha256 of the canonical JSON of everything that decides the reply, in hex.

    Neither the endpoint nor the price is in it: the same model elsewhere is the same model.
    """
    canonical = {
        "model": model,
        "messages": messages,
        "schema": {"name": reply.wire_name(), "schema": reply.wire_schema()},
        **sampling._asdict(),
    }
    text = json.dumps(canonical, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def request_body(
    model: str, messages: Messages, reply: type[prompts.Reply], sampling: Sampling
) -> dict[str, Any]:
    """Return the body of POST /chat/completions; rollouts differ on the wire by their seed."""
    schema = {"name": reply.wire_name(), "strict": True, "schema": reply.wire_schema()}
    return {
        "model": model,
        "messages": [{"role": role, "content": content} for role, content in messages],
        "temperature": sampling.temperature,
        "max_tokens": sampling.max_tokens,
        "seed": sampling.seed + sampling.rollout,
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def read_completion(body: str) -> Completion:
    """Read a response body.

    Raises:
        Garbled: HTML, truncated JSON, no choices, no token usage, or anything else.
    """
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        start = body.lstrip()[:1]
        what = (
            "HTML" if start == "<" else "truncated JSON" if start in ("{", "[") else "text that is not JSON"
        )
        raise Garbled(f"{what} instead of a chat completion" if body.strip() else "an empty body") from None
    try:
        choices, usage = data["choices"], data["usage"]
        if not choices:
            raise Garbled("a completion with empty choices")
        message = choices[0]["message"]
        content, refusal, finish = message.get("content"), message.get("refusal"), choices[0]["finish_reason"]
        prompt_tokens, completion_tokens = usage["prompt_tokens"], usage["completion_tokens"]
        texts_fit = all(x is None or isinstance(x, str) for x in (content, refusal, finish))
        counts_fit = all(type(n) is int and n >= 0 for n in (prompt_tokens, completion_tokens))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Garbled("JSON that is no chat completion with choices and token usage") from None
    if not texts_fit or not counts_fit:
        raise Garbled("a chat completion with fields of the wrong type")
    return Completion(_encodable(content), _encodable(refusal), finish, prompt_tokens, completion_tokens)


def _encodable(text: str | None) -> str:
    """Replace lone surrogates: legal in JSON's escapes, they can neither be sent back nor stored."""
    return (text or "").encode("utf-8", "replace").decode()


def judge(completion: Completion, reply: type[prompts.Reply]) -> tuple[prompts.Reply | None, str]:
    """Return (the parsed reply, "ok") or (None, the name of the fault; see `FAULTS`)."""
    if completion.refusal or completion.finish_reason == "content_filter":
        return None, "refused"
    if completion.finish_reason == "length":
        return None, "truncated"
    if not completion.content.strip():
        return None, "empty"
    try:
        return reply.model_validate_json(completion.content), OK
    except ValidationError as error:
        kind = error.errors(include_url=False, include_context=False)[0]["type"]
        return None, "not_json" if kind == "json_invalid" else "wrong_schema"


def repair_messages(
    messages: Messages, completion: Completion, fault: str, reply: type[prompts.Reply]
) -> Messages:
    """Return the conversation that asks once more: the bad reply, then what was wrong with it."""
    bad = completion.content or completion.refusal or "(empty)"
    wish = f"Reply again with only a JSON object with the fields {', '.join(reply.model_fields)}."
    return (*messages, ("assistant", bad), ("user", f"{REPAIR} {FAULTS[fault]}. {wish}"))
