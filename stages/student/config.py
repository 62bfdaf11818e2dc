"""The student's sections of `params.yaml`."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from stages.params import Section


class Make(Section):
    """A student made and pretrained here."""

    architecture: Literal["qwen3", "llama", "mixture_of_experts"] = "qwen3"  # the last one is Qwen3's
    vocabulary: int = Field(ge=300)  # tokens, special tokens and the 256 bytes included
    layers: int = Field(ge=1)
    hidden: int = Field(ge=8)  # width of the residual stream
    heads: int = Field(ge=1)  # attention heads; each hidden / heads wide
    key_value_heads: int = Field(ge=1)  # shared by groups of heads
    feedforward: int = Field(ge=8)  # inner width of the MLP; of each expert in a mixture
    experts: int | None = Field(default=None, ge=2)  # of each layer; of a mixture only
    experts_per_token: int | None = Field(default=None, ge=1)  # chosen by the router; of a mixture only
    steps: int = Field(ge=1)  # optimizer steps of pretraining
    batch: int = Field(ge=1)  # blocks a step
    block: int = Field(ge=8)  # tokens a block
    learning_rate: float = Field(gt=0)  # peak of pretraining
    weight_decay: float = Field(ge=0)  # AdamW, per unit of learning rate
    warmup: float = Field(ge=0, lt=1)  # share of the steps

    @model_validator(mode="after")
    def _heads_fit(self) -> "Make":
        if self.hidden % (2 * self.heads) or self.heads % self.key_value_heads:
            raise ValueError("hidden must be an even multiple of heads, heads a multiple of key_value_heads")
        return self

    @model_validator(mode="after")
    def _experts_fit(self) -> "Make":
        if self.architecture != "mixture_of_experts":
            if self.experts is not None or self.experts_per_token is not None:
                raise ValueError(f"experts and experts_per_token are a mixture's, not of {self.architecture}")
        elif self.experts is None or self.experts_per_token is None:
            raise ValueError("a mixture_of_experts needs experts and experts_per_token")
        elif self.experts_per_token > self.experts:
            raise ValueError("experts_per_token must be at most experts")
        return self


class Lora(Section):
    """Low-rank adaptation (Hu et al. 2021, arXiv 2106.09685): W + (alpha/rank)·B·A, only A and B trained.

    The adapter is merged into the weights when training ends.
    """

    rank: int = Field(ge=1)
    alpha: float = Field(gt=0)  # scale, over the rank
    dropout: float = Field(default=0.0, ge=0, lt=1)  # of the adapter's input
    targets: tuple[str, ...] | Literal["all-linear"] = "all-linear"  # names of linear layers, not the LM head


class Student(Section):
    """One student: a Hugging Face id or local folder (`model`), or a tiny model made here (`make`)."""

    model: str | None = None  # causal language model: Hugging Face id, or a folder
    revision: str | None = None  # commit of the Hugging Face id
    prompt: Literal["chat", "plain"] = "chat"  # the tokenizer's chat template, or "QUESTION\nAnswer:"
    learning_rate: float = Field(gt=0)  # peak of fine-tuning; larger models want smaller ones
    prompt_noise: float = Field(default=0.0, ge=0, lt=1)  # share of a question's tokens replaced in training
    # mixed: weights in float32, computed in bfloat16; bfloat16: weights and optimizer too. None: mixed where
    # there is a GPU, else float32.
    precision: Literal["float32", "mixed", "bfloat16"] | None = None
    # None: transformers' choice.
    attention: Literal["eager", "sdpa", "flash_attention_2", "flex_attention"] | None = None
    # Rows at once on a device; None: as many as its memory holds.
    device_batch: int | None = Field(default=None, ge=1)
    # Recompute activations in the backward pass; None: where memory needs it.
    checkpointing: bool | None = None
    lora: Lora | None = None  # None trains every weight
    make: Make | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "Student":
        if (self.model is None) == (self.make is None):
            raise ValueError(
                "give either `model` (a Hugging Face id or a folder) or `make` (sizes), not both"
            )
        return self


class Probe(Section):
    """Test accuracy in the course of training; it changes nothing in the training's result."""

    benchmark: str  # one of `benchmarks.NAMES`
    items: int = Field(ge=1)  # questions, drawn by a hash of their ids: the same in every cell
    every: int = Field(ge=1)  # steps between probes; there is one before the first step and after the last
    max_new_tokens: int = Field(default=16, ge=1)  # tokens of an answer line


class Train(Section):
    """Fine-tuning, the same in every cell: steps × batch rows, whatever the size of the training set."""

    steps: int = Field(ge=1)  # optimizer steps, where no budget of training tokens is given
    batch: int = Field(ge=1)  # rows a step
    weight_decay: float = Field(ge=0)  # AdamW, per unit of learning rate
    warmup: float = Field(ge=0, lt=1)  # share of the steps; then a cosine to zero
    max_length: int = Field(ge=8)  # tokens of prompt and completion; the rest is cut off
    seeds: tuple[int, ...] = Field(min_length=1)  # training seeds: one model each
    probe: Probe | None = None
    packing: bool | None = None  # rows share a sequence, unseen by each other; None: where there is a GPU
    save_every: int | None = Field(default=None, ge=1)  # steps between checkpoints to resume from; None: none
    launch: Path | None = None  # configuration of `accelerate launch`; None: one process a training seed

    @model_validator(mode="after")
    def _seeds_differ(self) -> "Train":
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError("seeds must be distinct and not negative")
        return self


class Score(Section):
    """Greedy generation."""

    max_new_tokens: int = Field(ge=1)  # tokens of an answer line
    batch: int = Field(ge=1)  # items at once
    # Tokens of prompt and answer, at most; None: as many as the model was made for. More is for a model with
    # rotary positions, which go on beyond that.
    context: int | None = Field(default=None, ge=1)
    engine: Literal["transformers", "vllm"] = (
        "transformers"  # that generates; losses are transformers' always
    )
