"""What a run is shown: order and noise as drawn row by row, from anywhere, off a disk."""

import subprocess
import sys
from itertools import accumulate

import numpy as np
import pyarrow.parquet as pq
import pytest
import student_samples

from stages import files
from stages.errors import BadInput
from stages.records import TrainingExample
from stages.student import Train, encoding, showing
from stages.student.encoding import Encoded, Rows

TRAIN = student_samples.TRAIN


class Listed(Rows):
    """Rows in memory, for orders of any shape."""

    def __init__(self, rows: list[Encoded], questions: list[str]):
        self.rows = rows
        self.lengths = np.array([len(row.ids) for row in rows], dtype=np.int32)
        self.starts = np.array([row.start for row in rows], dtype=np.int32)
        self.questions = np.unique(questions, return_inverse=True)[1].astype(np.int32)

    def take(self, places):
        return [self.rows[int(place)] for place in places]


def one_by_one(rows, questions, train, seed, noise, vocabulary, tokens):
    """The definition, in lists: turns for all rows, then length for all, then noise for all."""
    generator = np.random.default_rng(seed)
    lengths = [len(row.ids) for row in rows]
    count = train.steps * train.batch if tokens is None else -(-tokens // min(lengths))
    of = {q: [i for i, asked in enumerate(questions) if asked == q] for q in sorted(set(questions))}
    hands = [list(generator.permutation(of[question])) for question in of]
    order, visit = [], 0
    while len(order) < count:
        order += [int(hands[i][visit % len(hands[i])]) for i in generator.permutation(len(hands))]
        visit += 1
    order = order[:count]
    if tokens is not None:
        sums = accumulate(lengths[i] for i in order)
        order = order[: 1 + next(k for k, shown in enumerate(sums) if shown >= tokens)]
    whole = len(order) - len(order) % train.batch
    arranged = []
    for start in range(0, whole, 8 * train.batch):
        window = sorted(order[start : min(whole, start + 8 * train.batch)], key=lambda row: lengths[row])
        parts = [window[i : i + train.batch] for i in range(0, len(window), train.batch)]
        arranged += [row for i in generator.permutation(len(parts)) for row in parts[i]]
    shown = [rows[i] for i in arranged + order[whole:]]
    changed = []
    for row in shown if noise else ():
        prompt = np.array(row.ids[: row.start])
        hit = (generator.random(row.start) < noise) & np.isin(prompt, vocabulary)
        prompt[hit] = generator.choice(vocabulary, size=int(hit.sum()))
        changed.append(row._replace(ids=prompt.tolist() + row.ids[row.start :]))
    return changed or shown


@pytest.mark.parametrize("seed", range(12))
def test_rows_come_as_if_the_whole_run_were_drawn_at_once_wherever_one_begins(seed):
    draw = np.random.default_rng(seed)
    count = int(draw.integers(3, 200))
    questions = [f"q{draw.integers(0, max(1, count // 3)):x}é" for _ in range(count)]
    rows = [
        Encoded(draw.integers(0, 90, int(draw.integers(4, 40))).tolist(), int(draw.integers(1, 4)))
        for _ in range(count)
    ]
    sizes = {"steps": int(draw.integers(1, 150)), "batch": int(draw.integers(1, 9))}
    train = Train(**{**TRAIN.model_dump(), **sizes})
    vocabulary = np.arange(5, 80)
    noise, tokens = 0.2 * (seed % 2), int(draw.integers(500, 9000)) if seed % 3 else None
    wanted = one_by_one(rows, questions, train, seed, noise, vocabulary, tokens)
    listed = Listed(rows, questions)
    assert list(showing.show(listed, train, seed, noise, vocabulary, tokens)) == wanted
    shown = showing.show(listed, train, seed, noise, vocabulary, tokens)
    for step in draw.integers(0, shown.steps, 5):  # backwards and forwards
        assert shown.step(int(step)) == wanted[step * train.batch : (step + 1) * train.batch]
    assert len(shown) == len(wanted) and len(shown.tokens()) == shown.steps + 1
    assert shown.tokens()[-1] == sum(len(row.ids) for row in wanted)
    assert shown.completion_tokens() == sum(len(row.ids) - row.start for row in wanted)


@pytest.fixture(scope="module")
def tokenizer():
    return student_samples.base()[1]


def test_a_streamed_training_set_is_the_one_encoded_at_once(tokenizer, tmp_path):
    examples = student_samples.rows()[::-1]
    files.write_parquet(tmp_path / "rows.parquet", examples, TrainingExample)
    whole = encoding.examples(examples, tokenizer, 30)
    for size in (1, 7, 1000):
        folder = tmp_path / str(size)
        folder.mkdir()
        batches = [examples[i : i + size] for i in range(0, len(examples), size)]
        encoding.encode(batches, tokenizer, 30, folder)
        rows = Rows(folder)
        assert [row._replace(cut=0) for row in whole] == rows.take(range(len(rows)))
        assert rows.truncated == sum(row.cut > 0 for row in whole) > 0
        assert rows.cell["budget"] == 5 and rows.cell["matched"] == "samples"
        assert rows.question_ids([0, 39, 1]) == ["Italy", "France", "Italy"]
        assert sorted(set(rows.questions.tolist())) == list(range(8))
        names = sorted(student_samples.CAPITALS)
        assert [names[q] for q in rows.questions] == [example.question_id for example in examples]


def test_an_empty_training_set_a_mixed_one_and_a_full_disk_are_refused(tokenizer, tmp_path, monkeypatch):
    empty = student_samples.encoded([], tokenizer, tmp_path / "empty")
    assert len(empty) == 0
    with pytest.raises(BadInput, match="no row to train on"):
        showing.show(empty, TRAIN, 0)
    examples = student_samples.rows()
    other = TrainingExample(**{**examples[0].model_dump(), "budget": 99})
    with pytest.raises(BadInput, match="mixes cells"):
        student_samples.encoded([*examples, other], tokenizer, tmp_path / "mixed")
    with pytest.raises(BadInput, match=r"cannot write the encoded training set: No such file"):
        encoding.encode([examples], tokenizer, 64, tmp_path / "gone")


def test_a_prompt_that_fills_the_length_is_named_by_its_question(tokenizer, tmp_path):
    (tmp_path / "x").mkdir()
    with pytest.raises(BadInput, match=r"max_length 9: a prompt takes \d+ tokens, that of question \w+"):
        encoding.encode([student_samples.rows()], tokenizer, 9, tmp_path / "x")


def test_parquet_is_streamed_in_batches_and_refused_as_when_it_is_read_at_once(tmp_path):
    examples = student_samples.rows(700)
    path = tmp_path / "rows.parquet"
    files.write_parquet(path, examples, TrainingExample)
    batches = list(files.stream_parquet(path, TrainingExample))
    assert [len(batch) for batch in batches] == [4096, 1504]
    assert [row for batch in batches for row in batch] == examples
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["rollout"]), path)
    with pytest.raises(BadInput, match=r"columns are not those of TrainingExample \(\['rollout'\]\)"):
        next(files.stream_parquet(path, TrainingExample))
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(BadInput, match="not readable as Parquet"):
        next(files.stream_parquet(path, TrainingExample))


@pytest.mark.slow
def test_ten_times_the_rows_take_hardly_more_memory():
    script = "benchmarks/train_memory.py"
    done = subprocess.run(
        [sys.executable, script, "--rows", "5000"], capture_output=True, text=True, check=True
    )
    assert float(done.stdout.strip().splitlines()[-1].split()[-1]) < 1.15
