"""Acceptances: what each accepted response of a ledger cost, the calls rejected before it included."""

import math
import statistics
from collections import Counter
from collections.abc import Sequence
from typing import Any

from stages.protocols import ledger
from stages.protocols.interface import Protocol, by_question
from stages.records import Acceptance, Response
from stages.teacher.outcomes import total

_QUANTILE = 0.9


def acceptances(rows: Sequence[Response], protocol: Protocol) -> list[Acceptance]:
    """Return the accepted responses, each with the price of the calls since its question's one before.

    A question's calls after its last acceptance were in vain and are no response's price.

    Args:
        rows: of a ledger or a cut of it, in any order.
        protocol: that accepts.
    """
    reasons = protocol.reasons(rows)
    found = []
    for places in by_question(rows):
        paid: list[Response] = []
        number = 0
        for place in sorted(places, key=lambda place: rows[place].rollout):
            paid.append(rows[place])
            if reasons[place] == "accepted":
                number += 1
                found.append(_acceptance(paid, number))
                paid = []
    return found


def _acceptance(paid: Sequence[Response], number: int) -> Acceptance:
    last = paid[-1]
    return Acceptance(
        strategy=last.strategy,
        density=last.density,
        teacher=last.teacher,
        protocol=last.protocol,
        question_id=last.question_id,
        number=number,
        rollout=last.rollout,
        calls=len(paid),
        prompt_tokens=sum(row.prompt_tokens for row in paid),
        completion_tokens=sum(row.completion_tokens for row in paid),
        cost_usd=total(row.cost_usd for row in paid),
        request_key=last.request_key,
    )


def figures(rows: Sequence[Response], protocol: Protocol, cap: int | None) -> dict[str, Any]:
    """Return what a protocol that stops at N accepted responses reached, and what they cost.

    Args:
        rows: of a ledger or a cut of it.
        protocol: its `stops` is N.
        cap: calls of a question at most; None where tokens are the limit.

    Returns:
        "accepted" (N), "cap", "reached" and "ran_out" (questions with N accepted, and with fewer), calls and
        tokens "per_accepted" response (all calls, those in vain too; None where none is accepted), "in_vain"
        (after a question's last acceptance), and per "number" k how many questions have a k-th accepted
        response ("responses") and, over these alone, the median, mean and 90 % quantile of its calls and
        tokens: those who never came so far are not in it.
    """
    costs = acceptances(rows, protocol)
    numbers = Counter(one.number for one in costs)
    calls, tokens = len(rows), sum(map(ledger.tokens, rows))
    reached = numbers[protocol.stops or 0]
    return {
        "accepted": protocol.stops,
        "cap": cap,
        "reached": reached,
        "ran_out": len({row.question_id for row in rows}) - reached,
        "per_accepted": {
            "calls": round(calls / len(costs), 6) if costs else None,
            "tokens": round(tokens / len(costs), 6) if costs else None,
        },
        "in_vain": {
            "calls": calls - sum(one.calls for one in costs),
            "tokens": tokens - sum(map(_tokens, costs)),
        },
        "number": {
            str(k): {
                "responses": numbers[k],
                "calls": _summary([one.calls for one in costs if one.number == k]),
                "tokens": _summary([_tokens(one) for one in costs if one.number == k]),
            }
            for k in sorted(numbers)
        },
    }


def table(found: dict[str, Any]) -> str:
    """Return the part "number" of `figures` as a Markdown table."""
    head = "| accepted response | questions | calls: median | mean | 90 % | tokens: median | mean | 90 % |"
    lines = [head, "|" + " ---: |" * 8]
    for k, row in found["number"].items():
        cells = [f"{row[what][name]:.4g}" for what in ("calls", "tokens") for name in row[what]]
        lines.append(f"| {' | '.join([k, str(row['responses']), *cells])} |")
    return "\n".join(lines)


def _tokens(one: Acceptance) -> int:
    return one.prompt_tokens + one.completion_tokens


def _summary(values: Sequence[int]) -> dict[str, float]:
    """Return median, mean and the least value that 90 % of the values do not exceed."""
    return {
        "median": float(statistics.median(values)),
        "mean": round(statistics.fmean(values), 6),
        "quantile_90": float(sorted(values)[math.ceil(_QUANTILE * len(values)) - 1]),
    }
