"""The verb `report`: one page that needs nothing beside itself and takes a teacher's text for text."""

import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import planted_files
import planted_grid as planted
import pytest
import yaml
from click.testing import CliRunner, Result

from stages import compare, files, report
from stages.records import TrainingExample


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("grid")
    planted_files.write(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert CliRunner().invoke(compare.main, planted_files.COMPARE).exit_code == 0
        assert run().exit_code == 0
    return root


@pytest.fixture
def root(written, tmp_path, monkeypatch) -> Path:
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run() -> Result:
    return CliRunner().invoke(report.main, planted_files.REPORT)


def page(root: Path) -> str:
    return (root / "metrics" / "report.html").read_text()


def check_refusal_without(gone: Path, said: str, run: Callable[[], Result], page: Callable[[], str]) -> None:
    """Without one of its inputs a verb says one line, and its page stays as it was."""
    before = page()
    gone.unlink()
    result = run()
    assert result.exit_code == 1 and said in result.output and result.output.count("\n") == 1
    assert page() == before


class Tags(HTMLParser):
    """Collects tags, attributes and text; keeps count of what is open."""

    VOID = ("meta", "br", "use", "image", "path", "link", "img", "input", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_whole_and_needs_nothing_beside_itself(written):
    text = page(written)
    tags = Tags(text)
    assert not tags.open
    for tag, name, value in tags.attributes:
        if name in ("src", "href", "xlink:href", "data", "action"):
            assert value is not None and value.startswith(("#", "data:image/png;base64,")), (tag, name, value)
    assert "@import" not in text and "<link" not in text and not re.search(r"url\((?!#)", text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert {value[1:] for tag, name, value in tags.attributes if (tag, name) == ("a", "href")} <= set(ids)


def test_a_teachers_script_is_shown_as_text(root):
    for density in planted.DENSITIES:  # leave only the rows of the question whose answer is a script
        path = root / "datasets" / "train" / f"{density}-1x16.parquet"
        rows = [e for e in files.read_parquet(path, TrainingExample) if e.question_id == "q000"]
        files.write_parquet(path, rows, TrainingExample)
    assert run().exit_code == 0
    text = page(root)
    assert (
        text.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 9
    )  # completion, answer and evidence, three times
    assert "<script" not in text.lower()


def test_every_section_and_picture_is_there(written):
    words = " ".join(Tags(page(written)).words)
    titles = (
        "Held-out budget 16",
        "Scaling laws",
        "Matched budgets",
        "Benchmarks at budget 16",
        "Knowledge density",
        "How the pools were made",
    )
    for title in (*titles, "Kept and rejected", "Coverage", "Lineage of sample training rows", "Parameters"):
        assert title in words
    assert "What these numbers do not support" in words and "Each cell has one training set." in words
    pictures = {path.name for path in (written / "metrics" / "pictures").iterdir()}
    by_density = {f"{kind}-{d}.svg" for kind in ("law", "density") for d in planted.DENSITIES}
    assert pictures == by_density | {
        f"{name}.svg" for name in ("densities", "convergence", "taxonomy", "verdicts", "coverage")
    }
    assert page(written).count("<svg ") == len(pictures)
    assert all(p.stat().st_size < 300_000 for p in (written / "metrics" / "pictures").iterdir())


def test_three_rows_are_followed_to_their_articles(written):
    text = page(written)
    assert text.count('class="lineage"') == 3
    assert len(re.findall(r"respond\d+", text)) == len(re.findall(r"ask\d+", text)) == 3
    assert len(re.findall(r"page 1\d\d\d, revision 5\d\d\d", text)) == 3


def test_a_second_run_writes_the_same_bytes(root):
    kept = {path: path.read_bytes() for path in (root / "metrics").rglob("*") if path.is_file()}
    result = run()
    assert result.output == "metrics/report.html: 9 pictures, 3 training rows traced to their articles\n"
    assert {path: path.read_bytes() for path in kept} == kept


def rerun_with(root: Path, change) -> str:
    settings = yaml.safe_load((root / "params.yaml").read_text())
    change(settings)
    (root / "params.yaml").write_text(yaml.safe_dump(settings))
    result = run()
    assert result.exit_code == 0, result.output
    return page(root)


def test_a_real_teacher_is_no_simulator_and_its_url_loses_its_credentials(root):
    assert "Simulator." in page(root) and "simulator's truth" in page(root)

    def change(settings):
        url = "https://ann:hunter2@llm.example.org/v1?key=sk-secret"
        settings["teacher"] |= {"backend": "openai", "base_url": url, "model": planted.SCRIPT}

    text = rerun_with(root, change)
    assert "Simulator." not in text and "simulator's truth" not in text
    assert "https://llm.example.org/v1" in text and "hunter2" not in text and "sk-secret" not in text
    assert "<script" not in text and "&lt;script&gt;alert(1)" in text


def test_at_another_temperature_no_true_coverage_is_claimed(root):
    text = rerun_with(root, lambda settings: settings["teacher"].update(temperature=0.7))
    assert "Simulator." in text and "simulator's truth" not in text


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("metrics/tables/seeds.parquet", "metrics/tables/seeds.parquet: missing; run `dvc repro compare`"),
        ("datasets/train/2.0-1x16.parquet", "datasets/train/2.0-1x16.parquet: not readable as Parquet"),
        ("metrics/pools/3.0.json", "metrics/pools/3.0.json: not readable as JSON"),
    ],
)
def test_a_missing_input_is_one_line_and_the_old_page_stays(root, gone, said):
    check_refusal_without(root / gone, said, run, lambda: page(root))
