"""The trainer of one run: TRL's SFTTrainer on whole steps, cut into what the devices take at once."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.errors import BadInput
from stages.student import devices, footprint, launching, losses, modelling, packing, recording
from stages.student.config import Student, Train
from stages.student.showing import Shown

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback
    from trl import SFTConfig, SFTTrainer


def trainer_for(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    shown: Shown,
    config: Train,
    student: Student,
    seed: int,
    folder: Path,
    save_every: int | None = None,
    callbacks: Sequence["TrainerCallback"] = (),
    lean: bool = True,
) -> "SFTTrainer":
    """Return the trainer of one run.

    Args:
        model: to be trained.
        tokenizer: the model's.
        shown: rows in order, from `showing.show`.
        config: batch and the rest; its steps are those shown.
        student: learning rate, adapter, precision, and what a device takes at once.
        seed: training seed.
        folder: of its checkpoints.
        save_every: steps between checkpoints; None writes none.
        callbacks: of the trainer.
        lean: compute no metrics but the loss, and on a CPU logits of the completion alone; False is TRL's own
            way.
    """
    import torch
    from datasets.arrow_dataset import Dataset
    from torch.utils.data import DataLoader
    from transformers import PrinterCallback, Trainer
    from trl import SFTTrainer

    cuda = torch.cuda.is_available()
    isolated = packing.isolates(model)
    if config.packing and not isolated:
        raise BadInput(
            f"train.packing: {type(model).__name__} has layers that carry one row into the next; set it false"
        )
    packed = isolated and (cuda if config.packing is None else config.packing)
    flat = packed and str(getattr(model.config, "_attn_implementation", "")).startswith("flash")
    plain = modelling.plain_head(model)
    pad = int(tokenizer.pad_token_id)
    whole = model  # adapters are put into it where it stands
    step_losses: list[torch.Tensor] = []  # of the parts of the step under way

    class CompletionTrainer(SFTTrainer):
        """TRL's trainer on the rows of `shown`, each step whole, whatever the devices take at once."""

        def get_train_dataloader(self) -> Any:
            # As it is: Accelerate would divide it among the ranks again, and repeat rows in a short step.
            return DataLoader(
                parts,  # type: ignore[arg-type]
                batch_size=1,
                collate_fn=lambda found: (
                    packing.packed(found[0], pad, config.max_length, flat)
                    if packed
                    else packing.padded(found[0], pad)
                ),
                pin_memory=cuda,
                # A GPU need not wait for the next step's rows.
                num_workers=int(cuda),
                multiprocessing_context="fork" if cuda else None,
            )

        def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> "torch.Tensor":
            loss = super().training_step(model, inputs, num_items_in_batch)
            step_losses.append(loss)
            if len(step_losses) == parts.a_step:  # a GPU is waited for once a step
                wrong = (~torch.isfinite(torch.stack(step_losses))).nonzero().flatten().tolist()
                step_losses.clear()
                if wrong:
                    step = self.state.global_step
                    asked = parts.question_ids(step, wrong[0])
                    rows = parts[step * parts.a_step + wrong[0]] if ranks == 1 else []
                    raise BadInput(losses.blame(whole, rows, asked, step + 1, pad))
            return loss

        def compute_loss(
            self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
        ) -> "torch.Tensor":
            if not lean:
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if alone and not self.aux_loss_enabled:
                return losses.completion_loss(whole, inputs, num_items_in_batch)
            # Through the wrappers of several ranks and of autocast, hence by the forward pass that TRL makes.
            if self.aux_loss_enabled:
                inputs["output_router_logits"] = True
            found = model(**inputs, use_cache=False, fused_lm_head=True)
            # The trainer counts the tokens of all ranks, and the gradients of the ranks are averaged.
            loss = -found.log_probs.sum() / num_items_in_batch.clamp(min=1) * self.accelerator.num_processes
            if self.aux_loss_enabled:
                loss = loss + self.router_aux_loss_coef * found.aux_loss / parts.a_step
            return loss

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            # TRL's writes a model card first.
            Trainer._save_checkpoint(self, model, trial)

    device = devices.here()
    ranks = launching.ranks()
    rows, checkpointing = _cut(model, config, student, shown, device, ranks)
    parts = packing.Parts(shown, rows, ranks, launching.rank())
    mixed = footprint.precision(student, device) == "mixed"
    alone = plain and ranks == 1 and not cuda and not mixed
    trainer = CompletionTrainer(
        model=model,
        processing_class=tokenizer,
        # TRL looks at the first row; what it trains on comes from `get_train_dataloader`.
        train_dataset=Dataset.from_dict({"input_ids": [[pad]], "labels": [[pad]]}),
        args=_arguments(parts, config, student, seed, folder, save_every, cuda, mixed, checkpointing),
        callbacks=list(callbacks),
        peft_config=modelling.low_rank(student.lora, model) if student.lora else None,
    )
    # So that it counts the tokens of a step for the loss, whatever the signature of the model's forward pass.
    trainer.model_accepts_loss_kwargs = True
    trainer.remove_callback(PrinterCallback)
    return trainer


def _cut(
    model: "PreTrainedModel",
    config: Train,
    student: Student,
    shown: Shown,
    device: devices.Device,
    ranks: int,
) -> tuple[int, bool]:
    """Return the rows that a device takes at once, and whether it recomputes activations."""
    if not device.gpu:
        return footprint.as_set(student, config.batch, ranks)
    width = int(shown.rows.lengths.max())
    completion = shown.completion_tokens() / shown.tokens()[-1]
    shape = footprint.shape(model.config, student.lora)
    fit = footprint.fitting(shape, student, config.batch, width, device, ranks, completion)
    return fit.rows, fit.checkpointing


def _arguments(
    parts: packing.Parts,
    config: Train,
    student: Student,
    seed: int,
    folder: Path,
    save_every: int | None,
    cuda: bool,
    mixed: bool,
    checkpointing: bool,
) -> "SFTConfig":
    from trl import SFTConfig

    steps = parts.shown.steps
    return SFTConfig(
        output_dir=str(folder),
        max_steps=steps,
        per_device_train_batch_size=parts.rows,
        gradient_accumulation_steps=parts.a_step,
        learning_rate=student.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        adam_beta2=0.95,
        optim="adamw_torch_fused",
        use_cpu=not cuda,
        bf16=mixed,
        activation_checkpointing=checkpointing,
        use_liger_kernel=cuda and importlib.util.find_spec("liger_kernel") is not None,
        completion_only_loss=True,
        max_length=config.max_length,
        packing=False,
        seed=seed,
        data_seed=seed,
        logging_steps=recording.interval(steps),
        logging_nan_inf_filter=False,  # it would hide them
        disable_tqdm=True,
        report_to="none",
        log_level_replica="error",  # other ranks' warnings; those of the first are off already
        save_strategy="steps" if save_every else "no",
        save_steps=save_every or steps,
        ddp_find_unused_parameters=False,
        dataloader_num_workers=0,
        dataloader_pin_memory=cuda,
        dataset_kwargs={"skip_prepare_dataset": True},
    )
