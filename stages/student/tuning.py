"""Fine-tune a student on a training set with TRL's SFTTrainer."""

import math
import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.records import TrainingExample
from stages.student import ordering
from stages.student.config import Student, Train
from stages.student.encoding import IGNORED, Encoded
from stages.student.modelling import logits_at, plain_head

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig, SFTTrainer

_LOGS = 10  # losses reported per run


class Run(NamedTuple):
    """What one training seed did."""

    seed: int
    steps: int
    rows: int  # shown, with repetitions
    tokens: int  # shown, prompts included, padding not
    completion_tokens: int  # that carried loss
    first_loss: float  # nats per completion token, mean over the first tenth of the steps
    final_loss: float  # nats per completion token, mean over the last tenth of the steps


def tune(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[Encoded],
    questions: Sequence[str],
    config: Train,
    student: Student,
    seed: int,
    report: Callable[[int, int], None],
) -> Run:
    """Train `model` in place: the loss is the completion's mean negative log-likelihood per token.

    Args:
        model: is changed.
        tokenizer: the model's.
        rows: encoded training set.
        questions: the question id of each row.
        config: steps, batch and the rest.
        student: its learning rate is the peak, with a linear warm-up before it and a cosine to zero after it.
        seed: training seed: of the order, the noise and whatever else is random in a step.
        report: told the steps done and those in all.
    """
    import torch

    special = set(tokenizer.all_special_ids)
    vocabulary = np.array([i for i in range(len(tokenizer)) if i not in special])
    shown = show(rows, questions, config, seed, student.prompt_noise, vocabulary)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_for(model, tokenizer, shown, config, student.learning_rate, seed, folder, report)
        trainer.train()
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    module: torch.nn.Module = model
    module.to("cpu").eval()
    return Run(
        seed=seed,
        steps=trainer.state.global_step,
        rows=len(shown),
        tokens=sum(len(row.ids) for row in shown),
        completion_tokens=sum(len(row.ids) - row.start for row in shown),
        first_loss=losses[0],
        final_loss=losses[-1],
    )


def summary(
    student: str, rows: Sequence[TrainingExample], encoded: Sequence[Encoded], runs: Sequence[Run]
) -> dict[str, Any]:
    """Return what is kept beside a cell's models: its coordinates, its data and what each seed did.

    Raises:
        BadInput: the rows belong to more than one cell.
    """
    names = ("density", "share", "budget", "protocol")
    cells = {tuple(getattr(row, name) for name in names) for row in rows}
    if len(cells) > 1:
        raise BadInput(
            f"the training set mixes {len(cells)} cells, such as {sorted(cells)[:2]}; assemble one"
        )
    return {
        "student": student,
        **dict(zip(names, cells.pop(), strict=True)),
        "rows": len(rows),
        "questions": len({row.question_id for row in rows}),
        "truncated_rows": sum(row.cut > 0 for row in encoded),
        "runs": [run._asdict() for run in runs],
    }


def show(
    rows: Sequence[Encoded],
    questions: Sequence[str],
    config: Train,
    seed: int,
    noise: float = 0.0,
    vocabulary: np.ndarray | None = None,
) -> list[Encoded]:
    """Return the rows of all steps as shown: steps × batch, in every cell alike.

    Args:
        rows: encoded training set.
        questions: the question id of each row.
        config: steps and batch.
        seed: training seed.
        noise: share of each question's tokens replaced by random ones of the `vocabulary`.
        vocabulary: ids of ordinary tokens; needed with noise.
    """
    generator = np.random.default_rng(seed)
    order = ordering.turns(questions, config.steps * config.batch, generator)
    arranged = ordering.by_length(order, [len(row.ids) for row in rows], config.batch, generator)
    shown = [rows[i] for i in arranged]
    return shown if vocabulary is None else ordering.noisy(shown, noise, vocabulary, generator)


def trainer_for(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    shown: Sequence[Encoded],
    config: Train,
    learning_rate: float,
    seed: int,
    folder: str,
    report: Callable[[int, int], None] = lambda done, total: None,
    packing: bool | None = None,
    lean: bool = True,
) -> "SFTTrainer":
    """Return the trainer of one run.

    Args:
        model: to be trained.
        tokenizer: the model's.
        shown: rows in order, from `show`.
        config: steps, batch and the rest.
        learning_rate: peak.
        seed: training seed.
        folder: where the trainer may put files; it puts none.
        report: told the steps done and those in all.
        packing: fill sequences of `max_length` with rows that do not see each other; by default on CUDA only,
            being slower on a CPU.
        lean: compute the loss on completion tokens only and no metrics, on a CPU; False is TRL's own loss.
    """
    import torch
    from transformers import PrinterCallback, TrainerCallback
    from trl import SFTTrainer

    class Reporting(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            report(state.global_step, state.max_steps)

    class LeanTrainer(SFTTrainer):
        """Same loss as TRL's, to rounding: its LM head runs over prompts and padding too on a CPU."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> "torch.Tensor":
            return completion_loss(model, inputs, num_items_in_batch)

    cuda = torch.cuda.is_available()
    packing = cuda if packing is None else packing
    lean = lean and not cuda and plain_head(model)
    trainer = (LeanTrainer if lean else SFTTrainer)(
        model=model,
        processing_class=tokenizer,
        train_dataset=_dataset(shown),
        args=_arguments(shown, config, learning_rate, seed, folder, cuda, packing),
        callbacks=[Reporting()],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


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


def _dataset(shown: Sequence[Encoded]) -> Any:
    from datasets.arrow_dataset import Dataset

    return Dataset.from_dict(
        {"input_ids": [row.ids for row in shown], "labels": [row.labels for row in shown]}
    )


def _arguments(
    shown: Sequence[Encoded],
    config: Train,
    learning_rate: float,
    seed: int,
    folder: str,
    cuda: bool,
    packing: bool,
) -> "SFTConfig":
    from trl import SFTConfig

    # A packed sequence holds several rows: about as many rows make a step, and exactly as many steps a run.
    tokens = sum(len(row.ids) for row in shown)
    packed_batch = math.ceil(tokens / (config.steps * config.max_length))
    return SFTConfig(
        output_dir=folder,
        max_steps=config.steps,
        per_device_train_batch_size=packed_batch if packing else config.batch,
        learning_rate=learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        adam_beta2=0.95,
        optim="adamw_torch_fused",
        use_cpu=not cuda,
        bf16=cuda,
        gradient_checkpointing=False,
        completion_only_loss=True,
        max_length=config.max_length,
        packing=packing,
        packing_strategy="bfd",
        train_sampling_strategy="random" if packing else "sequential",
        seed=seed,
        data_seed=seed,
        logging_steps=max(1, config.steps // _LOGS),
        disable_tqdm=True,
        report_to="none",
        save_strategy="no",
        dataloader_num_workers=0,
        dataloader_pin_memory=cuda,
        dataset_kwargs=None if packing else {"skip_prepare_dataset": True},
    )
