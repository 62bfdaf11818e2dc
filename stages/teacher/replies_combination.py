"""How the embedded teacher combines knowledge points into one new question.

It depends on what the caller passes as `draw` alone. A share `slip` of the questions is faulty on purpose, so
that verification has real work.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from stages.records import Fact
from stages.teacher import phrasing, phrasing_combined, prompts, reading, replies, truth
from stages.teacher.competence import Embedded, stable_hash, uniform
from stages.teacher.corpus import Corpus

LONGEST_CONTEXT = 240  # characters before what is asked
LONGEST_LABEL = 200  # characters of a node of the logic form
Articles = Sequence[tuple[str, list[Fact], str]]  # title, infobox, text


class _Told(NamedTuple):
    """A fact of one of the articles, with the sentence that states it."""

    title: str
    fact: Fact
    evidence: str


def combination(corpus: Corpus, user: str, embedded: Embedded, *draw: object) -> dict[str, Any]:
    """Return the reply to a `combination` prompt: one question about a fact that one of the points tells.

    Without such a fact the reply says so, in a form that no check lets pass.
    """
    _, given, articles = prompts.read_synthesis(user)
    told = _told(given, articles)
    if not told:
        return _nothing(given)
    targets = sorted(told, key=lambda p: stable_hash("target", *draw, p))
    for point in targets:
        used = _used(given, point, *draw)
        sample = _sample(corpus, told[point], point, used, told, articles, embedded.slip, *draw)
        if sample:
            return sample
    return _nothing(given)


def _told(given: Sequence[str], articles: Articles) -> dict[str, _Told]:
    """Return the fact of an article that each point tells; points that tell none are left out."""
    told: dict[str, _Told] = {}
    for title, facts, text in articles:
        stated = reading.stated(title, facts, text)
        by_fact = {s.fact: s for s in stated}
        for point in given:
            found = truth.facts_told(title, list(by_fact), point)
            found = found or [s.fact for s in stated if " ".join(s.evidence.split()) == point]
            if found:
                told.setdefault(point, _Told(title, found[0], by_fact[found[0]].evidence))
    return told


def _used(given: Sequence[str], target: str, *draw: object) -> list[str]:
    """Return the three to five points that are combined, the target among them, in the order given."""
    others = sorted(
        (p for p in dict.fromkeys(given) if p != target), key=lambda p: stable_hash("use", *draw, p)
    )
    count = 3 + stable_hash("count", *draw) % 3
    chosen = {target, *others[: count - 1]}
    return [point for point in dict.fromkeys(given) if point in chosen]


def _sample(
    corpus: Corpus,
    target: _Told,
    point: str,
    used: list[str],
    told: dict[str, _Told],
    articles: Articles,
    slip: float,
    *draw: object,
) -> dict[str, Any] | None:
    """Return the question about `target` as a reply, or None if none can be asked.

    It is faulty with probability `slip`: one third unanswerable, one third answered with what another point
    tells, one third with a wrong value of the same kind.
    """
    question = _question(corpus, target, point, used, told, *draw)
    if not question:
        return None
    answer, evidence = target.fact.value, target.evidence
    fault = uniform("faulty", *draw) / slip if slip else 1.0
    if fault < 1 / 3:
        question = _unanswerable(target, *draw)
    elif fault < 1.0:
        others = [told[p] for p in used if p in told and _another(corpus, told[p].fact.value, answer)]
        others = [other for other in others if not _holds(question, other.fact.value)]
        if fault < 2 / 3 and others:
            wrong = others[stable_hash("logic", *draw) % len(others)]
            answer, evidence = wrong.fact.value, wrong.evidence
        else:
            answer, evidence = _wrong(corpus, target, used, articles, *draw)
    return {
        "question": question,
        "answer": answer,
        "evidence": evidence,
        "distractors": _distractors(corpus, target, answer, articles, *draw),
        "logic_form": _flow(used, question, answer, *draw),
        "knowledge_points": used,
    }


def _question(
    corpus: Corpus, target: _Told, point: str, used: list[str], told: dict[str, _Told], *draw: object
) -> str | None:
    """Return a question about `target` that a reader understands, other points before it where they fit."""
    title, fact = target.title, target.fact
    others = [p for p in used if p != point and not _holds(p, fact.value)]
    others = [p for p in others if p not in told or told[p][:2] != (title, fact)]
    others.sort(key=lambda p: stable_hash("context", *draw, p))
    alike = [p for p in others if p in told and told[p].fact.name == fact.name]
    before = (alike[:1] or others[: 1 + stable_hash("length", *draw) % 2]) if others else []
    frames = list(phrasing_combined.ASKED_ALIKE if alike else phrasing_combined.ASKED)
    frames.sort(key=lambda frame: stable_hash("frame", *draw, frame))
    tails = [phrasing_combined.asked(frame, fact.name, title) for frame in frames]
    tails += phrasing.questions(fact.name, title)
    while True:
        lead = phrasing_combined.context(before, stable_hash("lead", *draw))
        for tail in tails if len(lead) <= LONGEST_CONTEXT else ():
            question = f"{lead} {tail}".strip()
            found = corpus.find(question)
            understood = found and corpus.articles[found.article].title == title and found.fact == fact
            if understood and not _holds(question, fact.value):
                return question
        if not before:
            return None
        before = before[:-1]


def _unanswerable(target: _Told, *draw: object) -> str:
    frames = phrasing_combined.ASKED_VAGUELY + phrasing_combined.ASKED_OF_NOBODY
    frame = frames[stable_hash("unanswerable", *draw) % len(frames)]
    return phrasing_combined.asked(frame, target.fact.name, target.title)


def _another(corpus: Corpus, value: str, answer: str) -> bool:
    return not corpus.same(value, answer)


def _holds(text: str, value: str) -> bool:
    return f" {reading.plain(value)} " in f" {reading.plain(text)} "


def _wrong(
    corpus: Corpus,
    target: _Told,
    used: list[str],
    articles: Articles,
    *draw: object,
) -> tuple[str, str]:
    """Return a wrong value of the same key that no used point tells, and its evidence or the target's."""
    theirs = [
        (s.fact.value, s.evidence)
        for title, facts, text in articles
        if title != target.title
        for s in reading.stated(title, facts, text)
        if s.fact.name == target.fact.name
    ]
    categories = corpus.categories(target.title)
    drawn = [corpus.wrong_value(target.fact, categories, "answer", i, *draw) for i in range(8)]
    pairs = [*theirs, *((value, target.evidence) for value in drawn)]
    for value, evidence in pairs:
        if _another(corpus, value, target.fact.value) and not any(_holds(p, value) for p in used):
            return value, evidence
    return replies.UNKNOWN, target.evidence


def _distractors(
    corpus: Corpus,
    target: _Told,
    answer: str,
    articles: Articles,
    *draw: object,
) -> list[str]:
    """Return two or three wrong values of the same key: the given articles' first, then their categories'."""
    near = [
        fact.value
        for title, facts, text in articles
        if title != target.title
        for fact in reading.known(title, facts, text)
        if fact.name == target.fact.name
    ]
    categories = corpus.categories(target.title)
    drawn = [corpus.wrong_value(target.fact, categories, "distractor", i, *draw) for i in range(12)]
    found: list[str] = []
    for value in (*near, *drawn):
        known = (answer, target.fact.value, *found)
        if value != replies.UNKNOWN and all(_another(corpus, value, other) for other in known):
            found.append(value)
    return found[: 2 + stable_hash("distractors", *draw) % 2]


def _flow(used: list[str], question: str, answer: str, *draw: object) -> str:
    """Return a Mermaid diagram that leads from the points by the question to the answer."""
    kind = ("flowchart TD", "flowchart LR", "graph TD")[stable_hash("flow", *draw) % 3]
    nodes = [f"K{i}{_short(point)}" for i, point in enumerate(used)]
    asked = reading.sentences(question)[-1]
    lines = [f"  {' & '.join(nodes)} --> Q{_short(asked)}", f"  Q --> A{_short(answer)}"]
    if stable_hash("lines", *draw) % 2:
        lines[:1] = [f"  {node} --> Q{_short(asked) if not i else ''}" for i, node in enumerate(nodes)]
    return "\n".join([kind, *lines])


def _short(text: str) -> str:
    """Return a label that leaves room for others: a reply's field has 2,000 characters."""
    return replies.label(text if len(text) <= LONGEST_LABEL else f"{text[:LONGEST_LABEL]}…")


def _nothing(given: list[str]) -> dict[str, Any]:
    """Return what is said where the points tell no fact of the articles."""
    return {
        "question": "No question can be made of these points.",
        "answer": replies.UNKNOWN,
        "evidence": "None.",
        "distractors": [],
        "logic_form": "none",
        "knowledge_points": given[:5],
    }
