"""Majority vote (self-consistency, arXiv 2203.11171): what most draws answer stands for the truth."""

from collections.abc import Sequence

from stages.protocols import rejection_sampling
from stages.protocols.agreement import agree
from stages.protocols.interface import Protocol, by_question
from stages.records import Response


class MajorityVote(Protocol):
    """r independent draws per question; those that give the plurality's final answer are kept.

    No reference is read: it needs no verifiable question, and it learns the teacher's favourite error. Of
    answers with as many draws each, the one that was given first wins. Among a question's kept draws,
    repeats of a text are dropped. The vote can turn with every draw, so a smaller budget's examples are no
    prefix of a larger one's. It cuts plain rejection sampling's ledger.
    """

    name = "majority_vote"
    ledger = rejection_sampling.NAME
    nested = False

    def reasons(self, drawn: Sequence[Response]) -> list[str]:
        """Return "accepted", "minority", "duplicate" or the row's fault of format."""
        reasons = [row.reason for row in drawn]
        for places in by_question(drawn):
            voting = [i for i in places if not reasons[i].startswith("format_")]
            votes = ballots([drawn[i] for i in voting])
            winner = max(votes, key=votes.count, default=None)  # the first of the most frequent
            said: set[tuple[str, str]] = set()
            for i, vote in zip(voting, votes, strict=True):
                text = (drawn[i].answer, drawn[i].rationale)
                reasons[i] = "minority" if vote != winner else "duplicate" if text in said else "accepted"
                said.add(text)
        return reasons


def ballots(rows: Sequence[Response]) -> list[int]:
    """Return the number of the answer that each row gives; rows that agree have the same.

    An answer joins the first one that it agrees with, so it is compared with each distinct answer once.

    Args:
        rows: one question's well-formed draws, in rollout order.
    """
    leaders: list[Response] = []
    seen: dict[str, int] = {}
    for row in rows:
        if row.answer not in seen:
            for number, leader in enumerate(leaders):
                if agree(row.domain, row.answer, leader.answer):
                    seen[row.answer] = number
                    break
            else:
                seen[row.answer] = len(leaders)
                leaders.append(row)
    return [seen[row.answer] for row in rows]
