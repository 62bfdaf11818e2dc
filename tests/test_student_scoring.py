"""Greedy answers and the loss of reference answers."""

import math

import pytest
import student_samples

from stages.errors import BadInput
from stages.grid import Cut, Target
from stages.student import Score, batching, coordinates, encoding, scoring

TRAINING = {
    "strategy": "density",
    "density": 2.0,
    "share": 0.25,
    "budget": 4,
    "protocol": "rejection_sampling",
    "teacher": "teacher",
    "matched": "samples",
    "runs": [{"seed": 3, "tokens_budget": None}, {"seed": 5, "tokens_budget": 700}],
}


@pytest.fixture(scope="module")
def base():
    return student_samples.base()


def test_answer_loss_is_the_sum_over_the_answers_tokens(base):
    """Checked token by token against the model's own probabilities, one unpadded row at a time."""
    import torch

    model, tokenizer = base
    items = student_samples.items()
    rows = encoding.answers(items, tokenizer)
    found = scoring.answer_losses(model.eval(), tokenizer, rows, Score(max_new_tokens=4, batch=3))
    for row, (loss, count) in zip(rows, found, strict=True):
        with torch.no_grad():
            logp = model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
        wanted = -sum(logp[i - 1, row.ids[i]].item() for i in range(row.start, len(row.ids)))
        assert loss == pytest.approx(wanted, rel=1e-4)
        assert count == len(row.ids) - row.start >= 2
    assert found[0][0] / found[0][1] == pytest.approx(math.log(len(tokenizer)), rel=0.25)


def test_greedy_answers_do_not_depend_on_the_batch_and_equal_an_argmax_loop(base):
    import torch

    model, tokenizer = base
    questions = [
        "What is the capital of France?",
        "Peru?",
        "Tell me the capital of Norway, please, would you?",
    ]
    config = Score(max_new_tokens=5, batch=3)
    together = scoring.generate(model.eval(), tokenizer, questions, config)
    alone = scoring.generate(model, tokenizer, questions, config.model_copy(update={"batch": 1}))
    assert together == alone
    stop = scoring.stop_tokens(tokenizer)
    for question, answer in zip(questions, together, strict=True):
        (ids,) = encoding.prompts([question], tokenizer)
        written: list[int] = []
        while len(written) < 5 and not set(written) & set(stop):
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([ids + written])).logits[0, -1]
            written.append(int(logits.argmax()))
        text = tokenizer.decode(written, skip_special_tokens=True).strip()
        assert answer == (text.splitlines() or [""])[0].strip()


def test_newline_and_end_token_stop_an_answer(base):
    tokenizer = base[1]
    stop = scoring.stop_tokens(tokenizer)
    assert tokenizer.eos_token_id in stop
    assert tokenizer.convert_tokens_to_ids("Ċ") in stop
    assert len(stop) < 10


def test_batches_hold_every_item_once_longest_first():
    parts = list(batching.by_length([3, 9, 5, 9, 1], 2))
    assert parts == [[1, 3], [2, 0], [4]]


def test_models_of_a_cell_take_their_coordinates_from_their_training():
    found = coordinates.cells(TRAINING, "here", target=Target("density", 2.0), cut=Cut(0.25, 4))
    assert found == [
        coordinates.Cell("density", 2.0, 0.25, 4, "rejection_sampling", None, 3, "seed-3"),
        coordinates.Cell("density", 2.0, 0.25, 4, "rejection_sampling", 700, 5, "tokens-700-seed-5"),
    ]


def test_models_of_another_cell_are_refused():
    with pytest.raises(BadInput, match=r"trained on target 2\.0 and cut 0\.25x4, not on 2\.0 and 1x4"):
        coordinates.cells(TRAINING, "here", cut=Cut(1.0, 4))
    for other in (Target("density", 3.0), Target("uniform", None)):
        with pytest.raises(BadInput, match="train this cell again"):
            coordinates.cells(TRAINING, "here", target=other)


def test_rows_carry_coordinates_and_are_graded_with_aliases():
    items = student_samples.items()[:2]
    answered = [scoring.Answered("the paris", 1.5, 2), scoring.Answered("kyoto", 3.0, 2)]
    rows = scoring.rows("tiny", coordinates.BASE, items, answered)
    assert [row.correct for row in rows] == [True, False]
    assert (rows[0].density, rows[0].share, rows[0].budget, rows[0].protocol) == (None, None, 0, "base")
    assert (rows[0].strategy, rows[0].tokens) == ("base", None)
    assert (rows[1].prediction, rows[1].answer_loss, rows[1].seed) == ("kyoto", 3.0, 0)


def test_an_item_with_an_empty_list_of_answers_is_refused_by_name(base):
    items = student_samples.items()
    items[3] = items[3].model_copy(update={"answers": []})
    with pytest.raises(BadInput, match="webquestions item 'Peru': its list of answers is empty"):
        scoring.answer_all(*base, items, Score(max_new_tokens=4, batch=3))


def test_an_item_longer_than_the_models_context_is_refused_by_name(base, monkeypatch):
    model, tokenizer = base
    items = student_samples.items()
    items[5] = items[5].model_copy(update={"question": "Which capital? " * 8})
    asked = scoring.ask(items, tokenizer)
    longest = asked.rows[5].start
    monkeypatch.setattr(model.config, "max_position_embeddings", longest + 20)
    scoring.answer(model.eval(), tokenizer, asked, Score(max_new_tokens=20, batch=3))
    with pytest.raises(
        BadInput, match=rf"'Cuba': its prompt of {longest} tokens and an answer of 21 are more"
    ):
        scoring.answer(model, tokenizer, asked, Score(max_new_tokens=21, batch=3))
    scoring.answer(model, tokenizer, asked, Score(max_new_tokens=21, batch=3, context=longest + 21))


def test_answers_and_losses_do_not_depend_on_how_many_processes_share_the_items(tmp_path, monkeypatch):
    from stages.student import answering, processes

    folder = student_samples.save_base(tmp_path / "base")
    items, config = student_samples.items(), Score(max_new_tokens=4, batch=2)
    found = []
    for cores, many in ((1, 1000), (3, 1000), (3, 2)):
        monkeypatch.setattr(processes, "cores", lambda cores=cores: cores)
        monkeypatch.setattr(answering, "_MANY", many)
        found.append(answering.answer(folder, [coordinates.BASE, coordinates.BASE], items, config))
    assert found[0] == found[1] == found[2]
    assert found[0][0] == found[0][1]


def test_every_core_has_work_and_large_weights_are_loaded_once():
    from stages.student.answering import shares_each

    assert [shares_each(models, 4, 1_000) for models in (1, 2, 3, 4, 6, 8)] == [4, 2, 2, 1, 2, 1]
    assert shares_each(1, 16, 2**30) == 1
