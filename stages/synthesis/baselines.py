"""Unsteered synthesis, for comparison at an equal sample budget: random, fixed token count, fixed ratio.

Each decides where the next questions are written and which of the candidates form the pool, and looks at no
density. `random`: anywhere, and any. `fixed_tokens`: every article of the source gets the same number of
words of questions and answers, and generation stops when the pool is full. `fixed_ratio`: every domain (see
`planning.Library`) gets a fixed share of the questions.
"""

import heapq
from collections import defaultdict

import numpy as np

from stages.errors import BadInput
from stages.synthesis.candidates import Candidates
from stages.synthesis.config import Config
from stages.synthesis.planning import Library, share_out


def quotas(
    strategy: str, candidates: Candidates, library: Library, config: Config
) -> tuple[list[str], dict[str, int]]:
    """Return the unit of each candidate, and how many questions of each unit a pool takes.

    Args:
        strategy: one of the baselines.
        candidates: the source first.
        library: the articles.
        config: size of the pool, and the ratios of `fixed_ratio`.

    Raises:
        BadInput: `ratios` names a domain that the source does not have.
    """
    size, ratios = config.questions, config.ratios
    pages = [row.page_id for row in candidates.rows]
    source = pages[: candidates.source_questions]
    if strategy == "random":
        return [""] * len(pages), {"": size}
    if strategy == "fixed_ratio":
        units = [library.domain(page) for page in pages]
        shares = ratios or dict.fromkeys(sorted({library.domain(page) for page in source}), 1.0)
        strange = sorted(set(shares) - set(units))
        if strange:
            known = ", ".join(sorted(set(units))[:8])
            raise BadInput(f"synthesize.ratios: the source has no domain '{strange[0]}'; it has {known}")
        names = sorted(shares)
        given = share_out(size, np.array([shares[name] for name in names]))
        return units, dict(zip(names, given.tolist(), strict=True))
    return [str(page) for page in pages], _by_tokens(candidates, size)


def missing(units: list[str], quota: dict[str, int]) -> dict[str, int]:
    """Return how many more candidates each unit needs; units that need none are left out."""
    held: dict[str, int] = defaultdict(int)
    for unit in units:
        held[unit] += 1
    return {unit: count - held[unit] for unit, count in sorted(quota.items()) if count > held[unit]}


def fill(units: list[str], quota: dict[str, int], uniforms: np.ndarray, size: int) -> np.ndarray:
    """Return the positions of the pool's questions, ascending: each unit's quota, drawn at random.

    What a unit lacks is made up by questions of any unit, drawn at random.
    """
    order = np.argsort(uniforms, kind="stable")
    left = dict(quota)
    taken: list[int] = []
    for i in order:
        if left.get(units[i], 0) > 0:
            left[units[i]] -= 1
            taken.append(int(i))
    inside = set(taken)
    taken += [int(i) for i in order if int(i) not in inside][: size - len(taken)]
    return np.sort(np.array(taken[:size]))


def _by_tokens(candidates: Candidates, size: int) -> dict[str, int]:
    """Share out `size` questions so that every source article holds about the same number of words.

    The article with the fewest words gets the next question, of the mean length of its questions so far.
    """
    words: dict[str, list[int]] = defaultdict(list)
    for row in candidates.rows:
        words[str(row.page_id)].append(len(f"{row.question} {row.answer}".split()))
    pages = list(dict.fromkeys(str(row.page_id) for row in candidates.rows[: candidates.source_questions]))
    mean = {page: float(np.mean(words[page])) for page in pages}
    count = dict.fromkeys(pages, 0)
    shortest = [(0.0, page) for page in sorted(pages)]
    for _ in range(size):
        total, page = heapq.heappop(shortest)
        count[page] += 1
        heapq.heappush(shortest, (total + mean[page], page))
    return count
