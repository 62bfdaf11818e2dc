"""The three-stage feedback: estimate density, steer synthesis by its deficits, sample towards the target.

Each round (arXiv 2606.23271, section 3.3; its details are defined here): the knowledge points of all
candidates are placed and grouped; the density per group is held against the target's, and the groups in
deficit get the next synthesis orders in proportion, groups in surplus none; what is written and verified
joins the candidates; a pool is sampled from them by acceptance with probability min(1, c·q(x)/ρ̂(x)). It ends
when the pool's log densities are within tolerance of the target's (Wasserstein-1), or at a limit, and says
which.

Unsteered baselines go through the same rounds with rules of their own (`baselines`) until the pool is full.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.grid import Target
from stages.records import FeedbackRound, SynthesizedQuestion
from stages.synthesis import baselines, candidates, goals, planning, pools, rounds
from stages.synthesis.config import Config

_SWING = 0.8  # dex; a pool half of this above its target has every order read a second article, below none
_SPARE = 1.25  # orders of a baseline per question that it lacks: some will be rejected

Places = dict[str, tuple[np.ndarray, int]]


class Sources(NamedTuple):
    """What a run steers with; the teacher and the embedding come in as functions."""

    library: planning.Library
    place: Callable[[Sequence[str]], Places]  # statements → place and group
    write: Callable[[list[planning.Order], int], list[SynthesizedQuestion]]  # orders and round → questions


class Steered(NamedTuple):
    """How a pool was made."""

    candidates: candidates.Candidates
    sample: pools.Sample
    rounds: list[FeedbackRound]
    written: list[SynthesizedQuestion]
    lowest: float  # dex; what pools of this size from these candidates reach
    highest: float
    recall: float  # of the neighbours that the densities rest on; 1 where the search is exact


def steer(
    target: Target,
    source: Sequence[candidates.Candidate],
    given: Sources,
    config: Config,
    k: int,
    seed: int,
    report: Callable[[FeedbackRound], None] = lambda state: None,
) -> Steered:
    """Make the pool of one target.

    Args:
        target: what to steer to, or a baseline.
        source: seed questions with their knowledge points.
        given: articles, embedding, teacher.
        config: size, tolerances and limits.
        k: neighbours of the density estimate.
        seed: random seed; each question's random numbers depend on it and on the question alone.
        report: told of each round when it is done.

    Raises:
        BadInput: the target lies outside what source and teacher reach, or too few questions could be
            verified; the line says how far it came and why it stopped.
    """
    held = candidates.Candidates(k, source, given.place([t for row in source for t in row.points]))
    goal = goals.goal(target, held, config.questions, config.densities)
    trace: list[FeedbackRound] = []
    written: list[SynthesizedQuestion] = []
    new: list[SynthesizedQuestion] = []
    while not trace or trace[-1].stopped is None:
        pool = pools.sample(held, goal, target, given.library, config, seed)
        wanted = _wanted(held, goal, pool, config)
        level = float(pool.within.mean())
        done = _done(target, goal, held, given.library, pool, config)
        stopped = rounds.stop(done, trace, written, new, goal is not None, config)
        orders: list[planning.Order] = []
        if stopped is None:
            room = rounds.allowed(written, config)
            at = (len(written), seed)
            if goal is None:
                orders = _unsteered(target, held, given.library, room, config, at)
            else:
                orders = _steered(goal, held, given.library, wanted, level, room, at)
        trace.append(rounds.state(target, held, pool, wanted, orders, new, len(trace), stopped))
        report(trace[-1])
        if stopped is None:
            new = given.write(orders, len(trace))
            written += new
            verified = [
                candidates.candidate(row, row.round, row.points) for row in new if row.verdict == "valid"
            ]
            held.add(verified, given.place([t for row in verified for t in row.points]))
    if len(held.rows) < config.questions:
        raise BadInput(rounds.too_few(target, held, trace, written, config))
    lowest, highest = pools.reach(held, pool, config, seed)
    if target.density is not None and abs(level - target.density) > config.level_tolerance:
        raise BadInput(
            f"density {target}: {len(held.rows)} candidates reach {lowest:.2f} to {highest:.2f} dex with "
            f"pools of {config.questions}; the nearest has {level:.3f} after {len(trace) - 1} rounds "
            f"({trace[-1].stopped}); choose a target within, or raise `synthesize.rounds`"
        )
    return Steered(held, pool, trace, written, lowest, highest, held.recall(seed))


def _wanted(
    held: candidates.Candidates, goal: goals.Goal | None, pool: pools.Sample, config: Config
) -> dict[int, tuple[float, int]]:
    """Return group → (points that the target asks for, points that the pool holds)."""
    inside = held.groups[held.held(pool.chosen)]
    counts = {int(g): int((inside == g).sum()) for g in np.unique(held.groups)}
    if goal is None:  # a baseline asks for nothing: what it holds is what it wants
        return {g: (float(n), n) for g, n in counts.items()}
    points = config.questions * len(inside) / len(pool.chosen)
    source = held.groups[: held.source_points]
    return {g: (points * float(goal.weights[source == g].sum()), n) for g, n in counts.items()}


def _done(
    target: Target,
    goal: goals.Goal | None,
    held: candidates.Candidates,
    library: planning.Library,
    pool: pools.Sample,
    config: Config,
) -> bool:
    if len(held.rows) < config.questions:
        return False
    if goal is not None:
        return rounds.reached(target, pool, config)
    return not baselines.missing(*baselines.quotas(target.strategy, held, library, config))


def _steered(
    goal: goals.Goal,
    held: candidates.Candidates,
    library: planning.Library,
    wanted: dict[int, tuple[float, int]],
    level: float,
    room: int,
    at: tuple[int, int],
) -> list[planning.Order]:
    """Give the groups in deficit the orders, and within a group the places where the target is densest."""
    deficits = np.array([max(0.0, want - has) for want, has in wanted.values()])
    if not deficits.any():  # right in number but not in shape: every group by its size in the target
        deficits = np.array([want for want, _ in wanted.values()])
    shares = planning.share_out(room, deficits)
    asked = {str(group): int(n) for group, n in zip(wanted, shares, strict=True) if n}
    field = goal.log_field(held.reference, held.groups)
    logs = held.question_means(field) - held.question_means(held.density)
    units = [str(held.home(i)) for i in range(len(held.rows))]
    company = planning.COMPANY
    if goal.target.density is not None:  # too sparse: write about what is there; too dense: about more
        company += (level - goal.target.density) / _SWING
    return planning.orders(
        held, library, units, asked, 10 ** (logs - logs.max()), *at, min(1.0, max(0.0, company))
    )


def _unsteered(
    target: Target,
    held: candidates.Candidates,
    library: planning.Library,
    room: int,
    config: Config,
    at: tuple[int, int],
) -> list[planning.Order]:
    """Give each unit of a baseline what it lacks, from any of the source's questions there."""
    units, quota = baselines.quotas(target.strategy, held, library, config)
    lacking = baselines.missing(units, quota)
    total = min(room, int(np.ceil(_SPARE * sum(lacking.values()))))
    shares = planning.share_out(total, np.array(list(lacking.values()), dtype=float))
    asked = dict(zip(lacking, shares.tolist(), strict=True))
    company = 0.0 if target.strategy == "fixed_tokens" else planning.COMPANY
    source = np.array([float(row.round == 0) for row in held.rows])
    return planning.orders(held, library, units, asked, source, *at, company)
