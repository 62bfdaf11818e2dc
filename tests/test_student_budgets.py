"""Token budgets and the course of a run: what is shown, logged and probed."""

import numpy as np
import pytest
import student_samples

from stages.errors import BadInput
from stages.records import TrainingExample
from stages.student import Probe, Student, recording, runs, showing, tuning

TRAIN = student_samples.TRAIN
STUDENT = Student(learning_rate=5e-3, make=student_samples.SIZES)
PROBE = Probe(benchmark="webquestions", items=5, every=3, max_new_tokens=4)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows") / "encoded"
    return student_samples.encoded(student_samples.rows(), student_samples.base()[1], folder)


def tuned(rows, config, job, accuracy=None, told=None):
    model, tokenizer = student_samples.base()
    report = (
        (lambda done, total: told.append((done, total))) if told is not None else lambda done, total: None
    )
    trained, state = tuning.tune(model, tokenizer, rows, config, STUDENT, job, report, accuracy)
    assert state is None
    return model, trained


@pytest.mark.parametrize("budget", [700, 1234, 5000])
def test_a_budget_of_tokens_is_met_to_within_one_row(rows, budget):
    for seed in (0, 1):
        shown = showing.show(rows, TRAIN, seed, tokens=budget)
        total = sum(len(row.ids) for row in shown)
        assert budget <= total == shown.tokens()[-1] < budget + rows.lengths.max()


def test_every_question_comes_equally_often_within_a_budget(rows):
    shown = showing.show(rows, TRAIN, 0, tokens=5000)
    counts = np.bincount(rows.questions[shown.order])
    assert len(counts) == 8
    assert max(counts) - min(counts) <= 1


@pytest.mark.slow
def test_the_schedule_ends_with_the_budget(rows):
    told: list[tuple[int, int]] = []
    _, (run, points, _) = tuned(rows, TRAIN, runs.Job(0, 3000), told=told)
    assert run.tokens_budget == 3000 and run.tokens == points[-1].tokens >= 3000
    assert run.steps == -(-run.rows // TRAIN.batch) == points[-1].step != TRAIN.steps
    assert told == [(step, run.steps) for step in range(1, run.steps + 1)]
    rates = [point.learning_rate for point in points]
    assert rates[-1] < 0.1 * max(rates) == pytest.approx(0.1 * STUDENT.learning_rate, rel=0.05)
    assert [p.tokens for p in points] == sorted({p.tokens for p in points})


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        ((5000, 0), "token budget 0: not a positive number"),
        ((-3,), "token budget -3: not a positive number"),
        ((5000, 6000, 5000), "token budget 5000: given 2 times"),
        ((20,), "token budget 20: smaller than a batch of 8 rows, which takes up to"),
    ],
)
def test_a_bad_budget_is_refused_by_name(rows, tokens, said):
    with pytest.raises(BadInput, match=said):
        runs.jobs(tokens, TRAIN, rows)


def test_jobs_come_budget_by_budget_and_are_worked_on_longest_first(rows):
    jobs = runs.jobs((700, 5000), TRAIN, rows)
    assert [job.folder for job in jobs] == [
        "tokens-700-seed-0",
        "tokens-700-seed-1",
        "tokens-5000-seed-0",
        "tokens-5000-seed-1",
    ]
    assert [(job.tokens, job.seed) for job in runs.longest_first(jobs)] == [
        (5000, 0),
        (5000, 1),
        (700, 0),
        (700, 1),
    ]
    assert [job.folder for job in runs.jobs((), TRAIN, rows)] == ["seed-0", "seed-1"]


def test_the_probes_items_are_the_same_whatever_their_order_and_nested():
    items = student_samples.items()
    five = recording.probed(items, PROBE)
    assert recording.probed(items[::-1], PROBE) == five
    assert recording.probed(items, PROBE.model_copy(update={"items": 3})) == five[:3]
    assert len(five) == 5 and five != items[:5]
    with pytest.raises(BadInput, match=r"train\.probe\.benchmark 'simpleqa': .* only webquestions"):
        recording.probed(items, PROBE.model_copy(update={"benchmark": "simpleqa"}))


@pytest.mark.slow
def test_the_probe_changes_nothing_in_the_result_and_sees_the_student_learn(rows):
    import torch

    tokenizer = student_samples.base()[1]
    config = TRAIN.model_copy(update={"steps": 100, "probe": PROBE.model_copy(update={"every": 30})})
    torch.manual_seed(1)
    accuracy = recording.measure(tokenizer, recording.probed(student_samples.items(), PROBE), PROBE)
    plain, without = tuned(rows, config, runs.Job(0))
    watched, probed = tuned(rows, config, runs.Job(0), accuracy)
    weights, found = plain.state_dict(), watched.state_dict()
    assert all(torch.equal(weights[name], found[name]) for name in weights)
    assert probed.run._replace(first_loss=0, final_loss=0) == without.run._replace(first_loss=0, final_loss=0)
    assert probed.run.final_loss == pytest.approx(without.run.final_loss, abs=1e-6)
    measured = [(point.step, point.accuracy) for point in probed.points if point.accuracy is not None]
    assert [step for step, _ in measured] == [0, 30, 60, 90, 100]
    assert probed.points[0] == runs.Point(0, 0, None, 0.0, measured[0][1])
    assert measured[-1][1] > measured[0][1]
    assert all(point.accuracy is None for point in without.points)


def test_mean_loss_weighs_points_by_their_steps():
    points = [
        runs.Point(step, 0, loss, 0.1, None) for step, loss in ((0, None), (2, 4.0), (3, 1.0), (5, 9.0))
    ]
    assert recording.mean_loss(points, 0, 3) == pytest.approx(3.0)
    assert recording.mean_loss(points, 3, 5) == 9.0


def test_log_rows_carry_the_coordinates_of_their_cell_without_a_level_too(tmp_path):
    examples = [
        TrainingExample(**{**row.model_dump(), "strategy": "uniform", "density": None})
        for row in student_samples.rows(1)
    ]
    rows = student_samples.encoded(examples, student_samples.base()[1], tmp_path / "rows")
    run = runs.Run(3, 700, 2, 16, 710, 400, 2.0, 1.0)
    trained = [runs.Trained(run, [runs.Point(2, 710, 1.0, 0.0, 0.5)], {"parameters": 1})]
    (row,) = runs.log("tiny", rows, trained)
    assert (row.strategy, row.density, row.tokens_budget, row.seed, row.step) == ("uniform", None, 700, 3, 2)
    summary = runs.summary("tiny", rows, trained)
    assert (summary["rows"], summary["questions"], summary["truncated_rows"]) == (8, 8, 0)
    assert (summary["strategy"], summary["density"], summary["size"]) == ("uniform", None, {"parameters": 1})
    assert summary["runs"][0]["tokens_budget"] == 700
