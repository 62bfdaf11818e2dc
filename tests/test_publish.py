"""`publish`: `datasets` reads what it writes offline, machines know what it is, no text breaks out of it."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from built_world import build, draw
from click.testing import CliRunner, Result

from stages import files, publish
from stages.protocols.card import digest
from stages.publication import layout, text, writing
from stages.records import PoolQuestion, Response, TrainingExample

WHOLE, HALF, PROBLEMS = (
    f"datasets/train/{name}.parquet"
    for name in (
        "3.5-rejection_sampling-1x4",
        "3.5-rejection_sampling-0.5x2",
        "mathematics-rejection_sampling-1x4",
    )
)
LOAD = """
import json, sys
import datasets
folder = sys.argv[1]
names = [None, *datasets.get_dataset_config_names(folder)]
loaded = {name or "default": datasets.load_dataset(folder, name, cache_dir=sys.argv[2]) for name in names}
print(json.dumps({
    name: {"splits": list(d), "rows": d["train"].to_list(), "told": repr(d["train"].features),
           "true": repr(datasets.Features.from_arrow_schema(d["train"].data.schema))}
    for name, d in loaded.items()
}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    more = partial(draw, "mathematics", "rejection_sampling", "1x4")
    return build(tmp_path_factory.mktemp("built"), more)


@pytest.fixture
def here(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "copy"
    shutil.copytree(built, folder)
    monkeypatch.chdir(folder)
    return folder


def call(*options: str, out: str = "out") -> Result:
    return CliRunner().invoke(publish.main, ["--out", out, *options])


def published(*sets: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
    """Publish sets and return the head of the card."""
    result = call(*[part for one in sets for part in ("--data", one)], *options)
    assert result.exit_code == 0, result.output
    return layout.head_of(Path("out/README.md").read_text())


def rows(path: str) -> list[dict[str, Any]]:
    return [row.model_dump() for row in files.read_parquet(Path(path), TrainingExample)]


def test_datasets_loads_every_configuration_offline_as_it_was_built(here: Path, tmp_path: Path) -> None:
    published(WHOLE, HALF, PROBLEMS)
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-c", LOAD, str(Path("out").resolve()), str(tmp_path / "cache")]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ | offline, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    loaded = json.loads(ran.stdout)
    assert list(loaded) == ["default", "3.5-1x4", "3.5-0.5x2", "mathematics-1x4"]
    for one, path in zip(loaded.values(), (WHOLE, WHOLE, HALF, PROBLEMS), strict=True):
        assert one["splits"] == ["train"]
        assert one["rows"] == rows(path)
        assert one["told"] == one["true"]


def test_the_card_carries_the_totals_of_the_ledger(here: Path) -> None:
    head = published(WHOLE)
    ledger = files.read_parquet(Path("datasets/responses/3.5-rejection_sampling.parquet"), Response)
    pool = files.read_parquet(Path("datasets/pools/3.5.parquet"), PoolQuestion)
    used = {row["question_id"] for row in rows(WHOLE)}
    told = head["seedbed"]["sets"]["3.5-1x4"]
    assert told["teacher_prompt_tokens"] == sum(row.prompt_tokens for row in ledger)
    assert told["cost_usd"] == pytest.approx(sum(row.cost_usd or 0.0 for row in ledger))
    assert told["acceptance"] == pytest.approx(sum(row.accepted for row in ledger) / len(ledger), abs=1e-6)
    assert told["teacher_model"] == "seedbed-simulator" and told["simulated"] is True
    cells = next(line for line in card().splitlines() if line.startswith("| 3.5")).strip("| ").split(" | ")
    articles = len({q.page_id for q in pool if q.question_id in used})
    assert cells[1:4] == [str(len(rows(WHOLE))), str(len(pool)), str(articles)]
    assert cells[5] == "seedbed-simulator (simulator)" and cells[7] == str(len(ledger))
    assert (head["license"], head["size_categories"]) == ("cc-by-sa-4.0", ["n<1K"])


def card() -> str:
    return Path("out/README.md").read_text()


def test_croissant_names_every_file_with_its_hash_and_every_column(here: Path) -> None:
    published(WHOLE, PROBLEMS)
    told = json.loads(Path("out/croissant.json").read_text())
    assert told["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    for file in told["distribution"]:
        content = Path("out", file["contentUrl"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["contentSize"] == f"{len(content)} B"
    known = {file["@id"] for file in told["distribution"]}
    for records in told["recordSet"]:
        fields = records["field"]
        assert [f["source"]["extract"]["column"] for f in fields] == list(TrainingExample.model_fields)
        parts = [part for field in fields for part in field.get("subField", [])]
        assert [part["source"]["transform"]["jsonPath"] for part in parts] == ["role", "content"] * 2
        assert all(f["source"]["fileObject"]["@id"] in known for f in [*fields, *parts])
        assert len({f["@id"] for f in [*fields, *parts]}) == len(fields) + len(parts)


def test_text_of_others_cannot_break_out_of_the_card(here: Path) -> None:
    hostile = "x\n---\nlicense: mit\n| <script>[a](b) `c` \x1b[2J"
    beside = Path(WHOLE).with_suffix(".md")
    figures = yaml.safe_load(beside.read_text().split("---")[1])["seedbed"]
    head = yaml.safe_dump({"seedbed": figures | {"teacher_model": hostile, "protocol": hostile}})
    beside.write_text(f"---\n{head}---\n")
    head = published(WHOLE, options=("--title", hostile))
    assert (head["license"], len(head["configs"])) == ("cc-by-sa-4.0", 1)
    assert head["seedbed"]["sets"]["3.5-1x4"]["teacher_model"] == hostile
    shown = card().split("\n---\n", 1)[1]
    assert "<script>" not in shown and "\x1b" not in shown and "\n---\n" not in shown
    (row,) = [line for line in shown.splitlines() if line.startswith("| 3.5")]
    assert row.replace(r"\|", "").count("|") == 13
    assert text.escaped("a|b*c\n<i>") == r"a\|b\*c &lt;i&gt;"


def test_a_large_set_is_written_in_small_row_groups_and_the_same_each_time(here: Path) -> None:
    count = 2 * writing.ROWS + 5
    one = files.read_parquet(Path(WHOLE), TrainingExample)[0]
    many = [one.model_copy(update={"rollout": i}) for i in range(count)]
    files.write_parquet(Path("many.parquet"), many, TrainingExample)
    assert pq.ParquetFile("many.parquet").num_row_groups == 1
    messages = [
        (m["role"], m["content"]) for row in rows("many.parquet") for m in row["prompt"] + row["completion"]
    ]
    told = {"seedbed": {"content_sha256": digest(messages), "examples": count}}
    Path("many.md").write_text(f"---\n{yaml.safe_dump(told)}---\n")
    published("many.parquet")
    (path,) = Path("out/data").rglob("*.parquet")
    sizes = [pq.ParquetFile(path).metadata.row_group(i).num_rows for i in range(3)]
    assert sizes == [writing.ROWS, writing.ROWS, 5]
    first = {p: p.read_bytes() for p in Path("out").rglob("*") if p.is_file()}
    published("many.parquet", options=("--force",))
    assert {p: p.read_bytes() for p in Path("out").rglob("*") if p.is_file()} == first
