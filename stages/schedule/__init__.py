"""Running a graph of stages: which may start now, and what they said."""

from collections.abc import Callable, Iterable, Mapping

from stages.schedule import times

# How the lines begin that DVC prints around those of a stage; the first of them is its command.
_DVC = ("> ", "Updating lock file", "Generating lock file", "To track the changes", "Use `dvc push`")


def affected(graph: Mapping[str, set[str]], changed: Iterable[str]) -> dict[str, set[str]]:
    """Return the part of a graph that may have to run: what changed, and everything after it.

    Args:
        graph: stage → stages before it.
        changed: stages whose code, settings, inputs or outputs are not those of their last run.
    """
    left = set(changed) & set(graph)
    grown = True
    while grown:
        after = {stage for stage, before in graph.items() if before & left} - left
        left |= after
        grown = bool(after)
    return {stage: before & left for stage, before in graph.items() if stage in left}


def upstream(graph: Mapping[str, set[str]], stages: Iterable[str]) -> dict[str, set[str]]:
    """Return the part of a graph that some stages need: they, and everything before them.

    Args:
        graph: stage → stages before it.
        stages: some of its stages.
    """
    needed: set[str] = set()
    left = list(stages)
    while left:
        stage = left.pop()
        if stage not in needed:
            needed.add(stage)
            left += graph[stage]
    return {stage: set(before) for stage, before in graph.items() if stage in needed}


def own_lines(printed: Iterable[str]) -> list[str]:
    """Return what a stage itself said, without the lines that DVC prints before and after it."""
    own, inside = [], False
    for line in printed:
        if line.startswith(_DVC):
            inside = line.startswith("> ")
        elif inside and line:
            own.append(line)
    return own


class Schedule:
    """The state of a run over a graph of stages.

    Args:
        graph: stage → stages before it, without cycles.
    """

    def __init__(self, graph: Mapping[str, set[str]]) -> None:
        self._before = {stage: set(before) for stage, before in graph.items()}
        self._waiting = list(graph)
        self._running: set[str] = set()
        self.done: set[str] = set()
        self.failed: set[str] = set()

    def ready(self, seconds: Callable[[str], float] = lambda _: 1.0) -> list[str]:
        """Return the stages that may start, those first after which the longest chain of others waits.

        Args:
            seconds: what a stage takes.
        """
        length = times.longest_path(self.waiting(), seconds)
        able = [s for s in self._waiting if self._before[s] <= self.done]
        return sorted(able, key=lambda s: -length[s])

    def waiting(self) -> dict[str, set[str]]:
        """Return the stages that have not begun, each with those of them that come before it."""
        return {stage: self._before[stage] & set(self._waiting) for stage in self._waiting}

    def possible(self) -> dict[str, set[str]]:
        """Return the stages that will begin if none fails from now on, each with those before it."""
        lost = set(affected(self._before, self.failed))
        return {stage: self._before[stage] for stage in self._waiting if stage not in lost}

    def begin(self, stage: str) -> None:
        """Note that a stage was started."""
        self._waiting.remove(stage)
        self._running.add(stage)

    def end(self, stage: str, succeeded: bool) -> None:
        """Note that a stage has ended."""
        self._running.remove(stage)
        (self.done if succeeded else self.failed).add(stage)

    def finished(self) -> bool:
        """Say whether nothing runs and nothing may start."""
        return not self._running and not any(self._before[s] <= self.done for s in self._waiting)

    def skipped(self) -> list[str]:
        """Return the stages that did not run because one before them failed."""
        return list(self._waiting)

    def state(self) -> str:
        """Say how far the run is."""
        line = f"{len(self.done)} of {len(self._before)} done, {len(self._running)} running"
        return line + (f", {len(self.failed)} failed" if self.failed else "")
