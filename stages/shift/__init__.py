"""Shift: how much of a fixed source is covered, and whether what is accepted changes with the budget."""

from pydantic import Field

from stages import params

PUBLISHED = ("coverage", "shift")  # what `audit` publishes, in reading order
FEATURES = ("length", "answer_type", "embedding")


class Config(params.Section):
    """Settings of the audit."""

    level: float = Field(default=0.9, ge=0.5, lt=1)  # of every interval, as a share
    permutations: int = Field(default=1000, ge=100)  # of each test
    responses: int = Field(default=800, ge=50)  # drawn at random from each side of a test, at most
    embedder: str = Field(default="hashing", min_length=1)  # or a sentence-transformers model
    revision: str | None = None  # commit of the model
    features: int = Field(default=32, ge=8)  # dimensions of the hashing embedder
