"""The embedded benchmarks' questions: head facts of the small world, asked in held-out phrasings.

They measure a simulated world, not general knowledge, and say so in their metadata and README.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from stages.questions.words import contains_run, words
from stages.world import heldout_nature, heldout_places
from stages.world.fields import FIELDS, LINKS, Entry, Names, by_field, pick, subject

# Style letter of the held-out blocks → benchmark.
STYLES = {
    "W": "webquestions",
    "N": "natural_questions",
    "T": "triviaqa",
    "S": "simpleqa",
    "V": "simpleqa_verified",
    "E": "entityquestions",
}
_LOWER_CASE = ("webquestions", "natural_questions")  # as their own questions are
FIRST_HEADS, SECOND_HEADS = 80, 20  # items per benchmark on the first and on the second head relation


class Asked(NamedTuple):
    """One benchmark item and where it comes from."""

    question: str
    answers: tuple[str, ...]  # the first is the fact's value
    relation: str  # Wikidata property, as EntityQuestions names its files
    entry: Entry
    column: str


class Phrasing(NamedTuple):
    """The held-out phrasings of one head relation."""

    relation: str
    templates: dict[str, str]  # benchmark → template


def phrasings() -> dict[str, Phrasing]:
    """Return "field.column" → its held-out phrasings."""
    found = {}
    for block in (heldout_places.BLOCKS + heldout_nature.BLOCKS).strip().split("\n\n"):
        first, *lines = block.split("\n")
        key, relation = first.split(" | ")
        found[key] = Phrasing(relation, {STYLES[line[0]]: line[2:] for line in lines})
    return found


PHRASINGS = phrasings()


def ask(entries: Sequence[Entry], benchmark: str) -> list[Asked]:
    """Return one benchmark's items: 80 on first head relations, 20 on second ones.

    Vital articles alone are asked about, as the real benchmarks ask about what is well known. They are drawn
    without replacement, by a hash of benchmark and title, each field giving its share of the world's
    articles. Left out are facts that two articles of one name have, and questions that hold their answer.

    Args:
        entries: the world.
        benchmark: its name.
    """
    names = Names(entries)
    labels = Counter((entry.label, column) for entry in entries for column in FIELDS[entry.field].heads)
    chosen: list[Asked] = []
    for place, count in enumerate((FIRST_HEADS, SECOND_HEADS)):
        able: list[Asked] = []
        for entry in (entry for entry in entries if entry.vital):
            column = FIELDS[entry.field].heads[place]
            if column in entry.facts and labels[entry.label, column] == 1:
                asked = _asked(entry, column, benchmark, names)
                if not any(contains_run(asked.question, answer) for answer in asked.answers):
                    able.append(asked)
        quotas = shares({name: len(group) for name, group in by_field(entries).items()}, count)
        for name, quota in quotas.items():
            mine = [asked for asked in able if asked.entry.field == name]
            mine.sort(key=lambda asked: pick(1 << 62, benchmark, asked.entry.title, asked.column))
            chosen += mine[:quota]
    return sorted(chosen, key=lambda asked: pick(1 << 62, "order", benchmark, asked.question))


def shares(sizes: dict[str, int], count: int) -> dict[str, int]:
    """Part `count` in proportion to `sizes`, by largest remainder; ties go to the earlier name."""
    total = sum(sizes.values())
    parts = {name: count * size // total for name, size in sizes.items()}
    left = count - sum(parts.values())
    for name in sorted(sizes, key=lambda name: -(count * sizes[name] % total))[:left]:
        parts[name] += 1
    return parts


def _asked(entry: Entry, column: str, benchmark: str, names: Names) -> Asked:
    phrasing = PHRASINGS[f"{entry.field}.{column}"]
    question = phrasing.templates[benchmark].format(S=subject(entry), L=entry.label)
    question = question.lower() if benchmark in _LOWER_CASE else question[0].upper() + question[1:]
    value = entry.facts[column]
    return Asked(question, _answers(column, value, names), phrasing.relation, entry, column)


def _answers(column: str, value: str, names: Names) -> tuple[str, ...]:
    """Return the value, then the other names of the article that it names."""
    found = names.entry(column, value) if column in LINKS else None
    others = (found.label, *found.aliases) if found else ()
    said, answers = {" ".join(words(value))}, [value]
    for other in others:
        if " ".join(words(other)) not in said:
            said.add(" ".join(words(other)))
            answers.append(other)
    return tuple(answers)
