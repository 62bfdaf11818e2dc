"""Synthesis steered by knowledge density: expand, combine, verify, sample (arXiv 2606.23271, KDoS)."""

from stages.synthesis.config import Config, check_price

__all__ = ["QUALITY", "TAXONOMY", "Config", "check_price"]

# What can be wrong with a synthesized question: the taxonomy that is published per target and per round.
# The first four are faults of its knowledge, which the detailed evaluation looks for; then what repeats a
# question or a benchmark; then what does not have the form that was asked for.
TAXONOMY = (
    "question_error",
    "answer_error",
    "knowledge_point_error",
    "logic_error",
    "duplicate",
    "contaminated",
    "format_mismatch",
)
QUALITY = TAXONOMY[:4]
