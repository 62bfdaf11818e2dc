"""What every page has in common: sections of pictures and tables, settings, and escaped text."""

import re
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

from stages.pictures.svg import on_page
from stages.tables.grids import Grid

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@|\?.*$")  # user and password, or a query, of a URL


class Section(NamedTuple):
    """One section of a page."""

    anchor: str
    title: str
    how: str  # to read it
    pictures: list[str]  # SVG
    grids: list[Grid]


def render(
    name: str,
    sections: Sequence[Section],
    settings: dict[str, Any],
    caption: str | None = None,
    **shown: Any,
) -> str:
    """Return a page as HTML; every text in it is escaped, pictures apart.

    Args:
        name: of the template among this package's files.
        sections: in reading order.
        settings: params.yaml.
        caption: of every picture.
        shown: whatever else the template shows.
    """
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from markupsafe import Markup

    folder = resources.files("stages.pictures")
    environment = Environment(
        loader=FunctionLoader(lambda file: folder.joinpath(file).read_text(encoding="utf-8")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template(name).render(
        # Drawn here, their texts escaped by the drawing: the only markup that is not the template's own.
        sections=[s._replace(pictures=[Markup(on_page(svg)) for svg in s.pictures]) for s in sections],
        settings={part: flat(value, part) for part, value in settings.items()},
        caption=caption,
        **shown,
    )
    return page.rstrip() + "\n"


def flat(value: Any, prefix: str) -> list[tuple[str, str]]:
    """Return a section of settings as (dotted name, value) in order, as `dvc exp run -S` names them.

    Args:
        value: the section; a URL in it loses the credentials it may carry.
        prefix: the section's name.
    """
    if isinstance(value, dict) and value:
        return [pair for name, inner in value.items() for pair in flat(inner, f"{prefix}.{name}")]
    if isinstance(value, str) and "://" in value:
        value = _CREDENTIALS.sub("", value)
    return [
        (prefix, "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value))
    ]
