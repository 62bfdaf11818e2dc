"""The verb `synthesize`, end to end on a small world with the embedded teacher."""

import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner, Result
from small_world import SETTINGS, settle

from stages import annotate, ask, files, synthesize
from stages.knowledge.density import log10_density
from stages.records import FeedbackRound, KnowledgePoint, PoolQuestion, SynthesizedQuestion

SMALLER = {  # a source of one question per land, a pool of as many and two more
    "ask": SETTINGS["ask"] | {"per_article": 1},  # type: ignore[operator]
    "knowledge": SETTINGS["knowledge"] | {"groups": 2},  # type: ignore[operator]
}
UNKNOWN = SETTINGS["teacher"] | {"price": {"input": None, "output": None}}  # type: ignore[operator]
STORE = Path(".seedbed/responses.sqlite")


def set_up(name: str = "synthesize", /, **changes: object) -> None:
    """Write params.yaml with changes to one section of it."""
    sections = SETTINGS | SMALLER
    limits = SETTINGS["synthesize"] | {"questions": 60, "rounds": 5}  # type: ignore[operator]
    sections |= {"synthesize": limits}
    sections |= {name: sections[name] | changes}  # type: ignore[operator]
    Path("params.yaml").write_text(yaml.safe_dump(sections))


def run(target: str, out: str | None = None) -> Result:
    out = out or target
    options = (
        "--questions questions/questions.parquet --knowledge knowledge --articles articles "
        f"--target {target} --out {out}.parquet --synthesis {out} --metrics {out}.json"
    )
    return CliRunner().invoke(synthesize.main, options.split())


def made(out: str) -> tuple[list[PoolQuestion], list[FeedbackRound], list[SynthesizedQuestion], dict]:
    return (
        files.read_parquet(Path(f"{out}.parquet"), PoolQuestion),
        files.read_parquet(Path(out, "rounds.parquet"), FeedbackRound),
        files.read_parquet(Path(out, "samples.parquet"), SynthesizedQuestion),
        json.loads(Path(f"{out}.json").read_text()),
    )


def written(out: str) -> list[bytes]:
    paths = [Path(f"{out}.parquet"), Path(f"{out}.json"), *sorted(Path(out).iterdir())]
    assert len(paths) == 5
    return [path.read_bytes() for path in paths]


def replies(path: Path = STORE) -> int:
    """Return how many replies the store holds: what was ever paid for."""
    with sqlite3.connect(path) as store:
        return int(store.execute("select count(*) from responses").fetchone()[0])


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("synthesize")
    settle(folder, **SMALLER)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("SEEDBED_STORE", "SEEDBED_EMBEDDINGS"):
            patch.delenv(name, raising=False)
        asked = "--articles articles --out questions --metrics ask.json"
        known = "--questions questions/questions.parquet --articles articles --out knowledge --metrics k.json"
        for verb, options in ((ask, asked), (annotate, known)):
            result = CliRunner().invoke(verb.main, options.split())
            assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def here(source: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(source)
    for name in ("SEEDBED_STORE", "SEEDBED_EMBEDDINGS"):
        monkeypatch.delenv(name, raising=False)
    set_up()
    return source


def test_a_level_that_the_source_alone_misses_is_reached_by_synthesis(here: Path) -> None:
    result = run("3.4")
    assert result.exit_code == 0, result.output
    pool, rounds, samples, told = made("3.4")
    assert (rounds[0].stopped, rounds[-1].stopped) == (None, "tolerance")
    assert abs(rounds[0].log10_density - 3.4) > 0.2 > 0.05 >= abs(told["reached"] - 3.4)
    assert len(pool) == 60 == told["questions"]
    assert (
        told["synthesized"] == sum(row.round > 0 for row in pool) == sum(row.in_pool for row in samples) > 0
    )
    points = files.read_parquet(Path("3.4", "points.parquet"), KnowledgePoint)
    places = np.array(list({p.text: p.embedding for p in points}.values()))
    assert np.mean(log10_density(places, 4)) == pytest.approx(told["reached"], abs=1e-4)
    assert {p.question_id for p in points} == {row.question_id for row in pool}
    lines = result.output.splitlines()
    assert len(lines) == len(rounds) + 1
    assert lines[-1].startswith("3.4.parquet: round ")


def test_the_verifier_is_held_against_the_simulators_truth(here: Path) -> None:
    assert run("uniform").exit_code == 0
    _, _, samples, told = made("uniform")
    assert {row.verdict for row in samples} > {"valid"}
    assert told["accepted"] + sum(told["rejected"].values()) == told["written"] == len(samples)
    detailed = told["audit"]["detailed"]
    assert detailed["true_positive"] > 0
    assert detailed["recall"]["high"] > 1 - 0.2 > detailed["recall"]["low"]  # planted: it overlooks a fifth


@pytest.mark.parametrize("target", ["random", "fixed_tokens", "fixed_ratio"])
def test_a_baseline_makes_a_pool_of_the_same_size(here: Path, target: str) -> None:
    result = run(target)
    assert result.exit_code == 0, result.output
    pool, rounds, _, told = made(target)
    assert (len(pool), told["wasserstein"], told["tilt"]) == (60, None, None)
    assert len({row.question_id for row in pool}) == 60
    # Each question of `fixed_tokens` moves the quotas, so that it may go on to the last round.
    ends = {"filled", "round_limit"} if target == "fixed_tokens" else {"filled"}
    assert rounds[-1].stopped == told["stopped"]
    assert told["stopped"] in ends


def test_a_second_run_sends_nothing_and_writes_the_same_bytes(here: Path) -> None:
    assert run("uniform").exit_code == 0
    first, paid = written("uniform"), replies()
    assert run("uniform").exit_code == 0
    assert (written("uniform"), replies()) == (first, paid)


def test_what_an_earlier_shorter_run_paid_for_is_not_paid_for_again(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEEDBED_STORE", "broken_off.sqlite")
    set_up(rounds=2, tolerance=0.01)
    assert run("uniform", "short").exit_code == 0
    paid = replies(Path("broken_off.sqlite"))
    set_up(rounds=4, tolerance=0.01)
    assert run("uniform", "resumed").exit_code == 0
    whole = replies(Path("broken_off.sqlite"))
    monkeypatch.setenv("SEEDBED_STORE", "at_once.sqlite")
    assert run("uniform", "at_once").exit_code == 0
    assert 0 < paid < whole == replies(Path("at_once.sqlite"))
    assert written("resumed") == written("at_once")
    assert made("resumed")[1][:2] == made("short")[1][:2]


def test_a_cost_limit_without_a_price_is_refused_in_one_line(here: Path) -> None:
    set_up(max_cost=1.0)
    settings = yaml.safe_load(Path("params.yaml").read_text())
    Path("params.yaml").write_text(yaml.safe_dump(settings | {"teacher": UNKNOWN}))
    result = run("uniform", "refused")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1
    assert "synthesize.max_cost 1.0: the teacher's price is not known" in result.output
    assert not Path("refused.parquet").exists()


def test_without_a_limit_an_unknown_price_leaves_the_cost_out(here: Path) -> None:
    set_up("teacher", **UNKNOWN)
    assert run("uniform", "unpriced").exit_code == 0
    assert made("unpriced")[3]["cost_usd"] is None


def test_a_cost_limit_ends_the_rounds_and_is_kept(here: Path) -> None:
    set_up(tolerance=0.01)
    assert run("uniform", "free").exit_code == 0
    price = made("free")[3]["cost_usd"] / made("free")[3]["written"]
    limit = 50.5 * price
    set_up(tolerance=0.01, max_cost=limit)
    assert run("uniform", "dear").exit_code == 0
    told = made("dear")[3]
    assert told["stopped"] == "cost_limit"
    assert 0.7 * limit < told["cost_usd"] < 1.05 * limit  # the next order's cost is only known on average
    assert told["warning"].startswith("stopped by cost_limit at ")


def test_a_pool_that_cannot_be_filled_is_not_written(here: Path) -> None:
    set_up(rounds=0, questions=200)
    result = run("uniform", "short_of")
    assert result.exit_code == 1
    assert "of 200 questions after 0 rounds and 0 teacher requests (round_limit)" in result.output
    assert not Path("short_of.parquet").exists()
    assert not Path("short_of").exists()
