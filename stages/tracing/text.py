"""A chain as a tree of lines for the terminal.

What a teacher wrote is shown on one line, its control characters replaced: nothing of it can move the cursor
or pass for a line of ours.
"""

from typing import NamedTuple

from stages.tracing.chain import Chain, Origin, Page, Sent, Step

WIDTH = 160  # characters of a quoted text, at most
_NAMES = {
    "seed_question": "seed question",
    "synthesized_question": "synthesized question",
    "problem": "problem",
}


class Node(NamedTuple):
    """A heading, facts as (name, value), and what it was made of."""

    heading: str
    facts: list[tuple[str, str]]
    children: list["Node"]


def quoted(text: str) -> str:
    """Return a text on one line, without control characters, cut to `WIDTH`."""
    safe = _flat(" ".join(text.split()))
    return safe if len(safe) <= WIDTH else f"{safe[: WIDTH - 1]}…"


def tree(chain: Chain) -> str:
    """Return a chain as text, from the training row down to the article."""
    row = chain.example
    target = row.strategy if row.density is None else f"{row.density} dex"
    cut = f"share {row.share:g}, budget {row.budget}, {row.protocol}, matched {row.matched}"
    root = Node(
        f"training row {chain.index} of {chain.file}",
        [
            ("set", f"target {target}, teacher {row.teacher}, {cut}"),
            ("row", f"question {row.question_id}, rollout {row.rollout}"),
            ("prompt", quoted(" ".join(message.content for message in row.prompt))),
            ("completion", quoted(" ".join(message.content for message in row.completion))),
        ],
        [_step(chain.response, "response"), _question(chain)],
    )
    return "\n".join(_lines(root))


def _question(chain: Chain) -> Node:
    row = chain.pool.row
    place = f"rank {row.rank}, round {row.round}"
    density = "not placed" if row.log10_density is None else f"log10 density {row.log10_density:.3f} dex"
    facts = [
        ("question", quoted(row.question)),
        ("reference", quoted(f"{row.answer} {row.unit}")),
        ("place", f"{place}, accepted with probability {row.acceptance:.3f}, {density}"),
    ]
    return Node(
        f"question {row.question_id} of the pool {chain.pool.file}", facts, [_origin(chain.origin, "from")]
    )


def _step(step: Step, name: str) -> Node:
    row = step.row
    spent = f"{row.prompt_tokens} + {row.completion_tokens} tokens"
    rating = [] if row.score is None else [("rating", f"{row.score:g}")]
    answer = [("answer", quoted(row.answer))] if row.answer else []
    facts = [("verdict", row.reason), ("step", row.step), *answer, *rating, ("spent", spent)]
    children = [_step(earlier, "made of call") for earlier in step.made_of]
    return Node(f"{name} {row.rollout} of the ledger {step.ledger}", facts + _sent(step.request), children)


def _sent(sent: Sent) -> list[tuple[str, str]]:
    repaired = {True: "yes", False: "no", None: "cannot be told"}[sent.repaired]
    cost = "unknown (no price set)" if sent.cost_usd is None else f"{sent.cost_usd:.6g} USD"
    facts = [("request", sent.key), ("repaired", repaired), ("cost", cost)]
    if sent.stored is None:
        facts.append(("stored", "not in the store"))
    else:
        kept = sent.stored
        tokens = f"{kept.prompt_tokens} + {kept.completion_tokens} tokens"
        ended = (
            f"finish reason {kept.finish_reason or 'none'}, request id {quoted(kept.request_id or 'none')}"
        )
        facts.append(("stored", f"{quoted(kept.model)}, {tokens}, {kept.latency_s:g} s, {ended}"))
        facts.append(("in", kept.store))
    return facts


def _origin(origin: Origin, name: str) -> Node:
    where = f"{origin.file}, {origin.place}" if origin.place else origin.file
    facts = [("question", quoted(origin.question)), ("answer", quoted(origin.answer))]
    if origin.evidence:
        facts.append(("evidence", quoted(origin.evidence)))
    if origin.calls is not None:
        facts.append(("calls", f"{origin.calls}, of which the one that wrote it:"))
    facts += _sent(origin.request) if origin.request else []
    children = []
    if origin.points or origin.annotation:
        listed = [(f"point {i}", _point(point.text, point.group)) for i, point in enumerate(origin.points)]
        told = _sent(origin.annotation) if origin.annotation else []
        children.append(Node(f"{len(origin.points)} knowledge points", listed + told, []))
    children += [_page(origin.page)] if origin.page else []
    children += [_origin(source, "points of") for source in origin.sources]
    return Node(f"{name} {_NAMES[origin.kind]} {origin.question_id} of {where}", facts, children)


def _point(text: str, group: int | None) -> str:
    return quoted(text) if group is None else f"{quoted(text)} (group {group})"


def _page(page: Page) -> Node:
    at = f" of {page.timestamp}" if page.timestamp else ""
    revision = f"revision {page.revision_id}{at}"
    return Node(f"article {quoted(page.title)}, page {page.page_id}, {revision}, in {page.file}", [], [])


def _lines(node: Node) -> list[str]:
    """Return a node's lines; the first child's branch begins below its facts."""
    lines = [_flat(node.heading)]
    width = max((len(name) for name, _ in node.facts), default=0)
    stem = "│ " if node.children else "  "
    lines += [f"{stem}{name:<{width}}  {_flat(value)}" for name, value in node.facts]
    for place, child in enumerate(node.children):
        last = place == len(node.children) - 1
        first, *rest = _lines(child)
        lines.append(f"{'└─' if last else '├─'} {first}")
        lines += [f"{'  ' if last else '│ '} {line}" for line in rest]
    return lines


def _flat(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
