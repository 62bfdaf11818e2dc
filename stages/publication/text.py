"""The dataset card of a published folder: what each configuration holds, what it cost, what made it."""

import re
from collections.abc import Sequence
from typing import Any

from stages.publication import layout
from stages.publication.layout import Published

_COLUMNS = {
    "strategy, density": "what the pool of questions was steered to; density in dex, null without a level",
    "teacher, protocol, matched": "whose responses, how used, and what was held equal between protocols",
    "share, budget": "of the pool's questions, and responses drawn for each",
    "question_id, rollout": "the question and its draw: together they name the row",
    "prompt, completion": "chat messages with `role` and `content`",
}


def escaped(value: object) -> str:
    """Return a text that Markdown and HTML show as it is, on one line, also within a table."""
    line = " ".join(str(value).split())
    safe = "".join(c if c.isprintable() else "\ufffd" for c in line)
    for mark, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        safe = safe.replace(mark, entity)
    return re.sub(r"([\\`*_{}\[\]#|~$])", r"\\\1", safe)


def description(sets: Sequence[Published]) -> str:
    """Return one sentence about the whole, plain text."""
    examples = sum(one.examples for one in sets)
    what = "1 training set" if len(sets) == 1 else f"{len(sets)} training sets"
    return f"{what} of {examples} examples, prompt and completion, synthesized by language-model teachers."


def card(title: str, license: str, sets: Sequence[Published]) -> str:
    """Return the card: its head in YAML, then Markdown.

    Args:
        title: of the whole.
        license: identifier of the hub's list.
        sets: the first is the default configuration.
    """
    rows = [_HEADER, *(_row(one) for one in sets)]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in (rows[0], ["---"] * len(_HEADER), *rows[1:]))
    columns = "\n".join(f"- `{names.replace(', ', '`, `')}`: {what}." for names, what in _COLUMNS.items())
    return f"""{layout.front_matter(title, license, sets)}
# {escaped(title)}

{description(sets)} Made with seedbed.

{table}

Tokens are the teacher's, prompts in and completions out, rejected and repaired responses included; cost is in
USD, unknown where no price was set. {_shared(sets)}

## Columns

{columns}

## Source and licence

{_source(license, sets)}
"""


_HEADER = [
    "configuration",
    "examples",
    "questions",
    "articles",
    "teacher",
    "model",
    "protocol",
    "teacher calls",
    "accepted",
    "tokens in",
    "tokens out",
    "cost",
]


def _row(one: Published) -> list[str]:
    told: dict[str, Any] = one.figures
    values = [
        one.config,
        one.examples,
        told.get("questions"),
        None if one.sources is None else one.sources.articles,
        told.get("teacher"),
        _model(told),
        told.get("protocol"),
        told.get("sample_budget"),
        told.get("acceptance"),
        told.get("teacher_prompt_tokens"),
        told.get("teacher_completion_tokens"),
        told.get("cost_usd"),
    ]
    return [escaped("unknown" if value is None else value) for value in values]


def _model(told: dict[str, Any]) -> object:
    model = told.get("teacher_model")
    return f"{model} (simulator)" if model is not None and told.get("simulated") else model


def _shared(sets: Sequence[Published]) -> str:
    if len(sets) == 1:
        return "The row's figures are the totals."
    return (
        "Configurations cut from the responses to one pool share calls: their calls, tokens and costs do not "
        "add up."
    )


def _source(license: str, sets: Sequence[Published]) -> str:
    domains = sorted({domain for one in sets if one.sources for domain in one.sources.domains})
    lines = [f"Licence: {escaped(license)}."]
    if "knowledge" in domains:
        lines.append(
            "Questions of knowledge were written from encyclopedia articles. Text derived from Wikipedia is "
            "under CC BY-SA 4.0, and its authors are those of the articles."
        )
    if set(domains) - {"knowledge"}:
        named = " and ".join(domain for domain in domains if domain != "knowledge")
        lines.append(f"Problems of {named} come from seed files, whose licence is their own.")
    if any(one.sources is None for one in sets):
        lines.append("The pools of some sets were not at hand: what those were made of is not told here.")
    if any(one.figures.get("simulated") for one in sets):
        lines.append("A simulator stood in for a teacher: its text is made up by rule, not by a model.")
    return " ".join(lines)
