"""What the embedded teacher knows: the articles it was given, indexed for answering questions."""

import bisect
import functools
import hashlib
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from stages.records import Article, Fact
from stages.teacher import phrasing, reading
from stages.teacher.competence import stable_hash

_ASKING = frozenset(
    phrasing.words(
        "what which who whom whose where when why how in on at from by to of for into around through after "
        "under with as is are was were do does did the a an name"
    )
)


class Found(NamedTuple):
    """The fact that a question asks about."""

    article: int  # position in the corpus
    fact: Fact


class Corpus:
    """An index over articles.

    Args:
        articles: in any order; the index does not depend on it.
    """

    def __init__(self, articles: Sequence[Article]) -> None:
        self.articles = sorted(articles, key=lambda a: (a.page_id, a.title))
        self.facts = [reading.known(a.title, a.facts, a.text) for a in self.articles]
        self._names: dict[str, list[int]] = defaultdict(list)
        values: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for i, article in enumerate(self.articles):
            for name in {article.title, reading.short_title(article.title), *article.aliases}:
                form = " ".join(phrasing.words(name))
                if form:
                    self._names[form].append(i)
            for fact in self.facts[i]:
                for group in ("", *article.categories):
                    values[fact.name, group].setdefault(reading.plain(fact.value), fact.value)
        self._longest = max((len(form.split()) for form in self._names), default=0)
        self._values = {at: sorted(forms.items()) for at, forms in values.items()}
        keys = {fact.name for facts in self.facts for fact in facts} | set(phrasing.book())
        common = Counter(word for key in keys for word in phrasing.entry(key).cues)
        # Inverse document frequency over keys: "capital" tells more than "name".
        self._weight = {word: math.log(1 + len(keys) / count) for word, count in common.items()}
        self.find = functools.lru_cache(maxsize=65536)(self._find)

    def is_title(self, text: str) -> bool:
        """Tell whether `text` is a title or an alias."""
        return " ".join(phrasing.words(text)) in self._names

    def titled(self, title: str) -> list[int]:
        """Return the positions of the articles with this title: one, or none."""
        named = self._names.get(" ".join(phrasing.words(title)), [])
        return [i for i in named if self.articles[i].title == title][:1]

    def categories(self, title: str) -> list[str]:
        """Return the categories of the article with this title; none if there is no such article."""
        return [category for i in self.titled(title) for category in self.articles[i].categories]

    def same(self, left: str, right: str) -> bool:
        """Tell whether two answers are one: spelled alike, or title and alias of one article."""
        forms = {reading.plain(left), reading.plain(right)}
        if len(forms) == 1:
            return True
        names = (
            {reading.plain(name) for name in (self.articles[i].title, *self.articles[i].aliases)}
            for title in (left, right)
            for i in self.titled(title)
        )
        return any(forms <= known for known in names)

    def named(self, question: str) -> list[tuple[list[int], str]]:
        """Return (articles, the name as written) of each title or alias in `question`, the best first.

        Names written with a capital or a digit go before others, longer ones before shorter ones; a name
        inside a longer one is no name. Several articles may share a name.
        """
        spans = [match.span() for match in re.finditer(r"\w+", question)]
        folded = [question[a:b].casefold() for a, b in spans]
        found: list[tuple[bool, int, int, int]] = []
        # A capital at the start of a question word says nothing about a name.
        capital = [
            not question[a].islower() and word not in _ASKING
            for (a, _), word in zip(spans, folded, strict=True)
        ]
        for i in range(len(spans)):
            for j in range(i + 1, min(len(spans), i + self._longest) + 1):
                name = " ".join(folded[i:j])
                if name in self._names:
                    found.append((any(capital[i:j]), len(name), -i, j))
        names: list[tuple[list[int], str]] = []
        taken: set[int] = set()
        for proper, _, minus_i, j in sorted(found, reverse=True):
            here = range(-minus_i, j)
            if taken.isdisjoint(here) and (proper or not names):
                taken.update(here)
                written = question[spans[here[0]][0] : spans[j - 1][1]]
                closed = "(" in written and question[spans[j - 1][1] :].startswith(")")
                names.append((self._names[" ".join(folded[i] for i in here)], written + ")" * closed))
        return names

    def _find(self, question: str) -> Found | None:
        """Return the fact that `question` asks about: its subject by name, its key by phrasing or cues.

        Where the last sentence names something, it alone asks; what stands before it is context.
        """
        lines = reading.sentences(question)
        asking = lines[-1] if len(lines) > 1 else question
        names = self.named(asking)
        if not names and asking != question:
            asking, names = question, self.named(question)
        return self._asked(asking, names)

    def _asked(self, question: str, names: list[tuple[list[int], str]]) -> Found | None:
        best: Found | None = None
        best_score = 0.0
        for articles, written in names:
            form = phrasing.template(question, written)
            exact = phrasing.templates().get(form, frozenset())
            asked = frozenset(phrasing.words(form))
            for i in articles:
                for fact in self.facts[i]:
                    score = math.inf if fact.name in exact else self._hint(fact.name, asked)
                    if score > best_score:
                        best, best_score = Found(i, fact), score
        return best

    def _hint(self, key: str, asked: frozenset[str]) -> float:
        """Return how well the words of a question fit a key: weight of shared cues, less for unused ones."""
        cues = phrasing.entry(key).cues
        shared = sum(self._weight[word] for word in cues & asked)
        return shared - 0.01 * len(cues) if shared else 0.0

    def wrong_value(self, fact: Fact, categories: Sequence[str], *draw: object) -> str:
        """Return a plausible wrong value: of the same key, from an article of a shared category if any.

        Where no other article has another value, a number is changed and a text becomes "unknown".

        Args:
            fact: whose value must not be given.
            categories: of the fact's article.
            draw: what the choice depends on.
        """
        true = reading.plain(fact.value)
        groups = [self._values.get((fact.name, c), []) for c in categories]
        groups = [g for g in groups if len(g) > 1] or [self._values.get((fact.name, ""), [])]
        group = groups[stable_hash("category", *draw) % len(groups)]
        at = bisect.bisect_left(group, (true, ""))
        known = at < len(group) and group[at][0] == true
        if len(group) > known:
            choice = stable_hash("wrong", *draw) % (len(group) - known)
            return group[choice + (known and choice >= at)][1]
        number = re.search(r"\d+", fact.value)
        if number is None:
            return "unknown"
        changed = int(number.group()) + 1 + stable_hash("wrong", *draw) % 9
        return fact.value[: number.start()] + str(changed) + fact.value[number.end() :]


def digest(articles: Sequence[Article]) -> str:
    """Return 12 hex digits that stand for the content of `articles`, whatever their order."""
    total = hashlib.sha256()
    for article in sorted(articles, key=lambda a: (a.page_id, a.title)):
        total.update(article.model_dump_json().encode("utf-8", "replace"))
    return total.hexdigest()[:12]
