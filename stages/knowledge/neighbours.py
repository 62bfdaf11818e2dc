"""Nearest neighbours of a growing set of points: each addition re-estimates only what it changes.

Three searches, chosen by dimension and size (measured on 2 cores, points of unit scale):

- d ≤ 8, any number of points: k-d trees, exact. 100,000 points with k = 16: 0.4 s at d = 4, 5 s at d = 8,
  but 27 s at d = 12, slower than comparing all pairs (19 s).
- fewer than 50,000 points: all pairs, in blocks, exact.
- else: usearch's navigable-small-world graph, approximate; how good is measured by `Neighbours.recall`. It
  is built on one thread, since on several its edges, and with them the result, would depend on their timing,
  and searched on all of them, which changes nothing.

An addition gives the new points their lists, and offers each to the old points in whose lists it may belong.
The exact searches find all of those: grown lists are equal to those of a whole estimate, to the last bit. The
graph offers a new point to the `OFFERED`·k old points nearest to it.
"""

from typing import Any, NamedTuple

import numpy as np

EXACT_BELOW = 50_000  # points
TREE_DIMENSIONS = 8  # up to here a k-d tree is exact and fast at any number of points
BLOCK = 512  # points compared with all others at a time
SLICES = 64  # of old points, by r_k
SPARE = 8  # candidates beyond k, for what rounding misorders
OFFERED = 4  # times k
SAMPLE = 500  # points on which an approximate search is held against the truth
# Of the graph: edges per point, and candidates held while building and searching. At 100,000 points of
# intrinsic dimension 10 in d = 32, recall@16 is .999; isotropic points have .85, .97 at (32, 128, 64) for
# three times the time.
CONNECTIVITY, EXPANSION_ADD, EXPANSION_SEARCH = 16, 64, 64


class _Offers(NamedTuple):
    """Pairs that may belong into the lists of old points."""

    old: np.ndarray
    new: np.ndarray
    distances: np.ndarray


class Neighbours:
    """Each point's k nearest other points, kept up to date as points are added.

    Args:
        k: neighbours.
        d: dimension of the points.
        exact_below: number of points from which on the search is approximate, where d > `TREE_DIMENSIONS`.

    Attributes:
        distances: n × k, ascending; infinite where there are fewer than k other points.
        indices: of those neighbours, n × k; -1 where there are fewer.
    """

    def __init__(self, k: int, d: int, exact_below: int = EXACT_BELOW) -> None:
        self.k, self.d, self.exact_below = k, d, exact_below
        self.vectors = np.zeros((0, d))
        self.distances = np.zeros((0, k))
        self.indices = np.zeros((0, k), dtype=np.int64)
        self._tree: Any = None  # over the first points, of which it is rebuilt as the set grows
        self._graph: Any = None

    def __len__(self) -> int:
        return len(self.vectors)

    def add(self, vectors: np.ndarray) -> None:
        """Add points (m × d) and bring every list up to date.

        Raises:
            ValueError: the dimension is another one, or a coordinate is not finite.
        """
        vectors = np.asarray(vectors, dtype=np.float64)
        if vectors.ndim != 2 or vectors.shape[1] != self.d:
            raise ValueError(f"points of shape {vectors.shape} in a space of {self.d} dimensions")
        if not np.isfinite(vectors).all():
            raise ValueError("a coordinate is not finite")
        if not len(vectors):
            return
        old = len(self.vectors)
        self.vectors = np.concatenate([self.vectors, vectors])
        if self.d <= TREE_DIMENSIONS:
            distances, indices, offers = self._by_tree(old)
        elif len(self) < self.exact_below:
            distances, indices, offers = self._by_blocks(old)
        else:
            distances, indices, offers = self._by_graph(old)
        self.distances = np.concatenate([self.distances, distances])
        self.indices = np.concatenate([self.indices, indices])
        self._take(offers)

    @property
    def exact(self) -> bool:
        """Whether every list is that of the true nearest neighbours."""
        return self._graph is None

    def recall(self, sample: int, rng: np.random.Generator) -> float:
        """Return the share of the true k nearest that the lists hold, on a random sample, by brute force.

        Args:
            sample: number of points looked at, at most all.
            rng: draws them.
        """
        rows = rng.choice(len(self), min(sample, len(self)), replace=False)
        squares = np.einsum("nd,nd->n", self.vectors, self.vectors)
        held = 0
        for row in rows:
            squared = squares - 2 * (self.vectors @ self.vectors[row])
            squared[row] = np.inf
            near = np.argpartition(squared, self.k - 1)[: self.k]
            r_k = np.sqrt(((self.vectors[near] - self.vectors[row]) ** 2).sum(axis=1).max())
            # By distance, so that of several points equally near any will do.
            held += int(np.count_nonzero(self.distances[row] <= r_k * (1 + 1e-6)))
        return held / (len(rows) * self.k)

    def sampled_recall(self, seed: int) -> float:
        """Return 1 where the search is exact, else `recall` on `SAMPLE` points drawn by `seed`."""
        return 1.0 if self.exact else self.recall(SAMPLE, np.random.default_rng(seed))

    def _by_tree(self, old: int) -> "_Found":
        from scipy.spatial import cKDTree

        new = np.arange(old, len(self))
        if self._tree is None or len(self) > 1.25 * self._tree.n:
            self._tree = cKDTree(self.vectors)
        near, ids = _query(self._tree, self.vectors[new], self.k + 1)
        if self._tree.n < len(self):
            late = cKDTree(self.vectors[self._tree.n :])
            later, later_ids = _query(late, self.vectors[new], self.k + 1)
            near = np.concatenate([near, later], axis=1)
            ids = np.concatenate([ids, later_ids + self._tree.n], axis=1)
        own, own_ids = _without_self(near, ids, new, self.k)
        # A new point enters an old list only from within its r_k: looked for in slices of like r_k, within
        # the widest of the slice, so that the search among the few new points ends at once.
        recent = cKDTree(self.vectors[new])
        parts = []
        for part in np.array_split(np.argsort(self.distances[:, -1], kind="stable"), SLICES) if old else ():
            if len(part):
                near, ids = _query(recent, self.vectors[part], self.k, self.distances[part[-1], -1])
                row, column = np.nonzero(np.isfinite(near))
                parts.append((part[row], ids[row, column] + old, near[row, column]))
        return _Found(own, own_ids, _joined(parts))

    def _by_blocks(self, old: int) -> "_Found":
        from sklearn.neighbors import NearestNeighbors

        # Matrix products choose the candidates, with some to spare for what rounding misorders.
        reach = min(self.k + 1 + SPARE, len(self))
        brute = NearestNeighbors(n_neighbors=reach, algorithm="brute").fit(self.vectors)
        squares = np.einsum("nd,nd->n", self.vectors, self.vectors)
        # y enters x's list if |x|² − r_k(x)² < 2xy − |y|²: a product with one more coordinate.
        limit = self.distances[:, -1] ** 2
        edge = squares[:old] - limit - 1e-9 * (limit + squares[:old])
        widened = np.concatenate([2 * self.vectors[:old], -edge[:, None]], axis=1).T
        buffer = np.empty((BLOCK, old))
        lists, parts = [], []
        for start in range(old, len(self), BLOCK):
            own = np.arange(start, min(start + BLOCK, len(self)))
            block = self.vectors[own]
            ids = brute.kneighbors(block, return_distance=False)
            near = np.sqrt(((block[:, None] - self.vectors[ids]) ** 2).sum(axis=2))
            lists.append(_without_self(near, ids, own, self.k))
            if old:
                extended = np.concatenate([block, np.ones((len(block), 1))], axis=1)
                product = np.matmul(extended, widened, out=buffer[: len(block)])
                row, column = np.nonzero(product > squares[own, None])
                apart = np.sqrt(((self.vectors[column] - block[row]) ** 2).sum(axis=1))
                parts.append((column, own[row], apart))
        near, ids = (np.concatenate(both) for both in zip(*lists, strict=True))
        return _Found(near, ids, _joined(parts))

    def _by_graph(self, old: int) -> "_Found":
        from usearch.index import Index

        if self._graph is None:
            self._graph = Index(
                ndim=self.d,
                metric="l2sq",
                dtype="f32",
                connectivity=CONNECTIVITY,
                expansion_add=EXPANSION_ADD,
                expansion_search=EXPANSION_SEARCH,
            )
        late = np.arange(len(self._graph), len(self))
        self._graph.add(late.astype(np.uint64), self.vectors[late].astype(np.float32), threads=1)
        lists, parts = [], []
        reach = min(len(self), (OFFERED * self.k if old else self.k) + 1)
        for start in range(old, len(self), 16 * BLOCK):
            own = np.arange(start, min(start + 16 * BLOCK, len(self)))
            block = self.vectors[own]
            ids = self._graph.search(block.astype(np.float32), reach, threads=0).keys.astype(np.int64)
            near = np.sqrt(((block[:, None] - self.vectors[ids]) ** 2).sum(axis=2))
            lists.append(_without_self(near, ids, own, self.k))
            row, column = np.nonzero((ids < old) & (near < np.inf))
            parts.append((ids[row, column], own[row], near[row, column]))
        near, ids = (np.concatenate(both) for both in zip(*lists, strict=True))
        return _Found(near, ids, _joined(parts))

    def _take(self, offers: _Offers) -> None:
        """Merge offers into the lists of old points."""
        useful = offers.distances < self.distances[offers.old, -1]
        old, new, distances = (column[useful] for column in offers)
        order = np.lexsort((new, distances, old))
        old, new, distances = old[order], new[order], distances[order]
        rows, first, count = np.unique(old, return_index=True, return_counts=True)
        rank = np.arange(len(old)) - np.repeat(first, count)
        kept = rank < self.k
        row = np.repeat(np.arange(len(rows)), count)[kept]
        wide = np.full((len(rows), self.k), np.inf)
        ids = np.full((len(rows), self.k), -1)
        wide[row, rank[kept]], ids[row, rank[kept]] = distances[kept], new[kept]
        wide = np.concatenate([self.distances[rows], wide], axis=1)
        ids = np.concatenate([self.indices[rows], ids], axis=1)
        order = np.argsort(wide, axis=1, kind="stable")[:, : self.k]
        self.distances[rows] = np.take_along_axis(wide, order, axis=1)
        self.indices[rows] = np.take_along_axis(ids, order, axis=1)


class _Found(NamedTuple):
    """What a search returns: the new points' lists, and what they are to the old ones."""

    distances: np.ndarray
    indices: np.ndarray
    offers: _Offers


def _query(tree: Any, points: np.ndarray, k: int, within: float = np.inf) -> tuple[np.ndarray, np.ndarray]:
    """Return distances and numbers of up to k tree points within a bound; infinite where there are fewer."""
    from scipy.spatial import cKDTree

    width = range(1, min(k, tree.n) + 1)
    # In the order of a tree of their own, each looks where the one before it did, in memory near at hand.
    order = cKDTree(points, balanced_tree=False).indices
    near, ids = tree.query(points[order], k=width, distance_upper_bound=within, workers=-1)
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return near[back], ids[back]


def _without_self(
    near: np.ndarray, ids: np.ndarray, own: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Drop each point from its own list, by its number: others may lie in the same place."""
    near, ids = np.where(ids == own[:, None], np.inf, near), np.asarray(ids, dtype=np.int64)
    order = np.argsort(near, axis=1, kind="stable")[:, :k]
    near, ids = np.take_along_axis(near, order, axis=1), np.take_along_axis(ids, order, axis=1)
    ids[~np.isfinite(near)] = -1
    short = k - near.shape[1]
    if short > 0:
        near = np.pad(near, ((0, 0), (0, short)), constant_values=np.inf)
        ids = np.pad(ids, ((0, 0), (0, short)), constant_values=-1)
    return near, ids


def _joined(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> _Offers:
    if not parts:
        return _Offers(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0))
    return _Offers(*(np.concatenate(column) for column in zip(*parts, strict=True)))
