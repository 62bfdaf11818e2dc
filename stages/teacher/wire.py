"""What goes over the wire: the request body, its key, and the verdict on what comes back."""

import functools
import hashlib
import json
from typing import Any, Literal, NamedTuple

from pydantic import Field, ValidationError

from stages import params
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
NONE_OF_THESE = "the reply is none of those asked for"  # "wrong_schema" of a plain reply
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
    model: str | None = None  # under which the endpoint answered


class Job(NamedTuple):
    """A request that is to be sent, for one draw or several of the same conversation."""

    key: str  # in the store, of its first draw
    body: dict[str, Any]  # of POST /chat/completions
    draws: int = 1  # its `n`
    task: str | None = None  # wire name of what is to come back


class Received(NamedTuple):
    """What came back for one draw."""

    text: str  # a chat completion with one choice, JSON
    said: Completion
    request_id: str | None
    latency_s: float  # retries included


class Accepts(params.Section):
    """What an endpoint accepts; stated, never found out by failing."""

    n: int = Field(default=1, ge=1, le=128)  # draws of a request; 1: one each, with a seed of its own
    seed: bool = True
    response_format: Literal["json_schema", "json_object", "none"] = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"  # the name of the token limit


USUAL = Accepts()


class Garbled(Exception):
    """A response with status 200 that is no chat completion; the text says what came instead."""


def request_key(model: str, messages: Messages, reply: type[prompts.Reply], sampling: Sampling) -> str:
    """Return sha256 of the canonical JSON of everything that decides the reply, in hex.

    Neither the endpoint, nor what it accepts, nor the price is in it: the same model elsewhere is the same
    model.
    """
    # The parts of a JSON object with sorted names: what many requests share is written once.
    text = (
        f'{{"max_tokens":{sampling.max_tokens},{_conversation(model, messages)},"rollout":{sampling.rollout},'
        f'{_form(reply)},"seed":{sampling.seed},"temperature":{_canonical(sampling.temperature)}}}'
    )
    return hashlib.sha256(text.encode()).hexdigest()


@functools.lru_cache(maxsize=4)  # the draws of one conversation are keyed one after the other
def _conversation(model: str, messages: Messages) -> str:
    return f'"messages":{_canonical(messages)},"model":{_canonical(model)}'


@functools.cache
def _form(reply: type[prompts.Reply]) -> str:
    schema = None if reply.plain else reply.wire_schema()
    return f'"schema":{_canonical({"name": reply.wire_name(), "schema": schema})}'


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def request_body(
    model: str,
    messages: Messages,
    reply: type[prompts.Reply],
    sampling: Sampling,
    accepts: Accepts = USUAL,
    n: int = 1,
) -> dict[str, Any]:
    """Return the body of POST /chat/completions; rollouts differ on the wire by their seed.

    Args:
        model: name.
        messages: (role, content) of each.
        reply: what is to come back.
        sampling: of the first draw.
        accepts: what the endpoint takes; what it does not is left out.
        n: draws, of this rollout and those after it.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": role, "content": content} for role, content in messages],
        "temperature": sampling.temperature,
        accepts.limit: sampling.max_tokens,
    }
    if accepts.seed:
        body["seed"] = sampling.seed + sampling.rollout
    if reply.plain:
        return body | ({"n": n} if n > 1 else {})
    if accepts.response_format == "json_schema":
        schema = {"name": reply.wire_name(), "strict": True, "schema": reply.wire_schema()}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    else:  # what the schema would have told is told in words
        body["messages"] = [{"role": "system", "content": _asked_for(reply)}, *body["messages"]]
    if accepts.response_format == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body | ({"n": n} if n > 1 else {})


@functools.cache
def _asked_for(reply: type[prompts.Reply]) -> str:
    return f"Reply with only a JSON object that fits this JSON schema: {_canonical(reply.wire_schema())}"


def compact(value: Any) -> bytes:
    """Return JSON without spaces, as the `openai` package sends it; lone surrogates are replaced."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def token_limit(body: dict[str, Any]) -> int:
    """Return how many tokens a reply to a request may have, under either name; 0 where it does not say."""
    return int(body.get("max_tokens") or body.get("max_completion_tokens") or 0)


def read_draws(body: str, draws: int) -> list[tuple[str, Completion]]:
    """Return each draw of a response as a response of its own, and what it says.

    Of several draws the prompt is counted with the first, for it is paid once; the reply's tokens, which come
    as one sum, are divided in proportion to the replies' lengths.

    Raises:
        Garbled: see `read_completion`; or there are not as many choices.
    """
    if draws == 1:
        return [(body, read_completion(body))]
    whole = read_completion(body)
    data = json.loads(body)
    choices = data["choices"]
    if len(choices) != draws:
        raise Garbled(f"a completion with {len(choices)} choices where {draws} were asked for")
    try:
        lengths = [1 + len(choice["message"].get("content") or "") for choice in choices]
    except (KeyError, TypeError, AttributeError):
        raise Garbled("a completion with choices that are none") from None
    ends = [whole.completion_tokens * sum(lengths[:i]) // sum(lengths) for i in range(draws + 1)]
    found = []
    for i, choice in enumerate(choices):
        prompt, completion = 0 if i else whole.prompt_tokens, ends[i + 1] - ends[i]
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        one = data | {"choices": [choice], "usage": usage | {"total_tokens": prompt + completion}}
        text = _canonical(one | {"seedbed": {"draw": i, "of": draws}})
        found.append((text, read_completion(text)))
    return found


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
        counts_fit = all(type(n) is int and 0 <= n < 2**53 for n in (prompt_tokens, completion_tokens))
    except (KeyError, IndexError, TypeError, AttributeError):
        raise Garbled("JSON that is no chat completion with choices and token usage") from None
    if not texts_fit or not counts_fit:
        raise Garbled("a chat completion with fields of the wrong type")
    model = data.get("model")
    return Completion(
        _encodable(content),
        _encodable(refusal),
        finish,
        prompt_tokens,
        completion_tokens,
        model if isinstance(model, str) else None,
    )


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
        return reply.read(completion.content), OK
    except ValidationError as error:
        kind = error.errors(include_url=False, include_context=False)[0]["type"]
        return None, "not_json" if kind == "json_invalid" else "wrong_schema"


def repair_messages(
    messages: Messages, completion: Completion, fault: str, reply: type[prompts.Reply]
) -> Messages:
    """Return the conversation that asks once more: the bad reply, then what was wrong with it."""
    bad = completion.content or completion.refusal or "(empty)"
    told = NONE_OF_THESE if reply.plain and fault == "wrong_schema" else FAULTS[fault]
    return (*messages, ("assistant", bad), ("user", f"{REPAIR} {told}. {reply.wish()}"))
