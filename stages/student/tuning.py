"""Fine-tune a student on a training set with TRL's SFTTrainer."""

import copy
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.errors import BadInput
from stages.student import checkpoints, losses, modelling, recording, showing
from stages.student.config import Student, Train
from stages.student.encoding import Rows
from stages.student.runs import Job, Run, Trained
from stages.student.training import trainer_for

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback
    from trl import SFTTrainer


def tune(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    rows: Rows,
    config: Train,
    student: Student,
    job: Job,
    report: Callable[[int, int], None],
    accuracy: recording.Measure | None = None,
    callbacks: Sequence["TrainerCallback"] = (),
    keep: Path | None = None,
) -> tuple[Trained, "dict[str, torch.Tensor] | None"]:
    """Train `model` in place: the loss is the completion's mean negative log-likelihood per token.

    Args:
        model: is changed; adapters are merged into its weights at the end.
        tokenizer: the model's.
        rows: encoded training set.
        config: batch and the rest; its steps where the job has no budget of tokens.
        student: its learning rate is the peak, with a linear warm-up before it and a cosine to zero after it,
            both laid out for exactly the steps of the job.
        job: its training seed is that of the order, the noise and whatever else is random in a step.
        report: told the steps done and those in all.
        accuracy: measured as `config.probe` says.
        callbacks: more of them, for the trainer.
        keep: folder of the run's checkpoints, written as `config.save_every` says; the run goes on from the
            newest whole one. None neither writes nor reads any.

    Returns:
        What the run did; and its weights, on the first rank, where the model is sharded over several, else
        None: then `model` holds them.

    Raises:
        BadInput: there is no row; `train.max_length` is more than the model can take; a loss is not finite.
    """
    context = modelling.context(model)
    if context is not None and config.max_length > context:
        raise BadInput(
            f"train.max_length {config.max_length}: the model takes {context} tokens at most; set it to that"
        )
    special = set(tokenizer.all_special_ids)
    vocabulary = np.array([i for i in range(len(tokenizer)) if i not in special])
    shown = showing.show(rows, config, job.seed, student.prompt_noise, vocabulary, job.tokens)
    size = modelling.sizes(model)
    tokens = shown.tokens()
    recorder = recording.recorder(report, tokens, accuracy, config.probe.every if config.probe else 1)
    with tempfile.TemporaryDirectory() as folder:
        saving = config.save_every if keep else None
        place = keep if keep and saving else Path(folder)
        trainer = trainer_for(
            model, tokenizer, shown, config, student, job.seed, place, saving, [recorder, *callbacks]
        )
        last = None
        if keep and saving:
            checkpoints.attach(trainer)
            last = checkpoints.latest(keep)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
    points = recording.points(trainer.state, tokens)
    steps = trainer.state.global_step
    if not losses.finite(model):
        raise BadInput(f"train step {steps}: the weights are not finite after it; lower the learning_rate")
    tenth = max(1, steps // 10)
    run = Run(
        seed=job.seed,
        tokens_budget=job.tokens,
        steps=steps,
        rows=len(shown),
        tokens=tokens[-1],
        completion_tokens=shown.completion_tokens(),
        first_loss=recording.mean_loss(points, 0, tenth),
        final_loss=recording.mean_loss(points, steps - tenth, steps),
    )
    state = _whole(trainer, model, student)
    return Trained(run, points, size), state


def _whole(
    trainer: "SFTTrainer", model: "PreTrainedModel", student: Student
) -> "dict[str, torch.Tensor] | None":
    """Merge adapters; return the weights where they are sharded over ranks, else leave them in `model`."""
    if trainer.is_fsdp_enabled:
        state = trainer.accelerator.get_state_dict(trainer.model)
        if not student.lora or not trainer.is_world_process_zero():
            # Gathering gives every name a tensor of its own, also those that are tied to another.
            return {name: state[name] for name in state if name not in model.all_tied_weights_keys}
        return merged(state, model, student)
    if student.lora:
        adapted: Any = trainer.model
        adapted.merge_and_unload()
    module: torch.nn.Module = model
    module.to("cpu").eval()
    return None


def merged(
    state: "dict[str, torch.Tensor]", model: "PreTrainedModel", student: Student
) -> "dict[str, torch.Tensor]":
    """Return gathered weights of a sharded model with its adapters merged, as the plain model names them.

    Args:
        state: whole, with base layers and adapters.
        model: of the same configuration; its weights do not matter.
        student: with the adapter's settings.
    """
    import torch
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    assert student.lora
    with torch.device("meta"):
        plain = AutoModelForCausalLM.from_config(copy.deepcopy(model.config))
        adapted: Any = get_peft_model(plain, modelling.low_rank(student.lora, plain))
    adapted.load_state_dict(state, assign=True, strict=False)
    plain.tie_weights()  # each name was given a tensor of its own
    return dict(adapted.merge_and_unload().state_dict())
