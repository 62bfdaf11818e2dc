"""How long stages take, judged by how long they took, and how long a run still takes."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from statistics import fmean


def verb(stage: str) -> str:
    """Return the stage without its cell: `train` of `train@tiny-4.3-1x4`."""
    return stage.partition("@")[0]


def expected(stages: Iterable[str], took: Mapping[str, float]) -> dict[str, float | None]:
    """Return the seconds that each stage will take: as the last time, else as the mean of its verb's cells.

    Args:
        stages: whose time is wanted.
        took: stage → seconds of its last run.

    Returns:
        None for a stage of a verb that never ran.
    """
    cells = defaultdict(list)
    for stage, seconds in took.items():
        cells[verb(stage)].append(seconds)
    means = {name: fmean(all_of_it) for name, all_of_it in cells.items()}
    return {stage: took.get(stage, means.get(verb(stage))) for stage in stages}


def longest_path(before: Mapping[str, set[str]], seconds: Callable[[str], float]) -> dict[str, float]:
    """Return the seconds from each stage's start to the end of the longest chain of stages after it.

    Args:
        before: stage → stages before it, without cycles.
        seconds: what a stage takes.
    """
    after = defaultdict(list)
    for stage, earlier in before.items():
        for one in earlier:
            after[one].append(stage)
    length: dict[str, float] = {}
    left = list(before)
    while left:
        stage = left[-1]
        unknown = [one for one in after[stage] if one not in length]
        if unknown:
            left += unknown
            continue
        left.pop()
        length[stage] = seconds(stage) + max((length[one] for one in after[stage]), default=0.0)
    return length


def left(
    waiting: Mapping[str, set[str]], running: Mapping[str, float], seconds: Mapping[str, float], jobs: int
) -> float:
    """Return the seconds until all is done, by running the rest in thought.

    Args:
        waiting: stage → stages before it, of those that will start.
        running: stage → seconds since it started.
        seconds: what each stage takes.
        jobs: stages at once.
    """
    now = 0.0
    ends = [(max(0.0, seconds[stage] - since), stage) for stage, since in running.items()]
    heapq.heapify(ends)
    todo = {stage: set(before) & (set(waiting) | set(running)) for stage, before in waiting.items()}
    order = longest_path(waiting, lambda stage: seconds.get(stage, 0.0))
    while todo or ends:
        able = sorted((s for s, before in todo.items() if not before), key=lambda s: -order[s])
        for stage in able[: max(0, jobs - len(ends))]:
            del todo[stage]
            heapq.heappush(ends, (now + seconds[stage], stage))
        if not ends:
            break
        now, done = heapq.heappop(ends)
        for before in todo.values():
            before.discard(done)
    return now


def spoken(seconds: float) -> str:
    """Say a duration: `45 s`, `12 min`, `3 h 20 min`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
