"""The preliminary checks of a written question (arXiv 2606.23271, appendix: answer independence, one
unambiguous answer, instance-based), made without a model so that they cost nothing."""

import re
from collections import defaultdict
from collections.abc import Iterable

from stages.questions.words import Asked, contains_run, content_words, words
from stages.records import Article

_CHOICE = re.compile(
    r"(?:^|\s)\(?[A-D]\)\s"  # "A) … B) …", "(A) …"
    r"|\bA[.:]\s.*\bB[.:]\s|(?:^|\s)\(?a\)\s.*\s\(?b\)\s"
    r"|(?i:\bof the following\b|\btrue or false\b)",
    re.DOTALL,
)


def fault(written: Asked, article: Article, max_answer_words: int) -> str | None:
    """Return the name of the first check that the question fails, or None.

    Args:
        written: the question as the teacher wrote it.
        article: the article it was written from.
        max_answer_words: longer answers are no short answers.
    """
    if not written.question.rstrip().endswith("?"):
        return "not_a_question"
    if multiple_choice(written.question):
        return "multiple_choice"
    if len(words(written.answer)) > max_answer_words or not words(written.answer):
        return "answer_too_long"
    if contains_run(written.question, written.answer):
        return "answer_in_question"
    if not contains_run(written.evidence, written.answer):
        return "answer_not_in_evidence"
    if not states(article, written.evidence):
        return "evidence_not_in_article"
    names = (article.title, *article.aliases)
    if not any(content_words(name) & content_words(written.question) for name in names):
        return "not_instance_based"
    return None


def multiple_choice(question: str) -> bool:
    """Say whether a question lists its answers."""
    return bool(_CHOICE.search(question))


def states(article: Article, evidence: str) -> bool:
    """Say whether `evidence` stands in the article's text or is a line of its infobox, spaces aside."""
    sought = _squeeze(evidence)
    infobox = (f"{fact.name} = {fact.value}" for fact in article.facts)
    return any(sought in _squeeze(source) for source in (article.text, *infobox))


def ambiguous(questions: Iterable[Asked]) -> set[str]:
    """Return the ids of questions whose wording has different answers among `questions`."""
    answers: dict[str, set[str]] = defaultdict(set)
    ids: dict[str, list[str]] = defaultdict(list)
    for row in questions:
        wording = " ".join(words(row.question))
        answers[wording].add(" ".join(words(row.answer)))
        ids[wording].append(row.question_id)
    return {i for wording, found in answers.items() if len(found) > 1 for i in ids[wording]}


def _squeeze(text: str) -> str:
    return " ".join(text.split())
