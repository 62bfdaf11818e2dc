"""Cuts of a ledger: the calls that a share and a budget pay for, and the training set made of them."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from stages.errors import BadInput
from stages.grid import Cut
from stages.protocols import ledger
from stages.protocols.interface import Protocol, by_question
from stages.records import Response, TrainingExample


def within(rows: Sequence[Response], cut: Cut, stops: int | None = None) -> list[Response]:
    """Return the calls that a cut pays for, ordered by rollout and then by rank.

    The first quarter of the ranks is Q1, the first half Q2: question shares are nested. In this order the
    calls within budget r come first within any larger budget.

    Args:
        rows: all calls of one pool; every question has its rollouts from 0.
        cut: share of the questions (rounded up to a whole question) and budget.
        stops: accepted responses with which a question ends, see `Protocol.stops`.

    Raises:
        BadInput: the ledger holds fewer calls of a question than the cut's budget, and it did not end.
    """
    ordered = _ordered(rows, cut.share)
    budget = 1 + max((row.rollout for row in rows), default=-1)
    if rows and budget < cut.budget and (open_ := _unended(ordered, stops)):
        each = "draws per question" if stops is None else f"draws of question {open_}, not {stops} accepted"
        raise BadInput(f"cut {cut}: the ledger has {budget} {each}; run `respond` with budget {cut.budget}")
    return [row for row in ordered if row.rollout < cut.budget]


def within_tokens(rows: Sequence[Response], cut: Cut, limit: int, stops: int | None = None) -> list[Response]:
    """Return the calls about a cut's share of the questions that `limit` tokens pay for.

    In the order of `within`: whole calls, until the next would exceed the limit.

    Args:
        rows: as for `within`; its budget plays no part.
        cut: its share is taken, its budget only named.
        limit: teacher tokens, prompts and completions.
        stops: as for `within`.

    Raises:
        BadInput: the ledger ends before the limit is within one call's mean.
    """
    ordered = _ordered(rows, cut.share)
    spent = 0
    for place, row in enumerate(ordered):
        spent += ledger.tokens(row)
        if spent > limit:
            return ordered[:place]
    if limit - spent >= spent / max(1, len(ordered)):
        raise BadInput(
            f"cut {cut} at matched tokens: the ledger has {spent} tokens, the cut pays for {limit}; draw "
            f"more calls with {'' if stops is None else 'a larger N or '}`respond --budget`"
        )
    return ordered


class TrainingSet(NamedTuple):
    """What a cut pays for, and what it is made into."""

    drawn: list[Response]
    kept: list[TrainingExample]


def training_set(
    rows: Sequence[Response],
    reference: Sequence[Response] | None,
    protocol: Protocol,
    cut: Cut,
    completion: Callable[[str, str], str],
) -> TrainingSet:
    """Cut one training set: at matched samples, or at matched tokens where there is a reference.

    Args:
        rows: the protocol's ledger, whole.
        reference: plain rejection sampling's ledger of the same pool, whose tokens within the cut are the
            limit; None for the cut's own budget.
        protocol: that selects.
        cut: share and budget.
        completion: makes the student's completion from (answer, rationale).

    Raises:
        BadInput: a ledger is too short, the two are not of the same questions, or nothing is accepted.
    """
    if reference is None:
        drawn = within(rows, cut, protocol.stops)
    elif {(row.question_id, row.rank) for row in rows} != {(r.question_id, r.rank) for r in reference}:
        raise BadInput("--reference: not the ledger of the pool that --responses answers; pass that one's")
    else:
        limit = sum(map(ledger.tokens, within(reference, cut)))
        drawn = within_tokens(rows, cut, limit, protocol.stops)
    kept = protocol.select(drawn, cut, completion, "samples" if reference is None else "tokens")
    if not kept:
        raise BadInput(
            f"cut {cut}: {protocol.name} accepts none of its {len(drawn)} calls: nothing to train on; "
            "raise the budget or the share"
        )
    return TrainingSet(drawn, kept)


def _unended(rows: Sequence[Response], stops: int | None) -> str | None:
    """Return the first question whose calls did not end with an acceptance; None where all did."""
    questions = ([rows[place] for place in places] for places in by_question(rows))
    return next((one[0].question_id for one in questions if not ledger.calls_needed(one, stops)), None)


def _ordered(rows: Sequence[Response], share: float) -> list[Response]:
    size = math.ceil(share * (1 + max((row.rank for row in rows), default=-1)))
    return sorted((row for row in rows if row.rank < size), key=lambda row: (row.rollout, row.rank))
