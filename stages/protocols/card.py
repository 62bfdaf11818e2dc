"""The dataset card that goes with every training set: what is in it, what it cost, where it comes from."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import yaml

from stages.grid import Cut, Target
from stages.records import Response, TrainingExample


def facts(
    drawn: Sequence[Response], kept: Sequence[TrainingExample], cut: Cut, target: Target
) -> dict[str, object]:
    """Return a training set's figures.

    Args:
        drawn: every draw the cut pays for.
        kept: the training examples made of them.
        cut: share of the questions, and budget.
        target: of the pool.
    """
    questions = {row.question_id for row in drawn}
    prices = [row.cost_usd for row in drawn]
    return {
        "strategy": target.strategy,
        "density_dex": target.density,
        "share": cut.share,
        "budget": cut.budget,
        "questions": len(questions),
        "sample_budget": len(drawn),
        "examples": len(kept),
        "questions_covered": len({row.question_id for row in kept}),
        "acceptance": round(len(kept) / len(drawn), 6) if drawn else None,
        "reasons": dict(sorted(Counter(row.reason for row in drawn).items())),
        "teacher_prompt_tokens": sum(row.prompt_tokens for row in drawn),
        "teacher_completion_tokens": sum(row.completion_tokens for row in drawn),
        "cost_usd": None if None in prices else round(sum(p for p in prices if p is not None), 6),
        "content_sha256": _digest(kept),
    }


def card(
    figures: dict[str, object], teacher: str, simulated: bool, protocol: str, steps: int, batch: int
) -> str:
    """Return the card as Markdown with a YAML head, as the Hugging Face hub lays it out.

    Args:
        figures: from `facts`.
        teacher: model name.
        simulated: the teacher is the embedded simulator.
        protocol: name of the protocol.
        steps: optimiser steps of every student trained on any set of the grid without a token budget.
        batch: examples per step.
    """
    head = yaml.safe_dump(
        {"pretty_name": _title(figures), "tags": ["synthetic"], "seedbed": figures}, sort_keys=False
    )
    source = f"`{teacher}`" + (
        ", a simulator: its draws are made, not written by a model" if simulated else ""
    )
    paid = "unknown (no price set)" if figures["cost_usd"] is None else f"{figures['cost_usd']} USD"
    made = (
        f"{figures['questions']} questions × {figures['budget']} responses = {figures['sample_budget']} draws"
    )
    kept = f"{figures['examples']} examples on {figures['questions_covered']} questions"
    tokens = f"{figures['teacher_prompt_tokens']} in, {figures['teacher_completion_tokens']} out"
    return f"""---
{head}---

# {_title(figures)}

- **Made of** {made}.
- **Teacher** {source}; protocol `{protocol}`.
- **Kept** {kept} (acceptance {figures["acceptance"]}).
- **Teacher tokens** {tokens}, rejects included; cost {paid}.
- **Training compute** is matched, whatever the set's size: {steps} steps of {batch} examples in every cell,
  or a budget of training tokens where one is set.
- **Order** is by rollout, then by rank: a smaller budget's rows are the first rows of a larger budget's.
"""


def _title(figures: dict[str, object]) -> str:
    dex = figures["density_dex"]
    target = figures["strategy"] if dex is None else f"{dex} dex"
    return f"target {target}, share {figures['share']}, budget {figures['budget']}"


def _digest(kept: Sequence[TrainingExample]) -> str:
    """Return the sha256 of prompts and completions alone: equal for equal text, whatever the file format."""
    digest = hashlib.sha256()
    for row in kept:
        for message in (*row.prompt, *row.completion):
            digest.update(f"{message.role}\0{message.content}\0".encode())
    return digest.hexdigest()
