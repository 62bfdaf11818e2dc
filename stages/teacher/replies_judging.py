"""What the embedded teacher says as a judge: a rule that never errs by chance."""

from stages.teacher import phrasing, reading
from stages.teacher.corpus import Corpus
from stages.teacher.prompts_judging import Shown
from stages.teacher.replies import DOUBTS, UNKNOWN

_DECLINED = frozenset(
    reading.plain(text)
    for text in (*DOUBTS, UNKNOWN, "", "I do not know", "I don't know", "not sure", "I am not sure", "none")
)


_LINKS = frozenset(phrasing.words("a an and are at by in is it its of on s that the this to was were"))


def grade(corpus: Corpus, shown: Shown) -> str:
    """Return the letter of a grade (defined here).

    C where the answer is empty, or a phrase with which nothing is claimed; A where it is the target or
    another name of the same article, or holds the target as whole words and beside it only words of the
    question and such as "is"; else B. Of a target that ends in brackets, as an acceptable range does, what
    stands before them is the target too.

    Args:
        corpus: whose titles and aliases are known.
        shown: question, target and answer.
    """
    if reading.plain(shown.predicted) in _DECLINED:
        return "C"
    targets = {shown.target, shown.target.partition(" (")[0]} - {""}
    return "A" if any(_states(corpus, shown, target) for target in targets) else "B"


def _states(corpus: Corpus, shown: Shown, target: str) -> bool:
    """Return whether the answer says the target, and nothing that could contradict it."""
    answer = shown.predicted
    if corpus.same(answer, target):
        return True
    known = {*phrasing.words(target), *phrasing.words(shown.question), *_LINKS}
    return reading.contains(answer, target) and known.issuperset(phrasing.words(answer))
