"""Rejection sampling: keep the draws whose final answer is verified against the reference."""

from stages.protocols.interface import TOLERANCE, Protocol

NAME = "rejection_sampling"


class RejectionSampling(Protocol):
    """r independent draws per question; every verified one is kept.

    A smaller budget's examples are a prefix of a larger one's.

    Args:
        tolerance: relative, of numeric answers in physics; one beside the default is part of the name, as in
            `rejection_sampling_0.2`.
    """

    name = NAME
    ledger = NAME

    def __init__(self, tolerance: float | None = None) -> None:
        self.tolerance = TOLERANCE if tolerance is None else tolerance
        if tolerance is not None:
            self.name = self.ledger = f"{NAME}_{tolerance:g}"
