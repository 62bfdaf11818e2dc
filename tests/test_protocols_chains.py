"""Chains: draws that are refined, revised or rated, whatever reply is malformed and wherever a cut falls."""

import pytest
from scripted_draws import (
    MALFORMED,
    becomes,
    critique,
    made_of,
    pool_question,
    proposed,
    rated,
    refined,
    revised,
    said,
)

from stages import protocols
from stages.grid import Cut
from stages.protocols import drawing
from stages.teacher import prompts
from stages.teacher.client import Outcome, Request
from stages.teacher.prompts import Answer, Critique

RIGHT, WRONG = "City 0", "Elsewhere"


def steps(protocol: str, outcomes: list[Outcome]) -> list[str]:
    return [row.step for row in made_of(protocol, outcomes)]


def test_a_refined_answer_takes_the_place_of_its_draw() -> None:
    rows = made_of("self_refine", [said(WRONG), refined(RIGHT), said(RIGHT), refined(WRONG)])
    assert [row.reason for row in rows] == ["wrong_answer", "accepted", "accepted", "wrong_answer"]
    assert becomes("self_refine", rows) == ["superseded", "accepted", "superseded", "wrong_answer"]


def test_a_chain_cut_in_the_middle_contributes_its_last_answer() -> None:
    rows = made_of("self_refine", [said(RIGHT, "One."), refined(RIGHT), said(RIGHT, "Two."), refined(WRONG)])
    assert becomes("self_refine", rows[:3]) == ["superseded", "accepted", "accepted"]
    assert becomes("self_refine", rows[:1]) == ["accepted"]


def test_a_refinement_that_repeats_its_own_draw_is_no_duplicate_but_one_of_an_earlier_chain_is() -> None:
    rows = made_of("self_refine", [said(RIGHT), refined(RIGHT, "It is so."), said(RIGHT), refined(RIGHT)])
    assert becomes("self_refine", rows) == ["superseded", "accepted", "superseded", "accepted"]
    rows = made_of("self_refine", [said(RIGHT), refined(RIGHT), said(WRONG), refined(RIGHT)])
    assert becomes("self_refine", rows)[3] == "duplicate"


def test_where_a_draw_is_malformed_the_next_call_draws_anew() -> None:
    outcomes = [MALFORMED, said(RIGHT), said(RIGHT, "Two."), MALFORMED]
    assert steps("self_refine", outcomes) == ["answer", "answer", "answer", "refine"]
    reasons = ["format_truncated", "accepted", "accepted", "format_truncated"]
    assert becomes("self_refine", made_of("self_refine", outcomes)) == reasons


def test_a_revision_replaces_its_draw_even_where_the_critique_found_it_sound() -> None:
    rows = made_of("critique_revise", [said(RIGHT), critique(sound=True), revised(RIGHT)])
    assert [row.step for row in rows] == ["answer", "critique", "revise"]
    assert becomes("critique_revise", rows) == ["superseded", "not_an_answer", "accepted"]
    assert becomes("critique_revise", rows[:2]) == ["accepted", "not_an_answer"]
    assert (rows[1].answer, rows[1].rationale, rows[1].accepted) == ("sound", "Look again.", False)


@pytest.mark.parametrize(
    ("outcomes", "reasons"),
    [
        ([said(RIGHT), MALFORMED, said(RIGHT, "Two.")], ["accepted", "format_truncated", "accepted"]),
        ([MALFORMED, said(RIGHT), said(WRONG)], ["format_truncated", "accepted", "wrong_answer"]),
    ],
)
def test_without_a_draw_or_a_critique_there_is_nothing_to_revise(
    outcomes: list[Outcome], reasons: list[str]
) -> None:
    rows = made_of("critique_revise", outcomes)
    assert rows[2].step == "answer"
    assert becomes("critique_revise", rows) == reasons


def test_a_revision_is_shown_the_draw_and_the_comment() -> None:
    question = pool_question(0)
    made = [Answer(answer=WRONG, rationale="So."), Critique(sound=False, comment="No.")]
    call = protocols.parse("critique_revise").call(question, 5, made)
    assert call.prompt == prompts.revise(question.question, "knowledge", WRONG, "So.", "No.")


def test_draws_rated_below_their_questions_median_are_dropped() -> None:
    draws = [said(RIGHT, f"Way {i}.") for i in range(4)]
    scores = [rated(score) for score in (2, 5, 3, 4)]
    rows = made_of("quality_selection", [one for pair in zip(draws, scores, strict=True) for one in pair])
    kept = ["low_rating", "accepted", "low_rating", "accepted"]
    assert becomes("quality_selection", rows)[::2] == kept
    assert [row.score for row in rows][1::2] == [2.0, 5.0, 3.0, 4.0]
    assert becomes("quality_selection", rows)[1::2] == ["not_an_answer"] * 4
    assert becomes("quality_selection", rows[:5])[::2] == ["low_rating", "accepted", "accepted"]


def test_wrong_draws_have_no_part_in_the_median_and_unrated_draws_stay() -> None:
    rows = made_of(
        "quality_selection",
        [
            said(WRONG),
            rated(1),
            said(RIGHT),
            rated(3),
            said(RIGHT, "Two."),
            MALFORMED,
            MALFORMED,
            said(RIGHT, "3"),
        ],
    )
    assert becomes("quality_selection", rows) == [
        "wrong_answer",
        "not_an_answer",
        "accepted",
        "not_an_answer",
        "accepted",
        "format_truncated",
        "format_truncated",
        "accepted",
    ]


def test_a_new_question_is_judged_by_the_answer_that_came_with_it() -> None:
    outcomes = [
        proposed("Capital of Atlantis?", "Poseidonia"),
        said(RIGHT),
        said("poseidonia"),
        said(WRONG),
        said(RIGHT),
    ]
    rows = made_of("question_synthesis", outcomes)
    assert [row.step for row in rows] == ["propose", *["answer"] * 4]
    assert [row.reason for row in rows] == [
        "not_an_answer",
        "accepted",
        "accepted",
        "wrong_answer",
        "wrong_answer",
    ]
    kept = protocols.parse("question_synthesis").select(rows, Cut(1.0, 5), "{} {}".format)
    assert [(row.question_id, row.prompt[0].content) for row in kept] == [
        ("q0", "Capital of land 0?"),
        ("q0+1", "Capital of Atlantis?"),
    ]


@pytest.mark.parametrize("proposal", [MALFORMED, proposed("capital of  LAND 0?", "Poseidonia")])
def test_a_proposal_that_yields_no_new_question_leaves_all_draws_to_the_seed_question(
    proposal: Outcome,
) -> None:
    rows = made_of("question_synthesis", [proposal, said(RIGHT), said(RIGHT, "Two.")])
    assert {row.question for row in rows} == {"Capital of land 0?"}
    assert [row.accepted for row in rows] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "budget", "expected"),
    [
        ("rejection_sampling", 3, [[0, 1, 2]]),
        ("self_refine", 5, [[0, 2, 4], [1, 3]]),
        ("critique_revise", 5, [[0, 3], [1, 4], [2]]),
        ("question_synthesis", 5, [[0, 1, 3], [2, 4]]),
    ],
)
def test_calls_wait_only_for_what_they_are_made_of(name: str, budget: int, expected: list[list[int]]) -> None:
    assert drawing.rounds(protocols.parse(name), budget) == expected


def test_each_refinement_is_asked_about_its_own_questions_draw() -> None:
    asked: list[Request] = []

    def ask(requests: list[Request]) -> list[Outcome]:
        asked.extend(requests)
        return [said(f"{r.prompt.messages[-1][1][:17]} {r.rollout}") for r in requests]

    questions = [pool_question(0), pool_question(1)]
    made = drawing.draw(protocols.parse("self_refine"), questions, 4, 7, ask)  # type: ignore[arg-type]
    assert [len(one.outcomes) for one in made] == [4, 4]
    assert [(r.rollout, r.seed) for r in asked] == [(i, 7) for i in (0, 0, 2, 2, 1, 1, 3, 3)]
    shown = [prompts.read_shown(r.prompt.messages[-1][1]) for r in asked[4:]]
    assert [(s.question, s.answer) for s in shown] == [
        (f"Capital of land {rank}?", f"Capital of land {rank} {rollout}")
        for rollout in (0, 2)
        for rank in (0, 1)
    ]
