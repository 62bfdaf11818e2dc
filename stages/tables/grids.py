"""Tables for the eye: cells of text with a heading, as Markdown that also reads in a terminal."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

_WIDTH = 100  # of the notes, characters


class Grid(NamedTuple):
    """A table of text; `note` says in words what the columns are."""

    title: str
    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    note: str
    texts: int = 1  # leading columns that are names, set to the left; figures are set to the right


def markdown(grid: Grid) -> str:
    """Return the table as Markdown, its columns aligned for a fixed-width font."""
    lines = [grid.head, *(tuple(cell.replace("|", "\\|") for cell in row) for row in grid.rows)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(grid.head))]
    rule = [
        ":" + "-" * (width - 1) if i < grid.texts else "-" * (width - 1) + ":"
        for i, width in enumerate(widths)
    ]
    set_lines = [
        [
            text.ljust(width) if i < grid.texts else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        ]
        for line in lines
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in [set_lines[0], rule, *set_lines[1:]])
    return f"**{grid.title}**\n\n{body}\n\n{textwrap.fill(grid.note, _WIDTH)}\n"
