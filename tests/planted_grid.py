"""A small grid with planted effects: scores, pools, ledgers and laws, in memory."""

import csv
import io
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from stages.grid import Cut, cell_name
from stages.protocols import rejection_sampling
from stages.records import ItemScore, PoolQuestion, Record, Response, SeedQuestion
from stages.tables.checks import Cell

STUDENT, DENSITIES, BUDGET, SEEDS = "tiny", (2.0, 3.0), 16, (0, 1, 2)
CUTS = tuple(map(Cut.parse, ("1x1", "1x2", "1x4", "1x8", "1x16", "0.25x4", "0.25x16")))
QUESTIONS = 40  # of a pool
SOURCE = 90
ITEMS = tuple(("triviaqa", f"t{i:02}") for i in range(40)) + tuple(
    ("simpleqa", f"s{i:02}") for i in range(20)
)
SCRIPT = "<script>alert(1)</script>"  # an answer; the report must show it as text


def loss(density: float, cut: Cut) -> float:
    """Return the planted mean loss, nats per answer token: a rectified law in r, worse at a smaller share."""
    return 2.4 / (1.0 + cut.budget**0.8) + 0.5 + 0.1 * (density - 2) + 0.4 * (1 - cut.share)


def scores(density: float | None, cut: Cut | None, seeds: tuple[int, ...] = SEEDS) -> list[ItemScore]:
    """Return a cell's rows; items are as hard in every cell."""
    hard = np.random.default_rng(1).normal(size=len(ITEMS))
    rng = np.random.default_rng([7, *(round(100 * x) for x in (density or 0, *(cut or ())))])
    mean = loss(density, cut) if density is not None and cut else 2.3
    rows = []
    for seed in seeds if cut else (0,):
        shift = 0.01 * rng.normal()
        for i, (benchmark, item_id) in enumerate(ITEMS):
            tokens = 2 + i % 4
            per_token = max(mean + shift + 0.2 * hard[i] + 0.02 * rng.normal(), 0.01)
            rows.append(
                ItemScore(
                    student=STUDENT,
                    strategy="density" if cut else "base",
                    density=density,
                    share=cut.share if cut else None,
                    budget=cut.budget if cut else 0,
                    protocol=rejection_sampling.NAME if cut else "base",
                    tokens=None,
                    seed=seed,
                    benchmark=benchmark,
                    item_id=item_id,
                    prediction="x",
                    correct=per_token < 1.2,
                    answer_loss=tokens * per_token,
                    answer_tokens=tokens,
                )
            )
    return rows


def arrow(rows: Any, record: type[Record]) -> pa.Table:
    """Return rows as the Arrow table that a verb would read."""
    return pa.Table.from_pylist([row.model_dump() for row in rows], schema=record.arrow_schema())


@cache
def cells() -> tuple[Cell, ...]:
    """Return the whole grid, the base model first."""
    places = [(None, None), *((density, cut) for density in DENSITIES for cut in CUTS)]
    return tuple(Cell(STUDENT, d, c, arrow(scores(d, c), ItemScore)) for d, c in places)


def cell(density: float, cut: str) -> Cell:
    """Return one cell of the grid."""
    return next(c for c in cells() if c.name == cell_name(STUDENT, density, Cut.parse(cut)))


@cache
def questions() -> tuple[SeedQuestion, ...]:
    """Return the source; the first question's answer is a script."""
    return tuple(
        SeedQuestion(
            question_id=f"q{i:03}",
            page_id=1000 + i,
            revision_id=5000 + i,
            title=f"Place {i}",
            question=f"What is the capital of Place {i}?",
            answer=SCRIPT if i == 0 else f"Town {i}",
            answer_aliases=[],
            evidence=f"Its capital is {SCRIPT if i == 0 else f'Town {i}'}.",
            request_key=f"ask{i:03}",
        )
        for i in range(SOURCE)
    )


def pool(density: float) -> list[PoolQuestion]:
    """Return one density's pool: the question with the script, and a stretch of the source."""
    start = 1 if density == DENSITIES[0] else SOURCE - QUESTIONS + 1
    chosen = [questions()[0], *questions()[start : start + QUESTIONS - 1]]
    fields = ("question_id", "question", "answer", "answer_aliases", "title", "page_id", "revision_id")
    return [
        PoolQuestion(
            **q.model_dump(include=set(fields)),
            density=density,
            rank=rank,
            strategy="density",
            round=0,
            log10_density=density,
            acceptance=0.5,
            group=rank % 5,
        )
        for rank, q in enumerate(chosen)
    ]


@cache
def ledger(density: float) -> tuple[Response, ...]:
    """Return one density's ledger: competence Beta(0.7, 0.9), a malformed reply now and then."""
    rng = np.random.default_rng([3, round(10 * density)])
    rows = []
    for q in pool(density):
        p = 1.0 if q.rank == 0 else rng.beta(0.7, 0.9)
        for rollout in range(BUDGET):
            right, malformed = rng.random() < p, q.rank and rng.random() < 0.03
            reason = "format_truncated" if malformed else "accepted" if right else "wrong_answer"
            rows.append(
                Response(
                    strategy="density",
                    density=density,
                    question_id=q.question_id,
                    rank=q.rank,
                    rollout=rollout,
                    question=q.question,
                    answer="" if malformed else q.answer if right else "Elsewhere",
                    rationale="" if malformed else f"Seen {rollout} times.",
                    accepted=reason == "accepted",
                    reason=reason,
                    prompt_tokens=60,
                    completion_tokens=20,
                    cost_usd=None,
                    request_key=f"respond{q.rank:02}{rollout}",
                )
            )
    return tuple(rows)


def all_responses() -> pa.Table:
    """Return every density's ledger."""
    return arrow([row for density in DENSITIES for row in ledger(density)], Response)


def entry(
    density: float, law: str, status: str = "ok", error: float = 0.02, half: float = 0.04
) -> dict[str, Any]:
    """Return one law's entry in the form of laws.json, its forecast off by `error` of the planted loss."""
    observed = loss(density, Cut(1.0, BUDGET))
    told = None if status == "no_trend" else observed * (1 + error)
    prediction = {
        "status": "refused" if told is None else "ok",
        "budget": BUDGET,
        "loss": told,
        "low": None if told is None else told - half,
        "high": None if told is None else told + half,
        "observed": observed,
        "observed_std": 0.01,
        "seeds": 3,
        "error": None if told is None else observed * error,
        "relative_error": None if told is None else error,
        "covered": None if told is None else abs(observed * error) <= half,
    }
    place = {"student": STUDENT, "density": density, "law": law, "status": status, "message": "as planted"}
    return place | {
        "parameters": {"beta": {"estimate": 0.8, "low": 0.6, "high": None}},
        "prediction": prediction,
    }


def laws(**changes: Any) -> dict[str, Any]:
    """Return laws.json of the planted losses: a good rectified law, a poor rival, a refused one."""
    entries = []
    for d in DENSITIES:
        entries += [entry(d, "rectified", **changes), entry(d, "last_two", error=-0.2)]
        entries.append(entry(d, "power", status="no_trend"))
    theta = {name: {"estimate": x} for name, x in (("a", 0.7), ("b", 0.9), ("pi", 0.0))}
    covered = [{"density": d, "draws": r, "parameters": theta} for d in DENSITIES for r in (8, BUDGET)]
    return {"level": 0.9, "budget": BUDGET, "laws": entries, "coverage": covered}


def curves() -> str:
    """Return curves.csv of the same laws."""
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(("student", "density", "law", "budget", "loss", "low", "high"))
    for density in DENSITIES:
        for r in 2.0 ** np.arange(0, 5.25, 0.25):
            mean = 2.4 / (1 + r**0.8) + 0.5 + 0.1 * (density - 2)
            out.writerow((STUDENT, density, "rectified", r, mean, mean - 0.02 * r**0.5, mean + 0.02 * r**0.5))
            out.writerow((STUDENT, density, "last_two", r, 1.7 * r**-0.35, "", ""))
    return text.getvalue()
