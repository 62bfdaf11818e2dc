"""A student's answers to benchmark questions, and the loss of the reference answers."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from stages.errors import BadInput
from stages.grading import exact_match
from stages.records import BenchmarkItem, ItemScore
from stages.student import batching, encoding, generation, modelling, prompting
from stages.student.config import Score
from stages.student.coordinates import Cell
from stages.student.encoding import IGNORED, Encoded

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Answered(NamedTuple):
    """One item as a student handles it."""

    prediction: str
    answer_loss: float  # −Σ log p of the first reference answer's tokens and the newline after it, nats
    answer_tokens: int


class Asked(NamedTuple):
    """Benchmark items as a student's tokenizer writes them."""

    items: Sequence[BenchmarkItem]
    rows: list[Encoded]  # of each: the prompt, and from its start on the reference answer
    stop: list[int]  # tokens that end an answer

    @property
    def prompts(self) -> list[list[int]]:
        """Return the rows up to where the student's answer begins."""
        return [row.ids[: row.start] for row in self.rows]

    def part(self, positions: Sequence[int]) -> "Asked":
        """Return the items at some positions alone."""
        return Asked([self.items[i] for i in positions], [self.rows[i] for i in positions], self.stop)


def ask(
    items: Sequence[BenchmarkItem],
    tokenizer: "PreTrainedTokenizerBase",
    encode: Callable[[Sequence[BenchmarkItem], "PreTrainedTokenizerBase"], list[Encoded]] = encoding.answers,
) -> Asked:
    """Encode items once for all models that share a tokenizer.

    Args:
        items: in any order.
        tokenizer: with a chat template.
        encode: `encoding.answers`, or what does the same.

    Raises:
        BadInput: an item without an accepted answer.
    """
    for item in items:
        if not item.answers:
            raise BadInput(f"{_name(item)}: its list of answers is empty; complete or remove it")
    return Asked(items, encode(items, tokenizer), stop_tokens(tokenizer))


def check_lengths(asked: Asked, config: Score, context: int | None) -> None:
    """Refuse items that a model has no room for.

    Args:
        asked: the items.
        config: limit of an answer.
        context: positions of the model; None where it has no limit.

    Raises:
        BadInput: a prompt with `max_new_tokens` after it, or with its reference answer, is longer than the
            context.
    """
    for item, row in zip(asked.items, asked.rows, strict=True):
        wanted = max(row.start + config.max_new_tokens, len(row.ids))
        if context is not None and wanted > context:
            raise BadInput(
                f"{_name(item)}: its prompt of {row.start} tokens and an answer of {wanted - row.start} are "
                f"more than the model's context of {context}; shorten it, raise score.context, or take a "
                "student with a longer context"
            )


def answer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    asked: Asked,
    config: Score,
    report: generation.Report = lambda done, total: None,
    generate: bool = True,
) -> list[Answered]:
    """Answer each item greedily by transformers and measure its reference answer's loss.

    Args:
        model: a fine-tuned student or its base, on its device.
        tokenizer: the model's.
        asked: the items.
        config: batch and length limit.
        report: told how many items are answered, and of how many.
        generate: False leaves the predictions empty.

    Raises:
        BadInput: an item is longer than the model's context, or does not fit the memory alone.
    """
    check_lengths(asked, config, config.context or modelling.context(model))
    replies: list[list[int]] = [[]] * len(asked.rows)
    if generate:
        ending = generation.Ending(asked.stop, config.max_new_tokens, tokenizer.pad_token_id)
        replies = generation.by_transformers(model, asked.prompts, ending, config.batch, report)
    said = predictions(replies, tokenizer)
    losses = answer_losses(model, tokenizer, asked.rows, config)
    return [Answered(p, loss, n) for p, (loss, n) in zip(said, losses, strict=True)]


def answer_all(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    items: Sequence[BenchmarkItem],
    config: Score,
) -> list[Answered]:
    """Do `ask` and `answer`."""
    return answer(model, tokenizer, ask(items, tokenizer), config)


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
) -> list[str]:
    """Return the first line of each greedy reply.

    Args:
        model: on its device.
        tokenizer: the model's, with a chat template.
        questions: as a user asks them.
        config: batch and length limit.
    """
    ending = generation.Ending(stop_tokens(tokenizer), config.max_new_tokens, tokenizer.pad_token_id)
    prompts = encoding.prompts(questions, tokenizer)
    return predictions(generation.by_transformers(model, prompts, ending, config.batch), tokenizer)


def predictions(replies: list[list[int]], tokenizer: "PreTrainedTokenizerBase") -> list[str]:
    """Return the answers in replies, each its first line."""
    texts = tokenizer.batch_decode(replies, skip_special_tokens=True)
    return [prompting.answer_of(text) for text in texts]


def answer_losses(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[Encoded],
    config: Score,
) -> list[tuple[float, int]]:
    """Return each row's −Σ log p(token | question, before), nats, and the number of tokens summed.

    The tokens are those of the first reference answer and of the newline that ends an answer.

    Args:
        model: on its device.
        tokenizer: pads.
        rows: of `encoding.answers`.
        config: batch.
    """
    import torch

    losses: list[tuple[float, int]] = [(0.0, 0)] * len(rows)

    def work(part: list[int]) -> None:
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
        logits = modelling.logits_at(model, inputs, keep).float()
        each = torch.nn.functional.cross_entropy(logits, labels[keep], reduction="none")
        grid = torch.zeros(labels.shape, dtype=torch.float64, device=model.device)
        grid[keep] = each.double()
        for i, loss, n in zip(part, grid.sum(1).tolist(), keep.sum(1).tolist(), strict=True):
            losses[i] = (loss, n)

    with torch.inference_mode():
        batching.each([len(row.ids) for row in rows], config.batch, work)
    return losses


def stop_tokens(tokenizer: "PreTrainedTokenizerBase") -> list[int]:
    """Return the end token and every token with a line break in it: each ends an answer."""
    texts = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
    return sorted({tokenizer.eos_token_id, *(i for i, text in enumerate(texts) if "\n" in text)})


def on_device(model: "PreTrainedModel") -> "PreTrainedModel":
    """Move a model to the first GPU, in bfloat16; leave it as it is where there is none."""
    import torch

    if not torch.cuda.is_available():
        return model
    module: Any = model
    moved: PreTrainedModel = module.to(device="cuda", dtype=torch.bfloat16)
    return moved


def _name(item: BenchmarkItem) -> str:
    return f"{item.benchmark} item '{item.item_id}'"
