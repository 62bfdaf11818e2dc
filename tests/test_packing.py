"""Parts of a step: every row once, whatever the ranks; packed rows as if alone."""

from itertools import pairwise

import numpy as np
import pytest
import student_samples
from test_showing import Listed

from stages.errors import BadInput
from stages.student import Student, losses, modelling, packing, showing, training
from stages.student.encoding import IGNORED, Encoded

ARCHITECTURES = ("qwen3", "llama", "mixture_of_experts")


def _rows(count, seed=0):
    draw = np.random.default_rng(seed)
    return [
        Encoded(draw.integers(5, 200, int(draw.integers(3, 30))).tolist(), int(draw.integers(1, 3)))
        for _ in range(count)
    ]


@pytest.mark.parametrize(("rows", "ranks"), [(8, 1), (3, 1), (4, 2), (1, 4), (2, 3)])
@pytest.mark.parametrize("tokens", [None, 1234])
def test_each_row_of_a_step_is_in_exactly_one_part_of_one_rank(rows, ranks, tokens):
    listed = Listed(_rows(50), [str(i % 9) for i in range(50)])
    shown = showing.show(listed, student_samples.TRAIN, 0, tokens=tokens)
    assert tokens is None or len(shown) % shown.batch, "the last step is a short one"
    parts = [packing.Parts(shown, rows, ranks, rank) for rank in range(ranks)]
    assert len({len(each) for each in parts}) == 1 and len(parts[0]) == shown.steps * parts[0].a_step
    for step in range(shown.steps):
        numbers = range(step * parts[0].a_step, (step + 1) * parts[0].a_step)
        found = [row for each in parts for number in numbers for row in each[number]]
        assert max(len(each[number]) for each in parts for number in numbers) <= rows
        assert sorted(found) == sorted(shown.step(step))
    assert len(list(iter(parts[0]))) == len(parts[0])


def test_rows_of_a_part_are_named_by_their_questions(tmp_path):
    tokenizer = student_samples.base()[1]
    rows = student_samples.encoded(student_samples.rows(), tokenizer, tmp_path / "rows")
    shown = showing.show(rows, student_samples.TRAIN, 0)
    parts = packing.Parts(shown, 2, ranks=2, rank=1)
    asked = [f"what is the capital of {name.lower()}?" for name in parts.question_ids(3, 1)]
    assert len(asked) == 2
    found = parts[3 * parts.a_step + 1]
    assert [tokenizer.decode(row.ids[1 : row.start - 1]).strip() for row in found] == asked


@pytest.mark.parametrize("limit", [10, 29, 70, 500])
def test_packed_lines_hold_each_row_once_and_little_else(limit):
    rows = _rows(40)
    batch = packing.packed(rows, 0, limit)
    ids, labels, positions = (batch[name] for name in ("input_ids", "labels", "position_ids"))
    width = ids.shape[1]
    assert width <= max(limit, *(len(row.ids) for row in rows)) and ids.shape[0] < len(rows)
    assert ids.numel() < 1.1 * sum(len(row.ids) for row in rows)
    documents = []
    for line in range(len(ids)):
        starts = [*(positions[line] == 0).nonzero().flatten().tolist(), width]
        documents += [(ids[line, a:b].tolist(), labels[line, a:b].tolist()) for a, b in pairwise(starts)]
    carried = [d for d in documents if set(d[1]) != {IGNORED}]
    assert sorted(carried) == sorted((row.ids, row.labels) for row in rows)
    assert "attention_mask" not in batch


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_packed_rows_have_the_loss_and_gradients_they_have_alone(architecture, flat):
    import torch

    tokenizer = student_samples.base()[1]
    model = modelling.make(student_samples.of_architecture(architecture), tokenizer, seed=0)
    rows = _rows(20)
    found = []
    for batch in (packing.padded(rows, 0), packing.packed(rows, 0, 64, flat)):
        model.zero_grad()
        loss = losses.completion_loss(model, batch)
        loss.backward()
        found.append((loss.item(), [weight.grad.clone() for weight in model.parameters()]))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-5)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-3)


def test_a_part_without_rows_carries_no_loss_and_no_gradient():
    model, _ = student_samples.base()
    for batch in (packing.padded([], 0), packing.packed([], 0, 64)):
        loss = losses.completion_loss(model, batch, count=7)
        loss.backward()
        assert loss.item() == 0
        assert all(not weight.grad.any() for weight in model.parameters())


def test_a_model_that_carries_a_state_from_row_to_row_is_not_packed(tmp_path):
    from transformers import Qwen3NextConfig, Qwen3NextForCausalLM

    model, tokenizer = student_samples.base()
    assert packing.isolates(model)
    sizes = {"vocab_size": 420, "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "num_experts": 2, "num_experts_per_tok": 1}
    stateful = Qwen3NextForCausalLM(Qwen3NextConfig(**sizes, **heads))
    assert not packing.isolates(stateful)
    rows = student_samples.encoded(student_samples.rows(), tokenizer, tmp_path / "rows")
    config = student_samples.TRAIN.model_copy(update={"packing": True})
    shown = showing.show(rows, config, 0)
    student = Student(learning_rate=1e-3, make=student_samples.SIZES)
    with pytest.raises(BadInput, match=r"train\.packing: Qwen3NextForCausalLM has layers that carry"):
        training.trainer_for(stateful, tokenizer, shown, config, student, 0, tmp_path)
