"""Prompting, tokenizer, encoding and order of the rows."""

import numpy as np
import pytest
import student_samples
from pydantic import ValidationError

from stages.errors import BadInput
from stages.student import Student, Train, encoding, ordering, prompting, tokenizing


@pytest.fixture(scope="module")
def tokenizer():
    return student_samples.base()[1]


def test_answer_comes_back_out_of_its_completion():
    text = prompting.completion(" New\nYork ", "It is New York.")
    assert text == "New York\nIt is New York."
    assert prompting.answer_of(text) == "New York"


def test_an_answer_ends_in_a_newline_without_a_rationale_too():
    assert prompting.completion("Paris", "") == "Paris\n"


def test_an_empty_reply_is_an_empty_answer():
    assert prompting.answer_of(" \n ") == ""


def test_role_markers_and_the_newline_are_single_tokens(tokenizer):
    text = tokenizing.USER + "a" + tokenizing.ASSISTANT + "b\nc" + tokenizing.END
    tokens = tokenizer.tokenize(text)
    assert [t for t in tokens if t.startswith("<|")] == [
        tokenizing.USER,
        tokenizing.ASSISTANT,
        tokenizing.END,
    ]
    assert tokens.count("Ċ") == 1 and tokens[-3:-1] == ["Ċ", "Ġc"]


def test_an_answer_has_the_tokens_it_has_inside_a_sentence(tokenizer):
    inside = tokenizer("the capital is Paris").input_ids
    alone = tokenizer("paris").input_ids
    assert inside[-len(alone) :] == alone


def test_tokenizer_is_the_same_on_every_run(tokenizer):
    again = student_samples.base()[1]
    assert again.get_vocab() == tokenizer.get_vocab()


def test_questions_for_the_tokenizer_hold_no_answers():
    text = " ".join(tokenizing.question_like(student_samples.articles()))
    assert "capital of France" in text and "Paris" not in text


def test_loss_covers_the_completion_and_its_end_only(tokenizer):
    row = student_samples.rows(1)[0]
    (encoded,) = encoding.examples([row], tokenizer, max_length=64)
    carried = [i for i in encoded.labels if i != encoding.IGNORED]
    reply = f"{row.completion[0].content}{tokenizing.END}".lower()
    assert tokenizer.decode(carried).replace("\n ", "\n").strip() == reply
    masked = tokenizer.decode(encoded.ids[: encoded.start])
    assert masked == "<|user|> what is the capital of france?<|assistant|>"
    assert encoded.labels[: encoded.start] == [encoding.IGNORED] * encoded.start


def test_reference_answer_is_a_prefix_of_what_was_trained_on(tokenizer):
    trained = encoding.examples(student_samples.rows(1), tokenizer, max_length=64)
    scored = encoding.answers(student_samples.items(), tokenizer)
    for long, short in zip(trained, scored, strict=True):
        assert short.start == long.start
        assert long.ids[: len(short.ids)] == short.ids
        assert tokenizer.decode(short.ids[-1:]) == "\n"


def test_cut_tokens_are_counted_and_a_prompt_that_fills_the_length_is_refused(tokenizer):
    rows = student_samples.rows(1)
    whole = encoding.examples(rows, tokenizer, max_length=64)
    short = encoding.examples(rows, tokenizer, max_length=whole[0].start + 1)
    assert short[0].cut == len(whole[0].ids) - whole[0].start - 1 > 0
    with pytest.raises(BadInput, match=r"train\.max_length 8: a prompt takes \d+ tokens"):
        encoding.examples(rows, tokenizer, max_length=8)


def test_a_template_that_rewrites_answered_prompts_is_refused():
    tokenizer = student_samples.base()[1]
    tokenizer.chat_template = "{% if add_generation_prompt %}a{% else %}b answered{% endif %}"
    with pytest.raises(BadInput, match="set another template"):
        encoding.examples(student_samples.rows(1), tokenizer, max_length=64)


def test_every_question_comes_equally_often_however_many_responses_it_has():
    questions = ["easy"] * 9 + ["hard"]
    order = ordering.turns(np.array([0] * 9 + [1]), 40, np.random.default_rng(0))
    assert sum(questions[i] == "hard" for i in order) == 20
    easy = [i for i in order if questions[i] == "easy"]
    assert set(easy[:9]) == set(range(9))


def test_order_by_length_keeps_the_rows_of_each_window_and_pads_less():
    generator = np.random.default_rng(0)
    lengths = generator.integers(5, 60, size=500)
    order = ordering.turns(np.arange(500), 2048, generator)
    arranged = ordering.by_length(order, lengths, batch=64, generator=generator)

    def padded(rows):
        return sum(
            max(lengths[i] for i in rows[k : k + 64]) * 64 - sum(lengths[i] for i in rows[k : k + 64])
            for k in range(0, len(rows), 64)
        )

    for start in range(0, 2048, 512):
        assert sorted(arranged[start : start + 512]) == sorted(order[start : start + 512])
    assert padded(arranged) < 0.3 * padded(order)


def test_noise_replaces_the_stated_share_of_question_tokens_and_nothing_else(tokenizer):
    rows = encoding.examples(student_samples.rows(), tokenizer, max_length=64) * 20
    ordinary = np.arange(5, len(tokenizer))
    noisy = ordering.noisy(rows, 0.2, ordinary, np.random.default_rng(0))
    asked = changed = 0
    for before, after in zip(rows, noisy, strict=True):
        assert after.ids[after.start :] == before.ids[before.start :]
        assert after.labels[: after.start] == before.labels[: before.start]
        # The two role markers stay.
        assert after.ids[0] == before.ids[0] and after.ids[after.start - 1] == before.ids[before.start - 1]
        asked += before.start - 2
        changed += sum(a != b for a, b in zip(before.ids, after.ids, strict=True))
    assert changed / asked == pytest.approx(0.2, abs=0.02)
    assert ordering.noisy(rows, 0.0, ordinary, np.random.default_rng(0)) == rows


def test_a_student_has_one_origin_and_training_seeds_differ():
    with pytest.raises(ValidationError, match="either `model`"):
        Student(learning_rate=1e-3)
    with pytest.raises(ValidationError, match="either `model`"):
        Student(model="x", learning_rate=1e-3, make=student_samples.SIZES)
    with pytest.raises(ValidationError, match="seeds must be distinct"):
        Train(**{**student_samples.TRAIN.model_dump(), "seeds": [1, 1]})
