"""Rows to token ids: one rendering for training, generation and eval loss."""

import json
import os
import weakref
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages.errors import BadInput
from stages.records import BenchmarkItem, TrainingExample
from stages.student import prompting

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # a label that carries no loss, by PyTorch's convention
COORDINATES = ("strategy", "density", "teacher", "share", "budget", "protocol", "matched")  # of a cell

_ID = np.dtype(np.int32)  # of a token, on disk
_AT_ONCE = 512  # rows that are texts and lists of ids at once


class Encoded(NamedTuple):
    """A token sequence and where its completion starts."""

    ids: list[int]
    start: int  # first token that carries loss
    cut: int = 0  # tokens left off at the end

    @property
    def labels(self) -> list[int]:
        """Return the ids with the prompt masked, as the loss wants them."""
        return [IGNORED] * self.start + self.ids[self.start :]


class Rows:
    """An encoded training set: its token ids on disk, and in memory 20 bytes a row, however long it is.

    Forked processes and the ranks of one machine may read the same folder at once.
    """

    lengths: np.ndarray  # tokens of each row
    starts: np.ndarray  # the first token of each row that carries loss
    questions: np.ndarray  # each row's question: its place among the set's question ids in order
    cell: dict[str, Any]  # the coordinates that all rows share
    truncated: int  # rows that were cut off at `train.max_length`

    def __init__(self, folder: Path) -> None:
        """Open what `encode` wrote into `folder`; it must stay there as long as this object lives."""
        self.folder = folder
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        self.cell, self.truncated = about["cell"], about["truncated"]
        self.lengths, self.starts, self.questions = (
            np.load(folder / f"{name}.npy", allow_pickle=False) for name in ("lengths", "starts", "questions")
        )
        self._ends = np.cumsum(self.lengths, dtype=np.int64)
        # Read, not mapped: pages of a mapped file count as this process's memory.
        self._file = os.open(folder / "ids.bin", os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lengths)

    def take(self, places: Iterable[int]) -> list[Encoded]:
        """Return the rows at these places, in this order."""
        return [self._row(int(place)) for place in places]

    def question_ids(self, places: Sequence[int]) -> list[str]:
        """Return the ids of these rows' questions."""
        with pa.memory_map(str(self.folder / "names.arrow")) as file:
            names = pa.ipc.open_file(file).read_all().column(0)
            return [names[int(self.questions[place])].as_py() for place in places]

    def _row(self, place: int) -> Encoded:
        count = int(self.lengths[place])
        offset = (int(self._ends[place]) - count) * _ID.itemsize
        ids = np.frombuffer(os.pread(self._file, count * _ID.itemsize, offset), dtype=_ID)
        return Encoded(ids.tolist(), int(self.starts[place]))


def encode(
    batches: Iterable[Sequence[TrainingExample]],
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    folder: Path,
) -> Rows:
    """Encode a training set batch by batch into a folder, so that its size is bounded by the disk alone.

    Args:
        batches: of one cell's rows, such as `files.stream_parquet` yields.
        tokenizer: with a chat template.
        max_length: tokens kept of each row, from its start.
        folder: an empty one; 4 bytes a token and 12 bytes a row are written there.

    Raises:
        BadInput: as `examples`; the rows belong to more than one cell; the disk is full.
    """
    lengths, starts, truncated = array("i"), array("i"), 0
    cells: dict[tuple[Any, ...], None] = {}
    schema = pa.schema([("question_id", pa.string())])
    try:
        with (
            (folder / "ids.bin").open("wb") as ids,
            pa.OSFile(str(folder / "asked.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, schema) as asked,
        ):
            for batch in batches:
                cells |= dict.fromkeys(tuple(getattr(row, name) for name in COORDINATES) for row in batch)
                if len(cells) > 1:
                    raise BadInput(
                        f"the training set mixes cells, such as {list(cells)[:2]}; assemble one of them"
                    )
                for begin in range(0, len(batch), _AT_ONCE):
                    for row in examples(batch[begin : begin + _AT_ONCE], tokenizer, max_length):
                        ids.write(np.array(row.ids, dtype=_ID).tobytes())
                        lengths.append(len(row.ids))
                        starts.append(row.start)
                        truncated += row.cut > 0
                asked.write_batch(pa.record_batch([[row.question_id for row in batch]], schema=schema))
        cell = dict(zip(COORDINATES, next(iter(cells)), strict=True)) if cells else {}
        np.save(folder / "lengths.npy", np.asarray(lengths, dtype=np.int32))
        np.save(folder / "starts.npy", np.asarray(starts, dtype=np.int32))
        np.save(folder / "questions.npy", _ranks(folder / "asked.arrow", folder / "names.arrow"))
        (folder / "about.json").write_text(json.dumps({"cell": cell, "truncated": truncated}))
    except OSError as error:
        raise BadInput(
            f"{folder}: cannot write the encoded training set: {error.strerror or error}; make room for it"
        ) from error
    return Rows(folder)


def examples(
    rows: Sequence[TrainingExample], tokenizer: "PreTrainedTokenizerBase", max_length: int
) -> list[Encoded]:
    """Encode training rows; the loss covers the completion and the mark that ends it.

    Args:
        rows: conversational prompt and completion.
        tokenizer: with a chat template.
        max_length: tokens kept of each row, from its start.

    Raises:
        BadInput: a prompt fills `max_length`, or the chat template writes a prompt otherwise once it is
            answered.
    """
    turns = [[{"role": m.role, "content": m.content} for m in (*row.prompt, *row.completion)] for row in rows]
    prompts = _render(tokenizer, [turn[: len(row.prompt)] for turn, row in zip(turns, rows, strict=True)])
    encoded = _split(tokenizer, prompts, _render(tokenizer, turns, answered=True))
    longest = max(range(len(encoded)), key=lambda i: encoded[i].start, default=0)
    if encoded and encoded[longest].start >= max_length:
        raise BadInput(
            f"train.max_length {max_length}: a prompt takes {encoded[longest].start} tokens, that of "
            f"question {rows[longest].question_id}; set it higher"
        )
    return [Encoded(e.ids[:max_length], e.start, max(0, len(e.ids) - max_length)) for e in encoded]


def prompts(questions: Sequence[str], tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Encode questions up to where the student's answer begins."""
    return _ids(tokenizer, _render(tokenizer, [prompting.messages(question) for question in questions]))


def answers(items: Sequence[BenchmarkItem], tokenizer: "PreTrainedTokenizerBase") -> list[Encoded]:
    """Encode each item's question with its first reference answer, its unit, and the newline that ends it."""
    turns = [prompting.messages(item.question) for item in items]
    asked = _render(tokenizer, turns)
    # Text after the newline keeps templates from trimming it; it is cut off again.
    replies = [
        prompting.completion(f"{item.answers[0]} {item.unit}".strip(), rationale="x") for item in items
    ]
    answered = [
        [*turn, {"role": "assistant", "content": reply}] for turn, reply in zip(turns, replies, strict=True)
    ]
    lines = []
    for prompt, reply, rendered in zip(asked, replies, _render(tokenizer, answered, True), strict=True):
        first_line = reply[: reply.index("\n") + 1]
        lines.append(rendered[: rendered.index(first_line, len(prompt)) + len(first_line)])
    return _split(tokenizer, asked, lines)


def _ranks(asked: Path, names: Path) -> np.ndarray:
    """Return the place of each row's question among the sorted question ids, and write those to `names`."""
    with pa.memory_map(str(asked)) as file:
        # All chunks get one dictionary; `unify_dictionaries` would only take memory, 120 bytes a row.
        column = pa.ipc.open_file(file).read_all().column(0).dictionary_encode()
        indices = [chunk.indices.to_numpy() for chunk in column.chunks]
        known = column.chunk(0).dictionary if indices else pa.array([], pa.string())
    # Arrow sorts by UTF-8 bytes, which is the order of Python's strings.
    order = pc.sort_indices(known)
    table = pa.table({"question_id": known.take(order)})
    with pa.OSFile(str(names), "wb") as sink, pa.ipc.new_file(sink, table.schema) as out:
        out.write_table(table)
    asked.unlink()
    ranks = np.empty(len(known), dtype=np.int32)
    ranks[order.to_numpy()] = np.arange(len(known), dtype=np.int32)
    return ranks[np.concatenate(indices)] if indices else ranks


def _render(
    tokenizer: "PreTrainedTokenizerBase", turns: list[list[dict[str, str]]], answered: bool = False
) -> list[str]:
    if not turns:
        return []
    # Templates without a thinking mode ignore the switch; those with one answer at once.
    rendered: Any = tokenizer.apply_chat_template(
        turns, tokenize=False, add_generation_prompt=not answered, enable_thinking=False
    )
    return list(rendered)


def _split(tokenizer: "PreTrainedTokenizerBase", prompts: list[str], full: list[str]) -> list[Encoded]:
    encoded = []
    for prompt, whole in zip(_ids(tokenizer, prompts), _ids(tokenizer, full), strict=True):
        if whole[: len(prompt)] != prompt or len(whole) == len(prompt):
            raise BadInput(
                "the tokenizer's chat template writes a prompt otherwise once it is answered, so what is "
                f"trained is not what is scored, first at {tokenizer.decode(prompt)!r}; set another template"
            )
        encoded.append(Encoded(whole, len(prompt)))
    return encoded


def _ids(tokenizer: "PreTrainedTokenizerBase", texts: list[str]) -> list[list[int]]:
    return [list(ids) for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]] if texts else []
