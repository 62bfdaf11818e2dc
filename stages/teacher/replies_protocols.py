"""What the embedded teacher says to the tasks of the protocols: solve, refine, criticise, revise, rate, vary.

Every reply depends on the question as the teacher knows it (`knowing.Known`), on what it is shown, and on
the caller's `draw` alone. An answer that is shown is taken for right with probability 1 − `false_alarm` if it
is right, and with probability `miss` if it is wrong. A fresh answer is right with probability s, the success
probability of the question's p at the temperature.
"""

from collections.abc import Callable
from typing import Any

from stages.teacher.competence import Embedded, stable_hash, success_probability, uniform
from stages.teacher.knowing import Known, Said
from stages.teacher.prompts import Shown

SOUND = (
    "Nothing is wrong: every statement holds, and the answer is what the question asks for.",
    "The answer is right, and so is what leads to it.",
    "I find no mistake in this.",
    "All of it holds; the answer can stand.",
)
_UNSOUND = (
    "This does not hold: “{}” The answer cannot stand.",
    "The answer is wrong; look again at “{}”",
    "There is a mistake here: “{}”",
    "“{}” is not right, nor is the answer that rests on it.",
)
LONGEST_QUOTE = 500  # characters of what a comment calls wrong


def solution(known: Known, shown: Shown, embedded: Embedded, temperature: float, *draw: object) -> Said:
    """Return the reply to a `solution` prompt: a fresh answer, right with probability s."""
    right = uniform("success", *draw) < success_probability(known.p, temperature)
    return known.right(*draw) if right else known.wrong(*draw)


def refine(known: Known, shown: Shown, embedded: Embedded, temperature: float, *draw: object) -> Said:
    """Return the reply to a `refine` prompt.

    A right answer that is taken for right is repeated, else it becomes a wrong one. A wrong answer that is
    taken for wrong is replaced by a fresh one, else it is repeated. So with q the probability that the shown
    answer is right, the refined one is right with probability

        q·(1 − false_alarm) + (1 − q)·(1 − miss)·s                                  (defined here)

    with q = s where the shown answer was drawn at the same temperature.
    """
    if _taken_for_right(known, shown, embedded, *draw):
        return known.again(shown, *draw)
    if known.is_right(shown.answer):
        return known.wrong(*draw)
    return solution(known, shown, embedded, temperature, *draw)


def critique(
    known: Known, shown: Shown, embedded: Embedded, temperature: float, *draw: object
) -> dict[str, Any]:
    """Return the reply to a `critique` prompt: sound where the answer is taken for right."""
    sound = _taken_for_right(known, shown, embedded, *draw)
    frames = SOUND if sound else _UNSOUND
    frame = frames[stable_hash("comment", *draw) % len(frames)]
    return {"sound": sound, "comment": frame.format(known.suspect(shown)[:LONGEST_QUOTE])}


def revise(known: Known, shown: Shown, embedded: Embedded, temperature: float, *draw: object) -> Said:
    """Return the reply to a `revise` prompt.

    Where the comment is one of `SOUND`, the answer is repeated; else a fresh one is given. So critique and
    revision together are right with probability q·(1 − false_alarm) + (q·false_alarm + (1 − q)·(1 − miss))·s
    (defined here; q as for `refine`).
    """
    if shown.comment in SOUND:
        return known.again(shown, *draw)
    return solution(known, shown, embedded, temperature, *draw)


def rating(
    known: Known, shown: Shown, embedded: Embedded, temperature: float, *draw: object
) -> dict[str, Any]:
    """Return the reply to a `rating` prompt: 4 or 5 for what is taken for right, else 1, 2 or 3, evenly."""
    if _taken_for_right(known, shown, embedded, *draw):
        return {"score": 4 + stable_hash("score", *draw) % 2}
    return {"score": 1 + stable_hash("score", *draw) % 3}


def variation(known: Known, shown: Shown, embedded: Embedded, temperature: float, *draw: object) -> Said:
    """Return the reply to a `variation` prompt; a share `slip` of the answers is wrong."""
    return known.varied(embedded.slip, *draw)


def _taken_for_right(known: Known, shown: Shown, embedded: Embedded, *draw: object) -> bool:
    if known.is_right(shown.answer):
        return uniform("alarm", *draw) >= embedded.false_alarm
    return uniform("miss", *draw) < embedded.miss


Reply = Callable[..., dict[str, Any]]
TASKS: dict[str, Reply] = {
    "solution": solution,
    "refinement": refine,
    "critique": critique,
    "revision": revise,
    "rating": rating,
    "variation": variation,
}
