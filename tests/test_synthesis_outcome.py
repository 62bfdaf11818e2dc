"""What a pool is written as: rows, points, samples and figures."""

from functools import cache, partial

import numpy as np
import pytest
from planted_synthesis import UNIFORM, Teacher, crowded, settings, steer

from stages.grid import Target
from stages.knowledge import neighbours
from stages.knowledge.density import log10_density
from stages.records import (
    FeedbackRound,
    Knowledge,
    KnowledgePoint,
    PoolQuestion,
    Record,
    SeedQuestion,
    SynthesizedQuestion,
)
from stages.synthesis import candidates, outcome, steering


class Moody(Teacher):
    """Fails every fourth of its questions."""

    def __call__(self, orders: list, number: int) -> list[SynthesizedQuestion]:
        fault = {"verdict": "answer_error", "reason": "verdict_answer_error"}
        return [
            row.model_copy(update=fault) if order.serial % 4 == 0 else row
            for order, row in zip(orders, super().__call__(orders, number), strict=True)
        ]


@cache
def made() -> steering.Steered:
    return steer(UNIFORM, crowded(150, 2), Moody())


@cache
def written() -> tuple[list[PoolQuestion], list[KnowledgePoint], list[SynthesizedQuestion]]:
    return outcome.rows(UNIFORM, made(), seed=0)


def test_ranks_are_0_to_n_minus_1_and_rows_lie_in_their_order() -> None:
    pool, _, _ = written()
    assert [row.rank for row in pool] == list(range(60))
    assert len({row.question_id for row in pool}) == 60
    assert {row.round for row in pool} > {0}


def test_ranks_are_a_random_order_that_the_seed_decides() -> None:
    pool, _, _ = written()
    assert [row.question_id for row in pool] != sorted(row.question_id for row in pool)
    other, _, _ = outcome.rows(UNIFORM, made(), seed=1)
    assert {row.question_id for row in other} == {row.question_id for row in pool}
    assert [row.question_id for row in other] != [row.question_id for row in pool]
    # A question's place among the others is its own: without some, the rest keep their order.
    kept = made().sample.chosen[::2]
    fewer, _, _ = outcome.rows(UNIFORM, made()._replace(sample=_only(kept)), seed=0)
    names = {row.question_id for row in fewer}
    assert [row.question_id for row in fewer] == [r.question_id for r in pool if r.question_id in names]


def _only(chosen: np.ndarray) -> object:
    return made().sample._replace(chosen=chosen, within=made().candidates.within(chosen))


def test_points_are_those_of_every_question_of_the_pool() -> None:
    pool, points, _ = written()
    of = {row.question_id: row for row in made().candidates.rows}
    assert [(p.question_id, p.position, p.text) for p in points] == [
        (row.question_id, i, text) for row in pool for i, text in enumerate(of[row.question_id].points)
    ]
    for p in points:
        assert p.embedding == [float(x) for x in p.text.split()]
        assert p.group == int(p.embedding[0] > 0.5) + 2 * int(p.embedding[1] > 0.5)


def test_a_questions_density_is_the_mean_over_its_points_within_the_pool() -> None:
    pool, points, _ = written()
    places = {p.text: p.embedding for p in points}
    density = dict(zip(places, log10_density(np.array(list(places.values())), 5), strict=True))
    for row in pool:
        own = [density[p.text] for p in points if p.question_id == row.question_id]
        assert row.log10_density == pytest.approx(np.mean(own))
        assert 0 < row.acceptance <= 1
    assert np.mean(list(density.values())) == pytest.approx(made().rounds[-1].log10_density)


def test_samples_in_the_pool_are_marked_and_no_others() -> None:
    pool, _, samples = written()
    marked = {row.question_id for row in samples if row.in_pool}
    assert marked == {row.question_id for row in pool if row.round > 0}
    assert 0 < len(marked) < len(samples)
    assert all(row.verdict == "valid" for row in samples if row.in_pool)
    assert {row.verdict for row in samples} == {"valid", "answer_error"}
    assert [row.model_copy(update={"in_pool": False}) for row in samples] == made().written


@pytest.mark.parametrize("record", [PoolQuestion, KnowledgePoint, SynthesizedQuestion, FeedbackRound])
def test_rows_are_unique_by_their_key(record: type[Record]) -> None:
    rows = next(rows for rows in (*written(), made().rounds) if isinstance(rows[0], record))
    assert len({tuple(getattr(row, name) for name in record.key) for row in rows}) == len(rows)


def test_the_summary_counts_what_the_rows_say() -> None:
    pool, _, samples = written()
    told = outcome.summary(UNIFORM, made(), samples, settings())
    failed = sum(row.verdict != "valid" for row in samples)
    assert (told["target"], told["strategy"], told["density"], told["tilt"]) == (
        "uniform",
        "uniform",
        None,
        None,
    )
    assert (told["questions"], told["source"]) == (60, 150)
    assert told["synthesized"] == sum(row.round > 0 for row in pool)
    assert told["candidates"] == 150 + told["accepted"]
    assert told["written"] == len(samples) == told["accepted"] + failed
    assert told["rejected"] == {"verdict_answer_error": failed}
    assert told["taxonomy"] == {"answer_error": failed}
    by_round = told["taxonomy_by_round"]
    assert sum(row["count"] for row in by_round) == len(samples)
    assert sum(row["count"] for row in by_round if row["category"] == "answer_error") == failed
    assert {row["round"] for row in by_round} == set(range(1, told["rounds"] + 1))
    assert told["calls"] == 3 * len(samples)
    assert told["cost_usd"] == pytest.approx(0.01 * len(samples))
    assert told["rounds"] == len(made().rounds) - 1
    assert (told["stopped"], told["warning"]) == ("tolerance", None)
    assert told["wasserstein"] <= 0.12
    assert told["lowest"] < told["reached"] < told["highest"]
    assert 1 <= told["effective_sample_size"] <= told["candidates"]


def test_a_pool_that_stops_off_its_target_carries_a_warning_with_the_distance() -> None:
    late = steer(UNIFORM, crowded(150, 2), rounds=1, tolerance=0.01)
    told = outcome.summary(UNIFORM, late, late.written, settings(tolerance=0.01))
    assert (
        told["warning"]
        == f"stopped by round_limit at {told['wasserstein']} dex from the target, tolerance 0.01"
    )


@pytest.mark.parametrize(("end", "part"), [("lowest", "sparsest"), ("highest", "densest")])
def test_a_pool_at_the_edge_of_its_candidates_says_so_and_lies_within_their_reach(
    end: str, part: str
) -> None:
    rows = crowded(150, 2)
    farthest = getattr(steer(UNIFORM, rows, rounds=0), end)
    target = Target("density", round(farthest + (0.015 if end == "highest" else -0.015), 6))
    edge = steer(target, rows, rounds=0, tolerance=2.0, level_tolerance=0.1)
    told = outcome.summary(target, edge, edge.written, settings(tolerance=2.0))
    assert told["stopped"] == "tolerance"
    assert told["lowest"] <= told["reached"] <= told["highest"]
    assert told["warning"] == (
        f"the target lies at the edge of what the candidates reach: the pool is their {part} part"
    )


def test_the_recall_of_the_neighbours_is_measured_where_they_are_approximate(monkeypatch) -> None:
    assert outcome.summary(UNIFORM, made(), made().written, settings())["neighbour_recall"] == 1.0
    monkeypatch.setattr(neighbours, "TREE_DIMENSIONS", 1)
    monkeypatch.setattr(candidates, "Neighbours", partial(neighbours.Neighbours, exact_below=100))
    near = steer(UNIFORM, crowded(150, 2), rounds=0)
    told = outcome.summary(UNIFORM, near, near.written, settings())
    assert 0.9 < near.recall <= 1.0
    assert told["neighbour_recall"] == pytest.approx(near.recall, abs=1e-4)
    poor = outcome.summary(UNIFORM, near._replace(recall=0.9), near.written, settings())
    assert "finds 0.900 of the true neighbours: densities are too low" in poor["warning"]


def test_an_unknown_price_leaves_the_cost_unknown() -> None:
    free = steer(UNIFORM, crowded(150, 2), Teacher(cost=None))
    assert outcome.summary(UNIFORM, free, free.written, settings())["cost_usd"] is None
    assert free.rounds[-1].cost_usd is None


def test_a_round_is_said_in_one_line() -> None:
    line = outcome.line(UNIFORM, made().rounds[-1])
    assert line.startswith("round ")
    assert "of uniform: 60 of " in line
    assert "from the target (W1)" in line
    assert line.endswith("; stopped: tolerance")
    assert "W1" not in outcome.line(
        Target("random", None), steer(Target("random", None), crowded(150, 2)).rounds[0]
    )


def test_questions_without_knowledge_are_no_candidates() -> None:
    questions = [
        SeedQuestion(
            question_id=name,
            page_id=1,
            revision_id=2,
            title="T",
            question=f"{name}?",
            answer="yes",
            answer_aliases=["aye"],
            evidence="",
            request_key="",
        )
        for name in ("b", "a", "c")
    ]
    known = [
        Knowledge(
            question_id=name, topic_entities=[], points=["x", "y", "x y"], logic_form="", request_key=""
        )
        for name in ("c", "b")
    ]
    rows = outcome.candidates(questions, known)
    assert [(row.question_id, row.round, row.points) for row in rows] == [
        ("b", 0, ("x", "y", "x y")),
        ("c", 0, ("x", "y", "x y")),
    ]
    assert (rows[0].answer_aliases, rows[0].page_id, rows[0].revision_id) == (("aye",), 1, 2)
