"""A small study with planted effects: students × targets × token budgets × seeds × items."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from stages.findings import study
from stages.grid import Cut, Target

CUT = Cut(1.0, 4)
DEX = (4.4, 4.6, 4.8, 5.0, 5.2)
BASELINES = ("random", "fixed_tokens", "fixed_ratio")
TARGETS = tuple(Target("density", x) for x in DEX) + tuple(Target(s, None) for s in ("uniform", *BASELINES))
TOKENS = (1000, 2000, 4000)
SEEDS = (0, 1, 2)
STUDENTS = {"small": ("qwen3", 100), "large": ("qwen3", 400), "other": ("llama", 200)}
Excess = Callable[
    [str, Target, int], float
]  # loss above the floor of (student, target, budget), nats per token


def interior(student: str, target: Target, tokens: int) -> float:
    """Return the excess loss of an optimum at 4.8 dex, unsteered targets as bad as the ends."""
    return 0.6 * (target.density - 4.8) ** 2 + 0.02 if target.density else 0.2


def at_the_end(student: str, target: Target, tokens: int) -> float:
    """Return the excess loss of a density that had better been higher still."""
    return 0.2 * (5.2 - target.density) if target.density else 0.0


def flat(student: str, target: Target, tokens: int) -> float:
    """Return the excess loss where no target matters."""
    return 0.0


def quarrel(student: str, target: Target, tokens: int) -> float:
    """Return the excess loss of students who each want another density."""
    wanted = {"small": 4.5, "large": 5.1, "other": 4.8}[student]
    return abs((target.density or 5.6) - wanted)


def items(n: int) -> list[tuple[str, str]]:
    """Return n items of two benchmarks, sorted."""
    return sorted((("popqa", "simpleqa")[i % 2], f"i{i:03}") for i in range(n))


def cells(
    excess: Excess,
    n: int = 80,
    seed: int = 0,
    students: tuple[str, ...] | None = None,
    seed_std: float = 0.01,
    tokens: tuple[int, ...] = TOKENS,
    seeds: tuple[int, ...] = SEEDS,
) -> list[study.Cell]:
    """Return every cell: items differ in hardness, seeds shift a whole run, each run errs on each item."""
    rng = np.random.default_rng([seed, 5])
    hard = rng.normal(scale=0.3, size=n)
    made = []
    for student in students or tuple(STUDENTS):
        made.append(study.Cell(student, None, CUT, _rows(student, None, None, [0], n, 2.5 + hard), None, ""))
        for target in TARGETS:
            runs = []
            for budget in tokens:
                shift = seed_std * rng.normal(size=(len(seeds), 1))
                noise = 0.1 * rng.normal(size=(len(seeds), n))
                mean = 1.0 + 500 / budget + excess(student, target, budget)
                runs.append(_rows(student, target, budget, seeds, n, mean + hard + shift + noise))
            scores = pa.concat_tables(runs)
            made.append(
                study.Cell(
                    student,
                    target,
                    CUT,
                    scores,
                    training(student, target, tokens, seeds),
                    STUDENTS[student][0],
                )
            )
    return made


def _rows(
    student: str, target: Target | None, tokens: int | None, seeds: Any, n: int, per_token: Any
) -> pa.Table:
    per_token = np.maximum(np.broadcast_to(per_token, (len(seeds), n)), 0.01)
    answer_tokens = 1 + np.arange(n) % 4
    rows = [
        {
            "student": student,
            "strategy": target.strategy if target else "base",
            "density": target.density if target else None,
            "share": CUT.share if target else None,
            "budget": CUT.budget if target else 0,
            "tokens": tokens,
            "seed": seed,
            "benchmark": benchmark,
            "item_id": item,
            "correct": bool(per_token[s, i] < 1.4),
            "answer_loss": float(per_token[s, i] * answer_tokens[i]),
            "answer_tokens": int(answer_tokens[i]),
        }
        for s, seed in enumerate(seeds)
        for i, (benchmark, item) in enumerate(items(n))
    ]
    return pa.Table.from_pylist(rows, schema=study.SCHEMA)


def training(
    student: str, target: Target, tokens: tuple[int, ...] = TOKENS, seeds: tuple[int, ...] = SEEDS
) -> dict[str, Any]:
    """Return what `train` writes beside a cell's models, as far as the study reads it."""
    size = {"parameters": STUDENTS[student][1], "active_parameters": STUDENTS[student][1]}
    runs = [{"seed": s, "tokens_budget": b, "tokens": b + s} for b in tokens for s in seeds]
    return {"student": student, **target._asdict(), **CUT._asdict(), "size": size, "runs": runs}


def pools(questions: int = 200) -> dict[str, Any]:
    """Return the pools' JSON by target, as far as the study reads it."""
    return {str(target): {"questions": questions} for target in TARGETS}


def panels(excess: Excess, **changes: Any) -> tuple[list[study.Panel], list[study.Cell]]:
    """Return a planted study's panels and the cells that they are made of."""
    made = cells(excess, **changes)
    return (
        study.panels(made, changes.get("tokens", TOKENS), changes.get("seeds", SEEDS), pools()),
        made,
    )
