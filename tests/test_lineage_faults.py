"""`lineage` where something is odd: repaired replies, hostile text, rows and files that are not there."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from built_world import STORE, draw
from click.testing import CliRunner, Result

from stages import files, lineage
from stages.records import Response, TrainingExample
from stages.teacher.store import ResponseStore, Row
from stages.tracing import chain

PLAIN = "datasets/train/3.5-rejection_sampling-1x4.parquet"
RESPONSES = "datasets/responses/3.5-rejection_sampling.parquet"
POOL = "datasets/pools/3.5.parquet"


def call(*options: str) -> Result:
    return CliRunner().invoke(lineage.main, ["--articles", "articles", *options])


def request(row: TrainingExample) -> Any:
    """Return what is said of the request behind a row."""
    result = call(PLAIN, f"{row.question_id}:{row.rollout}", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.output)["response"]["request"]


def test_a_repaired_reply_is_told_by_its_first_and_by_its_tokens(here: Path) -> None:
    keys = [row.request_key for row in files.read_parquet(Path(RESPONSES), Response)[:20]]
    with ResponseStore(Path(STORE)) as old:
        bad = [row._replace(body=row.body.replace("rationale", "reason")) for row in old.get(keys).values()]
    Path(STORE).rename("old.sqlite")
    with ResponseStore(Path(STORE)) as new:
        for row in bad:
            new.put(row).result()
    draw("3.5", "rejection_sampling", "1x4")
    ledger = files.read_parquet(Path(RESPONSES), Response)
    changed = {(r.question_id, r.rollout) for r in ledger[:20]}
    assert not {r.request_key for r in ledger[:20]} & set(keys)
    rows = files.read_parquet(Path(PLAIN), TrainingExample)
    repaired = [row for row in rows if (row.question_id, row.rollout) in changed]
    others = [row for row in rows if (row.question_id, row.rollout) not in changed]
    assert repaired and others
    for _ in range(2):
        assert all(request(row)["repaired"] is True for row in repaired[:2])
        assert request(others[0])["repaired"] is False
        Path("params.yaml").unlink(missing_ok=True)  # no key can be made again: told by the tokens
    shutil.rmtree(".seedbed")
    assert request(repaired[0])["repaired"] is None


KEPT = {
    "key": "key",
    "model": "model",
    "body": "",
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "latency_s": 0.1,
}
ROW = Row(**dict.fromkeys(Row._fields) | KEPT)


@pytest.mark.parametrize(
    ("expected", "tokens", "row", "first_stored", "repaired"),
    [
        ("key", None, None, False, False),
        ("first", 15, ROW, True, True),
        ("first", None, None, True, True),
        ("first", 15, ROW, False, False),  # the settings changed since
        ("first", None, ROW, False, None),
        (None, 40, ROW, False, True),
        (None, 15, ROW, False, False),
        (None, 15, None, False, None),
    ],
)
def test_what_tells_a_repair(
    expected: str | None, tokens: int | None, row: Row | None, first_stored: bool, repaired: bool | None
) -> None:
    drawn = chain.Draw("key", expected, tokens, 0.5)
    sent = chain.sent(drawn, row, "store", expected_stored=first_stored, price=0.25)
    assert sent.repaired is repaired
    assert sent.cost_usd == (0.25 if tokens is None else 0.5)
    assert (sent.stored is None) == (row is None)


def test_a_changed_setting_makes_no_repair(here: Path) -> None:
    rows = files.read_parquet(Path(PLAIN), TrainingExample)
    settings = Path("params.yaml")
    settings.write_text(settings.read_text().replace("temperature: 1.0", "temperature: 0.5"))
    assert request(rows[0])["repaired"] is False


def test_what_a_teacher_wrote_cannot_draw_on_the_terminal(here: Path) -> None:
    hostile = "\x1b[2J\x9b31m\rresponse 0 of\nthe ledger\u202e"
    rows = files.read_parquet(Path(PLAIN), TrainingExample)
    said = [message.model_copy(update={"content": hostile}) for message in rows[0].completion]
    files.write_parquet(Path(PLAIN), [rows[0].model_copy(update={"completion": said})], TrainingExample)
    tree = call(PLAIN, "0").output
    assert all(c.isprintable() for line in tree.split("\n") for c in line)
    assert sum("response 0 of" in line for line in tree.split("\n")) == 2
    as_json = call(PLAIN, "0", "--json").output
    assert as_json.isascii() and "\x1b" not in as_json
    assert json.loads(as_json)["example"]["completion"][0]["content"] == hostile


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((PLAIN, "9999"), "no row 9999: it has "),
        ((PLAIN, "last"), "row 'last': neither an index from 0 nor QUESTION_ID:ROLLOUT"),
        ((PLAIN, "nobody:0"), "no row of question nobody, rollout 0"),
        ((PLAIN, "9" * 5000), "neither an index from 0 nor"),
        ((POOL, "0"), "a row is no TrainingExample"),
        (("params.yaml", "0"), "params.yaml: not readable as a training set"),
        ((PLAIN, "0", "--pool", "datasets/pools/mathematics.parquet"), "of 3.5 dex in the files of --pool"),
        ((PLAIN, "0", "--responses", POOL), "run `dvc repro respond`"),
        ((PLAIN, "0", "--questions", "datasets/knowledge/questions.parquet"), "run `dvc repro ask`"),
        ((PLAIN, "0", "--store", "params.yaml"), "not a sound SQLite file"),
    ],
)
def test_bad_input_gets_one_line(here: Path, options: tuple[str, ...], said: str) -> None:
    result = call(*options)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1


def test_ledgers_that_differ_are_not_chosen_from(here: Path) -> None:
    rows = files.read_parquet(Path(RESPONSES), Response)
    copy = Path("datasets/responses/stale.parquet")
    files.write_parquet(copy, rows, Response)
    assert call(PLAIN, "0").exit_code == 0
    files.write_parquet(copy, [row.model_copy(update={"rationale": "older"}) for row in rows], Response)
    result = call(PLAIN, "0")
    assert result.exit_code == 1
    assert f"{RESPONSES} and {copy} both have call" in result.output


def test_files_of_another_run_are_refused(here: Path) -> None:
    shutil.rmtree("datasets/synthesis")
    shutil.rmtree("datasets/questions")
    assert "no datasets/questions in a folder above the set; pass --questions" in call(PLAIN, "0").output
    shutil.rmtree("datasets/pools")
    assert "no datasets/pools in a folder above the set; pass --pool" in call(PLAIN, "0").output
