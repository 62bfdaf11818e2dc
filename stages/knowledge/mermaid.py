"""Logic forms: Mermaid diagrams read into nodes and edges, and checked."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

MAX_CHARACTERS = 20_000
MAX_NODES = MAX_EDGES = 200  # of a logic form of three to five knowledge points; more is a bomb or a ramble
# What may follow a node's name: the brackets of its shape, longer openings before their beginnings.
_SHAPES = {
    "(((": (")))",),
    "([": ("])",),
    "((": ("))",),
    "[[": ("]]",),
    "[(": (")]",),
    "[/": ("/]", "\\]"),
    "[\\": ("\\]", "/]"),
    "{{": ("}}",),
    "[": ("]",),
    "(": (")",),
    "{": ("}",),
    ">": ("]",),
}
_HEADER = re.compile(r"(?:(graph|flowchart)(?:[ \t]+(?:TD|TB|BT|LR|RL))?|(mindmap))[ \t]*")
# Statements of a graph that say how it looks, or where a frame begins or ends.
_LOOKS = re.compile(r"(?:classDef|class|style|linkStyle|click|direction|accTitle|accDescr)\b|end$")
_FRAME = re.compile(r"subgraph\b[ \t]*(\w*)")
_NODE = re.compile(r"\w+(?:[-.]\w+)*")
_CLASS = re.compile(r":::\w+")
_LINK = re.compile(r"<?(?:-{2,}>|-{3,}|={2,}>|={3,}|-\.{1,9}->?|~{3,}|--[xo](?=[ \t|]))")
# How a link with its text inside begins, and how it may end.
_WORDED = {"--": ("-->", "---", "--x", "--o"), "==": ("==>", "==="), "-.": (".->", ".-")}
_PIECE = re.compile(r'"[^"]*"|[^";\n]+|[;\n"]')


class Diagram(NamedTuple):
    """A logic form."""

    kind: str  # "graph", "flowchart" or "mindmap"
    nodes: frozenset[str]
    edges: tuple[tuple[str, str], ...]  # (source, target)
    labelled: frozenset[str]  # the nodes that say what they are; every node of a mindmap does


class _Fault(Exception):
    """The text is no diagram; its text is the fault's name."""


class _Reading:
    """What was read so far, within the limits."""

    def __init__(self) -> None:
        self.nodes: set[str] = set()
        self.labelled: set[str] = set()
        self.frames: set[str] = set()
        self.edges: list[tuple[str, str]] = []

    def node(self, name: str, labelled: bool) -> None:
        self.nodes.add(name)
        if labelled:
            self.labelled.add(name)
        if len(self.nodes) > MAX_NODES:
            raise _Fault("too_large")

    def link(self, sources: Sequence[str], targets: Sequence[str]) -> None:
        if len(self.edges) + len(sources) * len(targets) > MAX_EDGES:
            raise _Fault("too_large")
        self.edges += [(source, target) for source in sources for target in targets]


def parse(text: str) -> Diagram | str:
    """Read a Mermaid graph, flowchart or mindmap, in time linear in its length.

    Comments, styles, classes and subgraph frames are read over; a code fence around it all is left out.

    Returns:
        The diagram, or the name of the fault: "too_large" (more than `MAX_CHARACTERS`, `MAX_NODES` or
        `MAX_EDGES`), "unknown_diagram" (another or no kind), "bad_statement" (a line that is neither a node
        nor a link), "no_edges".
    """
    if len(text) > MAX_CHARACTERS:
        return "too_large"
    lines = [line.rstrip() for line in text.splitlines()]
    lines = [line for line in lines if line and not line.lstrip().startswith(("%%", "```"))]
    statements = list(_statements("\n".join(lines)))
    header = _HEADER.fullmatch(statements[0]) if statements else None
    if not header:
        return "unknown_diagram"
    read = _Reading()
    try:
        if header[2]:
            _mindmap(lines[1:], read)
        else:
            for statement in statements[1:]:
                _statement(statement, read)
    except _Fault as fault:
        return str(fault)
    # A frame that edges lead to is a node of its own, with the frame's title.
    read.labelled |= read.frames
    if not read.edges:
        return "no_edges"
    kind = header[1] or header[2]
    return Diagram(kind, frozenset(read.nodes), tuple(read.edges), frozenset(read.labelled & read.nodes))


def fault(text: str) -> str | None:
    """Return the name of what is wrong with a logic form, or None.

    Besides the faults of `parse`: "unconnected" (a node that no edge touches), "undefined_node" (an edge ends
    at a name that no label explains while other nodes have labels) and "cyclic" (a flowchart must lead
    somewhere).
    """
    diagram = parse(text)
    if isinstance(diagram, str):
        return diagram
    if diagram.nodes - {node for edge in diagram.edges for node in edge}:
        return "unconnected"
    if diagram.labelled and diagram.labelled != diagram.nodes:
        return "undefined_node"
    if diagram.kind == "flowchart" and _cyclic(diagram.edges):
        return "cyclic"
    return None


def _statements(text: str) -> Iterator[str]:
    """Yield what stands between line ends and semicolons that are not inside quotes."""
    parts: list[str] = []
    for match in _PIECE.finditer(text + "\n"):
        if match[0] in ("\n", ";"):
            statement = "".join(parts).strip()
            parts = []
            if statement:
                yield statement
        else:
            parts.append(match[0])


def _statement(text: str, read: _Reading) -> None:
    """Read one statement of a graph: nodes joined by links, or what is read over."""
    frame = _FRAME.match(text)
    if frame:
        read.frames.add(frame[1])
    if frame or _LOOKS.match(text):
        return
    sources: list[str] = []
    at = 0
    while True:
        targets: list[str] = []
        while True:  # "A & B" is a group: each of it is linked
            name, at = _node(text, at, read)
            targets.append(name)
            if text[at : at + 1] != "&":
                break
            at = _blank(text, at + 1)
        read.link(sources, targets)
        if at == len(text):
            return
        sources, at = targets, _link(text, at)


def _node(text: str, at: int, read: _Reading) -> tuple[str, int]:
    """Read a node at `at` and return (its name, where the next thing begins)."""
    name = _NODE.match(text, at)
    if not name:
        raise _Fault("bad_statement")
    at = name.end()
    start = _blank(text, at)
    opening = next((o for o in _SHAPES if text.startswith(o, start)), None)
    if opening:
        at = _blank(text, start + len(opening))
        if text.startswith('"', at):
            at = _after(text, at + 1, ('"',))
        at = _after(text, at, _SHAPES[opening])
    read.node(name[0], labelled=opening is not None)
    kind = _CLASS.match(text, at)
    return name[0], _blank(text, kind.end() if kind else at)


def _link(text: str, at: int) -> int:
    """Read a link at `at`, with or without text, and return where its target begins."""
    link = _LINK.match(text, at)
    if link:
        at = _blank(text, link.end())
        if text.startswith("|", at):
            at = _after(text, at + 1, ("|",))
        return _blank(text, at)
    ends = _WORDED.get(text[at : at + 2])
    if ends is None:
        raise _Fault("bad_statement")
    at = _blank(text, at + 2)
    if text.startswith('"', at):
        at = _after(text, at + 1, ('"',))
    return _blank(text, _after(text, at, ends))


def _after(text: str, at: int, ends: Sequence[str]) -> int:
    """Return the place after the first of `ends` from `at` on."""
    found = [(place, -len(end)) for end in ends if (place := text.find(end, at)) >= 0]
    if not found:
        raise _Fault("bad_statement")
    place, minus_length = min(found)
    return place - minus_length


def _blank(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at


def _mindmap(lines: list[str], read: _Reading) -> None:
    path: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        if line.lstrip().startswith("::"):  # an icon or a class
            continue
        indent, label = len(line) - len(line.lstrip()), f"{number}:{line.strip()}"
        while path and path[-1][0] >= indent:
            path.pop()
        if read.nodes and not path:
            raise _Fault("bad_statement")  # a second root
        read.node(label, labelled=True)
        if path:
            read.link([path[-1][1]], [label])
        path.append((indent, label))


def _cyclic(edges: Sequence[tuple[str, str]]) -> bool:
    """Tell whether following the edges may lead back (Kahn's algorithm, linear in nodes and edges)."""
    following: dict[str, list[str]] = defaultdict(list)
    waiting = Counter(target for _, target in edges)
    for source, target in edges:
        following[source].append(target)
    free = [node for node in following if not waiting[node]]
    passed = 0
    while free:
        for target in following[free.pop()]:
            passed += 1
            waiting[target] -= 1
            if not waiting[target]:
                free.append(target)
    return passed < len(edges)
