"""A small study of shares and budgets with planted effects: cells, ledgers and laws."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages.grid import Cut
from stages.records import Response
from stages.scaling import results
from stages.scaling.places import Ledger, Place, Plan
from stages.scaling.study import Study, study

BENCHMARKS = {"triviaqa": "knowledge", "gsm8k": "mathematics", "scibench": "physics"}
BUDGETS, BUDGET, SEEDS = (1, 2, 4, 8, 16), 16, (0, 1, 2)
QUESTIONS, CALLS = 16, 12  # of every pool; of a protocol's ledger
MIXED = tuple(map(Cut.parse, ("0.25x1", "0.5x1", "1x1", "0.125x2", "0.125x4", "0.125x8", "0.25x2", "0.25x4")))
Loss = Callable[[Place], float]  # planted mean loss of a cell, nats per answer token


def plan(**changes: Any) -> Plan:
    """Return two teachers, two students, two domains, three shares and five budgets; `changes` add to it."""
    grid = {
        "students": ("qwen", "llama"),
        "teachers": ("strong", "weak"),
        "domains": ("mathematics", "physics"),
        "shares": (0.25, 0.5, 1.0),
        "budgets": BUDGETS,
    }
    return Plan.of(**grid | changes)


def by_samples(place: Place) -> float:
    """Return a loss by N alone: neither shares nor protocols matter."""
    return 1.2 - 0.05 * float(np.log2(QUESTIONS * place.cut.share * place.cut.budget / 4))


def crossing_at(N: int, steep: float = 0.06) -> Loss:
    """Return a loss in which every doubling beyond N makes more questions worth more than more responses."""

    def loss(place: Place) -> float:
        beyond = float(np.log2(QUESTIONS * place.cut.share * place.cut.budget / N))
        return by_samples(place) - steep * float(np.log2(place.cut.share)) * beyond

    return loss


def parting_after(N: int, steep: float = 0.06) -> Loss:
    """Return as `crossing_at`, but alike up to N."""
    crossing = crossing_at(N, steep)

    def loss(place: Place) -> float:
        return (crossing if QUESTIONS * place.cut.share * place.cut.budget > N else by_samples)(place)

    return loss


def items(n: int, benchmarks: Sequence[str] = tuple(BENCHMARKS)) -> list[tuple[str, str]]:
    """Return n items of each benchmark, sorted."""
    return sorted((benchmark, f"i{i:03}") for benchmark in benchmarks for i in range(n))


def scores(
    place: Place | None,
    student: str,
    mean: float,
    n: int = 40,
    seeds: Sequence[int] = SEEDS,
    seed_std: float = 0.004,
) -> pa.Table:
    """Return a cell's scores, or a base model's: items differ in hardness, seeds shift a whole run."""
    domain = place.domain if place else "mixed"
    own = items(n, [b for b, d in BENCHMARKS.items() if domain in ("mixed", d)])
    rng = np.random.default_rng([7, *map(ord, place.name if place else student)])
    shown = {"strategy": "base", "teacher": "base", "share": None, "budget": 0, "protocol": "base"}
    where = place.columns if place else shown | {"student": student, "density": None, "matched": "samples"}
    rows = []
    for seed in seeds if place else (0,):
        shift = seed_std * rng.normal()
        for i, (benchmark, item) in enumerate(own):
            hard = 0.3 * np.sin(37.0 * i)
            per_token = max(mean + hard + shift + 0.05 * rng.normal(), 0.01)
            rows.append(
                {
                    **where,
                    "tokens": None,
                    "seed": seed,
                    "benchmark": benchmark,
                    "item_id": item,
                    "correct": bool(per_token < 1.0),
                    "answer_loss": float(per_token * (1 + i % 4)),
                    "answer_tokens": 1 + i % 4,
                }
            )
    return pa.Table.from_pylist(rows, schema=results.SCHEMA)


def responses(ledger: Ledger, calls: int, cost: float | None = 2.0e-4, tokens: int = 80) -> pa.Table:
    """Return a ledger: per-question success Beta(0.7, 0.9); every call costs `tokens` tokens."""
    rng = np.random.default_rng([3, *map(ord, ledger.name)])
    rows = []
    for rank in range(QUESTIONS):
        p = rng.beta(0.7, 0.9)
        for rollout in range(calls):
            right = bool(rng.random() < p)
            rows.append(
                {
                    "strategy": ledger.domain,
                    "density": None,
                    "domain": ledger.domain if ledger.domain != "mixed" else "physics",
                    "teacher": ledger.teacher,
                    "protocol": ledger.protocol,
                    "question_id": f"q{rank:02}",
                    "rank": rank,
                    "rollout": rollout,
                    "step": "answer",
                    "question": "How far?",
                    "answer": "7" if right else "8",
                    "rationale": f"Seen {rollout} times.",
                    "score": None,
                    "accepted": right,
                    "reason": "accepted" if right else "wrong_answer",
                    "prompt_tokens": tokens * 3 // 4,
                    "completion_tokens": tokens - tokens * 3 // 4,
                    "cost_usd": cost,
                    "request_key": f"{ledger.name}{rank}-{rollout}",
                }
            )
    return pa.Table.from_pylist(rows, schema=Response.arrow_schema())


def training(place: Place, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Return what `train` writes beside a cell's models, as far as the study reads it."""
    return {
        **place.columns,
        "rows": 9,
        "runs": [{"seed": s, "tokens_budget": None, "tokens": 500} for s in seeds],
    }


def write_ledgers(folder: Path, planned: Plan, **changes: Any) -> dict[Ledger, Path]:
    """Write every ledger of a plan, those of protocols with calls of their own shorter."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {ledger: folder / f"{ledger.name}.parquet" for ledger in planned.ledgers}
    for ledger, path in paths.items():
        plain = ledger.protocol.startswith("rejection_sampling")
        pq.write_table(responses(ledger, BUDGET if plain else CALLS, **changes), path)
    return paths


def measured(folder: Path, loss: Loss, planned: Plan | None = None, **changes: Any) -> Study:
    """Return a study whose cells have the planted losses.

    Args:
        folder: of the ledgers.
        loss: mean loss of every cell.
        planned: the grid.
        changes: of `scores`.
    """
    planned = planned or plan()
    seeds = changes.get("seeds", SEEDS)
    base = {"n": changes["n"]} if "n" in changes else {}
    return study(
        planned,
        seeds,
        scores={place: scores(place, place.student, loss(place), **changes) for place in planned.places},
        base_scores={student: scores(None, student, 2.0, **base) for student in planned.students},
        trainings={place: training(place, seeds) for place in planned.places},
        paths=write_ledgers(folder, planned),
        benchmarks=BENCHMARKS,
        tokens_per_second={"qwen": 250.0},
    )


def entry(place: Place, law: str, error: float, covered: bool = True) -> dict[str, Any]:
    """Return one law's entry of laws.json: its forecast off by `error` of a measured loss of 1."""
    half = abs(error) + 0.01 if covered else abs(error) / 2
    prediction = {"status": "ok", "budget": BUDGET, "loss": 1 + error, "low": 1 + error - half}
    prediction |= {"high": 1 + error + half, "observed": 1.0, "observed_std": 0.01, "seeds": 3}
    prediction |= {"error": error, "relative_error": error, "covered": covered}
    where = {"teacher": place.teacher, "student": place.student, "domain": place.domain}
    return {**where, "share": place.cut.share, "law": law, "status": "ok", "prediction": prediction}


def laws(planned: Plan, error: float = 0.01, covered: bool = True) -> dict[str, Any]:
    """Return laws.json of a plan's curves: a good rectified law and a poor power law."""
    firsts = [cells[0] for cells in planned.curves]
    entries = [entry(place, "rectified", error, covered) for place in firsts]
    return {
        "budget": BUDGET,
        "laws": entries + [entry(place, "power", 0.2, False) for place in firsts],
        "coverage": [],
    }
