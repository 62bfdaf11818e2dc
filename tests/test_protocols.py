"""Rejection sampling: verdicts, nesting, cards."""

import itertools
import random

import pytest
import yaml

from stages.errors import BadInput
from stages.grid import Cut, Target
from stages.protocols import card
from stages.protocols.rejection_sampling import judge, select, within
from stages.records import PoolQuestion, Response
from stages.teacher.client import Outcome
from stages.teacher.prompts import Answer


def pool_question(rank: int) -> PoolQuestion:
    return PoolQuestion(
        strategy="density",
        density=2.0,
        question_id=f"q{rank}",
        rank=rank,
        round=0,
        question=f"Capital of land {rank}?",
        answer=f"City {rank}",
        answer_aliases=[f"Town {rank}"],
        title=f"Land {rank}",
        page_id=rank,
        revision_id=rank,
        log10_density=2.0,
        acceptance=0.5,
        group=0,
    )


def outcome(answer: str | None, rationale: str = "It is so.", reason: str = "ok") -> Outcome:
    reply = None if answer is None else Answer(answer=answer, rationale=rationale)
    return Outcome(
        key="k",
        reply=reply,
        reason=reason,
        prompt_tokens=10,
        completion_tokens=5,
        cost_usd=0.5,
        cached=False,
        repaired=False,
        calls=1,
        paid_usd=None,
    )


def ledger(questions: int = 8, budget: int = 8) -> list[Response]:
    draw = random.Random(1)
    return [
        row
        for rank in range(questions)
        for row in judge(
            pool_question(rank),
            [outcome(draw.choice([f"City {rank}", "Elsewhere"]), f"Reason {i}.") for i in range(budget)],
        )
    ]


def test_every_draw_gets_a_named_verdict() -> None:
    draws = [
        outcome("City 3"),
        outcome("City 3"),
        outcome("town 3"),
        outcome("Paris"),
        outcome(None, reason="truncated"),
    ]
    rows = judge(pool_question(3), draws)
    assert [r.reason for r in rows] == [
        "accepted",
        "duplicate",
        "accepted",
        "wrong_answer",
        "format_truncated",
    ]
    assert [r.accepted for r in rows] == [True, False, True, False, False]


def test_smaller_budget_is_a_prefix_of_larger() -> None:
    rows = ledger()
    cuts = [select(within(rows, Cut(1.0, budget)), Cut(1.0, budget), str.__add__) for budget in (1, 2, 4, 8)]
    for small, large in itertools.pairwise(cuts):
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
    rows = ledger()
    cut = Cut(0.5, 4)
    drawn = within(rows, cut)
    kept = select(drawn, cut, lambda answer, rationale: answer)
    figures = card.facts(drawn, kept, cut, Target("density", 2.0))
    assert (figures["questions"], figures["sample_budget"], figures["cost_usd"]) == (4, 16, 8.0)
    assert figures["examples"] == sum(r.accepted for r in drawn)
    text = card.card(figures, "model-x", True, "rejection_sampling", 10, 4)
    assert yaml.safe_load(text.split("---")[1])["seedbed"] == figures
    assert "simulator" in text
    assert "# target 2.0 dex, share 0.5, budget 4\n" in text


def test_an_unknown_price_stays_unknown() -> None:
    free = [row.model_copy(update={"cost_usd": None}) for row in ledger()]
    assert card.facts(free, [], Cut(1.0, 8), Target("density", 2.0))["cost_usd"] is None


def test_a_target_without_a_level_is_named_on_the_card_and_in_every_row() -> None:
    question = pool_question(0).model_copy(update={"strategy": "uniform", "density": None})
    drawn = judge(question, [outcome("City 0")])
    kept = select(drawn, Cut(1.0, 1), str.__add__)
    assert [(r.strategy, r.density) for r in (*drawn, *kept)] == [("uniform", None)] * 2
    figures = card.facts(drawn, kept, Cut(1.0, 1), Target("uniform", None))
    assert (figures["strategy"], figures["density_dex"]) == ("uniform", None)
    text = card.card(figures, "model-x", False, "rejection_sampling", 10, 4)
    assert "# target uniform, share 1.0, budget 1\n" in text
