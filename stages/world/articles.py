"""From a row of facts to a page of wikitext, in sentences of our own."""

import re
from collections.abc import Sequence

from stages.world import sentences_land, sentences_nature, sentences_states
from stages.world.fields import FIELDS, LINKS, VITAL, Entry, Names, article_of, pick, subject

# Symbol and TeX unit of the quantities that are also written as formulas.
_FORMULAS = {
    "area_km2": ("A", r"\mathrm{km}^2"),
    "length_km": ("L", r"\mathrm{km}"),
    "elevation_m": ("h", r"\mathrm{m}"),
    "max_depth_m": ("d", r"\mathrm{m}"),
    "atomic_mass": ("A_r", r"\mathrm{u}"),
    "mean_radius_km": ("r", r"\mathrm{km}"),
    "orbital_period_days": ("T", r"\mathrm{d}"),
}
_CONVERTED = (("square kilometres", "km2|sqmi"), ("kilometres", "km|mi"), ("metres", "m|ft"))
_REF = '<ref name="table" />'


def frames() -> dict[str, list[str]]:
    """Return the sentence frames: "field.column" → at least four."""
    blocks = (sentences_states.BLOCKS + sentences_land.BLOCKS + sentences_nature.BLOCKS).strip().split("\n\n")
    return {block.split("\n")[0]: block.split("\n")[1:] for block in blocks}


FRAMES = frames()


def sentence(entry: Entry, column: str, variant: int, names: Names, lead: bool = False) -> str:
    """Return one sentence of wikitext that states one fact.

    Args:
        entry: the article's row.
        column: which of its facts.
        variant: which frame; taken modulo their number.
        names: of the articles that values may link to.
        lead: open the article: the subject in bold, in a frame that says what it is.
    """
    choices = FRAMES[f"{entry.field}.{'lead' if lead else column}"]
    frame = choices[variant % len(choices)]
    value = entry.facts[column]
    linked = link(column, value, names, pick(4, "link", entry.title, column) > 0)
    named = subject(entry)
    the = "the " if named.startswith("the ") else ""
    words = {
        "S": named,
        "B": f"{the}'''{entry.label if lead and not the else named.removeprefix('the ')}'''",
        "V": linked,
        "T": article_of(column, value) + linked,
        "K": entry.facts.get("kind", ""),
    }
    if not lead and pick(4, "convert", entry.title, column) == 0:
        for unit, template in _CONVERTED:
            frame = frame.replace(f"{{V}} {unit}", f"{{{{{{{{convert|{value}|{template}}}}}}}}}")
    text = frame.format(**words)
    # Values come in lower case ("alkali metal"); proper names and "U.S." never follow a bare "a" wrongly.
    text = re.sub(r"\b([Aa]) (?=(?:\[\[(?:[^|\]]*\|)?)?[aeio])", r"\1n ", text)
    if column in _FORMULAS and pick(3, "formula", entry.title, column) == 0:
        symbol, unit = _FORMULAS[column]
        text = f"{text.removesuffix('.')} (<math>{symbol} = {value}\\ {unit}</math>)."
    return text[0].upper() + text[1:]


def link(column: str, value: str, names: Names, red: bool) -> str:
    """Return a value as wikitext: linked to its article, piped where the title differs.

    Args:
        column: of the fact.
        value: of the fact.
        names: of the articles there are.
        red: also link where there is no article, as encyclopedias do.
    """
    found = names.entry(column, value)
    if found is not None:
        return f"[[{value}]]" if found.title == value else f"[[{found.title}|{value}]]"
    return f"[[{value}]]" if column in LINKS and red else value


def wikitext(entry: Entry, names: Names, neighbours: Sequence[str]) -> str:
    """Return an article's wikitext.

    The first sentence states the field's first head relation (or its second, where the first is not
    known), the next one the second. How much follows depends on the field's density.

    Args:
        entry: the article's row.
        names: of the articles that values may link to.
        neighbours: titles for the section "See also".
    """
    field = FIELDS[entry.field]
    heads = [column for column in field.heads if column in entry.facts]
    rest = [column for column in entry.facts if column not in heads]
    if heads[:1] == [field.heads[0]]:
        lead = [sentence(entry, heads[0], pick(64, "lead", entry.title), names, lead=True)]
        following = heads[1:]
    else:
        article = "the " if subject(entry).startswith("the ") else ""
        opening = f"{article}'''{entry.label}''' is a {field.noun}."
        lead, following = [opening[0].upper() + opening[1:]], heads
    lead += [sentence(entry, column, _variant(entry, column), names) for column in following]
    told = rest
    if field.density == "thin":
        told = rest[:1] if not following else []
    lead[0] += _first_reference(entry)
    if entry.note:
        lead.append(entry.note)
    body = [
        sentence(entry, column, _variant(entry, column), names)
        + (_REF if pick(5, "ref", entry.title, column) == 0 else "")
        for column in told
    ]
    parts = [_preamble(entry), _infobox(entry, names), " ".join(lead)]
    if body and field.density == "thin":
        parts[-1] += " " + body[0]
    elif body:
        half = (len(body) + 1) // 2
        parts += ["== Facts ==", " ".join(body[:half]), " ".join(body[half:])]
    if field.density == "crowded":
        again = heads + sorted(told, key=lambda column: pick(1 << 32, "again", entry.title, column))[:3]
        restated = [sentence(entry, column, _variant(entry, column) + 1, names) for column in again]
        parts += ["== In short ==", " ".join(restated)]
    if pick(8, "table", entry.title) == 0:
        parts.append(_table(entry))
    if neighbours:
        parts.append("== See also ==\n" + "\n".join(f"* [[{title}]]" for title in neighbours))
    parts.append("== References ==\n{{reflist}}")
    parts.append("\n".join(f"[[Category:{name}]]" for name in categories(entry)))
    return "\n\n".join(part for part in parts if part)


def categories(entry: Entry) -> list[str]:
    """Return the names of an article's categories."""
    known = [VITAL] if entry.vital else []
    for pattern in FIELDS[entry.field].categories:
        columns = re.findall(r"\{(\w+)\}", pattern)
        if all(column in entry.facts for column in columns):
            name = pattern.format(**entry.facts)
            known.append(name[0].upper() + name[1:])
    return known


def _variant(entry: Entry, column: str) -> int:
    return pick(64, "frame", entry.title, column)


def _first_reference(entry: Entry) -> str:
    table = entry.field.replace("_", " ")
    return f'<ref name="table">{{{{cite book |title=Fact table of {table} |publisher=seedbed}}}}</ref>'


def _preamble(entry: Entry) -> str:
    noun = FIELDS[entry.field].noun
    lines = [f"{{{{Short description|{noun[0].upper()}{noun[1:]}}}}}"]
    if pick(6, "comment", entry.title) == 0:
        lines.append("<!-- Please keep the infobox and the text in step. -->")
    return "\n".join(lines)


def _infobox(entry: Entry, names: Names) -> str:
    lines = [f"{{{{Infobox {FIELDS[entry.field].infobox}"]
    for column, value in entry.facts.items():
        shown = value
        if pick(2, "infobox link", entry.title, column) == 0:
            shown = link(column, value, names, red=False)
        if pick(12, "infobox ref", entry.title, column) == 0:
            shown += _REF
        if pick(20, "infobox comment", entry.title, column) == 0:
            shown += " <!-- from the fact table -->"
        lines.append(f"| {column} = {shown}")
    return "\n".join([*lines, "}}"])


def _table(entry: Entry) -> str:
    rows = [f"|-\n! {column.replace('_', ' ')}\n| {value}" for column, value in entry.facts.items()]
    return "\n".join(['{| class="wikitable"', "|+ At a glance", *rows, "|}"])
