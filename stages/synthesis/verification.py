"""Verification of synthesized questions: the checks that cost nothing, by name and by category."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from stages.knowledge import mermaid
from stages.questions import Config, verify
from stages.questions.decontaminate import Contamination
from stages.questions.dedupe import Duplicates
from stages.questions.words import contains_run, content_words, jaccard, words
from stages.records import Article, BenchmarkItem, SeedQuestion, SynthesizedQuestion
from stages.synthesis import QUALITY
from stages.teacher import prompts, wire

VALID = "valid"
MAX_DISTRACTORS = 5

_LOGIC_FORM_FAULTS = (
    *("unknown_diagram", "bad_statement", "no_edges", "unconnected", "cyclic"),
    *("too_large", "undefined_node"),
)

# Every reason that a check can give → its category in the taxonomy. A fault of the sample's form is a format
# mismatch only where it says nothing about the knowledge: an answer that its own evidence does not hold is a
# wrong answer, evidence that no article holds is a false statement, a point that was not given or a diagram
# that leads nowhere is a step of the logic that does not follow.
CATEGORY: Mapping[str, str] = {
    "not_a_question": "format_mismatch",
    "multiple_choice": "format_mismatch",
    "answer_too_long": "format_mismatch",
    "answer_in_question": "question_error",
    "answer_not_in_evidence": "answer_error",
    "evidence_not_in_article": "knowledge_point_error",
    "not_instance_based": "question_error",
    "ambiguous": "question_error",
    "too_few_points": "format_mismatch",  # the expansion left fewer than three to combine
    "point_count": "format_mismatch",
    "point_not_given": "logic_error",
    "distractor_count": "format_mismatch",
    "distractor_empty": "format_mismatch",
    "distractor_is_answer": "format_mismatch",
    "distractor_off_theme": "format_mismatch",
    "not_unicode": "format_mismatch",  # half a surrogate pair or a NUL: cannot be written as UTF-8 text
    "duplicate": "duplicate",
    "near_duplicate": "duplicate",
    "near_copy": "duplicate",
    "contaminated_ngram": "contaminated",
    "contaminated_answer": "contaminated",
    **{f"logic_form_{name}": "logic_error" for name in _LOGIC_FORM_FAULTS},
    **{f"reply_{name}": "format_mismatch" for name in wire.FAULTS},
    **{f"verdict_reply_{name}": "format_mismatch" for name in wire.FAULTS},
    **{f"verdict_{name}": name for name in QUALITY},
}


class Verification:
    """What is already asked, and the thresholds; grows with every round.

    Args:
        source: the seed questions.
        items: of all benchmarks.
        config: the thresholds that the source was held to.
        near_copy: 0 … 1; Jaccard similarity of content words at which a question copies one it was made of.
        articles: the whole corpus: its names and values are the themes that distractors come from.
    """

    def __init__(
        self,
        source: Sequence[SeedQuestion],
        items: Sequence[BenchmarkItem],
        config: Config,
        near_copy: float,
        articles: Sequence[Article],
    ) -> None:
        self.config, self.near_copy = config, near_copy
        self.aliases = {article.title: article.aliases for article in articles}
        self.contamination = Contamination(items, config.decontaminate.ngram, config.decontaminate.overlap)
        self.duplicates = Duplicates(config.near_duplicate, same_page=near_copy)
        self.questions: dict[
            str, frozenset[str]
        ] = {}  # id → content words, of the source and what was admitted
        self._answers: dict[str, frozenset[str]] = {}  # wording → the forms of its answer
        self._source_answers: set[str] = set()
        self._sent: Counter[bytes] = Counter()
        self._ids: set[str] = set()
        self._theme: dict[str, list[frozenset[str]]] = defaultdict(list)
        self._vocabulary: set[str] = set()
        for article in articles:
            self._learn(article)
        for row in source:
            self._ids.add(row.question_id)
            self._source_answers.update(_form(a) for a in (row.answer, *row.answer_aliases))
            self.duplicates.admit(row)
            self._remember(row)

    def rollout(self, prompt: prompts.Prompt) -> int:
        """Return how often this prompt was sent before, and count it: its n-th use draws another reply."""
        key = hashlib.sha256(repr(prompt.messages).encode("utf-8", "backslashreplace")).digest()
        self._sent[key] += 1
        return self._sent[key] - 1

    def identify(self, page_id: int, question: str, answer: str, order: str) -> str:
        """Return the id of a question as `sift.candidate` makes it, or one of its own if that is taken.

        Args:
            page_id: of its article.
            question: empty where the reply was malformed.
            answer: the reference answer.
            order: tells apart what would have one id.
        """
        identity = f"{page_id}\n{question}\n{answer}"
        found = _digest(identity)
        if not question or found in self._ids:
            found = _digest(f"{identity}\n{order}")
        self._ids.add(found)
        return found

    def preliminary(
        self, row: SynthesizedQuestion, given: Sequence[str], articles: Sequence[Article]
    ) -> str | None:
        """Return the name of the first check that a question fails, or None; costs nothing.

        Args:
            row: the question; its `page_id` is that of one of `articles`.
            given: the knowledge points that it was to combine.
            articles: that it was written from.
        """
        page = next(article for article in articles if article.page_id == row.page_id)
        return (
            verify.fault(row, page, self.config.max_answer_words)
            or _points_fault(row.points, given)
            or _logic_form_fault(row.logic_form)
            or self._distractor_fault(row, articles)
            or self._known(row)
        )

    def admit(self, rows: Sequence[SynthesizedQuestion]) -> list[str | None]:
        """Compare questions with everything before them, and take in those that are new.

        Args:
            rows: otherwise valid, in order of precedence: of two that ask the same the first stays. One
                wording with two answers is ambiguous, and both go.

        Returns:
            For each row the name of its fault, or None where it was taken in.
        """
        ambiguous = verify.ambiguous(rows)
        reasons: list[str | None] = []
        for row in rows:
            reason = "ambiguous" if row.question_id in ambiguous else self._known(row)
            reason = reason or self.duplicates.admit(row)
            if reason is None:
                self._remember(row)
            reasons.append(reason)
        return reasons

    def _known(self, row: SynthesizedQuestion) -> str | None:
        """Compare with what was taken in already."""
        answers = self._answers.get(_form(row.question))
        if answers is not None and not answers & _answer_forms(row):
            return "ambiguous"
        content = content_words(row.question)
        if any(jaccard(content, self.questions[i]) >= self.near_copy for i in row.sources):
            # The exact repetition of a source keeps the plainer name.
            return self.duplicates.reason(row) or "near_copy"
        return self.duplicates.reason(row) or self.contamination.reason(row)

    def _remember(self, row: SeedQuestion | SynthesizedQuestion) -> None:
        self.questions[row.question_id] = content_words(row.question)
        wording = _form(row.question)
        self._answers[wording] = self._answers.get(wording, frozenset()) | _answer_forms(row)

    def _learn(self, article: Article) -> None:
        categories = frozenset(article.categories)
        for name in {_form(name) for name in (article.title, *article.aliases)}:
            self._theme[name].append(categories)
        for value in {form for fact in article.facts for form in _value_forms(fact.value)}:
            self._theme[value].append(categories)
        if not categories:
            self._vocabulary.update(words(article.text))

    def _distractor_fault(self, row: SynthesizedQuestion, articles: Sequence[Article]) -> str | None:
        if not 1 <= len(row.distractors) <= MAX_DISTRACTORS:
            return "distractor_count"
        answers = _answer_forms(row)
        shown = "\n".join([a.title + "\n" + a.text for a in articles])
        shown += "\n".join(fact.value for article in articles for fact in article.facts)
        categories = frozenset(c for article in articles for c in article.categories)
        for distractor in row.distractors:
            form = _form(distractor)
            if not form:
                return "distractor_empty"
            if form in answers:
                return "distractor_is_answer"
            near = form in self._source_answers or contains_run(shown, distractor)
            if not near and not self._of_theme(form, categories):
                return "distractor_off_theme"
        return None

    def _of_theme(self, form: str, categories: frozenset[str]) -> bool:
        """Say whether an article that shares a category has this name or value.

        Where the articles have no categories the corpus is one theme, and its words are its values.
        """
        if not categories:
            return form in self._theme or set(form.split()) <= self._vocabulary
        return any(not categories.isdisjoint(other) for other in self._theme.get(form, ()))


def category(reason: str) -> str:
    """Return the taxonomy's category of a reason."""
    return VALID if reason == VALID else CATEGORY[reason]


def _points_fault(points: Sequence[str], given: Sequence[str]) -> str | None:
    forms = {_form(point) for point in points}
    if not 3 <= len(points) <= 5 or len(forms) != len(points):
        return "point_count"
    return None if forms <= {_form(point) for point in given} else "point_not_given"


def _logic_form_fault(logic_form: str) -> str | None:
    fault = mermaid.fault(logic_form)
    return f"logic_form_{fault}" if fault else None


def _form(text: str) -> str:
    return " ".join(words(text))


def _answer_forms(row: SeedQuestion | SynthesizedQuestion) -> frozenset[str]:
    return frozenset(_form(answer) for answer in (row.answer, *row.answer_aliases))


def _value_forms(value: str) -> set[str]:
    """Return an infobox value's form, and that of its head: "36 million (2020)", "Paris, France"."""
    return {_form(value), _form(re.split(r"[(,;\n]", value, maxsplit=1)[0])} - {""}


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode()).hexdigest()[:16]
