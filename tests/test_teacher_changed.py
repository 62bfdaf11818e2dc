"""Only what changed is asked again, counted at the server."""

from pathlib import Path

import pytest
import yaml
from scripted_teacher import completion, config, teacher
from test_kill import TOWNS, question

from stages import files, respond
from stages.records import PoolQuestion
from stages.teacher import prompts

OPTIONS = "--pool pool.parquet --out ledger.parquet --metrics counts.json --budget"
REPLY = completion('{"rationale": "So it is said.", "answer": "Person 1"}')
POOL = [question(*town) for town in enumerate(TOWNS[:60])]


class Project:
    """A pool and its settings in the current folder, asked of a server that counts."""

    def __init__(self, url, served):
        self.url, self.served = url, served

    def calls(self, pool=POOL, budget=4, **changes):
        """Run the verb; return how many calls the server saw."""
        before = len(self.served)
        files.write_parquet(Path("pool.parquet"), pool, PoolQuestion)
        settings = config(backend="openai", base_url=self.url, **{"model": "m", **changes})
        Path("params.yaml").write_text(
            yaml.safe_dump({"seed": 3, "teacher": settings.model_dump(mode="json")})
        )
        respond.main([*OPTIONS.split(), str(budget)], standalone_mode=False)
        return len(self.served) - before


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "s.sqlite"))
    monkeypatch.setenv("SCRIPTED_TEACHER_KEY", "sk-secret")
    with teacher(then=REPLY) as (url, served):
        made = Project(url, served)
        assert made.calls() == 240
        yield made


def test_a_warm_run_asks_nothing(project):
    before = Path("ledger.parquet").read_bytes()
    assert project.calls() == 0
    assert Path("ledger.parquet").read_bytes() == before


def test_rows_that_are_added_are_asked_about_and_no_other(project):
    more = [question(*town) for town in enumerate(TOWNS[:66])]
    assert project.calls(pool=more) == 6 * 4
    asked = {request.body["messages"][-1]["content"] for request in project.served[240:]}
    assert asked == {row.question for row in more[60:]}


def test_rows_in_another_order_are_not_asked_about_again(project):
    moved = [row.model_copy(update={"rank": 59 - row.rank}) for row in reversed(POOL)]
    assert project.calls(pool=moved) == 0


def test_a_larger_budget_asks_for_what_is_beyond_the_old_one(project):
    assert project.calls(budget=32) == 60 * 28
    assert {request.body["seed"] for request in project.served[240:]} == {3 + i for i in range(4, 32)}


def test_a_smaller_budget_asks_nothing(project):
    assert project.calls(budget=2) == 0


def test_an_edited_prompt_is_asked_anew_and_another_prompt_is_not(project, monkeypatch):
    from stages.teacher.client import Request, draw
    from stages.teacher.store import ResponseStore

    edited = prompts.answer

    def answer(text):
        prompt = edited(text)
        (role, system), *rest = prompt.messages
        return prompt._replace(messages=((role, system.replace("short", "brief")), *rest))

    def other():  # a request of another prompt, before and after
        with ResponseStore(Path("s.sqlite")) as store:
            asked = [Request(prompts.knowledge("Who leads Town 1?", "Person 1", TOWNS[1]))]
            draw(asked, config(backend="openai", base_url=project.url, model="m", max_malformed=1.0), store)

    other()
    before = len(project.served)
    monkeypatch.setattr(prompts, "answer", answer)
    assert project.calls() == 240
    other()
    assert len(project.served) == before + 240


@pytest.mark.parametrize(
    "changes",
    [
        {"price": {"input": 9.0, "output": 9.0}},
        {"concurrency": 3},
        {"timeout": 3.0, "retries": 0, "patience": 1.0},
        {"requests_per_minute": 9.0, "tokens_per_minute": 9.0, "max_bytes": 2048, "max_cost": 0.0},
        {"accepts": {"n": 8, "seed": False, "response_format": "none", "limit": "max_completion_tokens"}},
        {"api_key_env": "NOT_SET"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_setting_that_decides_no_reply_asks_nothing(project, changes):
    assert project.calls(**changes) == 0


def test_another_address_asks_nothing(project):
    project.url = "http://127.0.0.1:9/v1"
    assert project.calls() == 0


@pytest.mark.parametrize("changes", [{"model": "k"}, {"temperature": 0.5}, {"max_tokens": 99}], ids=str)
def test_a_setting_that_decides_the_reply_asks_anew(project, changes):
    assert project.calls(**changes) == 240
