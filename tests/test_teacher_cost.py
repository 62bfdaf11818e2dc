"""What is spent is known: a cap holds, a plan foretells, and neither counts anything twice."""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from scripted_teacher import PROMPT, WORLD, config, rollouts, teacher
from test_kill import TOWNS, question

from stages import files, respond
from stages.errors import BadInput
from stages.records import Article, PoolQuestion
from stages.teacher import planning, prompts
from stages.teacher.__main__ import main
from stages.teacher.client import Request, draw
from stages.teacher.planning import Look, bill
from stages.teacher.store import Measured, ResponseStore, Row

COST = (10 * 1.0 + 5 * 2.0) / 1e6  # of a scripted reply, USD


def over(url, **changes):
    return config(backend="openai", base_url=url, **{"model": "m", "concurrency": 4, **changes})


def test_a_cap_stops_with_no_more_than_what_is_in_flight_beyond_it_and_can_be_raised(store):
    with teacher() as (url, served):
        with pytest.raises(
            BadInput, match=r"0\.001[01] USD are spent, teacher\.max_cost is 0\.00099; what was"
        ):
            draw(rollouts(1000), over(url, max_cost=49.5 * COST), store)
        assert 50 <= len(served) <= 50 + 4
        assert len(store) == len(served), "what was in flight is kept"
        with pytest.raises(BadInput, match="max_cost"):  # a restart does not begin to count anew
            draw(rollouts(1000), over(url, max_cost=49.5 * COST), store)
        assert len(served) <= 50 + 4
        before = len(served)
        assert len(draw(rollouts(100), over(url, max_cost=1.0), store)) == 100
        assert len(served) == 100 and before < 100, "nothing is paid for twice"


def test_what_is_in_the_store_may_be_had_beyond_the_cap(store):
    with teacher() as (url, _):
        draw(rollouts(20), over(url), store)
        assert len(draw(rollouts(20), over(url, max_cost=0.0), store)) == 20


def test_a_cap_counts_what_other_runs_and_other_prompts_have_spent_on_the_model_alone(store):
    other = prompts.answer("What is the capital of Georgia?")
    with teacher() as (url, served):
        draw([Request(other, rollout=i) for i in range(30)], over(url), store)
        draw(rollouts(10), over(url, max_cost=20 * COST, model="another"), store)
        with pytest.raises(BadInput, match="max_cost"):
            draw(rollouts(30), over(url, max_cost=29.5 * COST), store)
    assert len(served) == 30 + 10


def test_a_cap_without_a_price_is_refused(store):
    with pytest.raises(BadInput, match=r"teacher\.price is not known"):
        draw(rollouts(1), config(max_cost=1.0, price={"input": 1.0, "output": None}), store, WORLD)


MEASURED = Measured(100, 50.0, 25.0, 30.0, 100.0, 0.5)


def test_a_bill_sums_what_was_measured_and_doubts_it():
    made = bill(Look(config(concurrency=10), "m", "answer", 900, 400, 80_000), MEASURED)
    assert made.prompt_tokens.value == 400 * 50 and made.completion_tokens.value == 400 * 30
    assert made.usd.value == pytest.approx((20_000 * 1.0 + 12_000 * 2.0) / 1e6)
    half = 1.660 * (400 * 100 * (1 + 400 / 100)) ** 0.5  # t of 99 degrees of freedom
    assert made.completion_tokens.high - made.completion_tokens.value == pytest.approx(half, rel=1e-3)
    assert made.seconds == 400 * 0.5
    slow = config(concurrency=10, requests_per_minute=60, tokens_per_minute=85_000)
    assert bill(Look(slow, "m", "answer", 900, 400, 0), MEASURED).seconds == 400


def test_a_bill_of_what_was_never_measured_has_an_upper_end_and_no_value():
    nothing = Measured(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    made = bill(Look(config(max_tokens=100), "m", "answer", 10, 10, 4000), nothing)
    assert made.prompt_tokens.value == 1000
    assert tuple(made.completion_tokens) == (None, 0.0, 1000.0)
    assert (made.usd.value, made.usd.high) == (None, pytest.approx((1000 + 2000) / 1e6))
    unpriced = config(price={"input": 1.0, "output": None})
    assert bill(Look(unpriced, "m", "answer", 10, 10, 0), MEASURED).usd == (None, None, None)


def test_looking_counts_distinct_requests_sends_none_and_writes_nothing(store):
    with teacher() as (url, served):
        draw(rollouts(5), over(url), store)
        with planning.looking() as looks, pytest.raises(planning.Unbought):
            draw([*rollouts(8), *rollouts(8)], over(url), store)
        with planning.looking(), pytest.raises(files.Unwritten):
            assert len(draw(rollouts(5), over(url), store)) == 5  # goes on to what is asked next
            files.write_text(store.path.with_name("x"), "y")
    assert len(served) == 5 and not store.path.with_name("x").exists()
    ((_, model, task, requests, missing, characters),) = looks
    assert (model, task, requests, missing) == ("m", "answer", 16, 3)
    assert characters == 3 * sum(len(content) for _, content in PROMPT.messages)


RESPOND = (
    "python -m stages.respond --pool pool.parquet --articles articles.parquet --budget {budget} "
    "--out ledger.parquet --metrics counts.json"
)


def planned(budget, *options):
    stage = {"cmd": RESPOND.format(budget=budget), "deps": ["pool.parquet"], "outs": ["ledger.parquet"]}
    later = {"cmd": "python -m stages.respond --pool ledger.parquet --budget 1 --out a --metrics b"}
    later |= {"deps": ["ledger.parquet"], "outs": ["a"]}
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"respond": stage, "respond-later": later}}))
    result = CliRunner().invoke(main, ["plan", *options])
    assert result.exit_code == 0, result.output
    return result


def names():
    """Return the files here but for the store and the graph."""
    return sorted(p.name for p in Path.cwd().iterdir() if not p.name.startswith(("s.sqlite", "dvc.yaml")))


def run(budget):
    respond.main(RESPOND.format(budget=budget).split()[3:], standalone_mode=False)


def test_a_plan_of_a_graph_foretells_what_is_then_spent(tmp_path, monkeypatch):
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_STORE", str(tmp_path / "s.sqlite"))
    Repo.init(no_scm=True).close()
    files.write_parquet(Path("pool.parquet"), [question(*t) for t in enumerate(TOWNS)], PoolQuestion)
    files.write_parquet(Path("articles.parquet"), TOWNS, Article)
    Path("params.yaml").write_text(
        yaml.safe_dump({"seed": 3, "teacher": config(max_cost=9.0).model_dump(mode="json")})
    )
    here = names()
    first = json.loads(planned(2, "--json").stdout)
    assert [stage["calls"] for stage in first["stages"]] == [2 * len(TOWNS), 0]
    assert first["total"]["usd"]["value"] is None and first["total"]["usd"]["high"] > 0
    assert "cannot be said" in first["stages"][1]["note"]
    assert names() == here
    run(2)
    told = json.loads(planned(5, "--json", "--stage", "respond").stdout)
    assert told["total"]["calls"] == 3 * len(TOWNS)
    (spent,) = told["spent"]
    assert spent["calls"] == 2 * len(TOWNS) and spent["left"] == pytest.approx(9 - spent["usd"])
    assert "| 450 |" in planned(5).stdout.replace("  ", " ").replace("  ", " ")
    run(5)
    with ResponseStore(tmp_path / "s.sqlite") as store:
        after = store.spent(spent["model"])
        assert after.calls == 5 * len(TOWNS)
    usd = (after.prompt_tokens * 1.0 + after.completion_tokens * 2.0) / 1e6 - spent["usd"]
    assert told["total"]["usd"]["low"] <= usd <= told["total"]["usd"]["high"]
    assert json.loads(planned(5, "--json", "--stage", "respond").stdout)["total"]["calls"] == 0


def test_a_stage_that_calls_no_teacher_has_no_plan(tmp_path, monkeypatch):
    from dvc.repo import Repo

    monkeypatch.chdir(tmp_path)
    Repo.init(no_scm=True).close()
    planned(1)
    result = CliRunner().invoke(main, ["plan", "--stage", "train"])
    assert result.exit_code == 1
    assert (
        result.output
        == "Error: --stage train: no such stage calls the teacher; there are: respond, respond-later\n"
    )


def test_what_was_measured_is_of_the_same_kind_or_else_of_none_known(tmp_path):
    def row(key, tokens, task, model="m"):
        return Row(key, model, "{}", "stop", tokens, 2 * tokens, 0.5, None, task)

    with ResponseStore(tmp_path / "s.sqlite") as store:
        assert store.measured("m", "answer").replies == 0
        for one in (
            row("a", 3, None),
            row("b", 7, None),
            row("c", 99, "rating"),
            row("d", 99, None, "other"),
        ):
            store.put(one).result()
        assert store.measured("m", "answer") == Measured(2, 5.0, 8.0, 10.0, 32.0, 0.5)
        store.put(row("e", 1, "answer")).result()
        assert store.measured("m", "answer")[:2] == (1, 1.0)
