"""The text forms in which questions are compared."""

import re
from typing import Protocol

# Words that carry no content in a question; kept short on purpose, so that overlaps stay strict.
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to for by is are was were be do does did what which who whom whose when where "
        "how name its it this that and or with from as has have had",
    )
)


class Asked(Protocol):
    """What the checks need to know of a question, whoever wrote it."""

    @property
    def question_id(self) -> str: ...
    @property
    def page_id(self) -> int: ...
    @property
    def question(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def answer_aliases(self) -> list[str]: ...
    @property
    def evidence(self) -> str: ...


def words(text: str) -> list[str]:
    """Return the lower-case words of `text`, without punctuation or possessive endings."""
    return re.findall(r"\w+", re.sub(r"['’]s\b", "", text.lower()))


def content_words(text: str) -> frozenset[str]:
    """Return the words that are no stop words."""
    return frozenset(words(text)) - STOP_WORDS


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Return |A ∩ B| / |A ∪ B|, and 0 for two empty sets."""
    union = len(left | right)
    return len(left & right) / union if union else 0.0


def contains_run(text: str, run: str) -> bool:
    """Say whether the words of `run` stand in `text` one after another."""
    return bool(words(run)) and f" {' '.join(words(run))} " in f" {' '.join(words(text))} "
