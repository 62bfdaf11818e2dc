"""`lineage`: rows of every kind of training set are followed to article or problem, request by request."""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from built_world import STORE, SYNTHESIZE, build, draw, run
from click.testing import CliRunner

from stages import files, lineage, synthesize
from stages.records import Article, Knowledge, PoolQuestion, Response, SeedQuestion, TrainingExample
from stages.teacher.store import ResponseStore
from stages.tracing import reading

PLAIN = "datasets/train/3.5-rejection_sampling-1x4.parquet"
RESPONSES = "datasets/responses/3.5-rejection_sampling.parquet"
QUESTIONS = "datasets/questions/questions.parquet"
KNOWLEDGE = "datasets/knowledge/questions.parquet"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    more = [
        partial(run, synthesize, SYNTHESIZE.format("uniform")),
        partial(draw, "uniform", "rejection_sampling", "1x4"),
        partial(draw, "mathematics", "rejection_sampling", "1x4"),
        partial(draw, "3.5", "critique_revise", "1x4"),
        partial(draw, "3.5", "question_synthesis", "1x4"),
    ]
    return build(tmp_path_factory.mktemp("built"), *more)


@pytest.fixture
def here(built: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(built)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    return built


def say(*options: str) -> str:
    result = CliRunner().invoke(lineage.main, ["--articles", "articles", *options])
    assert result.exit_code == 0, result.output
    return result.output


def trace(*options: str) -> Any:
    return json.loads(say(*options, "--json"))


def requests(part: Any) -> list[dict[str, Any]]:
    """Return every request within a part of a chain."""
    if isinstance(part, list):
        return [one for item in part for one in requests(item)]
    if not isinstance(part, dict):
        return []
    return ([part] if "repaired" in part else []) + [one for item in part.values() for one in requests(item)]


def test_a_row_is_followed_to_its_response_question_points_and_article(here: Path) -> None:
    examples = files.read_parquet(Path(PLAIN), TrainingExample)
    ledger = {(r.question_id, r.rollout): r for r in files.read_parquet(Path(RESPONSES), Response)}
    pool = {q.question_id: q for q in files.read_parquet(Path("datasets/pools/3.5.parquet"), PoolQuestion)}
    seeds = {q.question_id: q for q in files.read_parquet(Path(QUESTIONS), SeedQuestion)}
    known = {k.question_id: k for k in files.read_parquet(Path(KNOWLEDGE), Knowledge)}
    pages = {a.page_id: a for a in files.read_parquet(Path("articles"), Article)}
    index = next(i for i, e in enumerate(examples) if e.question_id in seeds and e.rollout > 0)
    chain, row = trace(PLAIN, str(index)), examples[index]
    response, origin = chain["response"], chain["origin"]
    assert chain["example"] == row.model_dump()
    assert response["row"] == ledger[row.question_id, row.rollout].model_dump()
    assert chain["pool"]["row"] == pool[row.question_id].model_dump()
    assert origin["question_id"] == row.question_id and origin["kind"] == "seed_question"
    assert [point["text"] for point in origin["points"]] == known[row.question_id].points
    assert all(point["group"] is not None for point in origin["points"])
    page = pages[seeds[row.question_id].page_id]
    assert (origin["page"]["title"], origin["page"]["revision_id"]) == (page.title, page.revision_id)
    keys = [response["row"]["request_key"], seeds[row.question_id].request_key]
    assert [r["key"] for r in requests(chain)] == [*keys, known[row.question_id].request_key]
    with ResponseStore(Path(STORE)) as store:
        for sent in requests(chain):
            stored = store.get([sent["key"]])[sent["key"]]
            assert {name: getattr(stored, name) for name in sent["stored"] if name != "store"} == {
                name: value for name, value in sent["stored"].items() if name != "store"
            }
            price = (stored.prompt_tokens * 1.0 + stored.completion_tokens * 2.0) / 1e6
            assert sent["cost_usd"] == pytest.approx(price)
            assert sent["repaired"] is False


def test_an_index_and_a_name_show_the_same_row_and_the_tree_tells_of_it(here: Path) -> None:
    chain = trace(PLAIN, "7")
    name = f"{chain['example']['question_id']}:{chain['example']['rollout']}"
    assert trace(PLAIN, name) == chain
    tree = say(PLAIN, name)
    told = [chain["response"]["row"]["request_key"], chain["origin"]["page"]["title"], "verdict   accepted"]
    assert all(text in tree for text in told)


def test_a_synthesized_question_is_followed_to_the_seed_questions_behind_it(here: Path) -> None:
    pool = files.read_parquet(Path("datasets/pools/uniform.parquet"), PoolQuestion)
    made = {q.question_id for q in pool if q.round > 1}
    path = "datasets/train/uniform-rejection_sampling-1x4.parquet"
    examples = files.read_parquet(Path(path), TrainingExample)
    origin = trace(path, str(next(i for i, e in enumerate(examples) if e.question_id in made)))["origin"]
    assert origin["kind"] == "synthesized_question" and origin["calls"] >= 2
    assert 3 <= len(origin["points"]) <= 5 and origin["page"]["title"]
    while origin["sources"]:
        origin = origin["sources"][0]
    assert origin["kind"] == "seed_question" and origin["annotation"]["stored"]


def test_a_revision_names_the_draw_and_the_critique_that_it_was_made_of(here: Path) -> None:
    path = "datasets/train/3.5-critique_revise-1x4.parquet"
    rows = files.read_parquet(Path(path), TrainingExample)
    response = trace(path, str(next(i for i, row in enumerate(rows) if row.rollout == 2)))["response"]
    assert response["row"]["step"] == "revise"
    draw, critique = response["made_of"]
    assert (draw["row"]["step"], critique["row"]["step"]) == ("answer", "critique")
    assert critique["made_of"] == [draw]
    assert [sent["repaired"] for sent in requests(response)] == [False] * 4, "a key was not made again"


def test_a_proposed_question_is_followed_to_the_one_that_it_was_made_from(here: Path) -> None:
    path = "datasets/train/3.5-question_synthesis-1x4.parquet"
    rows = files.read_parquet(Path(path), TrainingExample)
    chain = trace(path, str(next(i for i, row in enumerate(rows) if row.question_id.endswith("+1"))))
    (proposal,) = chain["response"]["made_of"]
    assert proposal["row"]["rationale"] == chain["example"]["prompt"][0]["content"]
    assert chain["example"]["question_id"] == chain["pool"]["row"]["question_id"] + "+1"
    assert [sent["repaired"] for sent in requests(chain["response"])] == [False, False]


def test_a_problem_is_followed_to_its_place_in_its_file(here: Path) -> None:
    path = "datasets/train/mathematics-rejection_sampling-1x4.parquet"
    origin = trace(path, "0", "--problems", "problems.jsonl")["origin"]
    number = int(origin["place"].removeprefix("line "))
    line = json.loads(Path("problems.jsonl").read_text().split("\n")[number - 1])
    assert line["question"] == origin["question"] and number > 1
    assert (origin["kind"], origin["request"], origin["page"]) == ("problem", None, None)


def test_what_the_store_lacks_is_said_and_no_store_is_made(here: Path, tmp_path: Path) -> None:
    before = trace(PLAIN, "3")["response"]["request"]
    chain = trace(PLAIN, "3", "--store", str(tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    assert all(sent["stored"] is None for sent in requests(chain))
    assert chain["response"]["request"]["cost_usd"] == before["cost_usd"] > 0
    assert say(PLAIN, "3", "--store", str(tmp_path / "none")).count("not in the store") == len(
        requests(chain)
    )


def test_a_studys_files_come_before_the_projects(tmp_path: Path) -> None:
    for folder in (".dvc", "datasets/pools", "datasets/articles", "studies/s/datasets/pools"):
        (tmp_path / folder).mkdir(parents=True)
    start = tmp_path / "studies/s/datasets/train/set.parquet"
    assert reading.nearest(start, "datasets/pools") == tmp_path / "studies/s/datasets/pools"
    assert reading.nearest(start, "datasets/articles") == tmp_path / "datasets/articles"
    assert reading.nearest(start, "datasets/knowledge") is None
