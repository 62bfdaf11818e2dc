"""What a study's page is made of: tables of the verifier and the findings, labels, degenerate pictures."""

import itertools

import numpy as np
import planted_making
import pytest
from test_pictures import check, words

from stages.grid import Target
from stages.pictures import clouds, feedback, outcomes, palette, taxonomy
from stages.synthesis import TAXONOMY

LOWEST = Target("density", 4.4)


def test_the_verifier_is_held_against_the_planted_truth():
    made = {LOWEST: feedback.Making(planted_making.trace(LOWEST), [], [], [])}
    grid = taxonomy.verifier_grid(made)
    assert grid is not None
    # Of 20 samples: 4 rejected by the evaluation, of which the faulty are 2 (numbers 2 and 12); 2 accepted
    # are faulty (numbers 0 and 10).
    row = dict(zip(grid.head, grid.rows[0], strict=True))
    assert [row[name] for name in ("judged", "caught", "false alarms", "missed", "sound kept")] == [
        *("12", "2", "2", "2", "6"),
    ]


def test_pages_know_every_category_of_error():
    assert taxonomy.CATEGORIES == TAXONOMY


def test_errors_are_published_by_round():
    made = {LOWEST: feedback.Making(planted_making.trace(LOWEST), [], [], [])}
    grid = taxonomy.rounds_grid(made)
    rows = [dict(zip(grid.head, row, strict=True)) for row in grid.rows]
    # Samples are written in turns: ten a round, of which every fifth has each fate.
    assert [row["round"] for row in rows] == ["1", "2"] and {row["written"] for row in rows} == {"10"}
    assert {row["verified"] for row in rows} == {"4"} and {row["answer error"] for row in rows} == {"2"}
    assert {row["contaminated"] for row in rows} == {"0"}


def test_labels_are_spread_without_leaving_the_axes_or_changing_order():
    wanted = [0.5, 0.51, 0.52, 0.0, 1.0]
    found = palette.spread(wanted, 0.1)
    order = sorted(range(5), key=lambda i: wanted[i])
    gaps = [found[b] - found[a] for a, b in itertools.pairwise(order)]
    assert min(gaps) >= 0.1 - 1e-12 and min(found) >= 0 and max(found) <= 1
    assert found[3] == 0.0 and found[4] == 1.0 and found[1] == pytest.approx(0.51)


def test_labels_stand_at_the_height_of_their_lines_before_limits_were_asked_for():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    ax.plot([0, 1], [100, 300])
    ax.plot([0, 1], [100, 110])
    palette.label_ends(ax, [palette.End(1, y, str(y), "red") for y in (300, 110)])
    places = {text.get_text(): text.get_position()[1] for text in ax.texts}
    low, high = ax.get_ylim()
    assert places == {str(y): pytest.approx((y - low) / (high - low)) for y in (300, 110)}


def test_points_on_a_line_and_a_flat_density_are_drawn_without_an_estimate():
    flat = clouds.Cloud(np.outer(np.arange(5.0), [1, 0]), np.full(5, 2.0))
    assert "points lie on a line" in words(clouds.panels({LOWEST: flat}))
    check(clouds.ridges({LOWEST: flat}))


def test_the_reachable_range_is_that_of_the_candidates_and_a_limit_is_named():
    trace = planted_making.trace(LOWEST, stopped="cost_limit")
    made = {LOWEST: feedback.Making(trace, planted_making.rounds(LOWEST, "cost_limit"), [], [])}
    grid = feedback.stops_grid(made)
    row = dict(zip(grid.head, grid.rows[0], strict=True))
    assert (row["stopped"], row["reachable"], row["USD"]) == ("cost limit", "3.50 … 5.50", "–")
    assert "4.4 dex: cost limit" in words(
        feedback.convergence(made, {"tolerance": 0.12, "level_tolerance": 0.02})
    )


def test_a_student_of_its_own_kind_is_drawn_beside_the_sizes():
    settings = {"a": {"make": {"architecture": "qwen3"}}, "b": {"make": {"architecture": "qwen3"}}, "c": {}}
    rows = [
        {"student": s, "target": "4.4", "tokens": 9, "parameters": n, "eval_loss": 2.0, "eval_loss_std": None}
        | {"seeds": 1, "benchmark": "popqa", "items": 5}
        for s, n in (("b", 2000), ("c", 1500), ("a", 1000))
    ]
    found = outcomes.students(rows, settings)
    assert (found.sizes, found.others) == (["a", "b"], ["c"])
    for text in (outcomes.loss_by_size(rows, found, 9), outcomes.loss_by_benchmark(rows, found, 9)):
        check(text)
        assert "1 k" in words(text) and "c" in words(text).split()
