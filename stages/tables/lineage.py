"""Where a training row comes from: response, question, knowledge points, article."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from stages.errors import BadInput
from stages.records import (
    Article,
    KnowledgePoint,
    PoolQuestion,
    Response,
    SeedQuestion,
    SynthesizedQuestion,
    TrainingExample,
)


class Lineage(NamedTuple):
    """One training row and everything it was made of."""

    example: TrainingExample
    response: Response
    pool_question: PoolQuestion
    written: SeedQuestion | SynthesizedQuestion  # as the teacher wrote it
    points: list[KnowledgePoint]  # of the question, by position
    article: Article


def sample(examples: Sequence[TrainingExample], count: int) -> list[TrainingExample]:
    """Return rows evenly spaced through the examples: the middles of `count` equal stretches."""
    n = min(count, len(examples))
    return [examples[(2 * i + 1) * len(examples) // (2 * n)] for i in range(n)]


def trace(
    examples: Sequence[TrainingExample],
    ledgers: Mapping[float, Sequence[Response]],
    pools: Mapping[float, Sequence[PoolQuestion]],
    questions: Sequence[SeedQuestion | SynthesizedQuestion],
    points: Sequence[KnowledgePoint],
    articles: Sequence[Article],
) -> list[Lineage]:
    """Follow each example back to the revision of its article.

    Args:
        examples: training rows.
        ledgers: by density.
        pools: by density.
        questions: the source, and what was synthesized.
        points: at least those of the examples' questions; a question of two pools may have them twice.
        articles: at least those of the examples' questions.

    Raises:
        BadInput: a link is missing: the files are of different runs.
    """
    ledger = {(r.density, r.question_id, r.rollout): r for rows in ledgers.values() for r in rows}
    pooled = {(q.density, q.question_id): q for rows in pools.values() for q in rows}
    source = {q.question_id: q for q in questions}
    page = {(a.page_id, a.revision_id): a for a in articles}
    statements: dict[str, dict[int, KnowledgePoint]] = defaultdict(dict)
    for point in points:
        statements[point.question_id][point.position] = point
    found = []
    for e in examples:
        where = f"training row {e.question_id}, rollout {e.rollout}, density {e.density}"
        response = ledger.get((e.density, e.question_id, e.rollout))
        if response is None or not response.accepted:
            raise BadInput(f"{where}: no accepted response in the ledger; run `dvc repro assemble`")
        pool_question = pooled.get((e.density, e.question_id))
        question = source.get(e.question_id)
        if pool_question is None or question is None:
            raise BadInput(
                f"{where}: no such question in the pool and what was written; run `dvc repro respond`"
            )
        article = page.get((question.page_id, question.revision_id))
        if article is None:
            raise BadInput(
                f"{where}: no article {question.page_id} at revision {question.revision_id}; run `dvc repro "
                "ask`"
            )
        ordered = [point for _, point in sorted(statements[e.question_id].items())]
        found.append(Lineage(e, response, pool_question, question, ordered, article))
    return found
