"""Planted surfaces of loss over question share and budget, and the tables that would be published of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stages import files
from stages.advice.backtest import Panel
from stages.advice.costs import Price, Rates
from stages.advice.study import Offer
from stages.advice.surface import Measured, uncovered
from stages.grid import Cut

Theta = tuple[float, float, float]
SHARES, BUDGETS = (0.25, 0.5, 1.0), (1, 2, 4, 8, 16, 32)
MANY_UNSOLVED: Theta = (0.5, 4.0, 0.0)  # further draws go on solving questions
SOON_SOLVED: Theta = (6.0, 1.0, 0.0)  # a few draws solve what there is
E0, KAPPA = 6.0, 4.0
RATES = Rates(400, 60.0, 40.0, Price(0.5, 2.0))


def loss(theta: Theta, cut: Cut, bend: float = 1.0) -> float:
    return E0 + KAPPA * max(uncovered(theta, cut), 0.0) ** bend


def panel(
    theta: Theta,
    noise: float = 0.0,
    rng: np.random.Generator | None = None,
    teacher: str = "strong",
    cuts: list[Cut] | None = None,
    bend: float = 1.0,
) -> Panel:
    rng = rng or np.random.default_rng(0)
    grid = cuts or [Cut(s, r) for s in SHARES for r in BUDGETS]
    cells = [Measured(cut, loss(theta, cut, bend) + noise * rng.normal(), 3) for cut in grid]
    return Panel(teacher, "qwen", "physics", tuple(cells), {r: theta for r in BUDGETS if r > 2})


def offer(theta: Theta, noise: float = 0.02, rates: Rates = RATES, **planted: Any) -> Offer:
    return Offer(panel(theta, noise, **planted), rates)


def ledger(questions: int, theta: Theta) -> pa.Table:
    rng = np.random.default_rng(3)
    a, b, pi = theta
    p = rng.beta(a, b, questions) * (rng.random(questions) >= pi)
    draws = max(BUDGETS)
    right = rng.random(questions * draws) < np.repeat(p, draws)
    again = right & (np.arange(questions * draws) % 5 == 0)  # right, in words that were drawn before
    return pa.table(
        {
            "protocol": ["rejection_sampling"] * questions * draws,
            "question_id": np.repeat([f"q{i:03}" for i in range(questions)], draws),
            "rollout": np.tile(np.arange(draws), questions),
            "accepted": right & ~again,
            "reason": np.select([again, right], ["duplicate", "accepted"], "wrong_answer"),
        }
    )


def tables(teachers: tuple[str, ...], theta: Theta, kappa: float = KAPPA) -> dict[str, list[dict[str, Any]]]:
    """Return the tables of `weigh`, their columns that `advise` reads, with one audit of two protocols."""
    rng = np.random.default_rng(1)
    place = {"student": "qwen", "domain": "physics", "protocol": "rejection_sampling", "matched": "samples"}
    found: dict[str, list[dict[str, Any]]] = {"cells": [], "ledgers": [], "costs": [], "protocols": []}
    for teacher in teachers:
        here = place | {"teacher": teacher}
        for cut in (Cut(s, r) for s in SHARES for r in BUDGETS):
            measured = E0 + kappa * uncovered(theta, cut) + 0.02 * rng.normal()
            found["cells"].append(here | cut._asdict() | {"loss_mean": float(measured), "seeds": 3})
        spent = {"prompt_tokens": 12800 * 60, "completion_tokens": 12800 * 40}
        found["ledgers"].append(here | {"questions": 400, "calls": 12800} | spent)
    found["ledgers"].append(found["ledgers"][0] | {"protocol": "self_refine"})
    for protocol, matched, difference in (
        ("majority_vote", "samples", -0.3),
        ("self_refine", "tokens", 0.02),
        ("self_refine", "samples", -0.5),
    ):
        at = found["cells"][0] | {"share": 1.0, "budget": 8, "protocol": protocol, "matched": matched}
        bill = {"sample_budget": 3200, "prompt_tokens": 200_000, "completion_tokens": 100_000}
        found["costs"].append(at | bill)
        ends = {"loss_low": difference - 0.1, "loss_high": difference + 0.1}
        found["protocols"].append(at | {"held_equal": matched, "loss_difference": difference} | ends)
    return found


def laws(teachers: tuple[str, ...], theta: Theta) -> dict[str, Any]:
    """Return a document of laws that err by one per cent."""
    place = {"student": "qwen", "domain": "physics", "law": "rectified"}
    told = {"budget": 32, "loss": 1.0, "relative_error": 0.01}
    rows = [place | {"teacher": t, "share": s, "prediction": told} for t in teachers for s in SHARES]
    return {"laws": rows, "coverage": []}


def write(folder: Path, teachers: tuple[str, ...], theta: Theta, kappa: float = KAPPA) -> None:
    """Write all that `advise` reads but params.yaml."""
    for name in ("metrics/tables", "datasets/responses"):
        (folder / name).mkdir(parents=True)
    for name, rows in tables(teachers, theta, kappa).items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"metrics/tables/{name}.parquet")
    for teacher in teachers:
        pq.write_table(ledger(400, theta), folder / f"datasets/responses/{teacher}-physics.parquet")
    files.write_json(folder / "metrics/laws.json", laws(teachers, theta))
