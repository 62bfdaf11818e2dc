"""dvc.yaml says what the verbs do: imports are deps, Params are params, fan-ins name the matrix's cells."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from stages import params

ROOT = Path(__file__).parents[1]
DVC = yaml.safe_load((ROOT / "dvc.yaml").read_text())
SETTINGS = yaml.safe_load((ROOT / "params.yaml").read_text())
STAGES: dict[str, dict[str, Any]] = DVC["stages"]

# They carry rows and settings between verbs and nouns and decide nothing that a stage writes.
CARRIERS = {
    ROOT / "stages" / f"{name}.py"
    for name in ("__init__", "errors", "files", "grid", "params", "progress", "records")
}


def verb(stage: str) -> str:
    """A stage group beside the default one is named VERB-QUALIFIER."""
    return stage.split("-")[0]


@cache
def imported(module: Path) -> frozenset[Path]:
    """Return the files of this project that a file imports itself, wherever in it."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(module.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            path = ROOT / Path(*name.split("."))
            if name.split(".")[0] == "stages":
                found |= {p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()}
    return frozenset(found - CARRIERS)


def reached(module: Path) -> set[Path]:
    """Return the files that a file imports, directly or not."""
    seen: set[Path] = set()
    left = [module]
    while left:
        here = left.pop()
        seen.add(here)
        left += [path for path in imported(here) if path not in seen]
    return seen


@pytest.mark.parametrize("stage", STAGES)
def test_code_deps_are_the_modules_a_stage_imports_no_more_and_no_fewer(stage: str) -> None:
    deps = [ROOT / dep for dep in STAGES[stage]["deps"] if str(dep).startswith("stages/")]
    files = reached(ROOT / "stages" / f"{verb(stage)}.py")
    missing = {
        file
        for file in files
        if not any(file == dep or dep in file.parents for dep in deps) and file.name != "__init__.py"
    }
    assert not missing, f"{stage}: imported, but no dep"
    idle = {dep for dep in deps if not any(file == dep or dep in file.parents for file in files)}
    assert not idle, f"{stage}: a dep, but not imported"


@pytest.mark.parametrize("stage", STAGES)
def test_params_are_those_the_verb_declares(stage: str) -> None:
    declared = getattr(import_module(f"stages.{verb(stage)}"), "Params", None)
    fields = set(declared.model_fields) if declared else set()
    listed = {re.split(r"[.\[]", name)[0] for name in STAGES[stage].get("params", [])}
    by_flag = set(re.findall(r"\$\{(\w+)", STAGES[stage]["cmd"])) - {"item"}
    assert listed - by_flag <= fields <= listed | by_flag
    assert listed == fields or fields | by_flag == listed | by_flag


def test_every_setting_is_declared_by_a_verb_and_listed_in_params_yaml() -> None:
    used = {re.split(r"[.\[]", name)[0] for stage in STAGES.values() for name in stage.get("params", [])}
    used |= set(re.findall(r"\$\{(\w+)", (ROOT / "dvc.yaml").read_text())) - {"item"}
    assert set(SETTINGS) == set(params.NAMES) == used


def test_every_verb_is_a_stage_and_every_stage_a_verb() -> None:
    modules = {p.stem for p in (ROOT / "stages").glob("*.py")} - {p.stem for p in CARRIERS} - {"run"}
    assert modules == {verb(stage) for stage in STAGES}


def test_stages_state_their_purpose_in_the_agreed_order() -> None:
    order = ["desc", "matrix", "cmd", "deps", "params", "outs", "metrics"]
    for name, stage in STAGES.items():
        assert [key for key in order if key in stage] == list(stage), name
        assert stage["desc"]
        assert stage["cmd"].startswith(f"python -m stages.{verb(name)} ")


def test_fan_ins_name_exactly_the_cells_of_the_matrix() -> None:
    cuts = STAGES["assemble"]["matrix"]["cut"]
    assert STAGES["train"]["matrix"]["cut"] == STAGES["score"]["matrix"]["cut"] == cuts
    ladder = [cut for cut in cuts if cut.startswith("1x")]
    assert re.findall(r"--cut (\S+)", STAGES["compare"]["cmd"]) == cuts
    assert re.findall(r"--cut (\S+)", STAGES["fit"]["cmd"]) == ladder
    assert {tuple(STAGES[s]["matrix"]["student"]) for s in ("pretrain", "train", "score")} == {
        tuple(SETTINGS["students"])
    }


def test_the_grid_is_large_enough_to_fit_a_law() -> None:
    below = {c for c in STAGES["assemble"]["matrix"]["cut"] if re.fullmatch(r"1x\d+", c)}
    assert len(below) >= 3
    assert len(SETTINGS["densities"]) >= 2
    assert len(SETTINGS["train"]["seeds"]) >= 3
