"""The student's sections of `params.yaml`."""

from pydantic import Field, model_validator

from stages.params import Section


class Make(Section):
    """A Qwen3-architecture student made and pretrained here."""

    vocabulary: int = Field(ge=300)  # tokens, special tokens and the 256 bytes included
    layers: int = Field(ge=1)
    hidden: int = Field(ge=8)  # width of the residual stream
    heads: int = Field(ge=1)  # attention heads; each hidden / heads wide
    key_value_heads: int = Field(ge=1)  # shared by groups of heads
    feedforward: int = Field(ge=8)  # inner width of the MLP
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


class Student(Section):
    """One student: a Hugging Face id or local folder (`model`), or a tiny model made here (`make`)."""

    model: str | None = None  # causal language model: Hugging Face id, or a folder
    revision: str | None = None  # commit of the Hugging Face id
    learning_rate: float = Field(gt=0)  # peak of fine-tuning; larger models want smaller ones
    prompt_noise: float = Field(default=0.0, ge=0, lt=1)  # share of a question's tokens replaced in training
    make: Make | None = None

    @model_validator(mode="after")
    def _one_origin(self) -> "Student":
        if (self.model is None) == (self.make is None):
            raise ValueError(
                "give either `model` (a Hugging Face id or a folder) or `make` (sizes), not both"
            )
        return self


class Train(Section):
    """Fine-tuning, the same in every cell: steps × batch rows, whatever the size of the training set."""

    steps: int = Field(ge=1)  # optimizer steps
    batch: int = Field(ge=1)  # rows a step
    weight_decay: float = Field(ge=0)  # AdamW, per unit of learning rate
    warmup: float = Field(ge=0, lt=1)  # share of the steps; then a cosine to zero
    max_length: int = Field(ge=8)  # tokens of prompt and completion; the rest is cut off
    seeds: tuple[int, ...] = Field(min_length=1)  # training seeds: one model each

    @model_validator(mode="after")
    def _seeds_differ(self) -> "Train":
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError("seeds must be distinct and not negative")
        return self


class Score(Section):
    """Greedy generation."""

    max_new_tokens: int = Field(ge=1)  # tokens of an answer line
    batch: int = Field(ge=1)  # items at once
