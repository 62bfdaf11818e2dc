"""Fine-tuning: TRL's loss, matched compute, learning, what is refused."""

import pytest
import student_samples

from stages.errors import BadInput
from stages.student import Student, Train, encoding, modelling, runs, showing, training, tuning

TRAIN = student_samples.TRAIN
STUDENT = Student(learning_rate=3e-3, make=student_samples.SIZES)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows") / "encoded"
    return student_samples.encoded(student_samples.rows(), student_samples.base()[1], folder)


def _trainer(rows, folder, student=STUDENT, config=TRAIN, model=None, tokens=None, **options):
    made, tokenizer = student_samples.base()
    shown = showing.show(rows, config, seed=0, tokens=tokens)
    return training.trainer_for(model or made, tokenizer, shown, config, student, 0, folder, **options)


def _losses(trainer):
    trainer.train()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


def _tuned(rows, student, config=TRAIN, model=None, **options):
    made, tokenizer = student_samples.base()
    model = model or made
    trained, state = tuning.tune(
        model, tokenizer, rows, config, student, runs.Job(0), lambda done, total: None, **options
    )
    assert state is None
    return model, trained


@pytest.mark.slow
def test_loss_and_updates_equal_those_of_trl(rows, tmp_path):
    lean = _losses(_trainer(rows, tmp_path))
    stock = _losses(_trainer(rows, tmp_path, lean=False))
    assert len(lean) == len(stock) == TRAIN.steps
    assert lean == pytest.approx(stock, abs=5e-5)
    assert lean[-1] < lean[0]


@pytest.mark.slow
@pytest.mark.parametrize("tokens", [None, 2000])
@pytest.mark.parametrize(
    ("student", "config"),
    [
        ({"device_batch": 3}, {}),
        ({}, {"packing": True}),
        ({"device_batch": 3}, {"packing": True}),
        ({"checkpointing": True}, {}),
    ],
)
def test_however_a_step_is_cut_and_laid_out_the_losses_are_the_same(rows, tmp_path, student, config, tokens):
    """A budget of tokens ends in a short step, of which some parts are empty."""
    whole = _losses(_trainer(rows, tmp_path, tokens=tokens))
    other = STUDENT.model_copy(update=student), TRAIN.model_copy(update=config)
    assert _losses(_trainer(rows, tmp_path, *other, tokens=tokens)) == pytest.approx(whole, abs=2e-5)
    assert len(whole) == TRAIN.steps if tokens is None else len(whole) > TRAIN.steps


@pytest.mark.slow
def test_the_loss_through_wrappers_equals_that_on_the_bare_model(rows, tmp_path, monkeypatch):
    """What several processes compute: TRL's forward pass, without its metrics."""
    whole = _losses(_trainer(rows, tmp_path))
    monkeypatch.setattr(modelling, "plain_head", lambda model: False)
    assert _losses(_trainer(rows, tmp_path)) == pytest.approx(whole, abs=2e-5)
    parts = STUDENT.model_copy(update={"device_batch": 3})
    assert _losses(_trainer(rows, tmp_path, parts, tokens=2000)) == pytest.approx(
        _losses(_trainer(rows, tmp_path, tokens=2000)), abs=2e-5
    )


@pytest.mark.slow
def test_a_mixture_with_a_router_loss_of_its_own_has_trls_loss(rows, tmp_path):
    sizes = student_samples.of_architecture("mixture_of_experts")
    found = []
    for lean, coefficient in ((True, 0.1), (False, 0.1), (True, 0.0)):
        model = modelling.make(sizes, student_samples.base()[1], seed=0)
        model.config.router_aux_loss_coef = coefficient
        trainer = _trainer(rows, tmp_path, model=model, lean=lean)
        assert trainer.aux_loss_enabled == (coefficient > 0)
        found.append(_losses(trainer))
    assert found[0] == pytest.approx(found[1], abs=5e-5)
    assert found[0][0] > found[2][0] + 0.05


@pytest.mark.slow
def test_batches_are_the_shown_rows_in_order_with_prompts_masked(rows, tmp_path):
    trainer = _trainer(rows, tmp_path)
    shown = showing.show(rows, TRAIN, seed=0)
    batches = list(trainer.get_train_dataloader())
    assert len(batches) == TRAIN.steps
    for step, batch in enumerate(batches):
        for row, ids, labels in zip(shown.step(step), batch["input_ids"], batch["labels"], strict=True):
            assert ids[: len(row.ids)].tolist() == row.ids
            assert labels[: len(row.ids)].tolist() == row.labels
            assert set(labels[len(row.ids) :].tolist()) <= {encoding.IGNORED}


@pytest.mark.slow
def test_a_student_learns_what_it_is_taught_and_reports_its_steps(rows):
    model, tokenizer = student_samples.base()
    config = Train(**{**TRAIN.model_dump(), "steps": 240})
    student = Student(learning_rate=1e-2, make=student_samples.SIZES)
    told = []
    trained, _ = tuning.tune(
        model, tokenizer, rows, config, student, runs.Job(0), lambda done, total: told.append((done, total))
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


def test_more_tokens_than_the_model_takes_are_refused(rows):
    config = TRAIN.model_copy(update={"max_length": 1025})
    with pytest.raises(BadInput, match=r"train\.max_length 1025: the model takes 1024 tokens at most"):
        _tuned(rows, STUDENT, config)


@pytest.mark.slow
@pytest.mark.parametrize("device_batch", [None, 3])
def test_a_loss_that_is_not_finite_stops_the_run_and_names_step_and_question(rows, device_batch):
    import torch

    student = STUDENT.model_copy(update={"device_batch": device_batch})
    config = TRAIN.model_copy(update={"steps": 40})
    model, tokenizer = student_samples.base()
    shown = [row for row in showing.show(rows, config, 0)]
    of = [rows.question_ids(showing.show(rows, config, 0).order.tolist())][0]
    words = {name: {i for row, q in zip(shown, of, strict=True) if q == name for i in row.ids} for name in of}
    word = min(words["Japan"].difference(*(ids for name, ids in words.items() if name != "Japan")))
    step = of.index("Japan") // config.batch + 1

    def spoil(module, asked, found):
        return torch.where((asked[0] == word)[..., None], float("inf"), found)

    model.get_input_embeddings().register_forward_hook(spoil)
    said = rf"^train step {step}: the loss is not finite, with rows of questions Japan; look at these rows"
    with pytest.raises(BadInput, match=said):
        _tuned(rows, student, config, model)
    spoilt, _ = student_samples.base()
    spoilt.get_input_embeddings().weight.data[word] = float("nan")
    with pytest.raises(BadInput, match=r"the loss is not finite, nor were the weights before it"):
        _tuned(rows, student, config, spoilt)
