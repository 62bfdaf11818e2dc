"""Normal forms: what two answers are reduced to before they are compared for equality.

Each benchmark has the form of its own published script, kept to the letter, oddities included: scores are
comparable with the literature only so. `number_safe` is the form for the benchmarks that publish none.
"""

import re
import string
import unicodedata
from decimal import Decimal

_ASCII_PUNCTUATION = frozenset(string.punctuation)
_TRIVIAQA_PUNCTUATION = _ASCII_PUNCTUATION | frozenset("‘’´`")
_ARTICLES = re.compile(r"\b(a|an|the)\b")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
# A number stands apart from letters ("H2O" has none), from versions ("3.2.1") and from times ("5:30").
_NUMBER = re.compile(r"(?<![\w.:/])[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?![.,:]?\d)")
# "$", "%" and "+" carry meaning ("R$", "5%", "UTC+1"), as do the points of "3.5" and "5:30" and a minus.
_LOOSE_PUNCTUATION = re.compile(
    r"(?!(?<=\d)[.:](?=\d))(?!(?<!\S)-(?=\d))"
    + "["
    + re.escape("".join(sorted(_ASCII_PUNCTUATION - frozenset("$%+"))))
    + "]"
)


def squad(text: str) -> str:
    """Lower case, punctuation deleted, articles removed, whitespace squeezed.

    Source: SQuAD 1.1's evaluation script; the same function is DPR's `exact_match_score`
    (facebookresearch/DPR, dpr/data/qa_validation.py).
    """
    kept = "".join(c for c in text.lower() if c not in _ASCII_PUNCTUATION)
    return _without_articles(kept)


def orqa(text: str) -> str:
    """`squad` after canonical decomposition (NFD), so that composed and decomposed accents are equal.

    Source: the NQ-open task (Lee et al. 2019), google-research/language, language/orqa/utils/eval_utils.py.
    """
    return squad(unicodedata.normalize("NFD", text))


def triviaqa(text: str) -> str:
    """As `squad`, but each punctuation mark becomes a space and ‘ ’ ´ ` count as punctuation too.

    Source: TriviaQA's script, mandarjoshi90/triviaqa, evaluation/triviaqa_evaluation.py.
    """
    spaced = "".join(" " if c in _TRIVIAQA_PUNCTUATION else c for c in text.lower())
    return _without_articles(spaced)


def number_safe(text: str, joint: str = "") -> str:
    """A SQuAD-like form that keeps numbers apart: "3.5" is not "35", "-5" not "5", "R$" not "R".

    Defined here; no benchmark publishes it. After NFKC and case folding every number is written in its
    shortest decimal form ("1,000" and "1000.0" are "1000", "+33" is "33") and set off by spaces ("5km" is
    "5 km"); "%" reads "percent"; other punctuation is replaced by `joint`; articles are removed.

    Args:
        text: an answer.
        joint: what a punctuation mark becomes: nothing, as in SQuAD, or a space, as in TriviaQA.
    """
    text = unicodedata.normalize("NFKC", text).casefold().translate(_DASHES)
    text = _NUMBER.sub(lambda found: f" {shortest(found[0])} ", text)
    text = text.replace("%", " percent ").replace("per cent", "percent")
    return _without_articles(_LOOSE_PUNCTUATION.sub(joint, text))


def shortest(number: str) -> str:
    """Return a decimal number without thousands separators, plus sign or trailing zeros."""
    value = Decimal(number.replace(",", ""))
    return format(value.normalize(), "f") if value else "0"


def _without_articles(text: str) -> str:
    return " ".join(_ARTICLES.sub(" ", text).split())
