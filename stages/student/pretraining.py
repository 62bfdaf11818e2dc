"""Pretrain a tiny student on article text."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stages.errors import BadInput
from stages.records import Article
from stages.student import modelling, tokenizing
from stages.student.config import Make
from stages.student.processes import keep_memory

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def texts(articles: Sequence[Article]) -> list[str]:
    """Return what is read of each article: its title, then its text as one line."""
    return [f"{article.title}\n{' '.join(article.text.split())}" for article in articles]


def blocks(
    documents: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    config: Make,
    generator: np.random.Generator,
) -> np.ndarray:
    """Pack whole epochs of shuffled documents, each closed by the end token, into blocks of equal length.

    Returns:
        Token ids, (steps · batch) × block.
    """
    encoded = [
        np.array([*ids, tokenizer.eos_token_id], dtype=np.int64)
        for ids in tokenizer(list(documents), add_special_tokens=False)["input_ids"]
    ]
    needed = config.steps * config.batch * config.block
    stream: list[np.ndarray] = []
    length = 0
    while length < needed:
        for i in generator.permutation(len(encoded)):
            stream.append(encoded[i])
            length += len(encoded[i])
    return np.concatenate(stream)[:needed].reshape(config.steps * config.batch, config.block)


def pretrain(
    model: "PreTrainedModel", data: np.ndarray, config: Make, report: Callable[[int, int], None]
) -> list[float]:
    """Train on next-token prediction with AdamW, a linear warm-up and a cosine to zero.

    Args:
        model: is changed.
        data: from `blocks`.
        config: steps, batch, learning rate.
        report: told the steps done and those in all.

    Returns:
        The loss of every step, nats per token.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    module: torch.nn.Module = model
    module.to(device).train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=config.learning_rate,
        weight_decay=config.weight_decay,
        betas=(0.9, 0.95),
        fused=True,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, config))
    losses = []
    for step in range(config.steps):
        ids = torch.from_numpy(data[step * config.batch : (step + 1) * config.batch]).to(device)
        loss = model(input_ids=ids, labels=ids, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        losses.append(loss.item())
        report(step + 1, config.steps)
    module.to("cpu").eval()
    return losses


def rate(step: int, config: Make) -> float:
    """Return the learning rate at `step` as a share of its peak."""
    warm = max(1, round(config.warmup * config.steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, config.steps - warm)))


def make_base(
    articles: Sequence[Article], config: Make, seed: int, report: Callable[[int, int], None]
) -> tuple["PreTrainedModel", "PreTrainedTokenizerBase", str]:
    """Train a tokenizer, make a model and pretrain it.

    Args:
        articles: in a fixed order.
        config: sizes and steps.
        seed: of the initial weights and of the order of the articles.
        report: told the steps done and those in all.

    Returns:
        Model, tokenizer, and what was done in a few words.

    Raises:
        BadInput: there is no article.
    """
    if not articles:
        raise BadInput("no article to pretrain on; check the stage extract")
    documents = texts(articles)
    tokenizer = tokenizing.train_tokenizer(
        [*documents, *tokenizing.question_like(articles)], config.vocabulary
    )
    model = modelling.make(config, tokenizer, seed)
    keep_memory()
    data = blocks(documents, tokenizer, config, np.random.default_rng(seed))
    losses = pretrain(model, data, config, report)
    last = sum(losses[-10:]) / len(losses[-10:])
    return model, tokenizer, f"pretrained on {data.size:,} tokens to loss {last:.3f} nats per token"
