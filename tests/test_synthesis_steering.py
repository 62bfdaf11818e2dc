"""Steering over a planted world: a source crowded in one corner, a teacher that writes where it is told."""

from functools import cache

import numpy as np
import pytest
from planted_synthesis import UNIFORM, K, Teacher, crowded, held, steer

from stages.errors import BadInput
from stages.grid import Target
from stages.synthesis import steering
from stages.synthesis.candidates import Candidates

DIMENSIONS = (2, 3, 4)


def level(value: float) -> Target:
    return Target("density", round(value, 3))


@cache
def evened(d: int) -> steering.Steered:
    """Steer a crowded source to the same density everywhere."""
    return steer(UNIFORM, crowded(150, d))


def lacking(state: object) -> float:
    """Return the share of the points asked for that the pool lacks, over the groups in deficit."""
    return sum(max(0.0, g.deficit) for g in state.groups) / sum(g.wanted for g in state.groups)


@pytest.mark.parametrize("d", DIMENSIONS)
def test_synthesis_reaches_a_target_that_the_source_alone_misses(d: int) -> None:
    made = evened(d)
    assert made.rounds[0].stopped is None
    assert made.rounds[0].wasserstein > 0.12
    assert made.rounds[-1].stopped == "tolerance"
    assert made.rounds[-1].wasserstein <= 0.12
    assert any(made.candidates.rows[i].round > 0 for i in made.sample.chosen)
    assert len(made.sample.chosen) == len(set(made.sample.chosen.tolist())) == 60


@pytest.mark.parametrize("d", DIMENSIONS)
def test_what_is_written_to_order_shrinks_the_deficits(d: int) -> None:
    states = evened(d).rounds
    assert lacking(states[1]) < 0.7 * lacking(states[0])
    assert states[-1].wasserstein < 0.75 * states[0].wasserstein


@pytest.mark.parametrize("d", DIMENSIONS)
def test_groups_in_deficit_get_the_orders_in_proportion_and_groups_in_surplus_none(d: int) -> None:
    for state in evened(d).rounds[:-1]:
        assert {g.group for g in state.groups if g.deficit < 0}
        assert all(g.calls == 0 for g in state.groups if g.deficit <= 0)
        whole = sum(max(0.0, g.deficit) for g in state.groups)
        assert all(abs(g.calls - 40 * max(0.0, g.deficit) / whole) < 1 for g in state.groups)
        assert sum(g.calls for g in state.groups) == 40


def test_a_round_records_what_was_written_and_what_it_grew_to() -> None:
    made = evened(2)
    for before, after in zip(made.rounds, made.rounds[1:], strict=False):
        assert after.written == after.accepted == sum(g.calls for g in before.groups) == 40
        assert after.candidates == before.candidates + after.accepted
        assert (after.calls, after.cost_usd) == (120, pytest.approx(0.4))
    assert [state.round for state in made.rounds] == list(range(len(made.rounds)))
    last = made.rounds[-1]
    for g in last.groups:
        assert g.deficit == pytest.approx(g.wanted - g.held, abs=2e-3)
    assert sum(g.wanted for g in last.groups) == pytest.approx(sum(g.held for g in last.groups), abs=0.01)
    assert last.log10_density == pytest.approx(float(made.sample.within.mean()))


@pytest.mark.parametrize("d", DIMENSIONS)
def test_levels_on_both_sides_of_the_source_are_reached(d: int) -> None:
    rows = crowded(150, d)
    alone = steer(UNIFORM, rows, rounds=0)
    for wanted in (level(alone.lowest - 0.1), level(alone.highest - 0.1)):
        made = steer(wanted, rows, rounds=30, tolerance=0.3)
        assert made.rounds[-1].stopped == "tolerance"
        assert made.rounds[-1].log10_density == pytest.approx(wanted.density, abs=0.02)
        assert made.sample.within.mean() == pytest.approx(wanted.density, abs=0.02)


def test_a_target_that_the_source_meets_asks_for_nothing() -> None:
    rows = crowded(150, 2)
    whole = held(rows)
    own = float(whole.within(np.random.default_rng(0).choice(150, 60, replace=False)).mean())
    teacher = Teacher()
    made = steer(level(own), rows, teacher, tolerance=0.2)
    assert [state.stopped for state in made.rounds] == ["tolerance"]
    assert teacher.orders == []


@pytest.mark.parametrize(
    ("stopped", "teacher", "limits"),
    [
        ("round_limit", Teacher(), {"rounds": 2}),
        ("call_limit", Teacher(), {"max_calls": 250}),
        ("cost_limit", Teacher(), {"max_cost": 0.505}),
        ("cost_limit", Teacher(), {"max_cost": 0.0}),
        ("call_limit", Teacher(), {"max_calls": 0}),
        ("exhausted", Teacher(reason="verdict_logic_error"), {}),
    ],
)
def test_a_limit_ends_the_rounds_and_is_named(stopped: str, teacher: Teacher, limits: dict) -> None:
    made = steer(UNIFORM, crowded(150, 2), teacher, tolerance=0.01, **limits)
    assert [state.stopped for state in made.rounds] == [None] * (len(made.rounds) - 1) + [stopped]
    assert len(made.sample.chosen) == 60
    assert sum(row.calls for row in made.written) <= limits.get("max_calls", 10**6)
    assert sum(row.cost_usd for row in made.written) <= limits.get("max_cost", 10**6)
    assert len(made.rounds) - 1 <= limits.get("rounds", 12)


def test_a_limit_of_calls_or_of_cost_is_used_up() -> None:
    calls = steer(UNIFORM, crowded(150, 2), tolerance=0.01, max_calls=250)
    assert sum(row.calls for row in calls.written) == 249  # 83 orders of three
    cost = steer(UNIFORM, crowded(150, 2), tolerance=0.01, max_cost=0.505)
    assert len(cost.written) == 50  # of a cent each


def test_a_failing_teacher_is_given_up_after_two_rounds_with_its_reasons() -> None:
    made = steer(UNIFORM, crowded(150, 2), Teacher(reason="verdict_logic_error"), tolerance=0.01)
    assert len(made.rounds) == 3
    assert [(r.reason, r.count) for r in made.rounds[1].rejected] == [("verdict_logic_error", 40)]
    assert made.rounds[-1].candidates == 150


def test_too_few_candidates_say_how_many_and_why() -> None:
    said = (
        r"target uniform: 30 of 60 questions after 2 rounds and 240 teacher requests \(exhausted\); "
        r"rejected: 80 verdict_logic_error; raise"
    )
    with pytest.raises(BadInput, match=said):
        steer(UNIFORM, crowded(30, 2), Teacher(reason="verdict_logic_error"))


def test_a_level_that_is_not_reached_names_the_reachable_range() -> None:
    rows = crowded(150, 2)
    wanted = level(steer(UNIFORM, rows, rounds=0).lowest - 0.8)
    said = r"density \S+: 150 candidates reach -?\d\.\d\d to \d\.\d\d dex .* after 0 rounds \(round_limit\)"
    with pytest.raises(BadInput, match=said):
        steer(wanted, rows, rounds=0)


def test_a_small_source_grows_to_the_size_of_the_pool() -> None:
    made = steer(UNIFORM, crowded(40, 2), Teacher(spread=0.2), tolerance=0.25, questions=80)
    assert made.rounds[0].pool == 40
    assert made.rounds[-1].pool == len(made.sample.chosen) == 80


@pytest.mark.parametrize(
    ("questions", "places", "said"),
    [
        (30, 1, "the 30 candidates have 90 distinct knowledge points, each in the place of so many others"),
        (30, 2, "the 30 candidates have 90 distinct knowledge points, each in the place of so many others"),
        (1, 3, "the 1 candidates have 3 distinct knowledge points, too few for so many neighbours"),
    ],
)
def test_points_that_show_no_density_are_refused_in_one_line(questions: int, places: int, said: str) -> None:
    rows = crowded(150, 2)[:questions]
    texts = [text for row in rows for text in row.points]
    placed = {text: (np.full(2, i % places / places), 0) for i, text in enumerate(texts)}
    with pytest.raises(BadInput, match=said):
        Candidates(K, rows, placed)


def test_a_pool_with_no_more_points_than_neighbours_is_refused() -> None:
    with pytest.raises(BadInput, match=r"1 questions of a pool have 3 distinct knowledge points, too few"):
        held(crowded(150, 2)).within(np.array([0]))


def test_steering_twice_gives_the_same_pool_and_another_order_of_the_source_too() -> None:
    rows = crowded(150, 2)
    first, again = (steer(UNIFORM, rows) for _ in range(2))
    assert first.rounds == again.rounds
    assert first.written == again.written
    assert first.sample.chosen.tolist() == again.sample.chosen.tolist()
    mixed = [rows[i] for i in np.random.default_rng(0).permutation(150)]
    one, other = (steer(UNIFORM, of, rounds=0) for of in (rows, mixed))
    assert {one.candidates.rows[i].question_id for i in one.sample.chosen} == {
        other.candidates.rows[i].question_id for i in other.sample.chosen
    }
    assert other.rounds[-1].wasserstein == pytest.approx(one.rounds[-1].wasserstein)


def test_densities_of_a_grown_set_equal_those_of_a_whole_one() -> None:
    grown = evened(3).candidates
    whole = held(grown.rows)
    assert grown.texts == whole.texts
    assert np.allclose(grown.density, whole.density)
    assert np.array_equal(grown.reference[: grown.source_points], held(crowded(150, 3)).density)
