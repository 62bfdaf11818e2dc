"""What a training row was made of, link by link, as values that are JSON as they stand.

Nothing here is stored anywhere: the links are the records' own keys, and of each request the key, under which
the response store has what came back.
"""

from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from stages.records import PoolQuestion, Response, TrainingExample
from stages.teacher.store import Row


class Link(BaseModel):
    """A frozen part of a chain."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stored(Link):
    """What the response store keeps of a reply, its body apart."""

    store: str  # path of the file
    model: str
    finish_reason: str | None
    prompt_tokens: int
    completion_tokens: int
    latency_s: float  # retries included
    request_id: str | None  # the server's


class Sent(Link):
    """One request to the teacher, by the key of the reply that counted."""

    key: str  # of the repair, where there was one
    repaired: bool | None  # a second reply was asked for; None where that cannot be told
    cost_usd: float | None  # of the whole draw, or of the stored reply alone where no record has it
    stored: Stored | None  # None: not in the store


class Step(Link):
    """One call of a protocol: a row of the ledger."""

    ledger: str
    row: Response
    request: Sent
    made_of: list["Step"]  # earlier calls about the same question whose replies it was shown


class Point(Link):
    """One knowledge point; `group` is None where it was not embedded."""

    text: str
    group: int | None


class Page(Link):
    """The article that a question is about, at the revision it was read at."""

    file: str
    title: str
    page_id: int
    revision_id: int
    timestamp: str  # of the revision, ISO 8601; empty where the source has none


class Origin(Link):
    """Where a question comes from: an article, other questions' knowledge points, or a file of problems."""

    kind: Literal["seed_question", "synthesized_question", "problem"]
    file: str
    place: str | None = None  # of a problem in its file
    question_id: str
    question: str
    answer: str
    evidence: str = ""  # the sentence that states the answer; empty for a problem
    request: Sent | None = None  # that wrote it; None for a problem
    calls: int | None = None  # teacher requests made for a synthesized question; None elsewhere
    annotation: Sent | None = None  # the request for the points of a seed question; None where not annotated
    points: list[Point] = []
    page: Page | None = None  # None for a problem
    sources: list["Origin"] = []  # whose points were expanded and combined, the first first


class Pooled(Link):
    """The question as the pool has it."""

    file: str
    row: PoolQuestion


class Chain(Link):
    """One training row and everything behind it."""

    file: str
    index: int  # of the row, from 0
    example: TrainingExample
    response: Step
    pool: Pooled
    origin: Origin


class Draw(NamedTuple):
    """What is known of a request beside its key."""

    key: str
    expected: str | None  # key of the first reply, made again from the settings; None where not known
    tokens: int | None  # prompt and completion, of the whole draw; None where no record has them
    cost_usd: float | None


def sent(draw: Draw, row: Row | None, store: str, expected_stored: bool, price: float | None) -> Sent:
    """Return a request with what the store has of it.

    Whether it was repaired is nowhere a column, but follows: the key is the first reply's, or the first
    reply is in the store under another one, or the reply took fewer tokens than were paid for.

    Args:
        draw: from the records and settings.
        row: of the store; None where it has none.
        store: its path.
        expected_stored: the store has a row of the key `draw.expected`.
        price: of the row, USD; None where not known.
    """
    repaired: bool | None = None
    if draw.key == draw.expected:
        repaired = False
    elif expected_stored:
        repaired = True
    elif row and draw.tokens is not None:
        repaired = row.prompt_tokens + row.completion_tokens < draw.tokens
    kept = None
    if row:
        shown = {name: getattr(row, name) for name in Stored.model_fields if name != "store"}
        kept = Stored(store=store, **shown)
    cost = price if draw.tokens is None else draw.cost_usd
    return Sent(key=draw.key, repaired=repaired, cost_usd=cost, stored=kept)
