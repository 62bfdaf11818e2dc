"""Chains: draws that further calls work on, a fixed number of calls each."""

from collections.abc import Sequence

from stages.protocols.interface import REWORKED, Protocol
from stages.records import Response


class Chain(Protocol):
    """A protocol that spends its calls in chains of `length`, each beginning with a draw.

    A chain's last answer is what it offers; a chain that the budget cuts offers the last one before the cut,
    so at an odd budget the training set is no prefix of a larger one. The answers before it are "superseded".
    """

    length: int
    nested = False

    def needs(self, rollout: int) -> tuple[int, ...]:
        """Return the chain's earlier rollouts."""
        return tuple(range(rollout - rollout % self.length, rollout))

    def reasons(self, drawn: Sequence[Response]) -> list[str]:
        """Return the rows' own verdicts, but "superseded" where a later row of the cut took their place."""
        gone = {
            (row.question_id, earlier)
            for row in drawn
            if row.step in REWORKED and not row.reason.startswith("format_")
            for earlier in self.needs(row.rollout)
        }
        return [
            "superseded"
            if row.reason != "not_an_answer" and (row.question_id, row.rollout) in gone
            else row.reason
            for row in drawn
        ]
