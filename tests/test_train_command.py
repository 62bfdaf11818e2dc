"""`python -m stages.train` and its `plan` side by side, and what the verb refuses before any work."""

import pytest
import student_samples
import yaml
from click.testing import CliRunner

from stages import files, train
from stages.records import TrainingExample


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder of DVC's with an empty graph, settings and a training set; the current one."""
    student = {"learning_rate": 3e-3, "make": student_samples.SIZES.model_dump()}
    settings = {"train": student_samples.TRAIN.model_dump(mode="json"), "benchmarks": {"folder": "none"}}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump({"students": {"tiny": student}, **settings}))
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    files.write_parquet(tmp_path / "rows.parquet", student_samples.rows(), TrainingExample)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _refused(*flags):
    result = CliRunner().invoke(train.main, flags)
    assert result.exit_code == 1, result.output
    line = result.output.strip()
    assert line.startswith("Error: ") and "\n" not in line
    return line


def test_the_plan_takes_none_of_the_verbs_options(project):
    told = CliRunner().invoke(train.main, ["plan", "--help"])
    assert told.exit_code == 0 and "--utilisation" in told.output and "--student" not in told.output
    assert "no such stage trains" in _refused("plan", "--stage", "x")
    verb = CliRunner().invoke(train.main, ["--help"])
    assert "--student" in verb.output and "plan" in verb.output


def test_an_output_that_another_process_writes_is_refused_before_any_work(project):
    with files.exclusive(project / "cell"):
        flags = ["--student", "tiny", "--base", "absent", "--data", "rows.parquet", "--out", "cell"]
        assert "cell: another process is writing it" in _refused(*flags)


def test_what_a_killed_process_left_beside_its_output_goes_and_nothing_else(project):
    begun, others = project / ".cell.a1_b2c3d", [".cell", ".cell.a1", ".cells.a1_b2c3d", "cell"]
    for name in (begun.name, *others):
        (project / name / "seed-0").mkdir(parents=True)
    with files.exclusive(project / "cell"):
        assert not begun.exists()
        assert all((project / name / "seed-0").is_dir() for name in others)


def test_a_launch_configuration_that_is_not_there_is_refused(project):
    settings = yaml.safe_load((project / "params.yaml").read_text())
    settings["train"]["launch"] = "accelerate/absent.yaml"
    (project / "params.yaml").write_text(yaml.safe_dump(settings))
    student_samples.save_base(project / "base")
    flags = ["--student", "tiny", "--base", "base", "--data", "rows.parquet", "--out", "cell"]
    assert "train.launch accelerate/absent.yaml: No such file" in _refused(*flags)
