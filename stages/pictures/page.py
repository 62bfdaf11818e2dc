"""The page: one HTML file that needs nothing beside itself."""

import re
from importlib import resources
from typing import Any

from stages.pictures import contents
from stages.pictures.contents import Run
from stages.pictures.svg import on_page
from stages.tables.headline import SIMULATOR

_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@|\?.*$")  # user and password, or a query, of a URL


def render(run: Run, drawn: dict[str, str]) -> str:
    """Return the report as HTML; every text in it is escaped, pictures apart.

    Args:
        run: everything it shows.
        drawn: the pictures by name.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = resources.files("stages.pictures").joinpath("page.html").read_text(encoding="utf-8")
    page = environment.from_string(text).render(
        budget=run.budget,
        simulator=SIMULATOR if run.simulated else None,
        limits=contents.unsupported(run),
        # Drawn here, their texts escaped by the drawing: the only markup that is not the template's own.
        sections=[
            s._replace(pictures=[Markup(on_page(svg)) for svg in s.pictures])
            for s in contents.sections(run, drawn)
        ],
        lineages=run.lineages,
        settings={name: flat(value, name) for name, value in run.settings.items()},
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
