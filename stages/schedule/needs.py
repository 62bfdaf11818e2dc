"""What a stage needs of the machine, by what it depends on: a GPU, several, or an interpreter of its own."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

HASHING = "hashing"  # the embedder that is no model
# Imported once for all stages that hold a model; `threadpoolctl` sets a forked process's threads.
LIBRARIES = ("threadpoolctl", "torch", "transformers", "datasets", "accelerate", "peft", "trl")


class Needs(NamedTuple):
    """What one stage needs."""

    verb: str | None  # it runs `python -m stages.<verb>`
    model: bool  # it holds a model, and one GPU where there are any
    every_gpu: bool  # it starts a process on each GPU itself
    apart: bool  # libraries that were imported to work without a network would not do


def of(command: str, deps: Iterable[str], settings: Mapping[str, Any]) -> Needs:
    """Return the needs of a stage.

    Students are trained, scored and pretrained by stages that depend on all of `stages/student`; a teacher on
    this machine (`backend: vllm`) answers those that depend on `stages/teacher`; and an embedder other than
    the hashing one is asked by those that depend on `stages/knowledge`.

    Args:
        command: of the stage.
        deps: its dependencies, as paths from the project's root.
        settings: params.yaml of its folder.
    """
    words = command.split()
    verb = words[2].removeprefix("stages.") if words[:2] == ["python", "-m"] and len(words) > 2 else None
    deps = set(deps)
    teachers = [_section(settings, "teacher"), *_section(settings, "teachers").values()]
    student = "stages/student" in deps
    taught = "stages/teacher" in deps and any(
        isinstance(teacher, Mapping) and teacher.get("backend") == "vllm" for teacher in teachers
    )
    embedded = (
        "stages/knowledge" in deps and _section(settings, "knowledge").get("embedder", HASHING) != HASHING
    )
    return Needs(
        verb=verb,
        model=student or taught or embedded,
        every_gpu=student and verb == "train" and _section(settings, "train").get("launch") is not None,
        apart=taught or embedded or (verb == "pretrain" and _fetched(settings)),
    )


def _fetched(settings: Mapping[str, Any]) -> bool:
    students = _section(settings, "students").values()
    return any(isinstance(student, Mapping) and student.get("model") for student in students)


def _section(settings: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}
