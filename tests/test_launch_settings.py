"""Configurations of `accelerate launch`: those that are here are whole; a wrong one is refused."""

from pathlib import Path

import pytest
import yaml

from stages.errors import BadInput
from stages.student import launch_settings, launching

CONFIGURATIONS = sorted((Path(__file__).parents[1] / "accelerate").glob("*.yaml"))
SEVERAL = next(path for path in CONFIGURATIONS if path.stem == "several_machines")


def _refused(config, place):
    with pytest.raises(BadInput) as refused:
        launching.launch(config, "stages.train", [], place)
    assert "\n" not in refused.value.message
    return refused.value.message


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_each_configuration_is_accelerates_own_and_leaves_precision_to_the_student(path):
    settings = launch_settings.check(path)
    assert settings["mixed_precision"] == "no"
    assert str(path.relative_to(path.parents[1])) in path.read_text().splitlines()[0]
    if settings["distributed_type"] == "FSDP":
        sharding = settings["fsdp_config"]
        assert sharding["fsdp_version"] == 2 and sharding["fsdp_activation_checkpointing"] is False
        assert "num_processes" not in settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "No such file or directory; see the files in accelerate/"),
        ("a: [", "not valid YAML"),
        ("num_processes: 2", "it sets no `distributed_type`"),
        ("- 2", "it sets no `distributed_type`"),
        ("distributed_type: MANY\nnum_processes: 2", "'MANY' is not a valid DistributedType"),
        ("distributed_type: FSDP\nnum_procesess: 2", "num_procesess"),
        ("distributed_type: FSDP", "no GPU is visible here; set `num_processes` or remove it"),
    ],
)
def test_a_wrong_configuration_is_refused_by_name(text, said, tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    config = tmp_path / "launch.yaml"
    if text is not None:
        config.write_text(text)
    line = _refused(config, tmp_path)
    assert line.startswith(f"train.launch {config}: ") and said in line


def test_of_several_machines_each_must_know_its_number_and_the_first_ones_address(tmp_path, monkeypatch):
    config = tmp_path / "several.yaml"
    settings = yaml.safe_load(SEVERAL.read_text())
    config.write_text(yaml.safe_dump(settings | {"num_processes": 4}))
    for name in ("NODE_RANK", "SLURM_NODEID", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert "neither `machine_rank` there nor NODE_RANK in the environment" in _refused(config, tmp_path)
    monkeypatch.setenv("SLURM_NODEID", "1")
    assert "neither `main_process_ip` there nor MASTER_ADDR" in _refused(config, tmp_path)
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    assert launch_settings.options(config, launch_settings.check(config)) == [
        *("--machine_rank", "1", "--main_process_ip", "10.0.0.1", "--main_process_port", "29500")
    ]


def test_another_launcher_is_refused(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "1")
    with pytest.raises(BadInput, match=r"run `python -m stages.train` as it is and set `train.launch`"):
        launching.launched()


def test_alone_there_is_one_process_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("RANK", "3")
    monkeypatch.setenv("WORLD_SIZE", "8")
    assert (launching.rank(), launching.ranks()) == (0, 1)
    assert launching.from_first(lambda: "decided here") == "decided here"
    launching.wait()


REPORT = """Failures:
[1]:
  time      : 2026-11-26_05:25:13
  host      : localhost
  rank      : 0 (local_rank: 0)
  exitcode  : 1 (pid: 20894)
  error_file: <N/A>
Root Cause (first observed failure):
[0]:
  rank      : 1 (local_rank: 1)
  exitcode  : {} (pid: 20895)
"""


def test_the_fault_that_the_others_follow_from_is_told(tmp_path):
    told = [launching.cause(SEVERAL, 1, REPORT.format(status), tmp_path) for status in (1, -9)]
    assert told[0] == "process 0 of this machine ended with status 1; nothing was written; run it again"
    killed = "process 1 of this machine was killed by SIGKILL; nothing was written; run it again"
    assert told[1] == killed
    (tmp_path / "fault-0").write_text("training seed 0: failed: Connection closed by peer")
    assert launching.cause(SEVERAL, 1, REPORT.format(-9), tmp_path) == killed
    assert launching.cause(SEVERAL, 1, REPORT.format(1), tmp_path).endswith("closed by peer")
    (tmp_path / "fault-1").write_text("a later one")
    assert launching.cause(SEVERAL, 1, "", tmp_path).endswith("closed by peer")
