"""Scaling: the study of more responses or more questions, its tables, and what it says of each claim."""

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
