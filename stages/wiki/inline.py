"""Templates whose content readers see in a sentence or an infobox: the only ones that are kept.

Every other template is dropped. The table follows what the English Wikipedia's templates show; other
languages' templates of the same names mostly take the same arguments.
"""

import re
from collections.abc import Callable

from wikitextparser import ParserFunction, Template
from wikitextparser import parse as parse_wikitext

Arguments = dict[str, str]  # positional ones under "1", "2", …; values are plain text

_MONTHS: tuple[str, ...] = ("January", "February", "March", "April", "May", "June")
_MONTHS += ("July", "August", "September", "October", "November", "December")
_RANGE_WORDS = {"to": " to ", "and": " and ", "or": " or ", "-": "–", "–": "–", "to(-)": "–", "by": " by "}
_RANGE_WORDS |= {
    "x": " × ",
    "×": " × ",
    "xx": " × ",
    "*": " × ",
    "+/-": " ± ",
    "±": " ± ",
    "+": " + ",
    ",": ", ",
}
_SUPERSCRIPT = str.maketrans("0123456789+-−–n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻ⁿ")
_LIST_MARK = re.compile(r"^[*#:;]+\s*")


def superscript(text: str) -> str:
    """Return text raised where Unicode can, so that 10<sup>6</sup> does not become 106."""
    text = text.strip()
    return text.translate(_SUPERSCRIPT) if re.fullmatch(r"[0-9+\-−–n]+", text) else text


def joined(values: list[str]) -> str:
    """Return list entries, one per line or value, joined by commas."""
    entries = [
        _LIST_MARK.sub("", line.strip()).strip(" ,;") for value in values for line in value.split("\n")
    ]
    return ", ".join(entry for entry in entries if entry)


def positional(a: Arguments) -> list[str]:
    """Return the positional arguments in order."""
    return [a[k] for k in sorted((k for k in a if k.isdecimal()), key=int)]


def _argument(number: int) -> Callable[[Arguments], str]:
    return lambda a: a.get(str(number), "")


def _literal(text: str) -> Callable[[Arguments], str]:
    return lambda a: text


def _prefixed(prefix: str) -> Callable[[Arguments], str]:
    return lambda a: prefix + a["1"] if a.get("1") else ""


def _convert(a: Arguments) -> str:
    """{{convert|5|km|mi}} → 5 km; {{convert|5|to|10|km}} → 5 to 10 km; {{convert|5|ft|6|in}} → 5 ft 6 in."""
    values = positional(a)
    if not values:
        return ""
    out, i = values[0], 1
    while i + 1 < len(values) and values[i] in _RANGE_WORDS:
        out += _RANGE_WORDS[values[i]] + values[i + 1]
        i += 2
    if i < len(values):
        out += f" {_unit(values[i])}"
    if i + 2 < len(values) and values[i] in ("ft", "lb", "st", "mi") and values[i + 1].isdecimal():
        out += f" {values[i + 1]} {values[i + 2]}"
    return out


def _unit(unit: str) -> str:
    return re.sub(r"(?<=[a-z])([23])$", lambda m: superscript(m[1]), unit.replace("sqmi", "sq mi"))


def _value(a: Arguments) -> str:
    """{{val|1.5|e=3|u=km}} → 1.5×10³ km."""
    power = f"×10{superscript(a['e'])}" if a.get("e") else ""
    unit = a.get("u") or a.get("ul") or ""
    error = f"±{a['2']}" if a.get("2") else ""
    return f"{a.get('1', '')}{error}{power}{' ' + unit if unit else ''}"


def _date(a: Arguments) -> str:
    """{{birth date|1950|2|1}} → February 1, 1950, with df=y 1 February 1950; a written-out date stays."""
    year, month, day = ([*positional(a)[:3], "", "", ""])[:3]
    if not (month.isdecimal() and 1 <= int(month) <= 12):
        return year
    name = _MONTHS[int(month) - 1]
    if not day.isdecimal():
        return f"{name} {year}"
    first = a.get("df", "").lower() in ("y", "yes", "true", "1")
    return f"{int(day)} {name} {year}" if first else f"{name} {int(day)}, {year}"


def _fraction(a: Arguments) -> str:
    """{{frac|1|2}} → 1/2; {{frac|3|1|2}} → 3 1/2; {{frac|2}} → 1/2."""
    values = positional(a)
    if len(values) < 2:
        return f"1/{values[0]}" if values else ""
    return f"{values[-3]} {values[-2]}/{values[-1]}" if len(values) > 2 else "/".join(values)


def _as_of(a: Arguments) -> str:
    """{{as of|2010|3}} → As of March 2010."""
    word = "as of" if a.get("lc") else "As of"
    when = _date({"df": a.get("df", "y"), **{k: v for k, v in a.items() if k.isdecimal()}})
    return a.get("alt") or f"{word} {when}"


def _interlanguage(a: Arguments) -> str:
    return a.get("lt") or a.get("1", "")


def _ship(a: Arguments) -> str:
    return " ".join(positional(a)[:2])


def _quotation(a: Arguments) -> str:
    return a.get("1") or a.get("text") or a.get("quote") or ""


def _label(a: Arguments) -> str:
    return a.get("2") or a.get("1", "")


def _list(a: Arguments) -> str:
    return joined(positional(a))


def _power(base: str) -> Callable[[Arguments], str]:
    return lambda a: base + superscript(a["1"]) if a.get("1") else ""


def _transliteration(a: Arguments) -> str:
    return (positional(a) or [""])[-1]


def _all(separator: str) -> Callable[[Arguments], str]:
    return lambda a: separator.join(positional(a))


# What is shown → the template's names (lower case, spaces for underscores).
_TABLE: dict[Callable[[Arguments], str], str] = {
    _argument(1): (
        "nowrap|nobr|nobreak|small|smaller|big|larger|abbr|abbrv|tooltip|center|sic|not a typo|as written"
        "|proper name|visible anchor|vanchor|mvar|math|var|em|strong|angbr|linktext|flag|flagu|flagcountry"
        "|url|official url|nihongo|key press|code|mono|tt|samp|kbd|noitalic|nobold|underline|sc|small caps"
        "|smallcaps|unicode|polytonic|formatnum|marriage|birth year and age|death year and age|nq|sub"
    ),
    _argument(2): "lang|langx|rtl-lang|color|colour|font color|fontcolor|wikt-lang|hover title",
    _transliteration: "transl|transliteration|tlit|translit",
    _convert: "convert|cvt",
    _value: "val",
    _date: (
        "birth date|birth date and age|birth-date|birth-date and age|bda|death date|death date and age|dda"
        "|death-date|death-date and age|start date|start date and age|start-date|end date|end-date|film date"
        "|release date|launch date|date|dts|birthdate|deathdate"
    ),
    _as_of: "as of",
    _fraction: "frac|fraction|sfrac|vulgar fraction",
    _prefixed("c. "): "circa|c.|ca.",
    _prefixed("fl. "): "floruit|fl.",
    _prefixed("r. "): "reign|r.",
    _prefixed("HMS "): "hms",
    _prefixed("USS "): "uss",
    _prefixed("US$"): "us$|usd",
    _prefixed("£"): "gbp|£",
    _prefixed("€"): "eur|€|euro",
    _prefixed("₹"): "inr|₹|indian rupee",
    _prefixed("¥"): "jpy|¥",
    _prefixed("A$"): "a$|aud",
    _prefixed("C$"): "c$|cad",
    _power("×10"): "e|esp",
    _power("10"): "10^",
    _power(""): "sup|superscript",
    _all(""): "chem|chem2|gaps",
    _all(" "): "sortname",
    _ship: "ship",
    _list: (
        "unbulleted list|ubl|ublist|plainlist|plain list|hlist|flatlist|bulleted list|cslist|ordered list"
        "|comma separated entries"
    ),
    _interlanguage: "ill|interlanguage link|link-interwiki",
    _label: "sort|section link|slink",
    _quotation: "quote|blockquote|cquote|quotation|poemquote",
    _literal(" "): "nbsp|space|spaces|thinsp|hair space|hairsp",
    _literal(" – "): "spaced ndash|snd|spnd|spaced en dash|dash",
    _literal("–"): "ndash|en dash",
    _literal("—"): "mdash|em dash|emdash",
    _literal("−"): "minus",
    _literal("'"): "'|apostrophe",
    _literal("="): "=",
    _literal("|"): "!",
    _literal(" · "): "dot|middot|bullet|·|•",
    _literal("×"): "times",
    _literal("\n"): "br|break|crlf",
}
_SHOWN = {name: show for show, names in _TABLE.items() for name in names.split("|") if name}


def name_of(source: str) -> str:
    """Return a template's name, lower case with single spaces, from its source or its head."""
    head = re.match(r"(?:\{\{)?([^|{}\n]*)", source)
    return " ".join(head[1].replace("_", " ").lower().split()).removeprefix("template:") if head else ""


def is_kept(source: str) -> bool:
    """Tell whether a template's content is kept."""
    name = name_of(source)
    return name in _SHOWN or name.startswith(("formatnum:", "lang-"))


def show(template: Template) -> str:
    """Return what a reader sees of a template, as wikitext without templates; "" for those not kept."""
    name = name_of(template.name)
    if name.startswith("lang-"):  # {{lang-fr|mot}}
        shown = _argument(1)
    elif name in _SHOWN:
        shown = _SHOWN[name]
    else:
        return ""
    # Values keep outer links and quotes, which the pass over the paragraph reads.
    return shown({a.name.strip(): expanded(a.value.strip()) for a in template.arguments})


def _function(function: ParserFunction) -> str:
    arguments = function.arguments
    is_number = function.name.strip().lower() == "formatnum" and arguments
    return arguments[0].value.strip() if is_number else ""


def expanded(source: str) -> str:
    """Return wikitext with kept templates replaced by what they show and all others dropped."""
    if "{{" not in source:
        return source
    return parse_wikitext(source).plain_text(
        replace_templates=show,
        replace_parser_functions=_function,
        replace_parameters=True,
        replace_tags=False,
        replace_external_links=False,
        replace_wikilinks=False,
        unescape_html_entities=False,
        replace_bolds_and_italics=False,
        replace_tables=False,
    )
