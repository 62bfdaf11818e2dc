"""What `publish` refuses: it then leaves everything as it was."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stages import files, publish
from stages.records import TrainingExample

WHOLE = "datasets/train/3.5-rejection_sampling-1x4.parquet"
HALF = "datasets/train/3.5-rejection_sampling-0.5x2.parquet"
CARD = "datasets/train/3.5-rejection_sampling-0.5x2.md"


def call(*options: str) -> Result:
    return CliRunner().invoke(publish.main, ["--out", "out", *options])


def contents() -> dict[Path, bytes | None]:
    return {p: p.read_bytes() if p.is_file() else None for p in Path().rglob("*")}


def refused(said: str, *options: str) -> None:
    before = contents()
    result = call(*options)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert contents() == before


def test_an_output_is_replaced_only_on_demand(here: Path) -> None:
    assert call("--data", WHOLE).exit_code == 0
    refused("out: exists; pass --force to replace it", "--data", HALF)
    assert call("--data", HALF, "--force").exit_code == 0
    assert [p.name for p in Path("out/data").iterdir()] == ["3.5-0.5x2"]


@pytest.mark.parametrize("strange", ["notes.txt", ".git/config", "data/3.5-1x4/more.parquet"])
def test_a_folder_with_anything_else_in_it_is_never_replaced(here: Path, strange: str) -> None:
    assert call("--data", WHOLE).exit_code == 0
    Path("out", strange).parent.mkdir(exist_ok=True)
    Path("out", strange).write_text("mine")
    refused("exists and is no output of `publish`", "--data", WHOLE, "--force")


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("datasets")])
def test_another_folder_file_or_link_is_never_replaced(here: Path, make: object) -> None:
    make(Path("out"))  # type: ignore[operator]
    refused("exists and is no output of `publish`", "--data", WHOLE, "--force")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--data", WHOLE, "--data", WHOLE), "two sets are both 3.5-1x4; publish each once"),
        (("--data", WHOLE, "--data", HALF, "--card", CARD), "--card is given 1 times, --data 2"),
        (("--data", WHOLE, "--license", "my licence\n---"), "no identifier of the hub"),
        (("--data", "datasets/pools/3.5.parquet"), "columns are not those of a training set"),
        (("--data", "params.yaml"), "params.yaml: not readable as Parquet"),
        (("--data", WHOLE, "--card", "params.yaml"), "params.yaml: no dataset card of a training set"),
        (
            ("--data", WHOLE, "--card", CARD),
            "not the set that its dataset card tells",
        ),
        (("--data", WHOLE, "--pool", "datasets/pools/mathematics.parquet"), "; pass --pool with the pool"),
        (("--data", WHOLE, "--pool", "datasets/train"), "datasets/train: not readable as pools"),
    ],
)
def test_bad_input_gets_one_line_and_writes_nothing(here: Path, options: tuple[str, ...], said: str) -> None:
    refused(said, *options)


def test_a_fault_found_on_the_way_leaves_an_earlier_output(here: Path) -> None:
    assert call("--data", WHOLE).exit_code == 0
    rows = files.read_parquet(Path(HALF), TrainingExample)
    files.write_parquet(Path(HALF), rows[:-1], TrainingExample)
    refused("not the set that its dataset card tells of", "--data", WHOLE, "--data", HALF, "--force")


def test_rows_of_two_sets_in_one_file_are_refused(here: Path) -> None:
    rows = [row for path in (WHOLE, HALF) for row in files.read_parquet(Path(path), TrainingExample)]
    files.write_parquet(Path(WHOLE), rows, TrainingExample)
    refused("rows of several sets, which differ in 'share'", "--data", WHOLE)


@pytest.mark.parametrize("name", ["../../up", "a\nb: c", ".hidden", "*", "a b"])
def test_a_coordinate_that_would_leave_its_place_is_refused(here: Path, name: str) -> None:
    rows = files.read_parquet(Path(WHOLE), TrainingExample)
    changed = [row.model_copy(update={"teacher": name}) for row in rows]
    files.write_parquet(Path(WHOLE), changed, TrainingExample)
    refused("a coordinate of the set has characters other than", "--data", WHOLE)


def test_an_empty_set_is_refused(here: Path) -> None:
    files.write_parquet(Path(WHOLE), [], TrainingExample)
    refused("holds no example", "--data", WHOLE)


def test_a_set_without_its_pool_says_that_its_articles_are_unknown(here: Path) -> None:
    shutil.rmtree("datasets/pools")
    assert call("--data", WHOLE).exit_code == 0
    text = Path("out/README.md").read_text()
    assert "| unknown |" in text and "made of is not told here" in text
