"""The record of a round, and the limits at which the rounds end."""

from collections import Counter
from collections.abc import Mapping, Sequence

from stages.grid import Target
from stages.records import FeedbackRound, GroupState, ReasonCount, SynthesizedQuestion
from stages.synthesis.candidates import Candidates
from stages.synthesis.config import Config
from stages.synthesis.planning import Order
from stages.synthesis.pools import Sample

_CALLS = 3  # teacher requests of an order that nothing rejects
_BARREN = 2  # rounds without a verified question after which there is nothing to hope for
_CAUTIOUS = 0.25  # of a round's orders, where a price limit is set and no order has shown its price yet


def reached(target: Target, sample: Sample, config: Config) -> bool:
    """Say whether a steered pool is on target: in the shape of its log densities, and in their mean."""
    near = sample.wasserstein is not None and sample.wasserstein <= config.tolerance
    level = float(sample.within.mean())
    return near and (target.density is None or abs(level - target.density) <= config.level_tolerance)


def stop(
    done: bool,
    rounds: Sequence[FeedbackRound],
    written: Sequence[SynthesizedQuestion],
    new: Sequence[SynthesizedQuestion],
    steered: bool,
    config: Config,
) -> str | None:
    """Return why the rounds end here, None where they go on.

    Args:
        done: the pool is as it should be.
        rounds: those before this one.
        written: every question written so far.
        new: those of this round.
        steered: there is a target; else a baseline, which is "filled" when done.
        config: the limits.
    """
    if done:
        return "tolerance" if steered else "filled"
    if len(rounds) >= config.rounds:
        return "round_limit"
    verified = [state.accepted for state in rounds[1:]] + [sum(row.verdict == "valid" for row in new)]
    if len(rounds) >= _BARREN and not any(verified[-_BARREN:]):
        return "exhausted"
    if not allowed(written, config):
        return "cost_limit" if _affordable(written, config) == 0 else "call_limit"
    return None


def allowed(written: Sequence[SynthesizedQuestion], config: Config) -> int:
    """Return how many orders the limits leave for the next round."""
    orders = config.orders
    if config.max_calls is not None:
        orders = min(orders, (config.max_calls - sum(row.calls for row in written)) // _CALLS)
    affordable = _affordable(written, config)
    return max(0, orders if affordable is None else min(orders, affordable))


def _affordable(written: Sequence[SynthesizedQuestion], config: Config) -> int | None:
    """Return how many orders the cost limit leaves at the mean cost so far; None where nothing limits."""
    if config.max_cost is None:
        return None
    if not written:
        return max(1, int(_CAUTIOUS * config.orders)) if config.max_cost > 0 else 0
    spent = sum(row.cost_usd or 0.0 for row in written)
    return max(0, int((config.max_cost - spent) * len(written) / spent)) if spent > 0 else None


def state(
    target: Target,
    candidates: Candidates,
    sample: Sample,
    wanted: Mapping[int, tuple[float, int]],
    orders: Sequence[Order],
    new: Sequence[SynthesizedQuestion],
    number: int,
    stopped: str | None,
) -> FeedbackRound:
    """Return the record of one round.

    Args:
        target: of the pool.
        candidates: after what the round wrote was added.
        sample: the pool sampled from them.
        wanted: group → (points that the target asks for, points that the pool holds).
        orders: given for the next round.
        new: questions that this round wrote.
        number: of the round, from 0.
        stopped: why the rounds end here, None where they go on.
    """
    held = candidates.held(sample.chosen)
    groups = candidates.groups[held]
    ordered = Counter(order.group for order in orders)
    costs = [row.cost_usd for row in new]
    rejected = Counter(row.reason for row in new if row.verdict != "valid")
    return FeedbackRound(
        strategy=target.strategy,
        density=target.density,
        round=number,
        candidates=len(candidates.rows),
        points=len(candidates.texts),
        groups=[
            GroupState(
                group=g,
                points=int((candidates.groups == g).sum()),
                wanted=round(want, 3),
                held=has,
                deficit=round(want - has, 3),
                log10_density=float(sample.within[groups == g].mean()) if has else None,
                calls=ordered[g],
            )
            for g, (want, has) in wanted.items()
        ],
        calls=sum(row.calls for row in new),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
        written=len(new),
        accepted=sum(row.verdict == "valid" for row in new),
        rejected=[ReasonCount(reason=reason, count=n) for reason, n in sorted(rejected.items())],
        pool=len(sample.chosen),
        log10_density=float(sample.within.mean()),
        wasserstein=sample.wasserstein,
        effective_sample_size=sample.effective,
        stopped=stopped,
    )


def too_few(
    target: Target,
    candidates: Candidates,
    rounds: Sequence[FeedbackRound],
    written: Sequence[SynthesizedQuestion],
    config: Config,
) -> str:
    """Return the line that says why a pool could not be filled."""
    reasons = Counter(row.reason for row in written if row.verdict != "valid").most_common(3)
    why = ", ".join(f"{n} {reason}" for reason, n in reasons) or "none was rejected"
    calls = sum(row.calls for row in written)
    done = f"{len(candidates.rows)} of {config.questions} questions after {len(rounds) - 1} rounds"
    return (
        f"target {target}: {done} and {calls} teacher requests ({rounds[-1].stopped}); rejected: {why}; "
        "raise that limit or `ask.articles`, or lower `synthesize.questions`: every reply is stored, so "
        "going on pays for new ones only"
    )
