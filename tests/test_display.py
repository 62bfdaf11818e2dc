"""The verb `display` on a planted study of budgets: one page, every picture, tables for plots, refusals."""

import csv
import io
import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner
from planted_display import build, run
from test_report import Tags, check_refusal_without

from stages import display, files

PICTURES = (
    *("laws", "law-errors", "matched", "mixed", "protocols", "variants"),
    *("coverage", "shifts", "advice-backtest"),
)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("budgets")
    build(root)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def page(root: Path) -> str:
    return (root / "metrics" / "report.html").read_text()


def plot(root: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((root / "metrics" / "plots" / f"{name}.csv").read_text())))


def test_help_answers() -> None:
    assert "Put a study of budgets on one HTML page" in CliRunner().invoke(display.main, ["--help"]).output


def test_the_page_holds_every_picture_and_needs_nothing_beside_itself(written: Path) -> None:
    markup = page(written)
    tags = Tags(markup)
    assert not tags.open and "<link" not in markup and "<script" not in markup.lower()
    for tag, name, value in tags.attributes:
        assert name not in ("src", "href", "xlink:href") or (value or "").startswith("#"), (tag, name, value)
    assert {path.stem for path in (written / "metrics" / "pictures").iterdir()} == set(PICTURES)
    assert markup.count("<svg ") == len(PICTURES)
    ids = re.findall(r'\bid="([^"]+)"', markup)
    assert len(ids) == len(set(ids))
    assert {value[1:] for tag, name, value in tags.attributes if (tag, name) == ("a", "href")} <= set(ids)
    said = " ".join(tags.words)
    for told in (
        "Findings",
        "Next purchases",
        "The coverage law of each ledger",
        "Costs",
        "audit.permutations",
    ):
        assert told in said
    assert "FSS and SE are alike at small N, and SE is better at large N" in said


def test_a_simulated_teacher_is_called_so_and_prices_examples_and_no_other_is(root: Path) -> None:
    assert "Simulator." in page(root) and "which are examples" in page(root)
    assert page(root).count("Simulated teacher.") == len(PICTURES)
    for name in ("findings", "advice"):
        path = root / "metrics" / f"{name}.json"
        files.write_json(path, files.read_json(path) | {"simulator": False})
    assert run().exit_code == 0
    assert "Simulator." not in page(root) and "which are examples" not in page(root)
    assert "Simulated teacher" not in page(root)


def test_a_script_in_the_data_is_shown_as_text(root: Path) -> None:
    script = "<script>alert(1)</script>"
    findings = files.read_json(root / "metrics" / "findings.json")
    findings["law"]["reason"] = script
    files.write_json(root / "metrics" / "findings.json", findings)
    settings = yaml.safe_load((root / "params.yaml").read_text())
    settings["teacher"]["model"] = script
    files.write_text(root / "params.yaml", yaml.safe_dump(settings))
    path = root / "metrics" / "tables" / "protocols.parquet"
    table = pq.read_table(path)
    named = [script if name == "self_refine" else name for name in table["protocol"].to_pylist()]
    place = table.column_names.index("protocol")
    pq.write_table(table.set_column(place, "protocol", [named]), path)
    assert run().exit_code == 0
    assert "<script" not in page(root).lower() and page(root).count("&lt;script&gt;alert(1)") > 4


def test_tables_for_plots_have_a_column_for_each_line(written: Path) -> None:
    names = {path.stem for path in (written / "metrics" / "plots").iterdir()}
    assert names == {"loss_by_budget-mathematics", "loss_by_budget-physics", "matched", "coverage"}
    losses = plot(written, "loss_by_budget-physics")
    assert list(losses[0]) == ["budget", "strong-qwen", "strong-llama", "weak-qwen", "weak-llama"]
    assert [row["budget"] for row in losses] == ["1", "2", "4", "8", "16"]
    means = [float(row["strong-qwen"]) for row in losses]
    assert means == sorted(means, reverse=True)
    differences = plot(written, "matched")
    assert float(differences[0]["physics"]) < float(differences[-1]["physics"])
    covered = [float(row["weak-physics"]) for row in plot(written, "coverage")]
    assert covered == sorted(covered) and 0 < covered[0] < covered[-1] <= 1


def test_a_second_run_writes_the_same_bytes(root: Path) -> None:
    kept = {path: path.read_bytes() for path in (root / "metrics").rglob("*") if path.is_file()}
    assert run().output.startswith("metrics/report.html: 9 pictures of ")
    assert {path: path.read_bytes() for path in kept} == kept


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("metrics/tables/matched.parquet", "matched.parquet: missing; run `dvc repro weigh`"),
        ("metrics/audit/shift.parquet", "shift.parquet: missing; run `dvc repro audit`"),
    ],
)
def test_a_missing_table_is_one_line_and_the_old_page_stays(root: Path, gone: str, said: str) -> None:
    check_refusal_without(root / gone, said, run, lambda: page(root))


def test_laws_of_another_budget_are_refused_by_name(root: Path) -> None:
    path = root / "metrics" / "laws.json"
    files.write_json(path, files.read_json(path) | {"budget": 32})
    result = run()
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "laws: of budget 32, the findings are of 16; run `dvc repro weigh`" in result.output
