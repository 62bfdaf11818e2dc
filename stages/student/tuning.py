"""Fine-tune a student on a training set with TRL's SFTTrainer."""

import tempfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.student import ordering, recording
from stages.student.config import Student, Train
from stages.student.encoding import IGNORED, Encoded
from stages.student.modelling import logits_at, plain_head, sizes
from stages.student.runs import Job, Point, Run, Trained

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback
    from trl import SFTConfig, SFTTrainer


def tune(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Sequence[Encoded],
    questions: Sequence[str],
    config: Train,
    student: Student,
    job: Job,
    report: Callable[[int, int], None],
    accuracy: recording.Measure | None = None,
) -> Trained:
    """Train `model` in place: the loss is the completion's mean negative log-likelihood per token.

    Args:
        model: is changed.
        tokenizer: the model's.
        rows: encoded training set.
        questions: the question id of each row.
        config: batch and the rest; its steps where the job has no budget of tokens.
        student: its learning rate is the peak, with a linear warm-up before it and a cosine to zero after it,
            both laid out for exactly the steps of the job.
        job: its training seed is that of the order, the noise and whatever else is random in a step.
        report: told the steps done and those in all.
        accuracy: measured as `config.probe` says.
    """
    import torch

    special = set(tokenizer.all_special_ids)
    vocabulary = np.array([i for i in range(len(tokenizer)) if i not in special])
    shown = show(rows, questions, config, job.seed, student.prompt_noise, vocabulary, job.tokens)
    config = config.model_copy(update={"steps": -(-len(shown) // config.batch)})
    ends = [min(step * config.batch, len(shown)) for step in range(config.steps + 1)]
    tokens = np.cumsum([0, *(len(row.ids) for row in shown)])[ends].tolist()
    points: list[Point] = []
    every = config.probe.every if config.probe else 1
    recorder = recording.recorder(points, tokens, report, accuracy, every)
    with tempfile.TemporaryDirectory() as folder:
        trainer = trainer_for(
            model, tokenizer, shown, config, student.learning_rate, job.seed, folder, [recorder]
        )
        trainer.train()
    module: torch.nn.Module = model
    module.to("cpu").eval()
    steps = trainer.state.global_step
    tenth = max(1, steps // 10)
    run = Run(
        seed=job.seed,
        tokens_budget=job.tokens,
        steps=steps,
        rows=len(shown),
        tokens=tokens[-1],
        completion_tokens=sum(len(row.ids) - row.start for row in shown),
        first_loss=recording.mean_loss(points, 0, tenth),
        final_loss=recording.mean_loss(points, steps - tenth, steps),
    )
    return Trained(run, points, sizes(model))


def show(
    rows: Sequence[Encoded],
    questions: Sequence[str],
    config: Train,
    seed: int,
    noise: float = 0.0,
    vocabulary: np.ndarray | None = None,
    tokens: int | None = None,
) -> list[Encoded]:
    """Return the rows of all steps as shown: steps × batch, in every cell alike, or a budget of tokens.

    A budget is met to within one row: the last step holds only the rows that are still needed for it.

    Args:
        rows: encoded training set.
        questions: the question id of each row.
        config: steps and batch.
        seed: training seed.
        noise: share of each question's tokens replaced by random ones of the `vocabulary`.
        vocabulary: ids of ordinary tokens; needed with noise.
        tokens: training tokens to show, prompts included; None shows steps × batch rows.
    """
    generator = np.random.default_rng(seed)
    lengths = [len(row.ids) for row in rows]
    if tokens is None:
        order = ordering.turns(questions, config.steps * config.batch, generator)
    else:
        order = ordering.turns(questions, -(-tokens // min(lengths)), generator)
        order = order[: 1 + int(np.searchsorted(np.cumsum([lengths[i] for i in order]), tokens))]
    whole = len(order) - len(order) % config.batch
    arranged = ordering.by_length(order[:whole], lengths, config.batch, generator) + order[whole:]
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
    callbacks: Sequence["TrainerCallback"] = (),
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
        callbacks: of the trainer.
        packing: fill sequences of `max_length` with rows that do not see each other; by default on CUDA only,
            being slower on a CPU.
        lean: compute the loss on completion tokens only and no metrics, on a CPU; False is TRL's own loss.
    """
    import torch
    from transformers import PrinterCallback
    from trl import SFTTrainer

    class LeanTrainer(SFTTrainer):
        """Same loss as TRL's, to rounding: its LM head runs over prompts and padding too on a CPU."""

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> "torch.Tensor":
            return completion_loss(model, inputs, num_items_in_batch)

    cuda = torch.cuda.is_available()
    packing = cuda if packing is None else packing
    # A mixture whose router has a loss of its own needs TRL's.
    routed = getattr(model.config.get_text_config(), "router_aux_loss_coef", 0.0)
    lean = lean and not cuda and plain_head(model) and not routed
    trainer = (LeanTrainer if lean else SFTTrainer)(
        model=model,
        processing_class=tokenizer,
        train_dataset=_dataset(shown),
        args=_arguments(shown, config, learning_rate, seed, folder, cuda, packing),
        callbacks=list(callbacks),
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
    packed_batch = -(-tokens // (config.steps * config.max_length))
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
        logging_steps=recording.interval(config.steps),
        disable_tqdm=True,
        report_to="none",
        save_strategy="no",
        dataloader_num_workers=0,
        dataloader_pin_memory=cuda,
        dataset_kwargs=None if packing else {"skip_prepare_dataset": True},
    )
