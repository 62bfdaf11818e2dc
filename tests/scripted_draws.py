"""Outcomes that a test writes itself, and the ledgers that protocols make of them."""

from collections.abc import Sequence

from stages import protocols
from stages.protocols import judging
from stages.records import PoolQuestion, Response
from stages.teacher.client import Outcome
from stages.teacher.prompts import Answer, Critique, Rating, Refinement, Reply, Revision, Variation


def pool_question(rank: int) -> PoolQuestion:
    """Return the question whose answer is "City RANK" or "Town RANK"."""
    return PoolQuestion(
        strategy="density",
        density=2.0,
        question_id=f"q{rank}",
        rank=rank,
        round=0,
        question=f"Capital of land {rank}?",
        answer=f"City {rank}",
        answer_aliases=[f"Town {rank}"],
        title=f"Land {rank}",
        page_id=rank,
        revision_id=rank,
        log10_density=2.0,
        acceptance=0.5,
        group=0,
    )


def problem(answer: str, unit: str) -> PoolQuestion:
    """Return a question of physics."""
    changes = {"domain": "physics", "question": "How much?", "answer": answer, "answer_aliases": []}
    return pool_question(0).model_copy(update={**changes, "unit": unit})


def outcome(reply: Reply | None, reason: str = "ok", prompt_tokens: int = 10) -> Outcome:
    """Return what came of one request."""
    return Outcome(
        key="k",
        reply=reply,
        reason=reason,
        prompt_tokens=prompt_tokens,
        completion_tokens=5,
        cost_usd=0.5,
        cached=False,
        repaired=False,
        calls=1,
        paid_usd=None,
    )


def said(answer: str, rationale: str = "It is so.") -> Outcome:
    """Return a draw."""
    return outcome(Answer(answer=answer, rationale=rationale))


def refined(answer: str, rationale: str = "Looked again.") -> Outcome:
    """Return a refinement."""
    return outcome(Refinement(answer=answer, rationale=rationale))


def revised(answer: str, rationale: str = "Mended.") -> Outcome:
    """Return a revision."""
    return outcome(Revision(answer=answer, rationale=rationale))


def critique(sound: bool = False) -> Outcome:
    """Return a critique."""
    return outcome(Critique(sound=sound, comment="Look again."))


def rated(score: int) -> Outcome:
    """Return a rating."""
    return outcome(Rating(score=score))


def proposed(question: str, answer: str) -> Outcome:
    """Return a proposed question."""
    return outcome(Variation(question=question, answer=answer))


MALFORMED = outcome(None, reason="truncated")


def made_of(
    protocol: str, outcomes: Sequence[Outcome], question: PoolQuestion | None = None
) -> list[Response]:
    """Return one question's ledger of the protocol that `protocol` cuts."""
    drawn_by = protocols.parse(protocols.parse(protocol).ledger)
    return judging.judge(drawn_by, question or pool_question(0), outcomes)


def becomes(protocol: str, rows: Sequence[Response]) -> list[str]:
    """Return the reasons of rows within a cut that holds them all."""
    return protocols.parse(protocol).reasons(rows)
