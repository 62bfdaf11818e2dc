"""Draw until N responses are accepted: real draws through client and store, counted call by call."""

import itertools
from collections import defaultdict
from pathlib import Path

import pytest
import yaml
from planted_pools import draw, one_by_one, pool, run, settle_pools
from scripted_teacher import GOOD, completion, teacher
from small_world import SETTINGS, settle

from stages import assemble, files, respond
from stages.records import PoolQuestion, Response, TrainingExample
from stages.teacher.store import ResponseStore

N, CAP = 3, 24
NAME = f"until_accepted_{N}"
ASSEMBLE = f"--responses pool-{NAME}-{CAP}.parquet --target random --protocol {NAME}"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("until")
    settle_pools(folder)
    return folder


@pytest.fixture(autouse=True)
def here(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)


def stored(path: str = ".seedbed/responses.sqlite") -> int:
    with ResponseStore(Path(path)) as store:
        return len(store)


def by_question(rows: list[Response]) -> dict[str, list[Response]]:
    found = defaultdict(list)
    for row in rows:
        found[row.question_id].append(row)
    return found


def test_no_call_is_made_that_drawing_one_by_one_would_not_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBED_STORE", "fresh.sqlite")
    rows, said = draw(NAME, CAP)
    assert stored("fresh.sqlite") == len(rows)
    assert f"0 from the store, {len(rows)} calls" in said
    plain, said = draw("rejection_sampling", CAP)
    assert rows == one_by_one(plain, N, CAP)
    assert f"{len(rows)} from the store, {len(plain) - len(rows)} calls" in said
    assert {made[-1].accepted for made in by_question(rows).values()} == {True, False}  # some run out
    assert len(rows) < len(plain) == 20 * CAP


def test_a_plain_ledgers_draws_are_not_paid_for_again() -> None:
    draw("rejection_sampling", CAP)
    before = stored()
    _, said = draw("until_accepted_4", CAP)
    assert "from the store, 0 calls" in said and stored() == before


def test_a_larger_cap_pays_for_the_questions_alone_that_had_run_out() -> None:
    small, _ = draw(NAME, 8)
    draw("rejection_sampling", CAP)
    short = {q for q, made in by_question(small).items() if not made[-1].accepted or len(made) == 8}
    before = stored()
    large, said = draw(NAME, 2 * CAP)
    assert f"{stored() - before} calls" in said and stored() > before
    assert {row.question_id for row in large if row.rollout >= 8} <= short
    assert {row.question_id for row in large if row.rollout >= CAP} < short


def test_smaller_n_and_smaller_cap_are_prefixes() -> None:
    large, _ = draw("until_accepted_4", CAP)
    for stops, cap in ((1, CAP), (2, CAP), (N, CAP), (4, 8), (4, 16)):
        small, _ = draw(f"until_accepted_{stops}", cap)
        assert small == one_by_one(large, stops, cap)
        assert len(small) < len(large)


def test_cuts_are_nested_and_at_the_cap_each_question_has_n_examples_or_ran_out() -> None:
    rows, _ = draw(NAME, CAP)
    cuts = ("0.5x4", "1x4", "1x8", f"1x{CAP}")
    options = "".join(f" --cut {cut} --out {cut}.parquet --card {cut}.md" for cut in cuts)
    assert run(assemble, ASSEMBLE + options).exit_code == 0
    sets = [files.read_parquet(Path(f"{cut}.parquet"), TrainingExample) for cut in cuts]
    half, *whole = [[(row.question_id, row.rollout) for row in one] for one in sets]
    for small, large in itertools.pairwise(whole):
        assert small == large[: len(small)] and len(small) < len(large)
    assert half == [(q, i) for q, i in whole[0] if q < "q010"]
    for question, made in by_question(rows).items():
        examples = sum(q == question for q, _ in whole[-1])
        assert examples == N or (examples < N and len(made) == CAP)
    head = yaml.safe_load(Path("1x8.md").read_text().split("---")[1])["seedbed"]
    assert head["sample_budget"] == sum(row.rollout < 8 for row in rows)
    reached = [
        sum(row.accepted and row.rollout < 8 for row in made) == N for made in by_question(rows).values()
    ]
    assert (head["until_accepted"]["cap"], head["until_accepted"]["reached"]) == (8, sum(reached))


def test_matched_tokens_spend_no_more_than_plain_sampling_and_reach_other_questions() -> None:
    draw(NAME, CAP)
    plain, _ = draw("rejection_sampling", CAP)
    matched = " --matched tokens --reference pool-rejection_sampling-24.parquet --cut 1x4 --out t --card t.md"
    assert run(assemble, ASSEMBLE + matched).exit_code == 0
    text = Path("t.md").read_text()
    head = yaml.safe_load(text.split("---")[1])["seedbed"]
    limit = sum(row.prompt_tokens + row.completion_tokens for row in plain if row.rollout < 4)
    assert limit - 300 < head["teacher_prompt_tokens"] + head["teacher_completion_tokens"] <= limit
    assert head["until_accepted"]["cap"] is None and "ran into the tokens before" in text
    options = matched.replace("1x4", "1x24")
    said = run(assemble, ASSEMBLE + options).output
    assert "draw more calls with a larger N or `respond --budget`" in said


def test_a_cut_above_the_cap_is_refused_only_where_a_question_did_not_end() -> None:
    rows, _ = draw(NAME, CAP)
    above = f"{ASSEMBLE} --cut 1x64 --out s --card c"
    result = run(assemble, above)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert f"the ledger has {CAP} draws of question q0" in result.output
    assert f"not {N} accepted; run `respond` with budget 64" in result.output
    made = by_question(rows)
    ended = {question for question in made if sum(row.accepted for row in made[question]) == N}
    files.write_parquet(
        Path(f"pool-{NAME}-{CAP}.parquet"), [row for row in rows if row.question_id in ended], Response
    )
    assert 1 < len(ended) < 20 and run(assemble, above).exit_code == 0


def test_hard_questions_alone_do_not_make_a_teacher_useless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two questions, 20 accepted responses of each wanted: 40 well-formed replies, then none."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEEDBED_TEST_KEY", "x")
    asked = [row.model_copy(update={"answer": "Paris"}) for row in pool(2, facts=1)]
    files.write_parquet(Path("two.parquet"), asked, PoolQuestion)
    options = "--pool two.parquet --protocol until_accepted_20 --out x.parquet --metrics m.json --budget "
    with teacher(*[GOOD] * 40, then=completion("no JSON")) as (url, _):
        settle(tmp_path, teacher=SETTINGS["teacher"] | {"backend": "openai", "base_url": url})
        result = run(respond, f"{options}39")  # the second round is malformed, 38 of 78 replies in all
        assert result.exit_code == 0, result.output
        assert "2 of 78 draws, 20 of each of 0 questions" in result.output
        result = run(respond, f"{options}58")
    assert result.exit_code == 1 and "malformed after repair" in result.output


@pytest.mark.parametrize(
    ("protocol", "budget", "said"),
    [
        (NAME, 2, "--budget 2: no question can get 3 accepted responses of 2 calls; raise it"),
        ("until_accepted_0", 2, "N a positive whole number, such as until_accepted_4"),
        ("until_accepted_04", 4, "N a positive whole number, such as until_accepted_4"),
        ("until_accepted", 2, "expected until_accepted_N"),
        ("until_acepted_4", 4, "did you mean 'until_accepted_N'?"),
    ],
)
def test_a_bad_n_gets_one_line(protocol: str, budget: int, said: str) -> None:
    options = f"--pool pool.parquet --articles articles --protocol {protocol} --budget {budget}"
    result = run(respond, f"{options} --out x --metrics y")
    assert result.exit_code == 1 and said in result.output
    assert result.output.count("\n") == 1
