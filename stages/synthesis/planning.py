"""Which knowledge points are to be expanded and combined next: orders to the teacher."""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from stages.records import Article
from stages.synthesis.candidates import Candidates
from stages.synthesis.sampling import uniform
from stages.synthesis.writing import Order

_ANCHORS = 3  # knowledge points that an order starts from
COMPANY = 0.5  # share of orders that also read a second article of the theme


class Library:
    """The articles that questions may be written from, and which of them share a theme.

    Articles are those with every category that the source's articles share (with `ask.category` set, that
    category). A theme is a category of an article beyond these; a domain its most common one.

    Args:
        articles: of the whole dump.
        source: page ids of the source's questions.
    """

    def __init__(self, articles: Sequence[Article], source: Sequence[int]) -> None:
        page = {article.page_id: article for article in articles}
        asked = [page[i] for i in dict.fromkeys(source)]
        shared = set.intersection(*(set(article.categories) for article in asked))
        self.page = {a.page_id: a for a in articles if shared <= set(a.categories)}
        counts = Counter(c for article in asked for c in article.categories if c not in shared)
        self._themes: dict[str, list[int]] = {}
        for article in sorted(self.page.values(), key=lambda a: a.page_id):
            for category in article.categories:
                if category not in shared:
                    self._themes.setdefault(category, []).append(article.page_id)
        self._common = counts
        self._shared = shared

    def domain(self, page_id: int) -> str:
        """Return the article's category that most articles of the source have; "" if it has none."""
        own = [c for c in self.page[page_id].categories if c not in self._shared]
        return min(own, key=lambda c: (-self._common[c], c), default="")

    def companion(self, page_id: int, draw: float) -> Article | None:
        """Return another article of a theme of this one; `draw` (0 … 1) says which; None if alone."""
        own = [c for c in self.page[page_id].categories if len(self._themes.get(c, ())) > 1]
        if not own:
            return None
        theme, rest = divmod(draw * len(own), 1.0)
        others = [i for i in self._themes[own[min(int(theme), len(own) - 1)]] if i != page_id]
        return self.page[others[min(int(rest * len(others)), len(others) - 1)]]


def share_out(total: int, wanted: np.ndarray) -> np.ndarray:
    """Return whole numbers that add up to `total` in proportion to `wanted`, by largest remainders.

    Args:
        total: what is shared out.
        wanted: not negative; all zero gives nobody anything.
    """
    if wanted.sum() <= 0:
        return np.zeros(len(wanted), dtype=np.int64)
    exact = total * wanted / wanted.sum()
    given = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - given), kind="stable")
    given[order[: total - int(given.sum())]] += 1
    return given


def orders(
    candidates: Candidates,
    library: Library,
    units: Sequence[str],
    wanted: Mapping[str, int],
    pull: np.ndarray,
    serial: int,
    seed: int,
    company: float = COMPANY,
) -> list[Order]:
    """Return the orders of one round.

    Each starts from a question of its unit, drawn in proportion to `pull`, and from up to three of that
    question's knowledge points. A share `company` of the orders also reads another article of the theme, so
    that synthesis can widen the source and not only fill it.

    Args:
        candidates: to start from.
        library: the articles.
        units: of each candidate: a group, a domain, an article.
        wanted: unit → orders; a unit without candidates gets none.
        pull: weight of each candidate, not negative.
        serial: number of the first order.
        seed: random seed; an order depends on its number, not on the others.
        company: share of orders with a second article, 0 … 1.
    """
    inside: dict[str, list[int]] = {}
    for i, unit in enumerate(units):
        inside.setdefault(unit, []).append(i)
    made: list[Order] = []
    for unit, count in sorted(wanted.items()):
        if unit not in inside:
            continue
        members = np.array(inside[unit])
        share = np.cumsum(np.maximum(pull[members], 1e-12))
        for _ in range(count):
            number = serial + len(made)
            at = int(np.searchsorted(share, uniform(seed, "anchor", str(number)) * share[-1]))
            start = int(members[min(at, len(members) - 1)])
            made.append(_order(candidates, library, start, number, seed, company))
    return made


def _order(
    candidates: Candidates, library: Library, start: int, number: int, seed: int, company: float
) -> Order:
    row = candidates.rows[start]
    reach = uniform(seed, "companion", str(number))
    # One draw decides both: below the share there is a companion, and where below says which.
    other = library.companion(row.page_id, reach / company) if reach <= company else None
    first = int(uniform(seed, "point", str(number)) * len(row.points))
    anchors = [row.points[(first + i) % len(row.points)] for i in range(min(_ANCHORS, len(row.points)))]
    return Order(
        serial=number,
        group=candidates.home(start),
        sources=tuple((row.question_id, point) for point in anchors),
        articles=(library.page[row.page_id], *([other] if other else [])),
    )
