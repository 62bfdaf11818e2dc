"""What accepted responses cost, counted by hand; ledgers that end early, sound and not; patience."""

import json
import statistics
from pathlib import Path

import pytest
from planted_pools import draw, settle_pools
from scripted_draws import MALFORMED, pool_question, said

from stages import files, protocols
from stages.errors import BadInput
from stages.grid import Cut, Target
from stages.protocols import acceptance, card, drawing, judging, ledger
from stages.records import Acceptance, Response

TWO = protocols.parse("until_accepted_2")
REFINE = protocols.parse("self_refine")
DRAWS = {  # accepted, wrong, repeated, malformed; a cap of 6
    "q0": "a.a",
    "q1": ".a=.-a",
    "q2": "a.....",
    "q3": "aa",
    "q4": "......",
}
SAID = {"a": said("City"), ".": said("Elsewhere"), "-": MALFORMED}


def rows_of(draws: dict[str, str]) -> list[Response]:
    rows = []
    for rank, (name, verdicts) in enumerate(draws.items()):
        question = pool_question(rank).model_copy(update={"question_id": name, "answer": "City"})
        texts = [said("City", "0") if v == "=" else said("City", str(verdicts[:i].count("a"))) if v == "a"
                 else SAID[v] for i, v in enumerate(verdicts)]  # fmt: skip
        rows += judging.judge(TWO, question, texts)
    return rows


ROWS = rows_of(DRAWS)


def test_figures_and_card_of_a_ledger_small_enough_to_count() -> None:
    assert [row.reason for row in ROWS if row.question_id == "q1"] == [
        *("wrong_answer", "accepted", "duplicate", "wrong_answer", "format_truncated", "accepted")
    ]
    found = acceptance.figures(ROWS, TWO, 6)
    tokens = 15  # of a draw, 0.5 USD
    assert found == {
        "accepted": 2,
        "cap": 6,
        "reached": 3,
        "ran_out": 2,
        "per_accepted": {"calls": round(23 / 7, 6), "tokens": round(23 * tokens / 7, 6)},
        "in_vain": {"calls": 11, "tokens": 11 * tokens},
        "number": {
            "1": {  # 1, 2, 1, 1 calls
                "responses": 4,
                "calls": {"median": 1.0, "mean": 1.25, "quantile_90": 2.0},
                "tokens": {"median": 15.0, "mean": 18.75, "quantile_90": 30.0},
            },
            "2": {  # 2, 4, 1 calls
                "responses": 3,
                "calls": {"median": 2.0, "mean": 2.333333, "quantile_90": 4.0},
                "tokens": {"median": 30.0, "mean": 35.0, "quantile_90": 60.0},
            },
        },
    }
    kept = TWO.select(ROWS, Cut(1.0, 6), "{} {}".format)
    text = card.card(card.facts(ROWS, kept, Cut(1.0, 6), Target("density", 2.0), TWO), "m", False, TWO, 1, 1)
    assert "5 questions, each asked until 2 responses are accepted, 6 times at most: 23 draws" in text
    assert "2 responses to each of 3 questions" in text and "ran into the cap of 6 calls" in text
    assert "cost 3.286 calls and 49.29 tokens" in text
    assert "| 2 | 3 | 2 | 2.333 | 4 | 30 | 35 | 60 |" in text


def test_a_ledger_without_an_accepted_response_has_no_price_of_one() -> None:
    found = acceptance.figures(rows_of({"q0": "......"}), TWO, 6)
    assert found["per_accepted"] == {"calls": None, "tokens": None}
    assert (found["reached"], found["ran_out"], found["number"]) == (0, 1, {})


def test_a_refined_responses_price_includes_the_draw_that_it_was_made_of() -> None:
    rows = judging.judge(REFINE, pool_question(0), [said("City 0"), said("City 0", "Again."), MALFORMED])
    assert [row.calls for row in acceptance.acceptances(rows, REFINE)] == [2]


def test_the_figures_of_real_draws_are_those_counted_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle_pools(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SEEDBED_STORE", raising=False)
    rows, told = draw("until_accepted_3", 16, more=" --acceptances a.parquet")
    found = json.loads(Path("m.json").read_text())["until_accepted"]
    waits: dict[int, list[list[Response]]] = {1: [], 2: [], 3: []}
    vain = 0
    for question in sorted({row.question_id for row in rows}):
        made, start = [row for row in rows if row.question_id == question], 0
        for number, end in enumerate((i + 1 for i, row in enumerate(made) if row.accepted), 1):
            waits[number].append(made[start:end])
            start = end
        vain += len(made) - start
    assert f"3 of each of {len(waits[3])} questions" in told
    assert (found["reached"], found["ran_out"]) == (len(waits[3]), 20 - len(waits[3]))
    assert found["in_vain"]["calls"] == vain > 0
    held = files.read_parquet(Path("a.parquet"), Acceptance)
    assert sum(one.calls for one in held) == len(rows) - vain
    for number, paid in waits.items():
        tokens = [sum(row.prompt_tokens + row.completion_tokens for row in one) for one in paid]
        for what, values in (("calls", list(map(len, paid))), ("tokens", tokens)):
            summary = found["number"][str(number)][what]
            assert summary["median"] == statistics.median(values)
            assert summary["mean"] == pytest.approx(sum(values) / len(values), abs=1e-6)
            at = summary["quantile_90"]
            assert sum(v <= at for v in values) >= 0.9 * len(values) > sum(v < at for v in values)
        mine = [one for one in held if one.number == number]
        assert [(one.request_key, one.calls) for one in mine] == [(p[-1].request_key, len(p)) for p in paid]
        costs = [sum(row.cost_usd or 0 for row in one) for one in paid]
        assert [one.cost_usd for one in mine] == pytest.approx(costs)


def without(question: str, rollout: int) -> list[Response]:
    return [row for row in ROWS if (row.question_id, row.rollout) != (question, rollout)]


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (without("q0", 1), "question q0: rollout 1 of 0 … 2 is missing"),
        (without("q0", 2), "question q0: rollout 2 of 0 … 5 is missing"),  # the acceptance that ends it
        (without("q1", 2), "question q1: rollout 2 of 0 … 5 is missing"),
        (without("q2", 5), "question q2: rollout 5 of 0 … 5 is missing"),
        ([*ROWS, ROWS[0]], "question q0: rollout 0 is there twice"),
        (rows_of(DRAWS | {"q3": "aa."}), "question q3: rollout 2 comes after the 2 accepted responses with"),
        (rows_of(DRAWS | {"q3": "aaaaaa"}), "question q3: rollout 2 comes after the 2 accepted responses"),
    ],
)
def test_a_ledger_ends_exactly_where_the_last_acceptance_stands(rows: list[Response], says: str) -> None:
    ledger.check(ROWS, TWO, "teacher", "x")
    with pytest.raises(BadInput) as caught:
        ledger.check(rows, TWO, "teacher", "x")
    assert f"x: {says}" in caught.value.message and "\n" not in caught.value.message


def test_malformed_replies_are_held_to_their_share_of_all_rounds() -> None:
    patience = drawing.Patience(0.5)
    assert patience.share(40) == 0.5
    patience.note([SAID["."]] * 36 + [MALFORMED] * 4)
    assert patience.share(8) == 1.0  # 24 of 48 may be, 4 are
    patience.note([MALFORMED] * 8)
    assert patience.share(80) == pytest.approx((0.5 * 128 - 12) / 80)
    patience.note([MALFORMED] * 80)
    assert patience.share(2) == 0.0
