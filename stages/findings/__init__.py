"""Findings: what a study of targets, students and data sizes says of each claim, with interval and test."""

from pydantic import Field

from stages import params

# What `conclude` publishes, in reading order.
PUBLISHED = (
    "by_target",
    "by_benchmark",
    "optimum",
    "best_share",
    "agreement",
    "baselines",
    "expansion",
)
BASELINES = ("random", "fixed_tokens", "fixed_ratio")  # the strategies that steer nothing
SUPPORTED, NOT_SUPPORTED, UNDECIDED = "supported", "not supported", "undecided"
ALPHA = 0.05  # of every verdict's test, after the adjustment for its family


class Config(params.Section):
    """Settings of the findings."""

    level: float = Field(default=0.9, ge=0.5, lt=1)  # of every interval, as a share
    resamples: int = Field(default=2000, ge=100)  # of items and training seeds
    permutations: int = Field(default=10_000, ge=100)  # of the rankings
