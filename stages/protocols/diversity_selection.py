"""Diversity selection: of a question's accepted draws, the half whose texts differ most is kept."""

from collections.abc import Sequence

from stages.protocols import rejection_sampling
from stages.protocols.interface import Protocol, by_question
from stages.records import Response


class DiversitySelection(Protocol):
    """r independent draws per question; half of the accepted ones (rounded up) are kept, far apart in text.

    Defined here: the paper's example, TAGCOS (arXiv 2409.08085), covers clusters of gradients; this covers
    texts. The greedy 2-approximation of the k-center problem (Gonzalez 1985) takes the first accepted draw
    and then, again and again, the one whose nearest taken draw is farthest; equals in rollout order. The
    distance is 1 − |A ∩ B| / |A ∪ B| over the character 5-grams of rationale and answer. Which are farthest
    can change with every draw, so a smaller budget's examples are no prefix of a larger one's. It cuts plain
    rejection sampling's ledger.
    """

    name = "diversity_selection"
    ledger = rejection_sampling.NAME
    nested = False

    def reasons(self, drawn: Sequence[Response]) -> list[str]:
        """Return the rows' own verdicts, but "near_others" for an accepted draw that is not taken."""
        reasons = [row.reason for row in drawn]
        for places in by_question(drawn):
            accepted = [i for i in places if drawn[i].accepted]
            texts = [f"{drawn[i].rationale}\n{drawn[i].answer}" for i in accepted]
            taken = set(far_apart(texts, (len(texts) + 1) // 2))
            for order, i in enumerate(accepted):
                if order not in taken:
                    reasons[i] = "near_others"
        return reasons


def far_apart(texts: Sequence[str], count: int) -> list[int]:
    """Return the places of `count` texts, each the farthest from those before; the first text comes first."""
    grams = [frozenset(text[i : i + 5] for i in range(max(1, len(text) - 4))) for text in texts]
    taken: list[int] = []
    nearest = [float("inf")] * len(texts)  # of each text, the distance from the nearest taken one
    for _ in range(count):
        place = max(range(len(texts)), key=nearest.__getitem__)
        taken.append(place)
        nearest = [
            min(far, 1 - len(one & grams[place]) / len(one | grams[place]))
            for far, one in zip(nearest, grams, strict=True)
        ]
        nearest[place] = -1.0
    return taken
