"""Comparisons of a study against what was planted: where FSS and SE part, which protocols win."""

from itertools import pairwise

import numpy as np
import planted_budgets as planted
import pytest

from stages.errors import BadInput
from stages.grid import Cut
from stages.scaling import comparing, crossing, pooling
from stages.scaling.places import Place, nested

AUDITED = {"protocols": ("majority_vote", "self_refine"), "protocol_cut": Cut(1.0, 8)}
UNMATCHED = {"unmatched": (("question_synthesis", Cut(1.0, 9), Cut(1.0, 4)),)}


@pytest.fixture(scope="module")
def parted(tmp_path_factory):
    planned = planted.plan(**AUDITED, **UNMATCHED)
    return planted.measured(tmp_path_factory.mktemp("parted"), planted.crossing_at(32), planned)


def test_cuts_meet_where_share_times_budget_is_equal():
    cuts = [Cut(share, budget) for share in (0.25, 0.5, 1.0) for budget in (1, 2, 4)]
    said = {f"{fewer} {more}" for fewer, more in nested(cuts)}
    assert said == {"0.25x2 0.5x1", "0.25x4 0.5x2", "0.25x4 1x1", "0.5x2 1x1", "0.5x4 1x2"}


def test_every_matched_pair_is_compared_and_its_difference_is_that_of_the_means(parted):
    rows = comparing.matched(parted, parted.plan.matched)
    assert len(rows) == 4 * 2 * 11
    names = {place.name: place for place in parted.plan.places}
    for row in rows[::17]:
        left, right = names[row["left"]], names[row["right"]]
        assert left.cut.share < right.cut.share
        assert parted.bills[left].sample_budget == parted.bills[right].sample_budget
        means = [
            float(a.loss.mean(axis=0).sum() / a.tokens.sum()) for a in map(parted.arms.get, (left, right))
        ]
        assert row["loss_difference"] == pytest.approx(means[0] - means[1])
        assert row["loss_low"] < row["loss_difference"] < row["loss_high"]
        assert row["loss_p"] <= row["loss_p_holm"] <= 1


def test_cells_of_unequal_sample_budgets_are_refused_by_name(parted):
    left, right = parted.plan.matched[0]
    arms = dict(parted.arms) | {right: parted.arms[right]._replace(sample_budget=9)}
    with pytest.raises(BadInput, match=f"{left.name} and {right.name}: unequal sample budgets: 8 and 9"):
        comparing.matched(parted._replace(arms=arms), parted.plan.matched)


def test_protocols_at_unequal_teacher_tokens_are_refused_by_name(parted):
    one = next(one for one in parted.plan.audited if one.matched == "tokens")
    bills = dict(parted.bills) | {one.plain: parted.bills[one.plain]._replace(prompt_tokens=9000)}
    with pytest.raises(BadInput, match=f"{one.place.name} and {one.plain.name}: unequal teacher tokens"):
        comparing.audit(parted._replace(bills=bills), parted.plan.audited)


def test_the_planted_crossing_is_found(parted):
    rows = pooling.lines(parted)
    assert len(rows) == 2 * 5
    for row in rows:
        assert row["status"] == "crosses"
        assert row["low"] < 32 < row["high"] and row["low"] < row["crossing"] < row["high"]
        assert row["slope_low"] < 0.06 < row["slope_high"]
        if row["teacher"] is None:
            assert row["crossing"] == pytest.approx(32, rel=0.2)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((0.1, 0.2, 0.3), "always"),
        ((-0.2, -0.1, 0.2), "crosses"),
        ((0.0, 0.1, 0.2), "crosses"),
        ((-0.1, -0.2, -0.3), "never"),
        ((0.1, 0.0, -0.2), "reverses"),
        ((0.1, 0.05, 0.0), "undecided"),
    ],
)
def test_differences_are_called_by_who_is_ahead_at_the_largest_budget(at, expected):
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(3, 50)) * 0.01
    noise -= noise.mean()
    row = crossing.crossing({2**k: d + noise for k, d in enumerate(at)}, 3)
    assert row["status"] == expected
    assert (row["high"] is not None) == (expected == "crosses")
    if at == (-0.2, -0.1, 0.2):
        assert (
            row["crossing"] == pytest.approx(2 ** (1 + 1 / 3), rel=0.01) and 2 < row["low"] < row["crossing"]
        )


def test_one_training_seed_has_a_crossing_and_no_interval(tmp_path):
    found = planted.measured(tmp_path, planted.crossing_at(32), seeds=(0,))
    for row in pooling.lines(found):
        assert row["status"] == "undecided" and row["low"] is row["high"] is row["slope_p"] is None
        assert 20 < row["crossing"] < 50
    assert all(row["loss_p_holm"] is None for row in comparing.matched(found, found.plan.matched))


def test_equal_protocols_win_nothing_and_a_better_one_is_found(parted, tmp_path):
    rows = comparing.audit(parted, parted.plan.audited)
    assert {(r["held_equal"], r["loss_p"] is None) for r in rows} == {
        ("samples", False),
        ("tokens", False),
        ("responses", True),
    }
    assert all(row["loss_p_holm"] > 0.05 for row in rows if row["held_equal"] != "responses")

    def refined(place: Place) -> float:
        return planted.by_samples(place) - 0.3 * (place.protocol == "self_refine")

    found = planted.measured(tmp_path, refined, planted.plan(**AUDITED))
    won = {row["left"] for row in comparing.audit(found, found.plan.audited) if row["loss_p_holm"] < 0.05}
    assert won == {one.place.name for one in found.plan.audited if one.place.protocol == "self_refine"}


def test_holm_is_over_the_whole_table(parted):
    rows = sorted(comparing.matched(parted, parted.plan.matched), key=lambda row: row["loss_p"])
    assert rows[0]["loss_p_holm"] == pytest.approx(len(rows) * rows[0]["loss_p"])
    assert all(a["loss_p_holm"] <= b["loss_p_holm"] for a, b in pairwise(rows))


def test_pooling_sees_a_difference_within_the_margin_and_one_beyond_it(tmp_path):
    def small_gain(place: Place) -> float:
        return planted.by_samples(place) - {"weak": 0.02, "strong": 0.3}[place.teacher] * (
            place.cut.share == 1
        )

    found = planted.measured(tmp_path, small_gain)
    for teacher, equal, apart in (("weak", True, False), ("strong", False, True)):
        places = [
            (Place(teacher, s, "physics", Cut(share, r)),)
            for s in ("qwen", "llama")
            for share, r in ((0.5, 2), (1.0, 1))
        ]
        one = pooling.Contrast("sources", "physics", 16, "FSS", "SE", tuple(places[::2]), tuple(places[1::2]))
        row = pooling.pooled(found, one, margin=0.05)
        assert (row["p_equal"] < 0.05, row["p_apart"] < 0.05, row["p_short"] < 0.05) == (equal, apart, equal)
        assert row["p_better"] < 0.05 and row["pairs"] == 2
