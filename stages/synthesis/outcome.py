"""From rows to candidates and back: the source as candidates, a steered pool as rows and figures."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.grid import Target
from stages.knowledge.embed import Space
from stages.records import (
    Article,
    FeedbackRound,
    Knowledge,
    KnowledgePoint,
    PoolQuestion,
    SeedQuestion,
    SynthesizedQuestion,
)
from stages.synthesis import audit
from stages.synthesis.candidates import Candidate, candidate
from stages.synthesis.config import Config
from stages.synthesis.goals import STEEPEST
from stages.synthesis.sampling import uniform
from stages.synthesis.steering import Places, Steered
from stages.synthesis.writing import Truth

if TYPE_CHECKING:
    from stages.knowledge.cache import EmbeddingCache

RECALL = 0.95  # of true neighbours, below which a pool's densities are warned of


def candidates(questions: Sequence[SeedQuestion], annotated: Sequence[Knowledge]) -> list[Candidate]:
    """Return the source's annotated questions as candidates, in the order of `questions`."""
    points = {row.question_id: row.points for row in annotated}
    return [candidate(row, 0, points[row.question_id]) for row in questions if row.question_id in points]


def places(space: Space, texts: Sequence[str], cache: "EmbeddingCache | None" = None) -> Places:
    """Return statement → (place, group) for each distinct statement."""
    distinct = list(dict.fromkeys(texts))
    if not distinct:
        return {}
    vectors = space.place(distinct, cache)
    return {
        text: (vector, int(group))
        for text, vector, group in zip(distinct, vectors, space.group(vectors), strict=True)
    }


def truth(articles: Sequence[Article]) -> Truth:
    """Return what tells the true error of a sample that the embedded teacher wrote from `articles`."""
    from stages.teacher import truth as oracle
    from stages.teacher.corpus import Corpus

    corpus = Corpus(articles)
    found: Callable[..., str] = oracle.error
    return lambda question, answer, points, title: found(corpus, question, answer, points, title)


def rows(
    target: Target, steered: Steered, seed: int
) -> tuple[list[PoolQuestion], list[KnowledgePoint], list[SynthesizedQuestion]]:
    """Return the pool in random order, its knowledge points, and every written question with its fate."""
    held, pool = steered.candidates, steered.sample
    density = dict(zip(held.held(pool.chosen).tolist(), pool.within.tolist(), strict=True))
    ranked = sorted(pool.chosen.tolist(), key=lambda i: (uniform(seed, "rank", held.rows[i].question_id), i))
    questions = [
        PoolQuestion(
            strategy=target.strategy,
            density=target.density,
            question_id=row.question_id,
            rank=rank,
            round=row.round,
            question=row.question,
            answer=row.answer,
            answer_aliases=list(row.answer_aliases),
            title=row.title,
            page_id=row.page_id,
            revision_id=row.revision_id,
            log10_density=float(np.mean([density[at] for at in held.members[i].tolist()])),
            acceptance=float(pool.probability[i]),
            group=held.home(i),
        )
        for rank, i in enumerate(ranked)
        for row in [held.rows[i]]
    ]
    points = [
        KnowledgePoint(
            question_id=held.rows[i].question_id,
            position=position,
            text=text,
            group=int(held.groups[held.position(text)]),
            embedding=held.vectors[held.position(text)].tolist(),
        )
        for i in ranked
        for position, text in enumerate(held.rows[i].points)
    ]
    inside = {row.question_id for row in questions}
    written = [row.model_copy(update={"in_pool": row.question_id in inside}) for row in steered.written]
    return questions, points, written


def summary(
    target: Target, steered: Steered, samples: Sequence[SynthesizedQuestion], config: Config
) -> dict[str, Any]:
    """Return the figures of a pool for its metrics file; dex to 4 decimals."""
    last, pool = steered.rounds[-1], steered.sample
    costs = [row.cost_usd for row in samples]
    reasons = Counter(row.reason for row in samples if row.verdict != "valid")
    categories = Counter(row.verdict for row in samples if row.verdict != "valid")
    distance = None if pool.wasserstein is None else round(pool.wasserstein, 4)
    warned = []
    if steered.recall < RECALL:
        warned.append(
            f"the approximate search finds {steered.recall:.3f} of the true neighbours: densities are too low"
        )
    if last.stopped not in ("tolerance", "filled"):
        warned.append(
            f"stopped by {last.stopped} at {distance} dex from the target, tolerance {config.tolerance}"
        )
    if pool.tilt is not None and abs(pool.tilt) >= STEEPEST:
        end = "densest" if pool.tilt > 0 else "sparsest"
        warned.append(
            f"the target lies at the edge of what the candidates reach: the pool is their {end} part"
        )
    return {
        "target": str(target),
        "strategy": target.strategy,
        "density": target.density,
        "reached": round(last.log10_density, 4),
        "lowest": round(steered.lowest, 4),
        "highest": round(steered.highest, 4),
        "tilt": None if pool.tilt is None else round(pool.tilt, 4),
        "wasserstein": distance,
        "effective_sample_size": round(pool.effective, 2),
        "neighbour_recall": round(steered.recall, 4),
        "questions": len(pool.chosen),
        "synthesized": sum(row.in_pool for row in samples),
        "source": steered.candidates.source_questions,
        "candidates": len(steered.candidates.rows),
        "rounds": last.round,
        "stopped": last.stopped,
        "calls": sum(row.calls for row in samples),
        "cost_usd": None if None in costs else round(sum(c for c in costs if c is not None), 6),
        "written": len(samples),
        "accepted": sum(row.verdict == "valid" for row in samples),
        "rejected": dict(sorted(reasons.items())),
        "taxonomy": dict(sorted(categories.items())),
        "taxonomy_by_round": audit.taxonomy_counts(samples),
        "audit": audit.audit(samples, detailed=config.detailed),
        "warning": "; ".join(warned) or None,
    }


def line(target: Target, state: FeedbackRound) -> str:
    """Return one round in one line."""
    distance = "" if state.wasserstein is None else f", {state.wasserstein:.3f} from the target (W1)"
    end = f"; stopped: {state.stopped}" if state.stopped else ""
    said = f"round {state.round} of {target}: {state.pool} of {state.candidates} candidates"
    said += f" at {state.log10_density:.3f} dex{distance}"
    return f"{said}; {state.accepted} of {state.written} written accepted{end}"
