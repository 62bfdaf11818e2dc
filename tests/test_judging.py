"""What is asked about a cell's answers, and the published figures with their intervals."""

import numpy as np
import pytest

from stages.errors import BadInput
from stages.judging import asking, figures
from stages.records import BenchmarkItem, ItemScore, Judged
from stages.teacher.client import Outcome

GRADES = ("CORRECT", "INCORRECT", "NOT_ATTEMPTED")


def item(item_id, *answers, benchmark="simpleqa"):
    return BenchmarkItem(
        benchmark=benchmark, item_id=item_id, question="Where?", answers=list(answers or ["Paris"])
    )


def score(seed, item_id, prediction="Paris", benchmark="simpleqa", budget=4, correct=True):
    return ItemScore(
        student="tiny", strategy="density", density=4.3, share=1.0, budget=budget, protocol="p", tokens=None,
        seed=seed, benchmark=benchmark, item_id=item_id, prediction=prediction, correct=correct,
        answer_loss=1.0, answer_tokens=1,
    )  # fmt: skip


def test_an_empty_answer_attempts_nothing_and_asks_nothing():
    empty = asking.Answer(score(0, "s1", " \n", correct=False), item("s1"))
    assert asking.request(empty) is None
    row = asking.judged(empty, None, "teacher")
    assert (row.grade, row.reason, row.request_key) == ("NOT_ATTEMPTED", "empty", "")


def test_a_grade_that_never_came_is_named_and_is_none():
    lost = Outcome("key", None, "wrong_schema", 20, 10, None, False, True, 2, None)
    row = asking.judged(asking.Answer(score(0, "s1"), item("s1")), lost, "strict")
    assert (row.grade, row.reason, row.judge, row.request_key) == (
        None,
        "format_wrong_schema",
        "strict",
        "key",
    )


def test_the_judge_is_shown_the_official_answer_with_its_range():
    ranged = item("v1", "120,000", "120,000 (acceptable range: anything between 118,000 and 122,000)")
    asked = asking.request(asking.Answer(score(0, "v1", "119000"), ranged))
    assert "Reference: 120,000 (acceptable range: anything" in asked.prompt.messages[1][1]
    assert asked.temperature == 0.0


@pytest.mark.parametrize(
    ("rows", "items", "said"),
    [
        ([score(0, "s1")], [item("s1"), item("s2")], "seed 0 did not .*: 1 items, first simpleqa/s2"),
        ([score(0, "s1"), score(1, "s2")], [item("s1")], "seed 1 did not answer what .*: 2 items"),
        ([score(0, "s1"), score(0, "s1", budget=8)], [item("s1")], "scores of 2 cells; judge them"),
        ([score(0, "t1", benchmark="triviaqa")], [item("s1")], "no answer to simpleqa or simpleqa_verified"),
        ([score(0, "s1")], [], "no answer to simpleqa or simpleqa_verified"),
    ],
)  # fmt: skip
def test_scores_that_are_not_of_these_items_are_refused_by_name(rows, items, said):
    with pytest.raises(BadInput, match=f"^x.parquet: .*{said}"):
        asking.answers(rows, items, "x.parquet")


def judged(grades, exact):
    """Return the rows of seeds × items of grades."""
    return [
        Judged(
            **score(seed, f"s{i}").model_dump(include=set(ItemScore.key)), prediction="x", target="y",
            correct=bool(exact[seed][i]), grade=one, reason="graded" if one else "format_empty",
            judge="j", request_key="",
        )
        for seed, line in enumerate(grades)
        for i, one in enumerate(line)
    ]  # fmt: skip


def test_figures_are_the_published_ones():
    rng = np.random.default_rng(0)
    grades, exact = rng.choice(GRADES, (3, 40), p=[0.3, 0.5, 0.2]), rng.random((3, 40)) < 0.25
    found = figures.figures(judged(grades.tolist(), exact))["simpleqa"]
    right, wrong = (grades == "CORRECT").sum(), (grades == "INCORRECT").sum()
    overall, given = right / 120, right / (right + wrong)
    wanted = {"correct": overall, "incorrect": wrong / 120, "not_attempted": 1 - overall - wrong / 120}
    wanted |= {"correct_given_attempted": given, "f1": 2 * overall * given / (overall + given)}
    wanted["exact_match"] = exact.mean()
    for name, value in wanted.items():
        assert found[name]["value"] == pytest.approx(value, abs=1e-5), name
        assert found[name]["low"] < value < found[name]["high"]
    both = int(((grades == "CORRECT") & exact).sum())
    assert found["correct_and_exact_match"] == {
        "both": both, "judge_alone": right - both, "exact_match_alone": exact.sum() - both,
        "neither": 120 - right - exact.sum() + both,
    }  # fmt: skip


def test_ungraded_answers_are_counted_and_decide_nothing():
    grades = [["CORRECT", "INCORRECT", None], ["CORRECT", None, "NOT_ATTEMPTED"]]
    found = figures.figures(judged(grades, [[True] * 3] * 2))["simpleqa"]
    assert found["ungraded"] == {"format_empty": 2}
    assert (found["correct"]["value"], found["exact_match"]["value"]) == (0.5, 1.0)
    assert sum(found["correct_and_exact_match"].values()) == 4


def test_a_share_that_is_nil_or_all_keeps_an_exact_interval_and_no_share_has_none():
    nil, all_ = np.zeros((3, 50)), np.ones((3, 50))
    bound = 1 - 0.025 ** (1 / 50)
    assert figures.ratio(nil, all_) == (0.0, 0.0, pytest.approx(bound))
    assert figures.ratio(all_, all_) == (1.0, pytest.approx(1 - bound), 1.0)
    assert figures.ratio(nil, nil) == (None, None, None)


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_intervals_of_f1_cover_the_planted_truth(seeds):
    """Items differ in difficulty and in how often they are attempted; training seeds differ in skill."""
    rng = np.random.default_rng(5)

    def answers(n, skills):
        ability = rng.normal(-0.5, 1.5, n)
        right = rng.random((len(skills), n)) < 1 / (1 + np.exp(-(ability + skills[:, None])))
        tried = rng.random((len(skills), n)) < 1 / (1 + np.exp(-(ability + 1.5)))
        return (right & tried).astype(float), (tried + 1.0) / 2

    # One seed's interval is of its own model; several seeds' is of the recipe that trains them.
    D, W = answers(1500, rng.normal(0, 0.15, 1500) if seeds > 1 else np.full(1500, 0.1))
    truth, covered, runs = D.sum() / W.sum(), 0, 200
    for _ in range(runs):
        skills = rng.normal(0, 0.15, seeds) if seeds > 1 else np.array([0.1])
        _, low, high = figures.ratio(*answers(100, skills))
        covered += low <= truth <= high
    assert 0.91 <= covered / runs <= 1.0
