"""Protocols: how a pool's questions and a teacher's calls become training examples."""

import difflib
import re

from stages.errors import BadInput
from stages.grid import STOPPING, stops_at
from stages.protocols import rejection_sampling
from stages.protocols.critique_revise import CritiqueRevise
from stages.protocols.diversity_selection import DiversitySelection
from stages.protocols.interface import Protocol
from stages.protocols.majority_vote import MajorityVote
from stages.protocols.negative_aware import NegativeAware
from stages.protocols.quality_selection import QualitySelection
from stages.protocols.question_synthesis import QuestionSynthesis
from stages.protocols.rejection_sampling import RejectionSampling
from stages.protocols.self_refine import SelfRefine
from stages.protocols.until_accepted import UntilAccepted

__all__ = ["PLAIN", "PROTOCOLS", "Protocol", "parse"]

PLAIN = RejectionSampling()
PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        PLAIN,
        MajorityVote(),
        SelfRefine(),
        CritiqueRevise(),
        QualitySelection(),
        DiversitySelection(),
        NegativeAware(),
        QuestionSynthesis(),
    )
}


def parse(name: str) -> Protocol:
    """Read a protocol's name: one of `PROTOCOLS`, or one that carries a number.

    These are rejection sampling with a tolerance, and `until_accepted_N`.

    Raises:
        BadInput: there is no such protocol, the tolerance is not between 0 and 1, or N is no positive whole
            number.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    if accepted := stops_at(name):
        return UntilAccepted(accepted)
    if name.startswith(STOPPING):
        raise BadInput(
            f"protocol '{name}': expected {STOPPING}_N, N a positive whole number, such as {STOPPING}_4"
        )
    found = re.fullmatch(rf"{rejection_sampling.NAME}_(\d*\.?\d+)", name)
    if not found:
        (near,) = difflib.get_close_matches(name, [*PROTOCOLS, f"{STOPPING}_N"], n=1, cutoff=0.0)
        raise BadInput(f"protocol '{name}': unknown; did you mean '{near}'?")
    tolerance = float(found[1])
    if not 0 < tolerance < 1:
        raise BadInput(f"protocol '{name}': tolerance {found[1]} is not above 0 and below 1")
    return RejectionSampling(tolerance)
