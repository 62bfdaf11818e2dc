"""What `synthesize` leaves of a pool, planted: two rounds, a sample of every kind of fate, and the points."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from stages import files
from stages.grid import Target
from stages.records import (
    FeedbackRound,
    GroupState,
    KnowledgePoint,
    PoolQuestion,
    ReasonCount,
    SynthesizedQuestion,
)
from stages.synthesis import QUALITY, audit

FATES = ("valid", "valid", "verdict_answer_error", "near_copy", "point_count")
CATEGORIES = {
    "verdict_answer_error": "answer_error",
    "near_copy": "duplicate",
    "point_count": "format_mismatch",
}
GROUPS = 4


def samples(target: Target, count: int = 20) -> list[SynthesizedQuestion]:
    """Return synthesized questions, two of five of them in the pool; the truth of every tenth is a fault."""
    return [
        SynthesizedQuestion(
            **target._asdict(),
            question_id=f"s{target}-{i:02}",
            round=1 + i % 2,
            group=i % GROUPS,
            sources=["q000"],
            question=f"Which & what is thing {i}?",
            answer=f"Thing {i}",
            answer_aliases=[],
            evidence=f"It is Thing {i}.",
            distractors=["Another"],
            points=[f"Thing {i} of {target} is <b>{k}</b>." for k in range(3)],
            logic_form="flowchart LR\nA-->B",
            title=f"Place {i % 7}",
            page_id=1000 + i % 7,
            revision_id=5000 + i % 7,
            verdict=CATEGORIES.get(fate, fate),
            reason=fate,
            in_pool=fate == "valid",
            truth="answer_error" if i % 10 in (0, 2) else "valid",
            calls=3,
            prompt_tokens=90,
            completion_tokens=30,
            cost_usd=None,
            request_key=f"written{i:02}",
        )
        for i, fate in enumerate(FATES * (count // len(FATES)))
    ]


def pool(target: Target, questions: int = 30) -> list[PoolQuestion]:
    """Return the samples that entered, and questions of the source up to the size of the pool."""
    entered = [s for s in samples(target) if s.in_pool]
    names = [(s.question_id, s.round, s.question, s.answer, s.title, s.page_id) for s in entered]
    names += [
        (f"q{i:03}", 0, f"Is {i} a place?", "Yes", f"Place {i}", 1000 + i)
        for i in range(questions - len(entered))
    ]
    return [
        PoolQuestion(
            **target._asdict(),
            question_id=name,
            rank=rank,
            round=round,
            question=question,
            answer=answer,
            answer_aliases=[],
            title=title,
            page_id=page,
            revision_id=page + 4000,
            log10_density=(target.density or 4.0) + 0.01 * rank,
            acceptance=0.5,
            group=rank % GROUPS,
        )
        for rank, (name, round, question, answer, title, page) in enumerate(names)
    ]


def points(target: Target) -> list[KnowledgePoint]:
    """Return three points a question of the pool, the more crowded the denser the target."""
    rng = np.random.default_rng(5)
    wide = 10 ** (-(target.density or 4.0) / 4)
    return [
        KnowledgePoint(
            question_id=q.question_id,
            position=k,
            text=f"Statement {k} of {q.question_id}.",
            group=q.group,
            embedding=(wide * rng.normal(size=4)).tolist(),
        )
        for q in pool(target)
        for k in range(3)
    ]


def rounds(target: Target, stopped: str = "tolerance") -> list[FeedbackRound]:
    """Return the source's round, and two that wrote the samples; a baseline is filled."""
    steered = target.strategy not in ("random", "fixed_tokens", "fixed_ratio")
    made = []
    for number in range(3):
        new = [s for s in samples(target) if s.round == number]
        lost = Counter(s.reason for s in new if s.verdict != "valid")
        end = number == 2
        made.append(
            FeedbackRound(
                **target._asdict(),
                round=number,
                candidates=22 + 4 * number,
                points=66 + 12 * number,
                groups=[
                    GroupState(
                        group=g, points=9, wanted=9.5, held=8, deficit=1.5, log10_density=None, calls=5
                    )
                    for g in range(GROUPS)
                ],
                calls=3 * len(new),
                cost_usd=None,
                written=len(new),
                accepted=sum(s.verdict == "valid" for s in new),
                rejected=[ReasonCount(reason=reason, count=n) for reason, n in sorted(lost.items())],
                pool=30,
                log10_density=(target.density or 4.0) + 0.1 * (2 - number),
                wasserstein=0.3 / (number + 1) if steered else None,
                effective_sample_size=20.0,
                stopped=(stopped if steered else "filled") if end else None,
            )
        )
    return made


def trace(target: Target, **changes: Any) -> dict[str, Any]:
    """Return the pool's metrics as `synthesize` writes them, as far as pages read them."""
    written = samples(target)
    wrong = Counter(s.verdict for s in written if s.verdict != "valid")
    assert set(wrong) - set(QUALITY) == {"duplicate", "format_mismatch"}
    return {
        "target": str(target),
        "reached": rounds(target)[-1].log10_density,
        "lowest": 3.5,
        "highest": 5.5,
        "wasserstein": rounds(target)[-1].wasserstein,
        "effective_sample_size": 20.0,
        "questions": 30,
        "rounds": 2,
        "stopped": rounds(target)[-1].stopped,
        "calls": 60,
        "cost_usd": None,
        "written": len(written),
        "accepted": sum(s.verdict == "valid" for s in written),
        "taxonomy": dict(wrong),
        "taxonomy_by_round": audit.taxonomy_counts(written),
        "audit": audit.audit(written),
        "warning": None,
    } | changes


def write(root: Path, target: Target, **changes: Any) -> None:
    """Write the folder and the metrics of one pool."""
    folder = root / "datasets" / "synthesis" / str(target)
    files.write_parquet(folder / "rounds.parquet", rounds(target), FeedbackRound)
    files.write_parquet(folder / "samples.parquet", samples(target), SynthesizedQuestion)
    files.write_parquet(folder / "points.parquet", points(target), KnowledgePoint)
    files.write_json(root / "metrics" / "pools" / f"{target}.json", trace(target, **changes))
