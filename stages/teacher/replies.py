"""What the embedded teacher says: seed questions, knowledge, answers."""

import math
import re
from collections.abc import Callable
from typing import Any

from stages.records import Fact
from stages.teacher import phrasing, prompts, reading
from stages.teacher.competence import stable_hash, success_probability, uniform
from stages.teacher.corpus import Corpus

SLIP_RATE = 0.03  # share of seed questions with a fault, so that verification has real work
DOUBTS = (
    "I do not know the answer to this question.",
    "Nothing I have read answers this question.",
    "I cannot say; my sources do not mention it.",
    "This is not something I have a record of.",
)
UNKNOWN = "unknown"


def seed_questions(corpus: Corpus, user: str, seed: int) -> dict[str, Any]:
    """Return the reply to a `seed_questions` prompt: facts that the text states first come first.

    A share `SLIP_RATE` of the questions is faulty: one half contradicts its evidence, the other half gives
    the answer away.
    """
    wish, _, block = user.partition("\n\n")
    wanted = re.search(r"\d+", wish)
    title, facts, text = prompts.read_article_block(block)
    written = []
    for known in reading.stated(title, facts, text)[: int(wanted.group()) if wanted else 1]:
        key, value = known.fact.name, known.fact.value
        asked = phrasing.questions(key, title)
        question = asked[stable_hash("question", title, key, seed) % len(asked)]
        slip = uniform("slip", title, key, seed) / SLIP_RATE
        if slip < 0.5:
            value = corpus.wrong_value(known.fact, corpus.categories(title), title, key, seed)
        elif slip < 1.0:
            question = f"{question.removesuffix('?')}, {value} or something else?"
        written.append({"question": question, "answer": value, "evidence": known.evidence})
    return {"questions": written}


def knowledge(corpus: Corpus, user: str, seed: int) -> dict[str, Any]:
    """Return the reply to a `knowledge` prompt: entities, 3–5 statements, a Mermaid graph of them."""
    head, _, block = user.partition("\n\n")
    match = re.match(r"Question: (.*)\nAnswer: (.*)", head, re.DOTALL)
    question, answer = match.groups() if match else (head, "")
    title, facts, text = prompts.read_article_block(block)
    known = [s.fact for s in reading.stated(title, facts, text)]
    asked = _asked_key(known, question, answer, title)
    first = [Fact(name=asked, value=answer)] if asked and answer else []
    # Four at most beside the answer's own; which ones varies with the question, not with the draw.
    others = [fact for fact in known if fact.name != asked]
    others.sort(key=lambda fact: stable_hash("point", title, fact.name, asked))
    told = (first + others)[: 3 + stable_hash("points", title, asked) % 3]
    points = [tell(fact, title, "point", seed, opener=0) for fact in told]
    if not first and answer:
        points.insert(0, f"The answer to the question about {title} is {answer}.")
    # A thin article: its sentences, then the same fact in other words, then what holds of any article.
    spare = [line[:500] for line in reading.sentences(text)]
    spare += [tell(fact, title, "again", i, opener=0) for fact in first for i in range(20)]
    spare += [f"{title} has an article of its own.", f"The article about {title} is short."]
    points += list(dict.fromkeys(line for line in spare if line not in points))[: max(0, 3 - len(points))]
    entities = [title] + ([answer] if answer and corpus.is_title(answer) and answer != title else [])
    return {
        "topic_entities": entities,
        "knowledge_points": points[:5],
        "logic_form": _graph(title, told, question),
    }


def answer(
    corpus: Corpus,
    competence: Callable[[str, str], float],
    question: str,
    temperature: float,
    *draw: object,
) -> dict[str, Any]:
    """Return one draw of an answer with its rationale.

    Right with the fact's competence at this temperature (`competence`), else a plausible wrong value; a
    question that fits no fact is answered with "unknown".

    Args:
        corpus: what the teacher has read.
        competence: gives p of a fact by (title, key).
        question: the last user message.
        temperature: 0 … 2.
        draw: what tells this draw from others: the messages, the seed, the position among n.
    """
    if temperature == 0.0:
        draw = draw[:1]  # greedy decoding: one reply per conversation, whatever the seed
    found = corpus.find(question)
    if found is None:
        return doubt(*draw)
    title, fact = corpus.articles[found.article].title, found.fact
    p = competence(title, fact.name)
    value = fact.value
    if uniform("success", *draw) >= success_probability(p, temperature):
        value = corpus.wrong_value(fact, corpus.articles[found.article].categories, *draw)
    if value == UNKNOWN:
        return doubt(*draw)
    return {"rationale": tell(Fact(name=fact.name, value=value), title, *draw), "answer": value}


def doubt(*draw: object) -> dict[str, str]:
    """Return the reply to a question that nothing read answers."""
    return {"rationale": DOUBTS[stable_hash("doubt", *draw) % len(DOUBTS)], "answer": UNKNOWN}


def tell(fact: Fact, title: str, *draw: object, opener: int | None = None) -> str:
    """Return a sentence that states `fact`; `draw` decides its words."""
    start = stable_hash("opener", *draw, title, fact.name) if opener is None else opener
    return phrasing.statement(
        fact.name, title, fact.value, stable_hash("frame", *draw, title, fact.name), start
    )


def _asked_key(known: list[Fact], question: str, answer: str, title: str) -> str:
    """Return the infobox key that a question about `title` asks for, "" if none fits."""
    exact = phrasing.templates().get(phrasing.template(question, title), frozenset())
    asked = frozenset(phrasing.words(question))
    best, best_score = "", 0.0
    for fact in known:
        same = reading.plain(fact.value) == reading.plain(answer)
        score = len(phrasing.entry(fact.name).cues & asked) + 2.0 * same
        score = math.inf if fact.name in exact else score
        if score > best_score:
            best, best_score = fact.name, score
    return best


def _graph(title: str, told: list[Fact], question: str) -> str:
    """Return a Mermaid graph: the subject in the middle, one edge per fact, the question above."""
    lines = ["graph TD", f"  Q{label(question)} --> S{label(title)}"]
    for i, fact in enumerate(told):
        relation = label(phrasing.entry(fact.name).nouns[0])[1:-1]
        lines.append(f"  S -->|{relation}| V{i}{label(fact.value)}")
    return "\n".join(lines)


def label(text: str) -> str:
    """Return a Mermaid node's label, quoted."""
    quoted = text.replace('"', "#quot;").replace("\n", " ")
    return f'["{quoted}"]'
