"""`judge` on a cell's scores: the simulator's grades, another judge and prompt, its plan, refusals."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from scripted_teacher import completion, teacher
from small_world import SETTINGS, lands, settle

from stages import files, judge
from stages.records import ItemScore, Judged
from stages.teacher.__main__ import main as teacher_main

JUDGE = "--scores scores.parquet --articles articles --out judged.parquet --metrics judged.json"
LANDS = lands()[:6]
TEMPLATE = "Grade this.\nQ: {question}\nGold: {target}\nSaid: {predicted_answer}\nA, B or C?"


def scores() -> list[ItemScore]:
    """Return the scores of two seeds: one is right, one says an alias, what is wrong, and nothing."""
    right = [land.title for land in LANDS]
    said = [right, [f"Republic of {right[0]}", *(["somewhere"] * 3), "", "unknown"]]
    place = {"student": "tiny", "strategy": "density", "density": 3.5, "share": 1.0, "budget": 4}
    rows = [
        ItemScore(
            **place,
            protocol="rejection_sampling",
            tokens=None,
            seed=seed,
            benchmark=name,
            item_id=f"{i:05d}" if name == "simpleqa" else str(i),
            prediction=said[seed][i],
            correct=seed == 0,
            answer_loss=1.0,
            answer_tokens=1,
        )
        for seed in (0, 1)
        for name in ("simpleqa", "simpleqa_verified")
        for i in range(len(LANDS))
    ]
    other = rows[0].model_copy(update={"benchmark": "webquestions", "item_id": "1"})
    return [other, *rows]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    monkeypatch.setenv("SEEDBED_TEST_KEY", "sk-secret")
    settle(tmp_path, judge={"teacher": None, "template": None})
    lines = [f"Which land has the capital {land.facts[0].value}?,{land.title}" for land in LANDS]
    heads = {"simpleqa": "problem,answer", "simpleqa_verified": "original_index,problem,answer"}
    for name, head in heads.items():
        rows = lines if name == "simpleqa" else [f"{i},{line}" for i, line in enumerate(lines)]
        folder = tmp_path / "benchmarks" / name
        folder.mkdir()
        (folder / "test.csv").write_text("\n".join([head, *rows]) + "\n")
    files.write_parquet(Path("scores.parquet"), scores(), ItemScore)
    return tmp_path


def change(**sections: object) -> None:
    settings = yaml.safe_load(Path("params.yaml").read_text()) | sections
    Path("params.yaml").write_text(yaml.safe_dump(settings))


def run(options: str = JUDGE) -> Result:
    return CliRunner().invoke(judge.main, options.split())


def test_answers_are_graded_row_by_row_and_the_figures_are_published(here: Path) -> None:
    result = run()
    assert result.exit_code == 0, result.output
    rows = files.read_parquet(here / "judged.parquet", Judged)
    assert [(r.seed, r.benchmark, r.item_id) for r in rows] == [
        (r.seed, r.benchmark, r.item_id) for r in scores()[1:]
    ]
    of_second = [r.grade for r in rows if r.seed == 1 and r.benchmark == "simpleqa"]
    assert of_second == ["CORRECT", *["INCORRECT"] * 3, *["NOT_ATTEMPTED"] * 2]
    assert [r.reason for r in rows if not r.prediction] == ["empty"] * 2
    told = json.loads((here / "judged.json").read_text())
    assert told["judge"] == {
        "teacher": "teacher",
        "model": "seedbed-simulator",
        "simulator": True,
        "level": 0.95,
    }
    assert set(told) == {"judge", "simpleqa", "simpleqa_verified"}
    for name in ("simpleqa", "simpleqa_verified"):
        # 7 of 12 correct, 10 attempted: F1 = 2·7 / (10 + 12)
        assert told[name]["f1"]["value"] == pytest.approx(14 / 22, abs=1e-5)
        assert told[name]["correct_and_exact_match"] == {
            "both": 6,
            "judge_alone": 1,
            "exact_match_alone": 0,
            "neither": 5,
        }
    assert "F1 0.636" in result.output


def test_a_second_run_pays_nothing_and_writes_the_same_bytes(here: Path) -> None:
    run()
    before = [(here / name).read_bytes() for name in ("judged.parquet", "judged.json")]
    assert ", 0 calls" in run().output
    assert [(here / name).read_bytes() for name in ("judged.parquet", "judged.json")] == before


def test_another_judge_gets_the_prompt_that_is_given_greedily_and_each_answer_once(here: Path) -> None:
    Path("grader.txt").write_text(TEMPLATE)
    with teacher(completion("B"), then=completion("A")) as (url, served):
        strong = {"backend": "openai", "base_url": url, "model": "m", "concurrency": 1}
        change(judge={"teacher": "strong", "template": "grader.txt"}, teachers={"strong": strong})
        result = run(JUDGE.replace("--articles articles ", ""))
    assert result.exit_code == 0, result.output
    first = served[0].body
    capital = LANDS[0].facts[0].value
    filled = f"Grade this.\nQ: Which land has the capital {capital}?\nGold: {LANDS[0].title}\n"
    assert first["messages"] == [{"role": "user", "content": filled + f"Said: {LANDS[0].title}\nA, B or C?"}]
    assert first["temperature"] == 0 and "response_format" not in first
    assert len(served) == 11, "two benchmarks and their seeds ask about the same answers"
    rows = files.read_parquet(here / "judged.parquet", Judged)
    assert [r.grade for r in rows].count("INCORRECT") == 2  # of both benchmarks
    assert json.loads((here / "judged.json").read_text())["judge"]["simulator"] is False


def test_a_plan_foretells_what_the_judge_will_be_asked(here: Path) -> None:
    from dvc.repo import Repo

    Repo.init(no_scm=True).close()
    stage = {"cmd": f"python -m stages.judge {JUDGE}", "deps": ["scores.parquet"], "outs": ["judged.parquet"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"judge": stage}}))

    def planned() -> dict[str, object]:
        result = CliRunner().invoke(teacher_main, ["plan", "--json"])
        assert result.exit_code == 0, result.output
        (found,) = json.loads(result.stdout)["stages"]
        return dict(found)

    first = planned()
    assert (first["stage"], first["calls"], first["note"]) == ("judge", 11, "")
    assert not (here / "judged.parquet").exists()
    assert ", 11 calls" in run().output
    assert planned()["calls"] == 0


@pytest.mark.parametrize(
    ("options", "section", "said"),
    [
        (JUDGE.replace("--articles articles ", ""), {}, "the embedded teacher 'teacher' needs --articles"),
        (JUDGE, {"template": "grader.txt"}, "judge.template: the embedded teacher reads its own"),
        (JUDGE, {"teacher": "strnog"}, "setting 'teachers.strnog' is missing; did you mean"),
        (JUDGE.replace("scores.parquet", "articles"), {}, "columns are not those of ItemScore"),
    ],
)  # fmt: skip
def test_bad_input_gets_one_line_and_writes_nothing(
    here: Path, options: str, section: dict[str, str], said: str
):
    change(judge={"teacher": None, "template": None} | section)
    result = run(options)
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.count("\n") == 1
    assert not (here / "judged.parquet").exists()


@pytest.mark.parametrize(
    ("text", "said"), [(None, "not readable"), ("{question} {target}", "no {predicted_")]
)
def test_a_template_that_cannot_be_used_is_refused(here: Path, text: str | None, said: str) -> None:
    if text:
        Path("grader.txt").write_text(text)
    change(
        judge={"teacher": None, "template": "grader.txt"},
        teacher=SETTINGS["teacher"] | {"backend": "openai", "base_url": "http://127.0.0.1:9"},  # type: ignore[operator]
    )
    result = run()
    assert result.exit_code == 1 and "grader.txt: " in result.output and said in result.output
    assert result.output.count("\n") == 1
