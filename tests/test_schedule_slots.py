"""What a stage needs, where it runs, and how long a run still takes."""

import pytest

from stages.schedule import Schedule, needs, times
from stages.schedule.needs import Needs
from stages.schedule.slots import Slots

TRAIN = "python -m stages.train --student tiny"
PLAIN = Needs("ask", False, False, False)
MODEL = PLAIN._replace(model=True)
EVERY = MODEL._replace(every_gpu=True)


def test_a_stage_that_depends_on_the_student_holds_a_model() -> None:
    assert needs.of(TRAIN, ["stages/student", "stages/train.py"], {}) == Needs("train", True, False, False)
    assert needs.of("python -m stages.assemble", ["stages/student/config.py"], {}).model is False
    assert needs.of("", [], {}) == Needs(None, False, False, False)


def test_training_that_launches_itself_takes_every_gpu() -> None:
    settings = {"train": {"launch": "accelerate/several_gpus.yaml"}}
    assert needs.of(TRAIN, ["stages/student"], settings).every_gpu
    assert not needs.of("python -m stages.score", ["stages/student"], settings).every_gpu


@pytest.mark.parametrize(
    "settings", [{"teacher": {"backend": "vllm"}}, {"teachers": {"weak": {"backend": "vllm"}}}]
)
def test_a_teacher_on_this_machine_needs_a_gpu_and_an_interpreter_of_its_own(settings) -> None:
    assert needs.of("python -m stages.ask", ["stages/teacher"], settings) == Needs("ask", True, False, True)
    assert not needs.of("python -m stages.fit", ["stages/laws"], settings).model


def test_what_may_fetch_a_model_gets_an_interpreter_that_can() -> None:
    command, deps = "python -m stages.pretrain", ["stages/student"]
    assert needs.of(command, deps, {"students": {"qwen": {"model": "Qwen/Qwen3-0.6B-Base"}}}).apart
    assert not needs.of(command, deps, {"students": {"tiny": {"make": {}}}}).apart
    embedder = {"knowledge": {"embedder": "a/model"}}
    assert needs.of("python -m stages.annotate", ["stages/knowledge"], embedder).apart


def test_faulty_settings_are_left_to_the_stages() -> None:
    for settings in ({"teacher": None, "students": [], "train": 3}, {"teachers": {"a": None}}):
        assert needs.of(TRAIN, ["stages/teacher", "stages/student"], settings).model


def test_each_core_and_gpu_belongs_to_one_stage() -> None:
    slots = Slots(3, range(7), ["0", "1"])
    taken = [slots.take(need) for need in (MODEL, PLAIN, MODEL)]
    assert [slot.gpus for slot in taken] == [("0",), (), ("1",)]
    assert sorted(core for slot in taken for core in slot.cores) == list(range(7))
    assert slots.take(PLAIN) is None
    slots.give_back(taken[0])
    assert slots.take(MODEL) == taken[0]


def test_no_stage_with_a_model_starts_without_a_free_gpu() -> None:
    slots = Slots(4, range(4), ["0"])
    first = slots.take(MODEL)
    assert slots.take(MODEL) is None and slots.take(EVERY) is None
    assert slots.take(PLAIN).gpus == ()
    slots.give_back(first)
    assert slots.take(EVERY).gpus == ("0",)


def test_without_gpus_nothing_is_hidden_and_more_jobs_than_cores_share_them() -> None:
    slots = Slots(3, [0, 1], [])
    taken = [slots.take(need) for need in (EVERY, MODEL, PLAIN)]
    assert [slot.gpus for slot in taken] == [None] * 3
    assert [slot.cores for slot in taken] == [(0,), (1,), (0,)]


def test_a_stage_is_expected_to_take_what_it_took_or_what_its_verb_s_cells_took() -> None:
    took = {"train@a": 10.0, "train@b": 20.0, "fit": 1.0}
    assert times.expected(["train@a", "train@c", "fit", "report"], took) == {
        "train@a": 10.0,
        "train@c": 15.0,
        "fit": 1.0,
        "report": None,
    }


def test_the_time_left_is_that_of_the_rest_run_side_by_side() -> None:
    waiting = {"b": {"a"}, "c": {"a"}, "d": {"b", "c"}, "e": {"done"}}
    seconds = {"a": 5.0, "b": 10.0, "c": 4.0, "d": 1.0, "e": 7.0}
    assert times.left(waiting, {"a": 2.0}, seconds, 1) == 3 + 10 + 4 + 1 + 7
    assert times.left(waiting, {"a": 2.0}, seconds, 2) == 3 + 10 + 1  # e beside a and b, then c beside b
    assert times.left(waiting, {"a": 2.0}, seconds, 3) == 3 + 10 + 1
    assert times.left({}, {"a": 9.0}, seconds, 1) == 0.0
    assert [times.spoken(s) for s in (9.6, 100, 60 * 60 * 3 + 60 * 20)] == ["10 s", "2 min", "3 h 20 min"]


def test_the_longest_chain_starts_first_and_what_failed_is_not_waited_for() -> None:
    graph = {"a": set(), "b": set(), "b2": {"b"}, "c": set(), "c2": {"c"}}
    seconds = {"a": 9.0, "b": 1.0, "b2": 7.0, "c": 5.0, "c2": 5.0}
    schedule = Schedule(graph)
    assert schedule.ready(seconds.__getitem__) == ["c", "a", "b"]
    schedule.begin("b")
    schedule.end("b", succeeded=False)
    assert set(schedule.possible()) == {"a", "c", "c2"}
