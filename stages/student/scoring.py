"""A student's answers to benchmark questions, and the loss of the reference answers."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.errors import BadInput
from stages.grading import exact_match
from stages.grid import PLAIN, Cut, Target
from stages.records import BenchmarkItem, ItemScore
from stages.student import encoding, prompting
from stages.student.config import Score
from stages.student.encoding import IGNORED
from stages.student.modelling import logits_at
from stages.student.runs import Job

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Cell(NamedTuple):
    """One model to score: its coordinates, and its folder inside the cell's."""

    strategy: str
    density: float | None
    share: float | None
    budget: int
    protocol: str
    tokens: int | None  # training-token budget
    seed: int
    folder: str
    teacher: str = PLAIN.teacher
    matched: str = PLAIN.matched


BASE = Cell(
    strategy="base",
    density=None,
    share=None,
    budget=0,
    protocol="base",
    tokens=None,
    seed=0,
    folder=".",
    teacher="base",
)


def cells(
    training: dict[str, Any], where: str, target: Target | None = None, cut: Cut | None = None
) -> list[Cell]:
    """Return the models of a cell, one per token budget and training seed.

    Args:
        training: what `train` wrote beside them.
        where: named in the message of a refusal.
        target: of the pool they must have been trained on; None asks nothing.
        cut: what they must have been trained on; None asks nothing.

    Raises:
        BadInput: they were trained on another cell.
    """
    pool = Target(training["strategy"], training["density"])
    trained = Cut(training["share"], training["budget"])
    if target not in (None, pool) or cut not in (None, trained):
        raise BadInput(
            f"{where}: trained on target {pool} and cut {trained}, "
            f"not on {target or pool} and {cut or trained}; train this cell again"
        )
    jobs = [Job(run["seed"], run["tokens_budget"]) for run in training["runs"]]
    return [
        Cell(
            *pool,
            *trained,
            training["protocol"],
            job.tokens,
            job.seed,
            job.folder,
            training["teacher"],
            training["matched"],
        )
        for job in jobs
    ]


class Answered(NamedTuple):
    """One item as a student handles it."""

    prediction: str
    answer_loss: float  # −Σ log p of the first reference answer's tokens and the newline after it, nats
    answer_tokens: int


def answer_all(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    items: Sequence[BenchmarkItem],
    config: Score,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[Answered]:
    """Answer each item greedily and measure its reference answer's loss.

    Args:
        model: a fine-tuned student or its base.
        tokenizer: the model's.
        items: in any order.
        config: batch and length limit.
        report: told how many items are answered, and of how many.
    """
    predictions = generate(model, tokenizer, [item.question for item in items], config, report)
    losses = answer_losses(model, tokenizer, items, config)
    return [Answered(p, loss, n) for p, (loss, n) in zip(predictions, losses, strict=True)]


def rows(
    student: str, cell: Cell, items: Sequence[BenchmarkItem], answered: Sequence[Answered]
) -> list[ItemScore]:
    """Return the rows of one model, graded by exact match under each benchmark's own normal form."""
    where = cell._asdict()
    del where["folder"]
    return [
        ItemScore(
            student=student,
            **where,
            benchmark=item.benchmark,
            item_id=item.item_id,
            correct=exact_match(answer.prediction, item),
            **answer._asdict(),
        )
        for item, answer in zip(items, answered, strict=True)
    ]


def generate(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    questions: Sequence[str],
    config: Score,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """Return the first line of each greedy reply; batches are padded on the left and sorted by length."""
    import torch

    asked = encoding.prompts(questions, tokenizer)
    stop = stop_tokens(tokenizer)
    greedy: Any = model.generate
    answers = [""] * len(asked)
    done = 0
    with torch.inference_mode():
        for part in _batches([len(ids) for ids in asked], config.batch):
            width = max(len(asked[i]) for i in part)
            pads = [width - len(asked[i]) for i in part]
            ids = [[tokenizer.pad_token_id] * n + asked[i] for i, n in zip(part, pads, strict=True)]
            mask = [[0] * n + [1] * (width - n) for n in pads]
            replies = greedy(
                input_ids=torch.tensor(ids, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                do_sample=False,
                num_beams=1,
                temperature=None,
                top_p=None,
                top_k=None,
                max_new_tokens=config.max_new_tokens,
                eos_token_id=stop,
                pad_token_id=tokenizer.pad_token_id,
            )[:, width:]
            texts = tokenizer.batch_decode(replies, skip_special_tokens=True)
            for i, text in zip(part, texts, strict=True):
                answers[i] = prompting.answer_of(text)
            done += len(part)
            report(done, len(asked))
    return answers


def answer_losses(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    items: Sequence[BenchmarkItem],
    config: Score,
) -> list[tuple[float, int]]:
    """Return each item's −Σ log p(token | question, before), nats, and the number of tokens summed.

    The tokens are those of the first reference answer and of the newline that ends an answer.
    """
    import torch

    rows = encoding.answers(items, tokenizer)
    losses: list[tuple[float, int]] = [(0.0, 0)] * len(rows)
    with torch.inference_mode():
        for part in _batches([len(row.ids) for row in rows], config.batch):
            width = max(len(rows[i].ids) for i in part)
            pads = [width - len(rows[i].ids) for i in part]
            ids = [rows[i].ids + [tokenizer.pad_token_id] * n for i, n in zip(part, pads, strict=True)]
            mask = [[1] * (width - n) + [0] * n for n in pads]
            labels = torch.tensor(
                [rows[i].labels[1:] + [IGNORED] * (n + 1) for i, n in zip(part, pads, strict=True)],
                device=model.device,
            )
            inputs = {
                "input_ids": torch.tensor(ids, device=model.device),
                "attention_mask": torch.tensor(mask, device=model.device),
            }
            keep = labels != IGNORED
            logits = logits_at(model, inputs, keep).float()
            each = torch.nn.functional.cross_entropy(logits, labels[keep], reduction="none")
            grid = torch.zeros(labels.shape, dtype=torch.float64, device=model.device)
            grid[keep] = each.double()
            for i, loss, n in zip(part, grid.sum(1).tolist(), keep.sum(1).tolist(), strict=True):
                losses[i] = (loss, n)
    return losses


def stop_tokens(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the end token and every token with a line break in it: each ends an answer."""
    texts = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
    return sorted({tokenizer.eos_token_id, *(i for i, text in enumerate(texts) if "\n" in text)})


def _batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield positions, longest first, so that a batch too large for the memory fails at once."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    for start in range(0, len(order), size):
        yield order[start : start + size]
