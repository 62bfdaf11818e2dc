"""The dataset card that goes with every training set: what is in it, what it cost, where it comes from."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from stages.grid import PLAIN, Cut, Target
from stages.protocols import acceptance, ledger
from stages.protocols.interface import Protocol
from stages.records import Response, TrainingExample


def facts(
    drawn: Sequence[Response],
    kept: Sequence[TrainingExample],
    cut: Cut,
    target: Target,
    protocol: Protocol,
    matched: str = PLAIN.matched,
) -> dict[str, object]:
    """Return a training set's figures.

    Args:
        drawn: every call the cut pays for; one at least.
        kept: the training examples made of them.
        cut: share of the questions, and budget.
        target: of the pool.
        protocol: that made them.
        matched: what is held equal between protocols, see `grid.Arm`.
    """
    reasons = Counter(protocol.reasons(drawn))
    stopped: dict[str, object] = {}
    if protocol.stops is not None:
        cap = cut.budget if matched == PLAIN.matched else None
        stopped = {"until_accepted": acceptance.figures(drawn, protocol, cap)}
    return {
        "strategy": target.strategy,
        "density_dex": target.density,
        "teacher": drawn[0].teacher,
        "protocol": protocol.name,
        "matched": matched,
        "share": cut.share,
        "budget": cut.budget,
        "questions": len({row.question_id for row in drawn}),
        "sample_budget": len(drawn),
        "examples": len(kept),
        "questions_covered": len({row.question_id for row in kept}),
        "acceptance": round(reasons["accepted"] / len(drawn), 6),
        "reasons": dict(sorted(reasons.items())),
        **stopped,
        "teacher_prompt_tokens": sum(row.prompt_tokens for row in drawn),
        "teacher_completion_tokens": sum(row.completion_tokens for row in drawn),
        "cost_usd": ledger.cost(drawn),
        "content_sha256": digest(
            (message.role, message.content) for row in kept for message in (*row.prompt, *row.completion)
        ),
    }


def card(
    figures: dict[str, Any], teacher: str, simulated: bool, protocol: Protocol, steps: int, batch: int
) -> str:
    """Return the card as Markdown with a YAML head, as the Hugging Face hub lays it out.

    Args:
        figures: from `facts`.
        teacher: model name.
        simulated: the teacher is the embedded simulator.
        protocol: that made the set.
        steps: optimiser steps of every student trained on any set of the grid without a token budget.
        batch: examples per step.
    """
    told = figures | {"teacher_model": teacher, "simulated": simulated}
    head = yaml.safe_dump(
        {"pretty_name": _title(figures), "tags": ["synthetic"], "seedbed": told}, sort_keys=False
    )
    source = f"`{teacher}`" + (
        ", a simulator: its draws are made, not written by a model" if simulated else ""
    )
    paid = "unknown (no price set)" if figures["cost_usd"] is None else f"{figures['cost_usd']} USD"
    plain = protocol.steps == ("answer",)
    asked, total = ("responses", "draws") if plain else ("calls", "calls")
    made = (
        f"{figures['questions']} questions × {figures['budget']} {asked} = {figures['sample_budget']} {total}"
    )
    until = ""
    if protocol.stops is not None:
        made = (
            f"{figures['questions']} questions, each asked until {protocol.stops} responses are accepted, "
            f"{figures['budget']} times at most: {figures['sample_budget']} draws"
        )
        until = _until(figures["until_accepted"])
    if figures["matched"] == "tokens":
        made = (
            f"{figures['sample_budget']} {total} on {figures['questions']} questions, for the teacher tokens "
            f"that plain rejection sampling spends at budget {figures['budget']}"
        )
    nested = ": a smaller budget's rows are the first rows of a larger budget's" if protocol.nested else ""
    kept = f"{figures['examples']} examples on {figures['questions_covered']} questions"
    tokens = f"{figures['teacher_prompt_tokens']} in, {figures['teacher_completion_tokens']} out"
    return f"""---
{head}---

# {_title(figures)}

- **Made of** {made}.
- **Teacher** {source}; protocol `{protocol.name}`.
- **Kept** {kept} (acceptance {figures["acceptance"]}).
- **Teacher tokens** {tokens}, rejects included; cost {paid}.
- **Training compute** is matched, whatever the set's size: {steps} steps of {batch} examples in every cell,
  or a budget of training tokens where one is set.
- **Order** is by rollout, then by rank{nested}.
{until}"""


def _until(found: dict[str, Any]) -> str:
    """Return how many questions got their N accepted responses, and what each of these cost."""
    limit = "the tokens" if found["cap"] is None else f"the cap of {found['cap']} calls"
    each, vain = found["per_accepted"], found["in_vain"]
    return f"""- **Accepted** {found["accepted"]} responses to each of {found["reached"]} questions;
  {found["ran_out"]} questions ran into {limit} before, with {vain["calls"]} calls in vain.
  An accepted response cost {each["calls"]:.4g} calls and {each["tokens"]:.4g} tokens, these included.

What a question's accepted responses cost one after the other, where it has so many:

{acceptance.table(found)}
"""


def _title(figures: dict[str, object]) -> str:
    dex = figures["density_dex"]
    target = figures["strategy"] if dex is None else f"{dex} dex"
    return f"target {target}, share {figures['share']}, budget {figures['budget']}"


def digest(messages: Iterable[tuple[str, str]]) -> str:
    """Return the sha256 of a set's text alone: equal for equal text, whatever the file format.

    Args:
        messages: role and content of every message, row after row, a row's prompt before its completion.
    """
    digest = hashlib.sha256()
    for role, content in messages:
        digest.update(f"{role}\0{content}\0".encode())
    return digest.hexdigest()
