"""Stages start when those before them are done, and only then."""

from stages.schedule import Schedule, affected, own_lines

GRAPH = {
    "extract": set(),
    "ask": {"extract"},
    "pretrain": {"extract"},
    "train": {"ask", "pretrain"},
    "other": set(),
}


def test_what_changed_drags_along_what_comes_after_it() -> None:
    assert affected(GRAPH, ["ask"]) == {"ask": set(), "train": {"ask"}}
    assert affected(GRAPH, ["other", "unknown"]) == {"other": set()}
    assert affected(GRAPH, []) == {}


def test_independent_stages_are_ready_together_and_the_most_awaited_first() -> None:
    schedule = Schedule(GRAPH)
    assert schedule.ready() == ["extract", "other"]
    schedule.begin("extract")
    assert schedule.ready() == ["other"]
    schedule.end("extract", True)
    assert set(schedule.ready()) == {"ask", "pretrain", "other"}


def test_a_failure_stops_only_what_depends_on_it() -> None:
    schedule = Schedule(GRAPH)
    ran = []
    while not schedule.finished():
        stage = schedule.ready()[0]
        schedule.begin(stage)
        schedule.end(stage, stage != "ask")
        ran.append(stage)
    assert set(ran) == {"extract", "ask", "pretrain", "other"}
    assert schedule.failed == {"ask"}
    assert schedule.skipped() == ["train"]
    assert schedule.state() == "3 of 5 done, 0 running, 1 failed"


def test_an_empty_graph_is_finished_at_once() -> None:
    assert Schedule({}).finished()


def test_a_stage_s_own_lines_are_told_from_those_of_dvc() -> None:
    printed = [
        "Running stage 'ask':",
        "> python -m stages.ask",
        "",
        "kept 5",
        "Updating lock file 'dvc.lock'",
        "git add",
    ]
    assert own_lines(printed) == ["kept 5"]
    assert own_lines(["Stage 'ask' didn't change, skipping"]) == []
    # A rebuilt stage whose lock entry stays as it was: DVC tells of no lock file.
    built_again = [
        "> python -m stages.ask",
        "kept 5",
        "Use `dvc push` to send your updates to remote storage.",
    ]
    assert own_lines(built_again) == ["kept 5"]
