"""The loss of fine-tuning: the completion's mean negative log-likelihood per token."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from stages.student import packing
from stages.student.encoding import IGNORED, Encoded
from stages.student.modelling import logits_at

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_NAMED = 8  # questions named in a message


def completion_loss(model: Any, inputs: dict[str, Any], count: Any = None) -> "torch.Tensor":
    """Return −(1/n) Σ log p(token | before) over the n tokens whose label is not masked.

    Args:
        model: a causal language model.
        inputs: a batch with labels.
        count: n, where it is known already.
    """
    import torch

    labels = inputs["labels"][:, 1:]
    keep = labels != IGNORED
    # The last position predicts nothing; a column of False keeps the shapes equal.
    positions = torch.nn.functional.pad(keep, (0, 1))
    logits = logits_at(model, {k: v for k, v in inputs.items() if k != "labels"}, positions)
    total = torch.nn.functional.cross_entropy(logits.float(), labels[keep], reduction="sum")
    return total / (keep.sum() if count is None else count)


def blame(
    model: "PreTrainedModel", rows: Sequence[Encoded], questions: Sequence[str], step: int, pad: int
) -> str:
    """Return one sentence about a loss that is not finite: the step, and the questions of the rows at fault.

    Args:
        model: as it was when the loss was computed.
        rows: of the part of the step whose loss it is; none where the model is spread over processes, which
            cannot look at rows alone.
        questions: their ids.
        step: counted from 1.
        pad: the id that fills up.
    """
    import torch

    said = f"train step {step}: the loss is not finite"
    if not finite(model):
        return (
            f"{said}, nor were the weights before it, with rows of questions {_some(questions)}; "
            "lower the student's learning_rate"
        )
    with torch.no_grad():
        wrong = [
            question
            for row, question in zip(rows, questions, strict=False)
            if not torch.isfinite(completion_loss(model, _on(model, packing.padded([row], pad))))
        ]
    return (
        f"{said}, with rows of questions {_some(wrong or questions)}; look at these rows, or lower the "
        "student's learning_rate"
    )


def finite(model: "PreTrainedModel") -> bool:
    """Tell whether every weight is a finite number."""
    import torch

    module: torch.nn.Module = model
    # Of a sharded weight, the part that lies here.
    local = (getattr(weight, "to_local", lambda weight=weight: weight)() for weight in module.parameters())
    return all(bool(torch.isfinite(weight).all()) for weight in local)


def _on(model: "PreTrainedModel", batch: packing.Batch) -> packing.Batch:
    return {name: tensor.to(model.device) for name, tensor in batch.items()}


def _some(questions: Sequence[str]) -> str:
    shown = list(dict.fromkeys(questions))
    more = f" and {len(shown) - _NAMED} more" if len(shown) > _NAMED else ""
    return ", ".join(shown[:_NAMED]) + more
