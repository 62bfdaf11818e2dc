"""The fields of the embedded world: what each is about, what its articles say first, how things are named."""

import csv
import io
import re
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Literal, NamedTuple


class Field(NamedTuple):
    """One fact table and how its rows become articles."""

    heads: tuple[str, str]  # head relations: the lead sentence states the first, the next one the second
    density: Literal["crowded", "plain", "thin"]  # all facts, some twice; all facts; one fact beside the lead
    infobox: str  # template name after "Infobox "
    noun: str  # for the short description
    topic: str  # as SimpleQA names topics
    categories: tuple[str, ...]  # {column} is filled in; left out where the cell is empty


FIELDS: dict[str, Field] = {
    "countries": Field(
        ("capital", "continent"),
        "crowded",
        "country",
        "country",
        "Geography",
        ("Countries", "Countries of {continent}", "Countries using the {currency}"),
    ),
    "currencies": Field(
        ("country", "subunit"),
        "thin",
        "currency",
        "currency",
        "Economics",
        ("Currencies", "Currencies divided into the {subunit}"),
    ),
    "us_states": Field(
        ("capital", "state_bird"),
        "crowded",
        "U.S. state",
        "state of the United States",
        "Geography",
        ("States of the United States", "States of the American {region}"),
    ),
    "languages": Field(
        ("family", "main_country"),
        "plain",
        "language",
        "language",
        "Language",
        ("Languages", "{family} languages", "Languages of {main_country}"),
    ),
    "elements": Field(
        ("symbol", "category"),
        "crowded",
        "element",
        "chemical element",
        "Science and technology",
        ("Chemical elements", "Group {group} elements", "Period {period} elements"),
    ),
    "solar_system": Field(
        ("orbits", "discoverer"),
        "plain",
        "planet",
        "body of the Solar System",
        "Science and technology",
        ("Solar System", "Bodies of the kind {kind}", "Bodies orbiting {orbits}"),
    ),
    "constellations": Field(
        ("brightest_star", "represents"),
        "plain",
        "constellation",
        "constellation",
        "Science and technology",
        ("Constellations", "{celestial_hemisphere} constellations"),
    ),
    "minerals": Field(
        ("crystal_system", "colour"),
        "thin",
        "mineral",
        "mineral",
        "Science and technology",
        ("Minerals", "{crystal_system} minerals"),
    ),
    "scientists": Field(
        ("field", "nationality"),
        "plain",
        "scientist",
        "scientist",
        "Science and technology",
        ("Scientists", "People of {field}", "{nationality} scientists"),
    ),
    "cities": Field(
        ("country", "river_or_coast"),
        "plain",
        "settlement",
        "city",
        "Geography",
        ("Cities", "Cities of {continent}", "Cities of {country}"),
    ),
    "rivers": Field(
        ("mouth", "country"),
        "plain",
        "river",
        "river",
        "Geography",
        ("Rivers", "Rivers of {continent}", "Rivers of {country}"),
    ),
    "mountains": Field(
        ("range", "country"),
        "thin",
        "mountain",
        "mountain",
        "Geography",
        ("Mountains", "Mountains of {continent}", "Mountains of {country}"),
    ),
    "lakes": Field(
        ("country", "outflow"),
        "thin",
        "body of water",
        "lake",
        "Geography",
        ("Lakes", "Lakes of {continent}", "Lakes of {country}"),
    ),
    "islands": Field(
        ("surrounding_water", "country"),
        "thin",
        "islands",
        "island",
        "Geography",
        ("Islands", "Islands of {country}", "Islands of the {surrounding_water}"),
    ),
}

# Which fields a column's values may be articles of, in order of preference.
LINKS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("country", "main_country"), ("countries",)),
    **dict.fromkeys(("capital", "largest_city", "birth_place", "city_on_river"), ("cities",)),
    **dict.fromkeys(("mouth", "river_or_coast", "outflow"), ("rivers", "lakes")),
    "largest_settlement": ("cities",),
    "currency": ("currencies",),
    "official_language": ("languages",),
    "orbits": ("solar_system",),
    "discoverer": ("scientists",),
    "highest_point": ("mountains",),
    "source": ("lakes", "mountains"),
    "archipelago": (),
    "continent": (),
    "range": (),
    "surrounding_water": (),
}

# Names that take "the" and do not show it by their form.
_THE = {
    "Bahamas",
    "Central African Republic",
    "Cayman Islands",
    "Comoros",
    "Czech Republic",
    "Democratic Republic of the Congo",
    "Dominican Republic",
    "Falkland Islands",
    "Faroe Islands",
    "Gambia",
    "Maldives",
    "Marshall Islands",
    "Netherlands",
    "Philippines",
    "Republic of the Congo",
    "Seychelles",
    "Solomon Islands",
    "Sun",
    "United Arab Emirates",
    "United Kingdom",
    "United States",
    "Karakoram",
    "Hindu Kush",
    "Tian Shan",
    "Drakensberg",
    "Sierra Nevada",
    "Dodecanese",
    "Black Forest",
    "Bohemian Forest",
    "Massif Central",
    "High Tauern",
    "Alborz",
    "Harz",
    "Mátra",
}
_OPEN_WATER = ("mouth", "river_or_coast", "outflow", "surrounding_water")
_NO_ARTICLE = re.compile(r"^(Lake|Loch|Lough|Lago|Laguna|Mount)\b|\b(Lake|Bay|Sound|Fjord|Harbou?r|Head)$")
_LANDFORM = re.compile(
    r"^(Gulf|Bay|Strait|Sea|Firth|River|Cordillera|Sierra)\b|(Ocean|Sea|River|Gulf|Channel|Strait|Range|[Aa]rchipelago|[Pp]lateau|"
    r"Canal|Lagoon|[Ee]stuary|Arc|Belt|Basin|[Mm]assif|Peninsula|Glacier|(?<!s)s)$"
)


VITAL = "Vital articles"  # a category, as Wikipedia keeps a list of them


class Entry(NamedTuple):
    """One row of a fact table: an article to be."""

    field: str
    title: str
    aliases: tuple[str, ...]
    note: str  # one sentence of ours, or empty
    facts: dict[str, str]  # column → value, in column order, empty cells left out
    vital: bool = True  # well known: in `VITAL`, and asked about by the benchmarks

    @property
    def label(self) -> str:
        """The title without its disambiguator: "Mercury" for "Mercury (planet)"."""
        return bare(self.title)


def bare(title: str) -> str:
    """Return a title without its disambiguator."""
    return re.sub(r" \([^)]*\)$", "", title)


def parse_table(field: str, text: str) -> list[Entry]:
    """Read one fact table: csv with the columns title, aliases (parted by ";"), note, then one a fact.

    The first quarter of a table is vital: tables begin with what is best known.

    Raises:
        ValueError: a row has not as many cells as the header.
    """
    entries = []
    for row in csv.DictReader(io.StringIO(text, newline=""), strict=True):
        if None in row or None in row.values():
            raise ValueError(f"{field}: row '{row['title']}' has not as many cells as the header")
        title, aliases, note = row.pop("title"), row.pop("aliases"), row.pop("note")
        names = tuple(alias.strip() for alias in aliases.split(";") if alias.strip())
        entries.append(Entry(field, title, names, note, {k: v for k, v in row.items() if v}))
    return [entry._replace(vital=4 * i < len(entries)) for i, entry in enumerate(entries)]


def pick(count: int, *key: str) -> int:
    """Return a number below `count` that depends on `key` alone: the same in every process."""
    digest = blake2b("\x1f".join(key).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % count


def subject(entry: Entry) -> str:
    """Return how an entry is named inside a sentence: "the Niger River", "iron", "France"."""
    label = entry.label
    if entry.field in ("elements", "minerals"):
        return label[0].lower() + label[1:]
    the = (
        entry.field in ("currencies", "rivers")
        or (entry.field == "countries" and label in _THE)
        or (entry.field == "languages" and re.search(r" languages?$", label))
        or (entry.field == "islands" and label.endswith(" Islands"))
        or (entry.field == "lakes" and re.search(r"^Sea of | (Sea|Lagoon)$", label))
    )
    return f"the {label}" if the else label


def article_of(column: str, value: str) -> str:
    """Return "the " where a value takes it inside a sentence, else nothing."""
    if value.startswith("The ") or _NO_ARTICLE.search(value):
        return ""
    if value in _THE or column in _OPEN_WATER or column == "currency":
        return "the "
    return "the " if column in ("range", "source", "archipelago") and _LANDFORM.search(value) else ""


class Names:
    """Which article a value names: titles, labels and aliases of every field."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        """Index the entries; a name that two of one field share names neither."""
        self._found: dict[tuple[str, str], Entry | None] = {}
        for entry in entries:
            for name in {entry.title, entry.label, *entry.aliases}:
                key = entry.field, name
                self._found[key] = None if key in self._found else entry

    def entry(self, column: str, value: str) -> Entry | None:
        """Return the article that a column's value names, if there is one."""
        for field in LINKS.get(column, ()):
            for name in (value, f"{value} language") if field == "languages" else (value,):
                found = self._found.get((field, name))
                if found is not None:
                    return found
        return None


def count_facts(entries: Iterable[Entry]) -> int:
    """Return the number of facts."""
    return sum(len(entry.facts) for entry in entries)


def by_field(entries: Iterable[Entry]) -> Mapping[str, list[Entry]]:
    """Return the entries of each field, fields in the order of `FIELDS`."""
    grouped: dict[str, list[Entry]] = {name: [] for name in FIELDS}
    for entry in entries:
        grouped[entry.field].append(entry)
    return grouped
