"""Low-rank adapters and precisions: merged into the weights, and learning."""

import pytest
import student_samples

from stages.student import Lora, Student, modelling, runs, showing, training, tuning

TRAIN = student_samples.TRAIN.model_copy(update={"steps": 40})
ARCHITECTURES = ("qwen3", "llama", "mixture_of_experts")


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rows") / "encoded"
    return student_samples.encoded(student_samples.rows(), student_samples.base()[1], folder)


def _made(architecture="qwen3"):
    tokenizer = student_samples.base()[1]
    return modelling.make(student_samples.of_architecture(architecture), tokenizer, seed=0), tokenizer


def _student(**settings):
    return Student(learning_rate=1e-2, make=student_samples.SIZES, **settings)


def _tuned(rows, student, architecture="qwen3", config=TRAIN):
    model, tokenizer = _made(architecture)
    trained, _ = tuning.tune(model, tokenizer, rows, config, student, runs.Job(0), lambda done, total: None)
    return model, tokenizer, trained


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_adapters_learn_and_are_merged_so_that_the_saved_model_is_a_plain_one(rows, architecture, tmp_path):
    import torch

    before = _made(architecture)[0].state_dict()
    student = _student(lora=Lora(rank=4, alpha=8, targets=("q_proj", "v_proj")))
    model, tokenizer, trained = _tuned(rows, student, architecture)
    assert trained.run.final_loss < 0.97 * trained.run.first_loss
    assert trained.size == modelling.sizes(_made(architecture)[0])
    weights = model.state_dict()
    assert weights.keys() == before.keys()
    changed = {name for name in weights if not torch.equal(weights[name], before[name])}
    assert changed == {name for name in weights if "q_proj.weight" in name or "v_proj.weight" in name}
    modelling.save(model, tokenizer, tmp_path)
    assert not list(tmp_path.glob("adapter*"))
    again = modelling.load(tmp_path)[0].state_dict()
    assert all(torch.equal(weights[name], again[name]) for name in weights)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("architecture", "targets"), [("llama", "all-linear"), ("mixture_of_experts", ("down_proj",))]
)
def test_weights_gathered_from_ranks_are_merged_as_those_of_one_process(
    rows, tmp_path, architecture, targets
):
    import torch

    model, tokenizer = _made(architecture)
    student = _student(lora=Lora(rank=2, alpha=4, targets=targets))
    shown = showing.show(rows, TRAIN, 0)
    trainer = training.trainer_for(model, tokenizer, shown, TRAIN, student, 0, tmp_path)
    trainer.train()
    gathered = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    found = tuning.merged(gathered, model, student)
    trainer.model.merge_and_unload()
    wanted = model.state_dict()
    assert found.keys() == wanted.keys()
    for name in wanted:
        torch.testing.assert_close(found[name], wanted[name])
    assert model.config.tie_word_embeddings
    modelling.save(_made(architecture)[0], tokenizer, tmp_path / "model", dict(found))
    again = modelling.load(tmp_path / "model")[0].state_dict()
    assert all(torch.equal(found[name], again[name]) for name in again)


@pytest.mark.slow
def test_adapters_with_dropout_packing_checkpointing_and_parts_learn_too(rows):
    student = _student(lora=Lora(rank=4, alpha=8, dropout=0.1), device_batch=3, checkpointing=True)
    config = TRAIN.model_copy(update={"packing": True})
    assert (run := _tuned(rows, student, config=config)[2].run).final_loss < 0.9 * run.first_loss


@pytest.mark.slow
def test_mixed_precision_keeps_weights_in_float32_and_loses_little(rows):
    import torch

    exact = _tuned(rows, _student(precision="float32"))[2].run
    model, _, trained = _tuned(rows, _student(precision="mixed"))
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    assert trained.run.first_loss != exact.first_loss
    assert trained.run.first_loss == pytest.approx(exact.first_loss, rel=0.02)
    assert trained.run.final_loss == pytest.approx(exact.final_loss, rel=0.2)
    saved = model.state_dict()
    assert not any("lora" in name for name in saved)


@pytest.mark.slow
def test_weights_in_bfloat16_are_trained_and_saved_in_it(rows, tmp_path):
    import torch

    student = _student(precision="bfloat16")
    modelling.save(*_made(), tmp_path)
    model, tokenizer = modelling.load(tmp_path, student)
    trained, _ = tuning.tune(model, tokenizer, rows, TRAIN, student, runs.Job(0), lambda done, total: None)
    assert {weight.dtype for weight in model.parameters()} == {torch.bfloat16}
    assert trained.run.final_loss < 0.9 * trained.run.first_loss
