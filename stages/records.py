"""The typed rows that pass between stages: one class per boundary, each with its unique key.

Arrow schemas are derived from the annotations, so that a file on disk has exactly these columns.
Coordinates (`density`, `share`, `budget`, `protocol`, `student`, `seed`) are columns of the rows they
describe; nothing is ever read out of a file name.
"""

import types
import typing
from typing import Any, ClassVar, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict

_SCALARS: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}


class Record(BaseModel):
    """A row; `key` names the columns that identify it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    key: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def arrow_schema(cls) -> pa.Schema:
        """Return the Arrow schema of this record's columns, in the order they are declared."""
        return pa.schema(
            [pa.field(name, *_arrow_type(info.annotation)) for name, info in cls.model_fields.items()]
        )


def _arrow_type(annotation: Any) -> tuple[pa.DataType, bool]:
    """Return (Arrow type, nullable) of a type annotation."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (types.UnionType, typing.Union):
        (inner,) = [a for a in args if a is not type(None)]
        return _arrow_type(inner)[0], True
    if origin is Literal:
        return pa.string(), False
    if origin is list:
        item, nullable = _arrow_type(args[0])
        return pa.list_(pa.field("item", item, nullable)), False
    if isinstance(annotation, type) and issubclass(annotation, Record):
        return pa.struct(list(annotation.arrow_schema())), False
    return _SCALARS[annotation], False


class Fact(Record):
    """One infobox entry; `name` is the infobox key, lower case with underscores."""

    name: str
    value: str


class Article(Record):
    """One main-namespace page (extract → ask, annotate, pretrain, and the embedded teacher)."""

    key: ClassVar[tuple[str, ...]] = ("page_id",)
    page_id: int
    revision_id: int
    timestamp: str  # of the revision, ISO 8601, UTC; empty where the source has none
    title: str
    aliases: list[str]  # titles of redirects to this page, sorted
    text: str  # clean text, paragraphs separated by one blank line
    facts: list[Fact]  # infobox fields in page order
    categories: list[str]


class SeedQuestion(Record):
    """One question of the source (ask → annotate)."""

    key: ClassVar[tuple[str, ...]] = ("question_id",)
    question_id: str  # sha256 of page id, question and answer, first 16 hex digits
    page_id: int
    revision_id: int
    title: str
    question: str
    answer: str  # the reference answer
    answer_aliases: list[str]  # other accepted forms of the answer
    evidence: str  # the sentence of the article (or infobox line) that states the answer
    request_key: str  # of the teacher request that wrote it


class RejectedQuestion(SeedQuestion):
    """A written question that did not enter the source (ask → report); one may be written twice."""

    key: ClassVar[tuple[str, ...]] = ()
    reason: str


class SeedProblem(Record):
    """One problem with a verifiable answer, of mathematics or physics (collect → respond)."""

    key: ClassVar[tuple[str, ...]] = ("problem_id",)
    problem_id: str  # sha256 of domain, question, answer and unit, first 16 hex digits
    domain: str  # "mathematics" or "physics"
    question: str
    answer: str  # the reference answer, in LaTeX or as a number; without its unit
    unit: str  # of the answer, as the source writes it; empty where it has none
    solution: str  # worked, as the source writes it; empty where the source has none


class Knowledge(Record):
    """What one question is about (annotate → synthesize, report)."""

    key: ClassVar[tuple[str, ...]] = ("question_id",)
    question_id: str
    topic_entities: list[str]
    points: list[str]  # 3–5 knowledge points: statements about concrete instances
    logic_form: str  # a Mermaid graph, flowchart or mindmap
    request_key: str


class KnowledgePoint(Record):
    """One knowledge point in the embedding space (annotate → synthesize, report)."""

    key: ClassVar[tuple[str, ...]] = ("question_id", "position")
    question_id: str
    position: int  # 0 … 4 within its question
    text: str
    group: int  # cluster of the embedding, 0 … groups-1
    embedding: list[float]  # unit-norm embedding projected to the density's d dimensions


class SynthesizedQuestion(Record):
    """One question that the synthesis wrote, kept or not, with its verdict (synthesize → report)."""

    key: ClassVar[tuple[str, ...]] = ("strategy", "density", "question_id")
    strategy: str  # see `grid.Target`
    density: float | None
    question_id: str
    round: int  # of the feedback in which it was written, from 1
    group: int  # of the deficit that it was written for
    sources: list[str]  # ids of the questions whose points were expanded and combined, the first first
    question: str  # empty where the reply was malformed, as are the following
    answer: str
    answer_aliases: list[str]
    evidence: str
    distractors: list[str]  # wrong answers of the source's theme
    points: list[str]  # the 3–5 knowledge points that it combines
    logic_form: str  # Mermaid
    title: str  # of the article that the answer is about
    page_id: int
    revision_id: int
    verdict: str  # "valid", or the category of its error: one of `synthesis.TAXONOMY`
    reason: str  # "valid", or the name of the check that it failed
    in_pool: bool
    truth: str | None  # what the simulator knows, in the categories of `verdict`; None of a real teacher
    calls: int  # teacher requests made for it
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None  # None where the price is not known
    request_key: str  # of the request that wrote it


class ReasonCount(Record):
    """How often something was rejected for one reason."""

    reason: str
    count: int


class GroupState(Record):
    """One group of knowledge points in one round."""

    group: int
    points: int  # of the candidates, distinct
    wanted: float  # points that the target asks for
    held: float  # points expected in the pool
    deficit: float  # wanted - held; negative is a surplus
    log10_density: float | None  # of the pool's points in the group, mean, dex; None where it holds none
    calls: int  # synthesis orders that the next round gives to the group


class FeedbackRound(Record):
    """One round of the three-stage feedback (synthesize → report)."""

    key: ClassVar[tuple[str, ...]] = ("strategy", "density", "round")
    strategy: str
    density: float | None
    round: int  # 0 samples the source alone
    candidates: int  # questions to sample from: the source and what was synthesized and verified so far
    points: int  # their distinct knowledge points
    groups: list[GroupState]
    calls: int  # teacher requests of this round, from the store or not
    cost_usd: float | None
    written: int  # questions written in this round
    accepted: int  # of them verified
    rejected: list[ReasonCount]
    pool: int  # questions sampled
    log10_density: float  # of the pool's points, mean, dex
    wasserstein: float | None  # W1 of the pool's log densities from the target's, dex; None without a target
    effective_sample_size: float  # (Σw)² / Σw² of the acceptance weights q/ρ̂ over the candidates
    # "tolerance", "filled" (a baseline), "round_limit", "call_limit", "cost_limit", "exhausted"; None: on
    stopped: str | None


class PoolQuestion(Record):
    """One question of a pool (synthesize, collect → respond)."""

    key: ClassVar[tuple[str, ...]] = ("strategy", "density", "question_id")
    strategy: str  # see `grid.Target`
    density: float | None  # target τ in dex: the pool's mean log10 k-NN number density; None without a level
    domain: str = "knowledge"  # whose grader verifies its answers: "knowledge", "mathematics" or "physics"
    question_id: str
    rank: int  # 0 … |Q|-1: the random order whose first quarter is Q1, first half Q2
    round: int  # 0: from the source; else the round of feedback that wrote it
    question: str
    answer: str
    answer_aliases: list[str]
    unit: str = ""  # of the answer; empty where it has none
    title: str  # of its article; empty for a problem, whose page and revision are 0
    page_id: int
    revision_id: int
    log10_density: float | None  # of its knowledge points within the pool, mean, dex; None where not placed
    acceptance: float  # probability with which it was accepted, 0 … 1
    group: int


class Response(Record):
    """One call of the teacher: the ledger keeps accepts and rejects (respond → assemble).

    A protocol that only samples answers makes one call per rollout; others also refine, criticise, rate or
    propose, and every call counts as a rollout.
    """

    key: ClassVar[tuple[str, ...]] = (
        "strategy",
        "density",
        "teacher",
        "protocol",
        "question_id",
        "rollout",
    )
    strategy: str
    density: float | None
    domain: str = "knowledge"  # see `PoolQuestion`
    teacher: str = "teacher"  # name of its section: "teacher", or one of `teachers`
    protocol: str = "rejection_sampling"
    question_id: str
    rank: int
    rollout: int  # 0 … budget-1
    step: str = "answer"  # what was asked: "answer", "refine", "critique", "revise", "rate", "propose"
    question: str  # as it was asked: the pool's, or one that the protocol proposed
    answer: str  # as the teacher gave it; empty where the reply was malformed
    rationale: str
    score: float | None = None  # of a "rate" step, 1 … 5; None elsewhere
    accepted: bool
    reason: str  # "accepted", or the name of the rejection
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None  # None where the price is not known
    request_key: str


class Acceptance(Record):
    """One accepted response and what it cost: its own call and those since the one before (respond)."""

    key: ClassVar[tuple[str, ...]] = (
        "strategy",
        "density",
        "teacher",
        "protocol",
        "question_id",
        "number",
    )
    strategy: str
    density: float | None
    teacher: str  # see `Response`
    protocol: str
    question_id: str
    number: int  # among the question's accepted responses, from 1
    rollout: int
    calls: int
    prompt_tokens: int  # of these calls
    completion_tokens: int
    cost_usd: float | None  # None where a price is not known
    request_key: str


class Message(Record):
    """One chat message."""

    role: str
    content: str


class TrainingExample(Record):
    """One row of a training set, in TRL's prompt–completion format (assemble → train)."""

    key: ClassVar[tuple[str, ...]] = (
        "strategy",
        "density",
        "teacher",
        "share",
        "budget",
        "protocol",
        "matched",
        "question_id",
        "rollout",
    )
    strategy: str
    density: float | None
    teacher: str = "teacher"  # see `Response`
    share: float  # of the pool's questions, 0 < share ≤ 1
    budget: int  # responses drawn per question
    protocol: str
    matched: str = "samples"  # what is held equal between protocols: "samples", or "tokens" of the teacher
    question_id: str
    rollout: int
    prompt: list[Message]
    completion: list[Message]


class BenchmarkItem(Record):
    """One question of a benchmark with its accepted answers."""

    key: ClassVar[tuple[str, ...]] = ("benchmark", "item_id")
    benchmark: str
    item_id: str
    question: str
    answers: list[str]  # the first is the reference; never empty
    unit: str = ""  # of a number's answer; empty where it has none


class ItemScore(Record):
    """One student's result on one benchmark item (score → fit, compare, report)."""

    key: ClassVar[tuple[str, ...]] = (
        "student",
        "strategy",
        "density",
        "teacher",
        "share",
        "budget",
        "protocol",
        "matched",
        "tokens",
        "seed",
        "benchmark",
        "item_id",
    )
    student: str
    strategy: str  # "base" for the base model
    density: float | None  # None for the base model, and where the strategy has no level
    teacher: str = "teacher"  # see `Response`; "base" for the base model
    share: float | None  # None for the base model
    budget: int  # 0 for the base model
    protocol: str  # "base" for the base model
    matched: str = "samples"  # see `TrainingExample`
    tokens: int | None  # training-token budget; None where the number of steps was given, and for the base
    seed: int  # training seed; 0 for the base model
    benchmark: str
    item_id: str
    prediction: str
    correct: bool
    answer_loss: float  # summed negative log-likelihood of the first reference answer, nats
    answer_tokens: int


class Judged(Record):
    """A judge's grade of one student's answer to one benchmark item (judge)."""

    key: ClassVar[tuple[str, ...]] = ItemScore.key
    student: str  # this and the following as in `ItemScore`
    strategy: str
    density: float | None
    teacher: str
    share: float | None
    budget: int
    protocol: str
    matched: str
    tokens: int | None
    seed: int
    benchmark: str
    item_id: str
    prediction: str
    target: str  # the reference answer that the judge was shown
    correct: bool  # by exact match
    grade: str | None  # "CORRECT", "INCORRECT" or "NOT_ATTEMPTED"; None where the judge's reply was malformed
    reason: str  # "graded"; "empty": nothing was answered or asked; or "format_" and the fault's name
    judge: str  # name of its section: "teacher", or one of `teachers`
    request_key: str  # of the judge's request; empty where none was made


class TrainingLog(Record):
    """One logged step of one training run (train → exhibit)."""

    key: ClassVar[tuple[str, ...]] = (
        "student",
        "strategy",
        "density",
        "teacher",
        "share",
        "budget",
        "protocol",
        "matched",
        "tokens_budget",
        "seed",
        "step",
    )
    student: str
    strategy: str  # see `grid.Target`
    density: float | None  # None where the strategy has no level
    teacher: str = "teacher"  # see `Response`
    share: float
    budget: int
    protocol: str
    matched: str = "samples"  # see `TrainingExample`
    tokens_budget: int | None  # training tokens asked for; None where the number of steps was given
    seed: int  # training seed
    step: int  # optimizer steps done; 0 is the base model
    tokens: int  # shown so far, prompts included, padding not
    loss: float | None  # nats per completion token, mean over the steps since the row before; None at step 0
    learning_rate: float  # of the step just done; 0 at step 0
    accuracy: float | None  # share of the probe's items answered by exact match; None where it did not run
