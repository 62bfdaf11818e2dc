"""Scaling: the study of more responses or more questions, its tables, and what it says of each claim."""

from typing import Annotated

from pydantic import Field

from stages import params

# What `weigh` publishes, in reading order; the other SQL files are steps on the way.
PUBLISHED = (
    "cells",
    "matched",
    "pooled",
    "crossing",
    "protocols",
    "law_errors",
    "laws",
    "mixed",
    "variants",
    "costs",
    "ledgers",
)


class Config(params.Section):
    """Settings of the claims."""

    margin: float = Field(default=0.05, gt=0, lt=1)  # share of an eval loss that counts as no difference
    # By student, training tokens per second on your machine: a clock would make outputs differ between runs,
    # so the cost table gives tokens over this rate; a student without one has no seconds.
    tokens_per_second: dict[str, Annotated[float, Field(gt=0)]] = Field(default={})
