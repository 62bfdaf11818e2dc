"""What the embedded teacher says beside a combined question: further knowledge points, a verdict.

Both depend on what the caller passes as `draw` alone. A share `slip` of the points has a wrong value, so that
verification has real work.
"""

from typing import Any

from stages.records import Fact
from stages.teacher import prompts, reading, replies, truth
from stages.teacher.competence import Embedded, stable_hash, uniform
from stages.teacher.corpus import Corpus

MISNAMED = 0.2  # share of the faults found that a verdict puts into a wrong category
_REASONS = {
    "none": "The articles bear out the question, its answer and its knowledge points.",
    "knowledge_point_error": "The articles do not bear out one of the knowledge points.",
    "question_error": "The question does not name one thing that the articles answer.",
    "answer_error": "The articles give another answer.",
    "logic_error": "The answer belongs to another of the knowledge points.",
}


def expansion(corpus: Corpus, user: str, embedded: Embedded, *draw: object) -> dict[str, Any]:
    """Return the reply to an `expansion` prompt: facts that no given point tells, the articles in turn."""
    head, given, articles = prompts.read_synthesis(user)
    wanted = next((int(word) for word in head.split() if word.isdecimal()), 1)
    turns: list[tuple[int, int, str]] = []
    for place, (title, facts, text) in enumerate(articles):
        stated = reading.stated(title, facts, text)
        told = {fact for point in given for fact in truth.facts_told(title, [s.fact for s in stated], point)}
        left = [s.fact for s in stated if s.fact not in told]
        left.sort(key=lambda fact: stable_hash("expand", *draw, title, fact.name))
        lines = [_stated(corpus, fact, title, embedded.slip, *draw) for fact in left]
        # A thin article's sentences are statements too; they come when the facts are told.
        spare = [line for line in reading.sentences(text) if line[-1] in ".!?" and len(line) <= 500]
        spare.sort(key=lambda line: stable_hash("sentence", *draw, line))
        lines += [s for s in spare if reading.contains(s, reading.short_title(title)) and s not in given]
        turns += [(turn, place, line) for turn, line in enumerate(lines)]
    points = list(dict.fromkeys(line for _, _, line in sorted(turns)))
    return {"knowledge_points": points[:wanted]}


def _stated(corpus: Corpus, fact: Fact, title: str, slip: float, *draw: object) -> str:
    """Return a statement of the fact, with a wrong value where it slips."""
    if uniform("slip", *draw, title, fact.name) < slip:
        wrong = corpus.wrong_value(fact, corpus.categories(title), *draw, title, fact.name)
        fact = fact if wrong == replies.UNKNOWN else Fact(name=fact.name, value=wrong)
    return replies.tell(fact, title, "expansion", *draw, opener=0)


def verdict(corpus: Corpus, user: str, embedded: Embedded, *draw: object) -> dict[str, Any]:
    """Return the reply to a `verdict` prompt.

    The sample is checked against all that was read (`truth.error`). A real error is missed with probability
    `miss`, and found under a wrong name with probability `MISNAMED`; a sound sample is called faulty with
    probability `false_alarm`.
    """
    head, points, articles = prompts.read_synthesis(user)
    question, _, answer = head.removeprefix("Question: ").rpartition("\nAnswer: ")
    titles = [title for title, _, _ in articles]
    found = corpus.find(question)
    subject = corpus.articles[found.article].title if found else ""
    title = subject if subject in titles or not titles else titles[0]
    error = truth.error(corpus, question, answer, points, title)
    if error == truth.NONE:
        wrong = uniform("alarm", *draw) < embedded.false_alarm
        said = truth.ERRORS[stable_hash("alarmed", *draw) % len(truth.ERRORS)] if wrong else truth.NONE
    elif uniform("miss", *draw) < embedded.miss:
        said = truth.NONE
    else:
        others = [name for name in truth.ERRORS if name != error]
        misnamed = uniform("misnamed", *draw) < MISNAMED
        said = others[stable_hash("other", *draw) % len(others)] if misnamed else error
    return {"error": said, "reason": _REASONS[said]}
