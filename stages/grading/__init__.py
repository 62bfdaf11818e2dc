"""Grading: exact match with aliases under each benchmark's own normal form; problems by what they mean.

Whole answers are compared, never a part cut at "." or ",": "Washington, D.C." stays whole.
"""

from collections.abc import Callable, Sequence

from stages.grading import mathematics, quantities, ranges
from stages.grading.normal_forms import number_safe, orqa, squad, triviaqa
from stages.records import BenchmarkItem

__all__ = ["NORMAL_FORMS", "exact_match", "matches", "normalise"]

NORMAL_FORMS: dict[str, Callable[[str], str]] = {
    # Berant et al. 2013 published F1 over Freebase answer sets; open-domain work (Lee et al. 2019, whose
    # reader of the file this is) scores exact match against any of the answers, as for NQ-open.
    "webquestions": orqa,
    "natural_questions": orqa,
    "triviaqa": triviaqa,
    # Sciavolino et al. 2021 run DPR's code; its answer comparison is SQuAD's.
    "entityquestions": squad,
    # Wei et al. 2024 and Haas et al. 2025 grade by a judge model. Exact match, as here, is stricter: it
    # misses right answers in other words, so its accuracy is a lower bound.
    "simpleqa": number_safe,
    "simpleqa_verified": number_safe,
}
_EXPRESSIONS = ("gsm8k", "math500")
_QUANTITIES = ("scibench",)


def normalise(benchmark: str, text: str) -> str:
    """Return `text` in the benchmark's normal form.

    A text of which nothing would be left ("$", the grade "A") is kept, in lower case: the published
    scripts would count an empty prediction as a match for it.

    Raises:
        ValueError: no such benchmark.
    """
    if benchmark not in NORMAL_FORMS:
        raise ValueError(f"no benchmark '{benchmark}'; known are {', '.join(NORMAL_FORMS)}")
    return _kept(NORMAL_FORMS[benchmark](text), text)


def exact_match(prediction: str, item: BenchmarkItem) -> bool:
    """Say whether a prediction equals one of the item's answers in the benchmark's normal form.

    SimpleQA Verified also accepts a number within the range that the official answer states. GSM8K and
    MATH-500 are graded by `mathematics.equal`, SciBench by `quantities.equal`, which wants the unit too.
    An empty prediction is never right.

    Args:
        prediction: what the student answered, whole.
        item: the question with its accepted answers.

    Raises:
        ValueError: the item's benchmark is not known.
    """
    if item.benchmark in _EXPRESSIONS:
        return any(mathematics.equal(prediction, answer) for answer in item.answers)
    if item.benchmark in _QUANTITIES:
        return any(quantities.equal(prediction, answer, item.unit) for answer in item.answers)
    if NORMAL_FORMS.get(item.benchmark) is number_safe:
        accepted = (ranges.parse(answer) for answer in item.answers)
        return matches(prediction, item.answers[0], item.answers[1:]) or any(
            bounds is not None and ranges.contains(bounds, prediction, item.question) for bounds in accepted
        )
    said = normalise(item.benchmark, prediction)
    return bool(said) and any(said == normalise(item.benchmark, answer) for answer in item.answers)


def matches(answer: str, reference: str, aliases: Sequence[str] = ()) -> bool:
    """Say whether a teacher's answer states the reference or one of its aliases.

    Compared in the number-safe form, in which numbers are equal as numbers ("1,000" = "1000") and "3.5",
    "-5" and "5%" keep what SQuAD's form would delete; hyphens and apostrophes may be left out or be
    spaces ("Guinea Bissau" = "Guinea-Bissau"). Units are never dropped; case, articles and other
    punctuation are.

    Args:
        answer: the final answer alone, without a rationale.
        reference: the reference answer.
        aliases: other accepted forms.
    """
    said = {_kept(number_safe(answer, joint), answer) for joint in ("", " ")} - {""}
    wanted = {
        _kept(number_safe(form, joint), form) for form in (reference, *aliases) for joint in ("", " ")
    } - {""}
    return not said.isdisjoint(wanted)


def _kept(form: str, text: str) -> str:
    return form or " ".join(text.lower().split())
