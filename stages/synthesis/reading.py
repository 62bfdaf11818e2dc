"""Reading what the teacher wrote for an order: which points it stated and used, which article it is about."""

import hashlib
import re
from collections.abc import Sequence

from stages.questions import verify
from stages.questions.words import contains_run, content_words, words
from stages.records import Article
from stages.teacher import prompts

FEWEST, MOST = 3, 5  # knowledge points that are combined


def usable(points: Sequence[str], anchors: Sequence[str], articles: Sequence[Article]) -> list[str]:
    """Return the new, distinct, instance-based ones of a reply's points, five at most.

    Instance-based as in `knowledge.annotation`: a capitalised word after the first, a figure, or the name of
    an article.
    """
    names = [name.lower() for article in articles for name in (article.title, *article.aliases)]
    seen = {" ".join(words(anchor)) for anchor in anchors}
    kept: list[str] = []
    for point in points:
        form = " ".join(words(point))
        concrete = re.search(r"\s\W?[A-Z]|\d", point) or any(name in point.lower() for name in names)
        if form and form not in seen and concrete and _encodable(point):
            seen.add(form)
            kept.append(point)
    return kept[:MOST]


def choose(anchors: Sequence[str], expanded: Sequence[str], salt: str) -> list[str]:
    """Return three to five points to combine, the first anchor and one expanded point always among them.

    How many, which and in what order is decided by hashes, so that it does not depend on other orders.
    """
    salt = "\n".join([salt, *anchors])
    count = FEWEST + int(_hash(salt), 16) % (MOST - FEWEST + 1)
    ranked = sorted(expanded, key=lambda point: _hash(f"{salt}\n{point}"))
    rest = sorted([*anchors[1:], *ranked[1:]], key=lambda point: _hash(f"{salt}\n{point}"))
    chosen = [anchors[0], *ranked[:1], *rest][:count]
    return sorted(chosen, key=lambda point: _hash(f"{point}\n{salt}"))


def points(reply: prompts.Combination, given: Sequence[str]) -> list[str]:
    """Return the points used, worded as they were given, the one that states the answer first."""
    wording = {" ".join(words(point)): point for point in given}
    used = [wording.get(" ".join(words(point)), point) for point in reply.knowledge_points]
    return sorted(used, key=lambda point: not contains_run(point, reply.answer))


def page(reply: prompts.Combination, articles: Sequence[Article]) -> Article:
    """Return the article that the answer is about.

    One that holds the evidence, before others; of several the one that the last sentence names ("currency =
    Euro" stands in many infoboxes, and the context names others), then one named anywhere, then the first.
    """
    asking = re.split(r"(?<=[.!?;:])\s+", reply.question.strip())[-1]

    def rank(article: Article) -> tuple[bool, bool, bool, int]:
        names = [re.sub(r"\s*\([^()]*\)$", "", name) for name in (article.title, *article.aliases)]
        return (
            verify.states(article, reply.evidence),
            any(contains_run(asking, name) for name in names),
            any(contains_run(reply.question, name) for name in names),
            max(len(content_words(name) & content_words(asking)) for name in names),
        )

    return max(articles, key=rank)


def is_text(reply: prompts.Combination) -> bool:
    """Say whether every column can hold the reply's texts."""
    texts = (reply.question, reply.answer, reply.evidence, reply.logic_form)
    return all(_encodable(text) for text in (*texts, *reply.distractors, *reply.knowledge_points))


def _encodable(text: str) -> bool:
    """Say whether UTF-8 and every column can hold `text`: no half of a surrogate pair, no NUL."""
    return not re.search("[\x00\ud800-\udfff]", text)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
