"""What a judge is asked about one cell's answers, and the row that comes of each."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from stages.errors import BadInput
from stages.judging import BENCHMARKS
from stages.records import BenchmarkItem, ItemScore, Judged
from stages.teacher import prompts_judging
from stages.teacher.client import Outcome, Request

GRADED, EMPTY = "graded", "empty"  # reasons; the third is "format_" and the fault's name
_COORDINATES = tuple(name for name in ItemScore.key if name not in ("seed", "benchmark", "item_id"))


class Answer(NamedTuple):
    """One answer with the question that it answers."""

    score: ItemScore
    item: BenchmarkItem

    @property
    def target(self) -> str:
        """Return the official answer, of SimpleQA Verified with the range that it may state."""
        return self.item.answers[-1]


def answers(scores: Iterable[ItemScore], items: Sequence[BenchmarkItem], where: str) -> list[Answer]:
    """Return one cell's answers to the benchmarks that are judged, in the order of the scores.

    Args:
        scores: of one cell; rows of other benchmarks are left out.
        items: of the benchmarks that are judged.
        where: the scores were read from.

    Raises:
        BadInput: the scores are of several cells, or some seed did not answer exactly these items.
    """
    rows = [row for row in scores if row.benchmark in BENCHMARKS]
    by_key = {(item.benchmark, item.item_id): item for item in items}
    cells = {tuple(getattr(row, name) for name in _COORDINATES) for row in rows}
    if len(cells) > 1:
        raise BadInput(f"{where}: scores of {len(cells)} cells; judge them one by one")
    if not rows or not items:
        raise BadInput(
            f"{where}: no answer to {' or '.join(BENCHMARKS)} to judge; put their files into "
            "`benchmarks.folder` and run `dvc repro score`"
        )
    for seed in sorted({row.seed for row in rows}):
        answered = {(row.benchmark, row.item_id) for row in rows if row.seed == seed}
        odd = sorted(answered ^ set(by_key))
        if odd:
            raise BadInput(
                f"{where}: seed {seed} did not answer what the benchmarks ask now: {len(odd)} items, first "
                f"{'/'.join(odd[0])}; run `dvc repro score`"
            )
    return [Answer(row, by_key[row.benchmark, row.item_id]) for row in rows]


def request(answer: Answer, template: str | None = None) -> Request | None:
    """Return what the judge is asked about an answer, greedily; None of an empty one, which attempts nothing.

    Args:
        answer: to be graded.
        template: of the judge's prompt; see `prompts_judging.grade`.
    """
    if not answer.score.prediction.strip():
        return None
    prompt = prompts_judging.grade(answer.item.question, answer.target, answer.score.prediction, template)
    return Request(prompt, temperature=0.0)


def judged(answer: Answer, outcome: Outcome | None, judge: str) -> Judged:
    """Return the row of an answer.

    Args:
        answer: that was graded.
        outcome: of its `request`; None where that is None.
        judge: name of the judge's section.
    """
    score = answer.score
    grade: str | None = "NOT_ATTEMPTED" if outcome is None else None
    reason = EMPTY if outcome is None else f"format_{outcome.reason}"
    if outcome and isinstance(outcome.reply, prompts_judging.Grade):
        grade, reason = outcome.reply.grade, GRADED
    return Judged(
        **{name: getattr(score, name) for name in (*ItemScore.key, "prediction", "correct")},
        target=answer.target,
        grade=grade,
        reason=reason,
        judge=judge,
        request_key=outcome.key if outcome else "",
    )
