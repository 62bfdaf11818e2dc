"""Logic forms: Mermaid diagrams read into nodes and edges, and checked."""

import re
from typing import NamedTuple

_SHAPES = (  # what may follow a node's name: its label between the brackets of its shape
    r"\(\[.*?\]\)|\[\[.*?\]\]|\(\(.*?\)\)|\{\{.*?\}\}"
    r"""|\["[^"]*"\]|\[[^\]]*\]|\("[^"]*"\)|\([^)]*\)|\{[^}]*\}"""
)
_NODE = rf"(\w+)\s*(?:{_SHAPES})?"
_LINK = r"""\s*(?:--\s*[^->|]+?\s*-->|-\.->|==>|-->|---)\s*(?:\|[^|]*\|)?\s*"""


class Diagram(NamedTuple):
    """A logic form: its kind, its nodes, and its edges (source, target)."""

    kind: str  # "graph", "flowchart" or "mindmap"
    nodes: frozenset[str]
    edges: tuple[tuple[str, str], ...]


def parse(text: str) -> Diagram | str:
    """Read a Mermaid graph, flowchart or mindmap.

    Returns:
        The diagram, or the name of the fault: "unknown_diagram" (another or no kind), "bad_statement" (a
        line that is neither a node nor a link), "no_edges".
    """
    lines = [
        line.rstrip()
        for line in re.split(r"[\n;]", text)
        if line.strip() and not line.strip().startswith("%%")
    ]
    header = re.fullmatch(
        r"\s*(?:(graph|flowchart)\s+(?:TD|TB|BT|LR|RL)|(mindmap))\s*", lines[0] if lines else ""
    )
    if not header:
        return "unknown_diagram"
    kind = header[1] or header[2]
    found = _mindmap(lines[1:]) if kind == "mindmap" else _links(lines[1:])
    if found is None:
        return "bad_statement"
    nodes, edges = found
    return Diagram(kind, frozenset(nodes), tuple(edges)) if edges else "no_edges"


def fault(text: str) -> str | None:
    """Return the name of what is wrong with a logic form, or None.

    Besides the faults of `parse`: "cyclic" (a flowchart must lead somewhere) and "unconnected" (a node
    that no edge touches).
    """
    diagram = parse(text)
    if isinstance(diagram, str):
        return diagram
    if diagram.nodes - {node for edge in diagram.edges for node in edge}:
        return "unconnected"
    if diagram.kind == "flowchart" and _cyclic(diagram.edges):
        return "cyclic"
    return None


def _links(lines: list[str]) -> tuple[set[str], list[tuple[str, str]]] | None:
    nodes: set[str] = set()
    edges: list[tuple[str, str]] = []
    for line in lines:
        rest = line.strip()
        previous = None
        while rest:
            node = re.match(_NODE, rest)
            if not node:
                return None
            nodes.add(node[1])
            if previous is not None:
                edges.append((previous, node[1]))
            previous, rest = node[1], rest[node.end() :].strip()
            if rest:
                link = re.match(_LINK, rest)
                if not link or link.end() == len(rest):
                    return None
                rest = rest[link.end() :]
    return nodes, edges


def _mindmap(lines: list[str]) -> tuple[set[str], list[tuple[str, str]]] | None:
    path: list[tuple[int, str]] = []
    nodes: set[str] = set()
    edges: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        indent, label = len(line) - len(line.lstrip()), f"{number}:{line.strip()}"
        while path and path[-1][0] >= indent:
            path.pop()
        if nodes and not path:
            return None  # a second root
        nodes.add(label)
        if path:
            edges.append((path[-1][1], label))
        path.append((indent, label))
    return nodes, edges


def _cyclic(edges: tuple[tuple[str, str], ...]) -> bool:
    left = set(edges)
    while left:
        targets = {target for _, target in left}
        free = {edge for edge in left if edge[0] not in targets}
        if not free:
            return True
        left -= free
    return False
