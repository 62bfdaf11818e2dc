"""Fine-tuning: TRL's loss, matched compute, learning."""

import pytest
import student_samples

from stages.errors import BadInput
from stages.records import TrainingExample
from stages.student import Student, Train, encoding, runs, tuning

RATE = 3e-3


@pytest.fixture(scope="module")
def prepared():
    rows = student_samples.rows()
    _, tokenizer = student_samples.base()
    return rows, encoding.examples(rows, tokenizer, 64), [row.question_id for row in rows]


def _trainer(prepared, folder, **options):
    _, encoded, questions = prepared
    model, tokenizer = student_samples.base()
    shown = tuning.show(encoded, questions, student_samples.TRAIN, seed=0)
    return tuning.trainer_for(model, tokenizer, shown, student_samples.TRAIN, RATE, 0, str(folder), **options)


def _losses(trainer):
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.slow
def test_loss_and_updates_equal_those_of_trl(prepared, tmp_path):
    lean = _losses(_trainer(prepared, tmp_path))
    stock = _losses(_trainer(prepared, tmp_path, lean=False))
    assert len(lean) == len(stock) == student_samples.TRAIN.steps
    assert lean == pytest.approx(stock, abs=5e-5)
    assert lean[-1] < lean[0]


@pytest.mark.slow
def test_batches_are_the_shown_rows_in_order_with_prompts_masked(prepared, tmp_path):
    trainer = _trainer(prepared, tmp_path)
    shown = tuning.show(prepared[1], prepared[2], student_samples.TRAIN, seed=0)
    batches = list(trainer.get_train_dataloader())
    assert len(batches) == student_samples.TRAIN.steps
    first = batches[0]
    for row, ids, labels in zip(shown, first["input_ids"], first["labels"], strict=False):
        assert ids[: len(row.ids)].tolist() == row.ids
        assert labels[: len(row.ids)].tolist() == row.labels
        assert set(labels[len(row.ids) :].tolist()) <= {encoding.IGNORED}


@pytest.mark.slow
def test_packed_rows_have_the_loss_they_have_alone(prepared, tmp_path):
    """Rows of one packed sequence must not see each other: the summed loss is that of the rows apart."""
    import torch

    trainer = _trainer(prepared, tmp_path, packing=True, lean=False)
    model = trainer.model.eval()
    with torch.no_grad():
        batch = next(iter(trainer.get_train_dataloader()))
        assert batch["input_ids"].shape[0] == 1 and (batch["position_ids"] == 0).sum() > 1
        packed = tuning.completion_loss(model, dict(batch))
        starts = (batch["position_ids"][0] == 0).nonzero().flatten().tolist()
        total, count = 0.0, 0
        for start, end in zip(starts, [*starts[1:], batch["input_ids"].shape[1]], strict=True):
            alone = {key: batch[key][:, start:end] for key in ("input_ids", "labels")}
            n = int((alone["labels"][:, 1:] != encoding.IGNORED).sum())
            total += float(tuning.completion_loss(model, alone)) * n
            count += n
    assert float(packed) == pytest.approx(total / count, abs=1e-4)


def test_every_cell_shows_as_many_rows_whatever_the_size_of_its_training_set(prepared):
    _, encoded, questions = prepared
    for size in (3, 11, len(encoded)):
        shown = tuning.show(encoded[:size], questions[:size], student_samples.TRAIN, seed=1)
        assert len(shown) == student_samples.TRAIN.steps * student_samples.TRAIN.batch


def test_training_seed_decides_the_order(prepared):
    _, encoded, questions = prepared
    one, same, other = (tuning.show(encoded, questions, student_samples.TRAIN, seed) for seed in (0, 0, 1))
    assert one == same != other


@pytest.mark.slow
def test_a_student_learns_what_it_is_taught_and_reports_its_steps(prepared):
    _, encoded, questions = prepared
    model, tokenizer = student_samples.base()
    config = Train(**{**student_samples.TRAIN.model_dump(), "steps": 240})
    student = Student(learning_rate=1e-2, make=student_samples.SIZES)
    told = []
    trained = tuning.tune(
        model,
        tokenizer,
        encoded,
        questions,
        config,
        student,
        runs.Job(0),
        lambda done, total: told.append((done, total)),
    )
    run = trained.run
    assert run.final_loss < 0.5 * run.first_loss
    assert told == [(step, 240) for step in range(1, 241)]
    assert (run.steps, run.rows) == (240, 1920)
    assert 0 < run.completion_tokens < run.tokens
    assert [point.step for point in trained.points] == list(range(6, 241, 6))
    assert trained.points[-1].tokens == run.tokens
    assert trained.points[0].loss > trained.points[-1].loss
    assert run.final_loss == pytest.approx(sum(point.loss for point in trained.points[-4:]) / 4)
    rates = [point.learning_rate for point in trained.points]
    assert max(rates) == pytest.approx(1e-2, rel=0.01) and rates.index(max(rates)) in (3, 4)
    assert rates[-1] < 1e-5

    from stages.student import Score, scoring

    answered = scoring.answer_all(model, tokenizer, student_samples.items(), Score(max_new_tokens=8, batch=3))
    right = [
        a.prediction == i.answers[0].lower() for a, i in zip(answered, student_samples.items(), strict=True)
    ]
    assert sum(right) >= 6


def test_a_training_set_of_two_cells_is_refused(prepared):
    rows, encoded, _ = prepared
    other = TrainingExample(**{**rows[0].model_dump(), "budget": 99})
    with pytest.raises(BadInput, match="mixes 2 cells"):
        runs.summary("tiny", [*rows, other], encoded, [])
