"""The ledger of a protocol's calls: whether it is whole, what it holds, what it cost."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from stages.errors import BadInput
from stages.protocols.interface import Protocol, by_question
from stages.records import Response
from stages.teacher.outcomes import total


def check(rows: Sequence[Response], protocol: Protocol, teacher: str, where: str) -> None:
    """Refuse a ledger that is not the whole of one teacher's calls under the protocol's schedule.

    Args:
        rows: in any order.
        protocol: that is to cut it.
        teacher: name that its rows must carry.
        where: named in the refusal.

    Raises:
        BadInput: it is empty; its rows are of another teacher or protocol; a step is unknown; a rollout is
            there twice or missing, or comes after the acceptance with which its question ends.
    """
    if not rows:
        raise BadInput(f"{where}: the ledger is empty; run `respond`")
    for row in rows:
        if row.teacher != teacher:
            raise BadInput(
                f"{where}: drawn from teacher '{row.teacher}', not '{teacher}'; pass --teacher {row.teacher}"
            )
        if row.protocol != protocol.ledger:
            raise BadInput(
                f"{where}: a ledger of {row.protocol}; {protocol.name} cuts one of {protocol.ledger}: "
                f"run `respond --protocol {protocol.ledger}`"
            )
        if row.step not in protocol.steps:
            raise BadInput(
                f"{where}: question {row.question_id}, rollout {row.rollout}: step '{row.step}' is none of "
                f"{', '.join(protocol.steps)}; run `respond` again"
            )
    budget = 1 + max(row.rollout for row in rows)
    for places in by_question(rows):
        _whole([rows[place] for place in places], budget, protocol.stops, where)


def calls_needed(rows: Sequence[Response], stops: int | None) -> int | None:
    """Return after how many calls one question ends with an acceptance; None where it does not.

    Args:
        rows: of one question, in any order.
        stops: accepted responses with which it ends, see `Protocol.stops`.
    """
    accepted = sorted(row.rollout for row in rows if row.accepted)
    return None if stops is None or len(accepted) < stops else accepted[stops - 1] + 1


def _whole(rows: Sequence[Response], budget: int, stops: int | None, where: str) -> None:
    """Refuse one question's rows that are not exactly the rollouts it takes, each once."""
    here = f"{where}: question {rows[0].question_id}"
    times = Counter(row.rollout for row in rows)
    twice = [rollout for rollout, count in sorted(times.items()) if count > 1]
    if twice:
        raise BadInput(f"{here}: rollout {twice[0]} is there twice; run `respond` again")
    calls = calls_needed(rows, stops) or budget
    missing = set(range(calls)) - set(times)
    if missing:
        raise BadInput(f"{here}: rollout {min(missing)} of 0 … {calls - 1} is missing; run `respond` again")
    beyond = [rollout for rollout in sorted(times) if rollout >= calls]
    if beyond:
        raise BadInput(
            f"{here}: rollout {beyond[0]} comes after the {stops} accepted responses with which it ends; run "
            "`respond` again"
        )


def tokens(row: Response) -> int:
    """Return what a call cost, prompt and completion, in the teacher's tokens."""
    return row.prompt_tokens + row.completion_tokens


def figures(rows: Sequence[Response], protocol: Protocol) -> dict[str, Any]:
    """Return a ledger's counts: what became of the calls, what is covered, what was paid.

    Args:
        rows: the whole ledger.
        protocol: that drew it.
    """
    reasons = protocol.reasons(rows)
    kept = [row for row, reason in zip(rows, reasons, strict=True) if reason == "accepted"]
    return {
        "questions": len({row.question_id for row in rows}),
        "draws": len(rows),
        "reasons": dict(sorted(Counter(reasons).items())),
        "covered": len({row.question_id for row in kept}),
        "distinct": len({(row.question_id, row.question, row.answer, row.rationale) for row in kept}),
        "prompt_tokens": sum(row.prompt_tokens for row in rows),
        "completion_tokens": sum(row.completion_tokens for row in rows),
        "cost_usd": cost(rows),
    }


def cost(rows: Sequence[Response]) -> float | None:
    """Return the price of calls, USD; None where a part of it is not known."""
    price = total(row.cost_usd for row in rows)
    return None if price is None else round(price, 6)
