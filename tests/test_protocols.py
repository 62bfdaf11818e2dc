"""Rejection sampling and the verdicts: names, nesting, cards."""

import itertools
import random

import pytest
import yaml
from scripted_draws import MALFORMED, becomes, made_of, outcome, pool_question, problem, said

from stages import protocols
from stages.errors import BadInput
from stages.grid import Cut, Target
from stages.protocols import card, judging
from stages.protocols.cutting import within
from stages.records import Response
from stages.teacher import prompts

PLAIN = protocols.PLAIN


def ledger(questions: int = 8, budget: int = 8) -> list[Response]:
    draw = random.Random(1)
    return [
        row
        for rank in range(questions)
        for row in judging.judge(
            PLAIN,
            pool_question(rank),
            [said(draw.choice([f"City {rank}", "Elsewhere"]), f"Reason {i}.") for i in range(budget)],
        )
    ]


def test_every_draw_gets_a_named_verdict() -> None:
    draws = [said("City 0"), said("City 0"), said("town 0"), said("Paris"), MALFORMED]
    rows = made_of("rejection_sampling", draws)
    assert [r.reason for r in rows] == [
        "accepted",
        "duplicate",
        "accepted",
        "wrong_answer",
        "format_truncated",
    ]
    assert [r.accepted for r in rows] == [True, False, True, False, False]
    assert {(r.teacher, r.protocol, r.domain, r.step) for r in rows} == {
        ("teacher", "rejection_sampling", "knowledge", "answer")
    }


def test_rows_and_examples_carry_their_teacher() -> None:
    rows = judging.judge(PLAIN, pool_question(0), [said("City 0")], "weak")
    (example,) = PLAIN.select(rows, Cut(1.0, 1), str.__add__, "tokens")
    assert (rows[0].teacher, example.teacher, example.matched) == ("weak", "weak", "tokens")


def test_a_tolerance_in_the_name_decides_what_is_close_enough() -> None:
    draws = [said("10 m"), said("10.4 m"), said("11 m"), said("13 m")]
    for name, accepted in (
        ("rejection_sampling", [True, True, False, False]),
        ("rejection_sampling_0.2", [True, True, True, False]),
    ):
        rows = made_of(name, draws, problem("10", "m"))
        assert [r.accepted for r in rows] == accepted
        assert {r.protocol for r in rows} == {name}


def test_plain_draws_ask_what_they_asked_before_there_were_other_protocols() -> None:
    call = PLAIN.call(pool_question(3), 5, ())
    assert (call.step, call.prompt) == ("answer", prompts.answer("Capital of land 3?"))
    assert PLAIN.needs(5) == ()


def test_smaller_budget_is_a_prefix_of_larger() -> None:
    rows = ledger()
    cuts = [Cut(1.0, budget) for budget in (1, 2, 4, 8)]
    sets = [PLAIN.select(within(rows, cut), cut, str.__add__) for cut in cuts]
    for small, large in itertools.pairwise(sets):
        assert [r.completion for r in small] == [r.completion for r in large][: len(small)]
        assert len(small) < len(large)


def test_question_shares_are_nested_and_budgets_meet() -> None:
    rows = ledger()
    quarter, half, full = (
        within(rows, Cut(share, budget)) for share, budget in ((0.25, 8), (0.5, 4), (1.0, 2))
    )
    assert {r.question_id for r in quarter} < {r.question_id for r in half} < {r.question_id for r in full}
    assert len(quarter) == len(half) == len(full) == 16


def test_a_cut_beyond_the_ledger_is_refused() -> None:
    with pytest.raises(BadInput, match="8 draws per question"):
        within(ledger(), Cut(1.0, 16))


def test_the_card_counts_what_was_paid_and_what_was_kept() -> None:
    cut = Cut(0.5, 4)
    drawn = within(ledger(), cut)
    kept = PLAIN.select(drawn, cut, lambda answer, rationale: answer)
    figures = card.facts(drawn, kept, cut, Target("density", 2.0), PLAIN)
    assert (figures["questions"], figures["sample_budget"], figures["cost_usd"]) == (4, 16, 8.0)
    assert figures["examples"] == sum(r.accepted for r in drawn)
    assert [figures[name] for name in ("teacher", "protocol", "matched")] == [
        "teacher",
        "rejection_sampling",
        "samples",
    ]
    text = card.card(figures, "model-x", True, PLAIN, 10, 4)
    told = {"teacher_model": "model-x", "simulated": True}
    assert yaml.safe_load(text.split("---")[1])["seedbed"] == figures | told
    assert "simulator" in text
    assert "# target 2.0 dex, share 0.5, budget 4\n" in text
    assert "4 questions × 4 responses = 16 draws" in text
    assert "a smaller budget's rows are the first rows" in text


def test_the_card_of_matched_tokens_says_what_was_matched_and_promises_no_prefix() -> None:
    chain = protocols.parse("self_refine")
    drawn = judging.judge(chain, pool_question(0), [said("City 0")])
    kept = chain.select(drawn, Cut(1.0, 4), str.__add__, "tokens")
    figures = card.facts(drawn, kept, Cut(1.0, 4), Target("physics", None), chain, "tokens")
    text = card.card(figures, "model-x", False, chain, 10, 4)
    assert (
        "1 calls on 1 questions, for the teacher tokens that plain rejection sampling spends at budget 4"
        in text
    )
    assert "first rows" not in text


def test_an_unknown_price_stays_unknown() -> None:
    free = [row.model_copy(update={"cost_usd": None}) for row in ledger()]
    assert card.facts(free, [], Cut(1.0, 8), Target("density", 2.0), PLAIN)["cost_usd"] is None


def test_a_target_without_a_level_is_named_on_the_card_and_in_every_row() -> None:
    question = pool_question(0).model_copy(update={"strategy": "uniform", "density": None})
    drawn = made_of("rejection_sampling", [said("City 0")], question)
    kept = PLAIN.select(drawn, Cut(1.0, 1), str.__add__)
    assert [(r.strategy, r.density) for r in (*drawn, *kept)] == [("uniform", None)] * 2
    figures = card.facts(drawn, kept, Cut(1.0, 1), Target("uniform", None), PLAIN)
    assert (figures["strategy"], figures["density_dex"]) == ("uniform", None)
    text = card.card(figures, "model-x", False, PLAIN, 10, 4)
    assert "# target uniform, share 1.0, budget 1\n" in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("self_refined", "did you mean 'self_refine'"),
        ("rejection_sampling_2", "tolerance 2 is not above 0 and below 1"),
        ("rejection_sampling_", "did you mean 'rejection_sampling'"),
    ],
)
def test_an_unknown_protocol_is_refused_with_its_nearest_name(name: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        protocols.parse(name)


def test_every_protocol_is_found_by_its_name() -> None:
    assert len(protocols.PROTOCOLS) == 8
    for name in (*protocols.PROTOCOLS, "rejection_sampling_0.2"):
        assert protocols.parse(name).name == name
    assert becomes("rejection_sampling", [*made_of("rejection_sampling", [outcome(None, "refused")])]) == [
        "format_refused"
    ]
