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
STUDY, BUDGET, GSM8K = (ROOT / "studies" / name for name in ("kdos", "budget", "gsm8k"))
FOLDERS = (ROOT, STUDY, BUDGET, GSM8K)  # each holds a graph, dvc.yaml, with its settings, params.yaml
GRAPHS: dict[Path, dict[str, Any]] = {f: yaml.safe_load((f / "dvc.yaml").read_text()) for f in FOLDERS}
SETTINGS: dict[Path, dict[str, Any]] = {f: yaml.safe_load((f / "params.yaml").read_text()) for f in FOLDERS}
STAGES = [(folder, name) for folder, graph in GRAPHS.items() for name in graph["stages"]]
NAMES = [f"{folder.name if folder != ROOT else 'default'}:{name}" for folder, name in STAGES]
each_stage = pytest.mark.parametrize(("folder", "name"), STAGES, ids=NAMES)

# They carry rows and settings between verbs and nouns and decide nothing that a stage writes.
CARRIERS = {
    ROOT / "stages" / f"{name}.py"
    for name in ("__init__", "errors", "files", "grid", "params", "progress", "records")
}
TOOLS = {"run", "backtest", "lineage", "publish"}  # beside the graphs


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


def stage_of(folder: Path, name: str) -> dict[str, Any]:
    stage: dict[str, Any] = GRAPHS[folder]["stages"][name]
    return stage


def settings_in(command: str) -> set[str]:
    """The settings that a command takes from params.yaml itself."""
    return set(re.findall(r"\$\{(\w+)", command)) - {"item"}


@each_stage
def test_code_deps_are_the_modules_a_stage_imports_no_more_and_no_fewer(folder: Path, name: str) -> None:
    paths = [(folder / dep).resolve() for dep in stage_of(folder, name)["deps"] if "$" not in dep]
    deps = [path for path in paths if ROOT / "stages" in path.parents]
    files = reached(ROOT / "stages" / f"{verb(name)}.py")
    missing = {
        file
        for file in files
        if not any(file == dep or dep in file.parents for dep in deps) and file.name != "__init__.py"
    }
    assert not missing, f"{name}: imported, but no dep"
    idle = {dep for dep in deps if not any(file == dep or dep in file.parents for file in files)}
    assert not idle, f"{name}: a dep, but not imported"


@each_stage
def test_params_are_those_the_verb_declares(folder: Path, name: str) -> None:
    stage = stage_of(folder, name)
    declared = getattr(import_module(f"stages.{verb(name)}"), "Params", None)
    fields = set(declared.model_fields) if declared else set()
    needed = {n for n, field in declared.model_fields.items() if field.is_required()} if declared else set()
    listed = {re.split(r"[.\[]", param)[0] for param in stage.get("params", [])}
    by_flag = settings_in(stage["cmd"])
    assert listed - by_flag <= fields
    assert needed <= listed | by_flag


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_setting_is_declared_by_a_verb_and_listed_in_params_yaml(folder: Path) -> None:
    stages = GRAPHS[folder]["stages"].values()
    used = {re.split(r"[.\[]", param)[0] for stage in stages for param in stage.get("params", [])}
    used |= settings_in((folder / "dvc.yaml").read_text())
    inline = {key for entry in GRAPHS[folder].get("vars", []) for key in entry}
    assert set(SETTINGS[folder]) == used - inline
    assert set(SETTINGS[folder]) <= set(params.NAMES)


def test_every_known_setting_is_in_a_params_yaml() -> None:
    assert set(params.NAMES) == set().union(*SETTINGS.values())


def test_every_verb_is_a_stage_and_every_stage_a_verb() -> None:
    modules = {p.stem for p in (ROOT / "stages").glob("*.py")} - {p.stem for p in CARRIERS} - TOOLS
    assert modules == {verb(name) for _, name in STAGES}


@each_stage
def test_stages_state_their_purpose_in_the_agreed_order(folder: Path, name: str) -> None:
    stage = stage_of(folder, name)
    order = ["desc", "matrix", "cmd", "deps", "params", "outs", "metrics"]
    assert [key for key in order if key in stage] == list(stage)
    assert stage["desc"]
    assert stage["cmd"].startswith(f"python -m stages.{verb(name)} ")


def test_fan_ins_name_exactly_the_cells_of_the_matrix() -> None:
    stages = GRAPHS[ROOT]["stages"]
    cuts = stages["assemble"]["matrix"]["cut"]
    assert stages["train"]["matrix"]["cut"] == stages["score"]["matrix"]["cut"] == cuts
    ladder = [cut for cut in cuts if cut.startswith("1x")]
    assert re.findall(r"--cut (\S+)", stages["compare"]["cmd"]) == cuts
    assert re.findall(r"--cut (\S+)", stages["fit"]["cmd"]) == ladder
    assert {tuple(stages[s]["matrix"]["student"]) for s in ("pretrain", "train", "score", "judge")} == {
        tuple(SETTINGS[ROOT]["students"])
    }
    (judged,) = set(re.findall(r"density}-(\S+)\.(?:parquet|json)", stages["judge"]["cmd"]))
    assert judged in cuts


def test_the_studys_fan_ins_name_its_targets_students_and_token_budgets() -> None:
    stages = GRAPHS[STUDY]["stages"]
    inline = {key: value for entry in GRAPHS[STUDY]["vars"] for key, value in entry.items()}
    assert inline["names"] == list(SETTINGS[STUDY]["students"])
    tokens = re.findall(r"--tokens (\S+)", stages["train"]["cmd"])
    for fan_in in ("conclude", "exhibit"):
        assert re.findall(r"--target (\S+)", stages[fan_in]["cmd"]) == [str(t) for t in inline["targets"]]
    assert re.findall(r"--tokens (\S+)", stages["conclude"]["cmd"]) == tokens
    levels = [target for target in inline["targets"] if not isinstance(target, str)]
    assert len(levels) >= 5
    assert {"random", "fixed_tokens", "fixed_ratio"} <= set(inline["targets"])
    assert len(tokens) >= 3
    assert len(SETTINGS[STUDY]["train"]["seeds"]) >= 3


def test_the_grid_is_large_enough_to_fit_a_law() -> None:
    cuts = GRAPHS[ROOT]["stages"]["assemble"]["matrix"]["cut"]
    assert len({c for c in cuts if re.fullmatch(r"1x\d+", c)}) >= 3
    assert len(SETTINGS[ROOT]["densities"]) >= 2
    assert len(SETTINGS[ROOT]["train"]["seeds"]) >= 3
