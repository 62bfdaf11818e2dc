"""What a sum buys, exactly."""

import pytest
from planted_advice import MANY_UNSOLVED, RATES, SOON_SOLVED, offer

from stages.advice import Config, Writing, spending, study
from stages.advice.costs import Price
from stages.errors import BadInput
from stages.grid import Cut

WRITTEN = Config(writing={"physics": Writing(prompt_tokens=300, completion_tokens=100)})
A_CALL = (60 * 0.5 + 40 * 2) / 1e6  # USD


def spend(amount: float, config: Config = WRITTEN, held: Cut | None = None) -> spending.Spending:
    advice = study.advise([offer(SOON_SOLVED)], (), config, 0.9, held)
    return study.spend(advice, amount, "usd", config)


def test_a_sum_buys_the_largest_budget_that_it_pays_for() -> None:
    found = spend(400 * A_CALL * 5.9)
    (row,) = [row for row in found.affordable if row.kind == "responses"]
    assert row.bought == Cut(1.0, 37) and row.cost.calls == 2000


def test_a_sum_buys_single_questions() -> None:
    (row,) = [row for row in spend(7.5 * 8 * A_CALL, held=Cut(0.25, 8)).affordable if row.kind == "questions"]
    assert row.bought == Cut(107 / 400, 8) and row.cost.calls == 7 * 8


def test_questions_end_at_the_source_where_writing_more_has_no_known_cost() -> None:
    (row,) = [row for row in spend(50, Config(), Cut(0.5, 8)).affordable if row.kind == "questions"]
    assert row.bought == Cut(1.0, 8)
    assert not [row for row in spend(50, Config()).affordable if row.kind == "questions"]


def test_the_best_is_the_largest_gain_and_the_rest_is_left() -> None:
    found = spend(50)
    assert found.best is not None and found.best.kind == "questions"
    assert found.best.change == min(row.change for row in found.affordable)
    assert found.left == pytest.approx(50 - found.best.cost.usd) and 0 <= found.left < 50


def test_too_small_a_sum_buys_nothing() -> None:
    found = spend(A_CALL / 2)
    assert (found.affordable, found.best, found.left) == ([], None, None)


def test_dollars_without_a_price_are_refused_and_tokens_are_not() -> None:
    unpriced = offer(MANY_UNSOLVED, rates=RATES._replace(price=Price(None, None)))
    advice = study.advise([unpriced], (), WRITTEN, 0.9)
    with pytest.raises(
        BadInput, match=r"no price of strong is known; set it in params\.yaml.*--spend-tokens"
    ):
        study.spend(advice, 50, "usd", WRITTEN)
    found = study.spend(advice, 0.1, "million_tokens", WRITTEN)
    assert [row.bought for row in found.affordable if row.kind == "responses"] == [Cut(1.0, 34)]


@pytest.mark.parametrize("sums", [(0.0, None), (-5.0, None), (None, 0.0), (float("nan"), None), (1.0, 1.0)])
def test_sums_that_are_none_are_refused(sums: tuple[float | None, float | None]) -> None:
    with pytest.raises(BadInput, match="--spend"):
        spending.amount(*sums)
