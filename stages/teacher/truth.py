"""What is wrong with a synthesized sample: for the embedded teacher alone, which has read every article.

Nothing here knows what was planted: a sample is checked against the articles, and the simulator's own verdict
starts from the same check, so that its precision and recall are set by `competence.Embedded` alone.
"""

import functools
from collections.abc import Sequence

from stages.records import Fact
from stages.teacher import phrasing, reading
from stages.teacher.corpus import Corpus

NONE = "none"
ERRORS = ("knowledge_point_error", "question_error", "answer_error", "logic_error")
_OF_ANY_ARTICLE = ("{S} has an article of its own.", "The article about {S} is short.")


def error(corpus: Corpus, question: str, answer: str, points: Sequence[str], title: str) -> str:
    """Return "none", or the first of `ERRORS` that a sample has (defined here; the paper gives no formula).

    In this order: "knowledge_point_error" where a point is neither a statement of a true fact nor a verbatim
    sentence of an article that it names; "question_error" where the question does not resolve to a fact of
    the article; then for an answer that is not that fact's value "logic_error" if another point tells it,
    else "answer_error".

    Args:
        corpus: what is true.
        question: of the sample.
        answer: of the sample; another name of the true answer is right too.
        points: the knowledge points that the sample combines.
        title: of the article that the answer is about.
    """
    if not all(is_true(corpus, point, title) for point in points):
        return "knowledge_point_error"
    found = corpus.find(question)
    if found is None or corpus.articles[found.article].title != title:
        return "question_error"
    if corpus.same(answer, found.fact.value):
        return NONE
    given = reading.plain(answer)
    told = (fact for point in points for _, fact in _told_of_any(corpus, point, title))
    return "logic_error" if any(reading.plain(fact.value) == given for fact in told) else "answer_error"


def is_true(corpus: Corpus, point: str, title: str) -> bool:
    """Tell whether a knowledge point is true of the article `title` or of one that the point names."""
    form = reading.plain(point)
    if not form:
        return False
    squeezed = " ".join(point.split())
    for i in _articles(corpus, point, title):
        article = corpus.articles[i]
        if facts_told(article.title, corpus.facts[i], point) or squeezed in " ".join(article.text.split()):
            return True
        if form in [reading.plain(line.replace("{S}", article.title)) for line in _OF_ANY_ARTICLE]:
            return True
    return False


def facts_told(title: str, facts: Sequence[Fact], point: str) -> list[Fact]:
    """Return those of an article's facts that `point` is one of the phrase book's statements of."""
    form = reading.plain(point)
    padded = f" {form} "
    return [
        fact
        for fact in facts
        if f" {reading.plain(fact.value)} " in padded and _states(form, fact.name, title, fact.value)
    ]


def _states(form: str, key: str, title: str, value: str) -> bool:
    said = _statements(key, title, value)
    return form in said or any(form.startswith(o) and form.removeprefix(o) in said for o in _openers())


@functools.lru_cache(maxsize=16384)
def _statements(key: str, title: str, value: str) -> frozenset[str]:
    """Return the plain forms of all statements of one fact."""
    count = len(phrasing.entry(key).statements)
    return frozenset(reading.plain(phrasing.statement(key, title, value, i)) for i in range(count))


@functools.cache
def _openers() -> tuple[str, ...]:
    return tuple(f"{reading.plain(opener)} " for opener in phrasing.OPENERS if opener)


def _told_of_any(corpus: Corpus, point: str, title: str) -> list[tuple[str, Fact]]:
    """Return (title, fact) of what `point` states, or what a sentence states that it repeats."""
    found: list[tuple[str, Fact]] = []
    squeezed = " ".join(point.split())
    for i in _articles(corpus, point, title):
        article, facts = corpus.articles[i], corpus.facts[i]
        told = facts_told(article.title, facts, point)
        if not told and squeezed in " ".join(article.text.split()):
            told = [fact for fact in facts if reading.contains(point, fact.value)]
        found += [(article.title, fact) for fact in told]
    return found


def _articles(corpus: Corpus, point: str, title: str) -> list[int]:
    """Return the articles that a point may be about: the one given, then those that it names."""
    named = [i for articles, _ in corpus.named(point) for i in articles]
    return list(dict.fromkeys([*corpus.titled(title), *named]))
