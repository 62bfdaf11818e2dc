"""Until accepted: draw until N verified responses are there, or the budget of calls is spent."""

from stages.grid import STOPPING
from stages.protocols.interface import Protocol


class UntilAccepted(Protocol):
    """Independent draws until N of a question's are accepted, at most r: a question ends with its N-th.

    Defined here. The draws are those of plain rejection sampling, rollout by rollout, so that both share the
    response store: what one has paid for costs the other nothing. A repeat of an accepted text is rejected
    there and here, so N counts distinct responses. No call is made that drawing one by one would not make:
    each round asks, for every unfinished question at once, for as many responses as are still missing, since
    at least so many calls are needed.

    A question's calls at a smaller N, or a smaller r, are the first of those at a larger one. A training set
    cut at a smaller budget holds the first rows of a larger cut's; cut at r, each question has exactly N
    examples or has spent r calls. The share accepted among all calls is a price, not a chance of success:
    easy questions end early, hard ones draw on. The share of questions without an accepted response among
    the first r draws is what plain sampling has, since a question that ended had one.

    Args:
        accepted: N, at least 1; part of the name, as in `until_accepted_4`.
    """

    stops: int

    def __init__(self, accepted: int) -> None:
        self.stops = accepted
        self.name = self.ledger = f"{STOPPING}_{accepted}"
