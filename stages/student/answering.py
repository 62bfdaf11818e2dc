"""The models of one folder answer benchmark items: on every core, or one after the other on a GPU."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stages.records import BenchmarkItem
from stages.student import batching, encoding, generation, modelling, processes, scoring
from stages.student.config import Score
from stages.student.coordinates import Cell
from stages.student.encoding import Encoded

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_MANY = 1000  # items from which on encoding them is worth processes of its own
_HELD = 4 * 2**30  # bytes of weights that processes which share a model's items may hold together


class Work(NamedTuple):
    """What one process does: a model, and the items it answers."""

    folder: Path
    items: list[int]

    def __str__(self) -> str:
        return str(self.folder)


def answer(
    folder: Path,
    cells: Sequence[Cell],
    items: Sequence[BenchmarkItem],
    config: Score,
    report: Callable[[str], generation.Report] = lambda name: lambda done, total: None,
) -> list[list[scoring.Answered]]:
    """Return what each model of a folder makes of each item.

    Items are encoded once. Where there are more cores than models, a model's items are shared out by whole
    batches, so that nothing depends on the number of cores.

    Args:
        folder: of a cell's students, or of a base.
        cells: its models, which share one tokenizer.
        items: in any order.
        config: batch, length limit and engine.
        report: gives each process, by its model's name, what to tell its progress to.

    Raises:
        BadInput: an item that no model can be asked, no such model or engine, or not enough memory for a
            single item.
    """
    gpu, vllm = processes.cuda(), config.engine == "vllm"
    if vllm:
        generation.check_vllm()
    first = folder / cells[0].folder
    modelling.load_libraries(first)
    tokenizer = modelling.load_tokenizer(first)
    encode = encoding.answers if gpu or len(items) < _MANY else _encoded
    asked = scoring.ask(items, tokenizer, encode)
    count = 1 if gpu else shares_each(len(cells), processes.cores(), _weights(first))
    shares = batching.shares([len(row.ids) for row in asked.rows], config.batch, count)

    def run(work: Work) -> list[scoring.Answered]:
        student = scoring.on_device(modelling.load(work.folder)[0])
        part, progress = asked.part(work.items), report(work.folder.name)
        return scoring.answer(student, tokenizer, part, config, progress, generate=not vllm)

    works = [Work(folder / cell.folder, share) for cell in cells for share in shares]
    done = iter(processes.each(run, works, "scoring", fork=not gpu))
    answers = [_joined(shares, [next(done) for _ in shares]) for _ in cells]
    if not vllm:
        return answers
    ending = generation.Ending(asked.stop, config.max_new_tokens, tokenizer.pad_token_id)
    replies = (generation.by_vllm(folder / cell.folder, asked.prompts, ending) for cell in cells)
    return [
        [
            known._replace(prediction=said)
            for known, said in zip(each, scoring.predictions(tokens, tokenizer), strict=True)
        ]
        for each, tokens in zip(answers, replies, strict=True)
    ]


def shares_each(models: int, cores: int, weights: int) -> int:
    """Return into how many shares each model's items go, so that no core is idle.

    Args:
        models: to be asked.
        cores: of this machine.
        weights: bytes of one model; large ones are not loaded more than once.
    """
    if models % cores == 0 or weights * cores > _HELD:
        return 1
    return -(-cores // models) if models < cores else 2


def _encoded(items: Sequence[BenchmarkItem], tokenizer: "PreTrainedTokenizerBase") -> list[Encoded]:
    """Do `encoding.answers` on every core; tokenizers' own threads would not survive the forks to come."""
    size = -(-len(items) // processes.cores())
    parts = [range(start, min(start + size, len(items))) for start in range(0, len(items), size)]

    def encode(part: range) -> list[Encoded]:
        return encoding.answers(items[part.start : part.stop], tokenizer)

    return [row for part in processes.each(encode, parts, "items") for row in part]


def _joined(shares: Sequence[list[int]], parts: Sequence[list[scoring.Answered]]) -> list[scoring.Answered]:
    by_item = {
        i: one for share, part in zip(shares, parts, strict=True) for i, one in zip(share, part, strict=True)
    }
    return [by_item[i] for i in range(len(by_item))]


def _weights(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.safetensors"))
