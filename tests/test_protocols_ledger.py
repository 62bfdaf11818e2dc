"""Ledgers: what is refused, what matched tokens pay for, what is counted."""

from typing import Any

import pytest
from scripted_draws import MALFORMED, made_of, outcome, pool_question, problem, refined, said

from stages import protocols
from stages.errors import BadInput
from stages.grid import Cut
from stages.protocols import cutting, judging, ledger, opinions
from stages.records import Response
from stages.teacher.client import Outcome
from stages.teacher.prompts import Answer, Refinement

REFINE = protocols.parse("self_refine")


def both(protocol: protocols.Protocol, outcomes: list[Outcome], questions: int = 2) -> list[Response]:
    return [
        row for rank in range(questions) for row in judging.judge(protocol, pool_question(rank), outcomes)
    ]


def plain(budget: int = 4) -> list[Response]:
    return both(protocols.PLAIN, [said("City 0", str(i)) for i in range(budget)])


def chains(calls: int) -> list[Response]:
    """Draws of 15 tokens, refinements of 40."""
    answer = {"answer": "City 0", "rationale": "x"}
    pair = [outcome(Answer(**answer)), outcome(Refinement(**answer), prompt_tokens=35)]
    return both(REFINE, (pair * calls)[:calls])


def test_a_whole_ledger_passes() -> None:
    ledger.check(plain(), protocols.PLAIN, "teacher", "x")
    ledger.check(chains(5), REFINE, "teacher", "x")


@pytest.mark.parametrize("voting", ["majority_vote", "diversity_selection", "negative_aware"])
def test_selections_cut_the_plain_ledger(voting: str) -> None:
    ledger.check(plain(), protocols.parse(voting), "teacher", "x")


def changed(rows: list[Response], at: int, **change: Any) -> list[Response]:
    return [row.model_copy(update=change) if i == at else row for i, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "x: the ledger is empty; run `respond`"),
        (changed(plain(), 2, rollout=1), "x: question q0: rollout 1 is there twice"),
        (plain()[:1] + plain()[2:], "x: question q0: rollout 1 of 0 … 3 is missing"),
        (plain()[:7], "x: question q1: rollout 3 of 0 … 3 is missing"),
        (changed(plain(), 5, step="guess"), "x: question q1, rollout 1: step 'guess' is none of answer"),
        (changed(plain(), 5, step="refine"), "step 'refine' is none of answer"),
        (
            changed(plain(), 5, teacher="weak"),
            "x: drawn from teacher 'weak', not 'teacher'; pass --teacher weak",
        ),
        (chains(4), "a ledger of self_refine; rejection_sampling cuts one of rejection_sampling"),
    ],
)
def test_a_bad_ledger_is_refused_by_name(rows: list[Response], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        ledger.check(rows, protocols.PLAIN, "teacher", "x")
    assert said in caught.value.message
    assert "\n" not in caught.value.message


def test_matched_tokens_take_whole_calls_until_the_next_would_cost_too_much() -> None:
    rows = chains(6)  # in order: 15, 15, 40, 40, 15, 15, 40, …
    for limit, calls in ((0, 0), (14, 0), (15, 1), (69, 2), (70, 3), (110, 4), (139, 5), (140, 6), (179, 6)):
        drawn = cutting.within_tokens(rows, Cut(1.0, 8), limit)
        assert len(drawn) == calls
        assert [(row.rollout, row.rank) for row in drawn] == [(i // 2, i % 2) for i in range(calls)]
    assert len(cutting.within_tokens(rows, Cut(0.5, 8), 70)) == 3  # one question: 15, 40, 15


def test_matched_tokens_beyond_the_ledger_are_refused() -> None:
    rows = chains(2)  # 110 tokens in 4 calls: 27.5 a call
    assert len(cutting.within_tokens(rows, Cut(1.0, 8), 137)) == 4
    with pytest.raises(
        BadInput, match="has 110 tokens, the cut pays for 138; draw more calls with `respond --b"
    ):
        cutting.within_tokens(rows, Cut(1.0, 8), 138)


def test_the_limit_is_what_the_reference_spends_within_the_same_cut() -> None:
    made = cutting.training_set(chains(6), plain(), REFINE, Cut(1.0, 4), "{}|{}".format)
    assert sum(map(ledger.tokens, made.drawn)) == 110 <= 4 * 2 * 15
    assert {(row.budget, row.matched, row.protocol) for row in made.kept} == {(4, "tokens", "self_refine")}
    made = cutting.training_set(chains(6), None, REFINE, Cut(1.0, 4), "{}|{}".format)
    assert (len(made.drawn), {row.matched for row in made.kept}) == (8, {"samples"})


def test_matched_tokens_of_the_reference_itself_are_its_own_cut() -> None:
    tokens = cutting.training_set(plain(), plain(), protocols.PLAIN, Cut(1.0, 3), "{}|{}".format)
    samples = cutting.training_set(plain(), None, protocols.PLAIN, Cut(1.0, 3), "{}|{}".format)
    assert tokens.drawn == samples.drawn


def test_a_reference_of_other_questions_is_refused() -> None:
    with pytest.raises(BadInput, match="--reference: not the ledger of the pool"):
        cutting.training_set(chains(6), plain()[:4], REFINE, Cut(1.0, 2), "{}|{}".format)


def test_a_cut_without_an_accepted_response_is_refused_and_named() -> None:
    rows = both(protocols.PLAIN, [said("Elsewhere"), MALFORMED])
    with pytest.raises(BadInput, match=r"cut 0\.5x2: rejection_sampling accepts none of its 2 calls"):
        cutting.training_set(rows, None, protocols.PLAIN, Cut(0.5, 2), "{}|{}".format)


def test_the_figures_count_what_the_protocol_keeps() -> None:
    outcomes = [said("City 0"), refined("Elsewhere"), said("City 0", "Two."), refined("City 0"), MALFORMED]
    figures = ledger.figures(both(REFINE, outcomes), REFINE)
    assert figures == {
        "questions": 2,
        "draws": 10,
        "reasons": {"accepted": 1, "format_truncated": 2, "superseded": 4, "wrong_answer": 3},
        "covered": 1,
        "distinct": 1,
        "prompt_tokens": 100,
        "completion_tokens": 50,
        "cost_usd": 5.0,
    }


def test_a_second_grader_that_converts_no_units_disagrees_where_they_were_converted() -> None:
    question = problem("2", "km")
    rows = made_of("rejection_sampling", [said("2 km"), said("2000 m"), said("3 km"), MALFORMED], question)
    assert [row.accepted for row in rows] == [True, True, False, False]
    told = opinions.disagreement(rows, [question], protocols.PLAIN)
    assert told == {"graded": 3, "disagreed": 1, "rate": 0.333333}
    assert opinions.disagreement(plain(), [pool_question(0), pool_question(1)], protocols.PLAIN) == {}
