"""Protocols that select among plain draws: votes, distances, negatives."""

from scripted_draws import MALFORMED, becomes, made_of, pool_question, problem, said

from stages import protocols
from stages.grid import Cut
from stages.protocols.diversity_selection import far_apart
from stages.protocols.negative_aware import SUFFIX

RIGHT, WRONG = "City 0", "Elsewhere"


def test_the_answer_that_most_draws_give_is_kept_though_it_is_wrong() -> None:
    draws = [said(RIGHT, "1"), said(WRONG, "2"), MALFORMED, said("elsewhere", "3"), said(WRONG, "2")]
    rows = made_of("majority_vote", draws)
    assert becomes("majority_vote", rows) == [
        "minority",
        "accepted",
        "format_truncated",
        "accepted",
        "duplicate",
    ]


def test_of_equal_votes_the_earliest_answer_wins_and_another_draw_can_turn_it() -> None:
    rows = made_of("majority_vote", [said(RIGHT, "1"), said(WRONG, "2"), said(WRONG, "3")])
    assert becomes("majority_vote", rows[:2]) == ["accepted", "minority"]
    assert becomes("majority_vote", rows) == ["minority", "accepted", "accepted"]


def test_votes_are_counted_by_the_domains_grader() -> None:
    draws = [said("1 m", "a"), said("2 km", "b"), said("2000 m", "c")]
    rows = made_of("majority_vote", draws, problem("1", "m"))
    assert becomes("majority_vote", rows) == ["minority", "accepted", "accepted"]


def test_questions_vote_apart() -> None:
    rows = made_of("majority_vote", [said(WRONG)])
    rows += made_of("majority_vote", [said("City 1")], pool_question(1))
    assert becomes("majority_vote", rows) == ["accepted", "accepted"]


def test_half_of_the_accepted_draws_stay_the_ones_farthest_apart() -> None:
    texts = [
        "The capital is here.",
        "The capital is here!",
        "Quite another way to say it.",
        "The capital is he",
    ]
    draws = [said(WRONG), *(said(RIGHT, text) for text in texts)]
    rows = made_of("diversity_selection", draws)
    assert becomes("diversity_selection", rows) == [
        "wrong_answer",
        "accepted",
        "near_others",
        "accepted",
        "near_others",
    ]


def test_one_of_one_and_two_of_three_are_half_rounded_up() -> None:
    for count, kept in ((1, 1), (2, 1), (3, 2)):
        rows = made_of("diversity_selection", [said(RIGHT, str(i)) for i in range(count)])
        assert becomes("diversity_selection", rows).count("accepted") == kept


def test_the_greedy_choice_covers_clusters_in_turn() -> None:
    # Distances: within {abcdef, abcdeg} 2/3, everything else 1; equals go to the earlier.
    assert far_apart(["abcdef", "abcdeg", "uvwxyz", "lmnopq"], 4) == [0, 2, 3, 1]
    assert far_apart(["", "", "a"], 2) == [0, 2]
    assert far_apart([], 0) == []


def test_wrong_answers_are_trained_on_as_wrong_answers_and_accepts_as_they_are() -> None:
    protocol = protocols.parse("negative_aware")
    rows = made_of("negative_aware", [said(RIGHT), said(WRONG), said(WRONG), MALFORMED, said(RIGHT)])
    kept = protocol.select(rows, Cut(1.0, 5), "{}|{}".format)
    assert [(row.rollout, row.prompt[0].content, row.completion[0].content) for row in kept] == [
        (0, "Capital of land 0?", f"{RIGHT}|It is so."),
        (1, f"Capital of land 0?\n{SUFFIX}", f"{WRONG}|It is so."),
    ]
    assert {row.protocol for row in kept} == {"negative_aware"}
    assert protocol.reasons(rows) == [
        "accepted",
        "wrong_answer",
        "duplicate",
        "format_truncated",
        "duplicate",
    ]


def test_negatives_keep_the_order_so_that_a_smaller_budget_is_a_prefix() -> None:
    protocol = protocols.parse("negative_aware")
    rows = made_of("negative_aware", [said((RIGHT, WRONG)[i % 2], str(i)) for i in range(6)])
    small, large = (protocol.select(rows[:n], Cut(1.0, n), "{}|{}".format) for n in (3, 6))
    assert [row.completion for row in small] == [row.completion for row in large[:3]]
