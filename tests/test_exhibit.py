"""The verb `exhibit` on a planted study: one page, every picture, tables for `dvc plots`, and refusals."""

import csv
import io
import re
import shutil
from pathlib import Path

import planted_making
import planted_study as planted
import pytest
import yaml
from click.testing import CliRunner, Result
from test_conclude import FLAGS as CONCLUDE
from test_conclude import STUDENTS, settle
from test_pictures import check, words
from test_report import Tags, check_refusal_without

from stages import conclude, exhibit, files
from stages.grid import Target, cell_name
from stages.records import PoolQuestion, TrainingLog

EXHIBIT = [
    *("--findings", "metrics/findings.json", "--tables", "metrics/tables"),
    *("--pools", "datasets/pools", "--synthesis", "datasets/synthesis"),
    *("--metrics", "metrics", "--models", "models/students", "--cut", "1x4"),
    *(f"--target={target}" for target in planted.TARGETS),
    *("--out", "metrics/report.html", "--pictures", "metrics/pictures", "--plots", "metrics/plots"),
]
LOWEST, HIGHEST = Target("density", min(planted.DEX)), Target("density", max(planted.DEX))
SHARED = ("clouds", "densities", "convergence", "taxonomy", "loss-by-size", "loss-by-benchmark", "heatmap")


def log(student: str, target: Target) -> list[TrainingLog]:
    """Loss halves every 25 steps and differs by 0.1 from seed to seed; accuracy at steps 0 and 50."""
    return [
        TrainingLog(
            student=student,
            **target._asdict(),
            **planted.CUT._asdict(),
            protocol="rejection_sampling",
            tokens_budget=tokens,
            seed=seed,
            step=step,
            tokens=40 * step,
            loss=4.0 * 0.5 ** (step / 25) + 0.1 * seed if step else None,
            learning_rate=0.01 if step else 0.0,
            accuracy=0.2 if step == 50 else 0.0 if step == 0 else None,
        )
        for tokens in planted.TOKENS
        for seed in planted.SEEDS
        for step in (0, 25, 50)
    ]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study")
    settle(root)
    settings = yaml.safe_load((root / "params.yaml").read_text())
    kind = {"make": {"architecture": "qwen3"}}
    settings |= {"budget": 4, "students": {name: kind for name in STUDENTS}}
    settings["train"] |= {"probe": {"benchmark": "simpleqa", "items": 10, "every": 25}}
    for name in ("extract", "densities", "fit"):
        del settings[name]
    files.write_text(root / "params.yaml", yaml.safe_dump(settings))
    estimated = {"levina_bickel": {"value": 3.9, "se": 0.1}, "two_nn": {"value": 4.2, "se": 0.3}}
    annotated = {"distinct": 400, "dimensions": 4, "intrinsic_dimension": estimated, "warning": None}
    files.write_json(root / "metrics" / "annotate.json", annotated)
    for target in planted.TARGETS:
        late = {"stopped": "round_limit", "warning": "stopped late"} if target == HIGHEST else {}
        planted_making.write(root, target, **late)
        pool = planted_making.pool(target)
        files.write_parquet(root / "datasets" / "pools" / f"{target}.parquet", pool, PoolQuestion)
        for student in STUDENTS:
            path = root / "models" / "students" / cell_name(student, target, planted.CUT) / "log.parquet"
            files.write_parquet(path, log(student, target), TrainingLog)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        concluded = CliRunner().invoke(conclude.main, CONCLUDE)
        assert concluded.exit_code == 0, concluded.output
        shown = run()
        assert shown.exit_code == 0, shown.output
    return root


@pytest.fixture
def root(written, tmp_path, monkeypatch) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run() -> Result:
    return CliRunner().invoke(exhibit.main, EXHIBIT)


def page(root: Path) -> str:
    return (root / "metrics" / "report.html").read_text()


def plot(root: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((root / "metrics" / "plots" / f"{name}.csv").read_text())))


def test_the_page_holds_every_picture_and_needs_nothing_beside_itself(written):
    text = page(written)
    tags = Tags(text)
    assert not tags.open and "<link" not in text and "<script" not in text.lower()
    pictures = {path.stem: path.read_text() for path in (written / "metrics" / "pictures").iterdir()}
    assert set(pictures) == {*SHARED, *(f"training-{name}" for name in STUDENTS)}
    assert text.count("<svg ") == len(pictures)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    said = " ".join(tags.words)
    assert said.count("Simulated teacher") == len(pictures)
    assert "These findings are about this system on that world" in said
    assert "Findings" in said and "5.2 dex: stopped late" in said


@pytest.mark.parametrize("name", [*SHARED, *(f"training-{name}" for name in STUDENTS)])
def test_a_picture_names_its_targets_and_is_well_formed(written, name):
    text = (written / "metrics" / "pictures" / f"{name}.svg").read_text()
    if name != "clouds":  # nine rows of points as images
        check(text)
    for label in ("4.4 dex", "5.2 dex", "fixed tokens"):
        assert label in words(text)


def test_samples_at_the_two_ends_are_the_extreme_ones_and_are_escaped(written):
    text = page(written)
    assert text.index("4.4 dex: lowest density") < text.index("5.2 dex: highest density")
    assert "Thing 0 of 4.4 is &lt;b&gt;0&lt;/b&gt;." in text and "is <b>" not in text
    assert "Which &amp; what is thing" in text
    # Rank decides the planted density, and the samples have the first ranks: the densest is the last of them.
    entered = [s for s in planted_making.samples(HIGHEST) if s.in_pool]
    ends = {LOWEST: entered[0].question, HIGHEST: entered[-1].question}
    lowest, highest = text[text.index("lowest density") :].split("highest density")
    assert ends[LOWEST].replace("&", "&amp;") in lowest and ends[HIGHEST].replace("&", "&amp;") in highest


def test_tables_for_plots_have_the_study_and_its_logs_in_them(written):
    by_density = plot(written, "loss_by_density")
    assert [float(row["density"]) for row in by_density] == sorted(planted.DEX)
    losses = [float(row["small"]) for row in by_density]
    assert losses.index(min(losses)) == 2  # the planted optimum, 4.8 dex
    assert [row["round"] for row in plot(written, "convergence-4.4")] == ["0", "1", "2"]
    assert not (written / "metrics" / "plots" / "convergence-random.csv").exists()
    loss = [(int(row["step"]), float(row["loss"])) for row in plot(written, "training-loss-4.8")]
    assert loss == [(25, pytest.approx(2.1, abs=1e-3)), (50, pytest.approx(1.1, abs=1e-3))]
    assert [float(row["accuracy"]) for row in plot(written, "training-accuracy-4.8")] == [0.0, 0.2]


def test_every_plot_that_dvc_yaml_names_is_written():
    graph = yaml.safe_load((Path(__file__).parents[1] / "studies/kdos/dvc.yaml").read_text())
    named = {
        path for plot in graph["plots"] if isinstance(plot, dict) for v in plot.values() for path in v["y"]
    }
    steered = {t for t in map(Target.parse, map(str, graph["vars"][0]["targets"])) if t.density is not None}
    wanted = {f"metrics/plots/convergence-{t}.csv" for t in steered}
    assert wanted == {path for path in named if "convergence" in path}


def test_a_second_run_writes_the_same_bytes(root):
    kept = {path: path.read_bytes() for path in (root / "metrics").rglob("*") if path.is_file()}
    assert run().output == "metrics/report.html: 9 pictures of 9 targets and 2 students\n"
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("metrics/tables/by_target.parquet", "by_target.parquet: missing; run `dvc repro conclude`"),
        ("datasets/synthesis/4.4/rounds.parquet", "datasets/synthesis/4.4/rounds.parquet: not readable"),
        ("models/students/small-4.4-1x4/log.parquet", "small-4.4-1x4/log.parquet: not readable"),
    ],
)
def test_a_missing_input_is_one_line_and_the_old_page_stays(root, gone, said):
    check_refusal_without(root / gone, said, run, lambda: page(root))


def test_an_empty_log_and_too_few_points_are_refused_by_name(root):
    path = root / "models" / "students" / "small-4.4-1x4" / "log.parquet"
    kept = path.read_bytes()
    files.write_parquet(path, [], TrainingLog)
    assert "log.parquet: no TrainingLog in it; run `dvc repro train`" in run().output
    path.write_bytes(kept)
    few = planted_making.points(LOWEST)[:5]
    files.write_parquet(root / "datasets/synthesis/4.4/points.parquet", few, type(few[0]))
    assert "points of target 4.4: 5 distinct knowledge points are too few for 10 neighbours" in run().output
