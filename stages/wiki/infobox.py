"""Infobox fields as key–value facts."""

import re
from collections.abc import Callable

from wikitextparser import Template
from wikitextparser import parse as parse_wikitext

from stages.wiki import inline

MAX_VALUE = 200  # characters; longer values are prose or tables, no facts
_BOX = re.compile(
    r"(?:infobox|taxobox|geobox|chembox|drugbox|speciesbox|automatic ?taxobox|subspeciesbox)\b.*|.+ infobox"
)
_NO_FACT = re.compile(
    r"(?:^|_)(?:image|img|photo|picture|logo|caption|map|mapframe|pushpin|coord|coords|coordinates|latitude"
    r"|longitude|signature|icon|alt|cover_art|(?:lat|long|lon)(?:d|m|s|ns|ew)?)\d*(?:$|_(?!name|title|album))"
    r"|^(?:image|map|imagemap|logo|caption)(?:size|width|height|caption|alt|upright|\d)|_(?:image|map|caption)"
    r"|^(?:mapsize|imagesize|footnotes|refs?|references|notes?|module\d*|embed|child|bodystyle|name_?style)$"
    r"|(?:_ref|_refs|_footnotes?|_note|_style|_color|_colour|_upright|_size_image)$"
)
_FILE = re.compile(r"(?:file:|image:)|.*\.(?:svg|jpe?g|png|gif|tiff?|webp|og[gav]|webm|pdf)$", re.IGNORECASE)


def is_infobox(name: str) -> bool:
    """Tell whether a template of this name (lower case, single spaces) is an infobox."""
    return _BOX.fullmatch(name) is not None


def facts(source: str, plain: Callable[[str], str]) -> dict[str, str]:
    """Return an infobox's facts in order, those of infoboxes nested in it included.

    Left out: unnamed fields, images, captions, maps, coordinates, notes, styles, and values that are empty
    or longer than MAX_VALUE. Of two fields with one name, the first that has a value.

    Args:
        source: the template's wikitext, without comments and references.
        plain: turns wikitext without templates into plain text.
    """
    found: dict[str, str] = {}
    for template in parse_wikitext(source).templates:
        if is_infobox(inline.name_of(template.name)):
            _read(template, plain, found)
    return found


def _read(template: Template, plain: Callable[[str], str], found: dict[str, str]) -> None:
    for argument in template.arguments:
        if argument.positional:
            continue
        name = re.sub(r"\W+", "_", argument.name.strip().lower()).strip("_")
        if not name or name in found or _NO_FACT.search(name):
            continue
        value = inline.joined([plain(_without_files(inline.expanded(argument.value.strip())))])
        if value and len(value) <= MAX_VALUE and not _FILE.match(value) and re.search(r"\w", value):
            found[name] = value


def _without_files(wikitext: str) -> str:
    return re.sub(r"\[\[(?:file|image):[^\[\]]*\]\]", "", wikitext, flags=re.IGNORECASE)
