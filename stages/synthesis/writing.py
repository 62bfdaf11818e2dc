"""Writing questions to order: knowledge points are expanded, then combined, then the result is verified."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from stages.grid import Target
from stages.records import Article, SynthesizedQuestion
from stages.synthesis import reading
from stages.synthesis.verification import VALID, Verification, category
from stages.teacher import prompts
from stages.teacher.client import Outcome, Request

Draw = Callable[[Sequence[Request]], list[Outcome]]  # one reply per request, in order
# (question, answer, knowledge points, title) → "none", the category of its true error, or None if not known.
Truth = Callable[[str, str, Sequence[str], str], str | None]

EXPANDED = 4  # further knowledge points asked for


class Order(NamedTuple):
    """One question to be synthesized."""

    serial: int  # unique within the pool's run
    group: int  # the deficit that it serves
    sources: tuple[tuple[str, str], ...]  # (question id, knowledge point): the points to start from
    articles: tuple[Article, ...]  # one to three: the first point's page first, then others of its theme


@dataclass
class _Draft:
    """An order on its way."""

    order: Order
    given: list[str] = field(default_factory=list)  # knowledge points to combine
    reply: prompts.Combination | None = None
    reason: str = ""  # of its rejection; empty while there is none
    key: str = ""  # of the request that wrote it, or of the one that failed
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    def charge(self, outcome: Outcome) -> None:
        self.calls += 1 + outcome.repaired
        self.prompt_tokens += outcome.prompt_tokens
        self.completion_tokens += outcome.completion_tokens
        known = self.cost_usd is not None and outcome.cost_usd is not None
        self.cost_usd = self.cost_usd + outcome.cost_usd if known else None  # type: ignore[operator]


def write(
    orders: Sequence[Order],
    draw: Draw,
    context: Verification,
    round: int,
    target: Target,
    seed: int,
    detailed: bool,
    truth: Truth | None = None,
) -> list[SynthesizedQuestion]:
    """Have the teacher write each order's question, and verify it.

    Three calls of `draw`, each with the requests of all orders that are still in the running: expansion,
    combination, verdict (arXiv 2606.23271, stage 3 and its error taxonomy). Everything free is checked
    before a verdict is paid for, so that what repeats the source or an accepted question is never sent; last,
    the accepted of this call are compared with one another.

    Args:
        orders: of one round, in order of precedence among duplicates. Their sources are questions of the
            source or accepted before.
        draw: the teacher.
        context: what is already asked; grows by what is accepted.
        round: of the feedback, from 1.
        target: of the pool, for the rows' coordinates.
        seed: of the requests and of the choice of points.
        detailed: have the teacher evaluate what passed the free checks.
        truth: fills the column `truth`, for the embedded teacher.

    Returns:
        One row per order, in order. `calls` counts the replies that the row rests on, repairs included,
        whether they came from the store or not; a verdict that two equal samples share is the first one's.
        Malformed replies leave question, answer, evidence and lists empty. Nothing is in a pool yet.

    Raises:
        ValueError: an order has no sources or articles, or names an unknown question.
        BadInput: from `draw`.
    """
    for order in orders:
        known = all(question_id in context.questions for question_id, _ in order.sources)
        if not order.sources or not order.articles or not known:
            raise ValueError(f"order {order.serial}: needs articles, and points of known questions")
    drafts = [_Draft(order) for order in orders]
    _expand(drafts, draw, context, seed)
    _combine([d for d in drafts if not d.reason], draw, context, seed)
    rows = [_row(draft, context, round, target, truth) for draft in drafts]
    for draft, row in zip(drafts, rows, strict=True):
        if not draft.reason:
            draft.reason = context.preliminary(row, draft.given, draft.order.articles) or ""
    if detailed:
        _judge([(d, row) for d, row in zip(drafts, rows, strict=True) if not d.reason], draw, seed)
    passed = [i for i, draft in enumerate(drafts) if not draft.reason]
    for i, reason in zip(passed, context.admit([rows[i] for i in passed]), strict=True):
        drafts[i].reason = reason or VALID
    return [_decided(row, draft) for row, draft in zip(rows, drafts, strict=True)]


def _ask(drafts: Sequence[_Draft], requests: Sequence[Request], draw: Draw) -> list[Outcome]:
    """Draw, and charge each reply to its order, one that several share to the first."""
    outcomes = draw(requests) if requests else []
    charged: set[str] = set()
    for draft, outcome in zip(drafts, outcomes, strict=True):
        if outcome.key not in charged:
            draft.charge(outcome)
            charged.add(outcome.key)
    return outcomes


def _expand(drafts: Sequence[_Draft], draw: Draw, context: Verification, seed: int) -> None:
    requests = []
    for draft in drafts:
        anchors = [point for _, point in draft.order.sources]
        prompt = prompts.expansion(anchors, draft.order.articles, EXPANDED)
        requests.append(Request(prompt, rollout=context.rollout(prompt), seed=seed))
    outcomes = _ask(drafts, requests, draw)
    for draft, request, outcome in zip(drafts, requests, outcomes, strict=True):
        draft.key = outcome.key
        if not isinstance(outcome.reply, prompts.Expansion):
            draft.reason = f"reply_{outcome.reason}"
            continue
        anchors = list(dict.fromkeys(point for _, point in draft.order.sources))
        expanded = reading.usable(outcome.reply.knowledge_points, anchors, draft.order.articles)
        draft.given = reading.choose(anchors, expanded, f"{seed}\n{request.rollout}")
        if len(draft.given) < reading.FEWEST:
            draft.reason = "too_few_points"


def _combine(drafts: Sequence[_Draft], draw: Draw, context: Verification, seed: int) -> None:
    requests = []
    for draft in drafts:
        prompt = prompts.combination(draft.given, draft.order.articles)
        requests.append(Request(prompt, rollout=context.rollout(prompt), seed=seed))
    for draft, outcome in zip(drafts, _ask(drafts, requests, draw), strict=True):
        draft.key = outcome.key
        if not isinstance(outcome.reply, prompts.Combination):
            draft.reason = f"reply_{outcome.reason}"
        elif not reading.is_text(outcome.reply):
            draft.reason = "not_unicode"
        else:
            draft.reply = outcome.reply


def _judge(drafts: Sequence[tuple[_Draft, SynthesizedQuestion]], draw: Draw, seed: int) -> None:
    requests = [
        Request(
            prompts.verdict(row.question, row.answer, row.points, draft.order.articles),
            temperature=0.0,
            seed=seed,
        )
        for draft, row in drafts
    ]
    judged = [draft for draft, _ in drafts]
    for draft, outcome in zip(judged, _ask(judged, requests, draw), strict=True):
        if not isinstance(outcome.reply, prompts.Verdict):
            draft.reason = f"verdict_reply_{outcome.reason}"
        elif outcome.reply.error != "none":
            draft.reason = f"verdict_{outcome.reply.error}"


def _row(
    draft: _Draft, context: Verification, round: int, target: Target, truth: Truth | None
) -> SynthesizedQuestion:
    """Return an order's row, not yet decided."""
    order, reply = draft.order, draft.reply
    question, answer = (reply.question, reply.answer) if reply else ("", "")
    page = reading.page(reply, order.articles) if reply else order.articles[0]
    points = reading.points(reply, draft.given) if reply else []
    known = truth(question, answer, points, page.title) if truth and reply else None
    return SynthesizedQuestion(
        strategy=target.strategy,
        density=target.density,
        question_id=context.identify(page.page_id, question, answer, f"{round}\n{order.serial}"),
        round=round,
        group=order.group,
        sources=list(dict.fromkeys(question_id for question_id, _ in order.sources)),
        question=question,
        answer=answer,
        answer_aliases=sorted(context.aliases.get(answer, ())),
        evidence=reply.evidence if reply else "",
        distractors=reply.distractors if reply else [],
        points=points,
        logic_form=reply.logic_form if reply else "",
        title=page.title,
        page_id=page.page_id,
        revision_id=page.revision_id,
        verdict=VALID,
        reason=VALID,
        in_pool=False,
        truth=VALID if known == "none" else known,
        calls=0,
        prompt_tokens=0,
        completion_tokens=0,
        cost_usd=None,
        request_key=draft.key,
    )


def _decided(row: SynthesizedQuestion, draft: _Draft) -> SynthesizedQuestion:
    return row.model_copy(
        update={
            "verdict": category(draft.reason),
            "reason": draft.reason,
            "calls": draft.calls,
            "prompt_tokens": draft.prompt_tokens,
            "completion_tokens": draft.completion_tokens,
            "cost_usd": draft.cost_usd,
        }
    )
