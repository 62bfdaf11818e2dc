"""The questions that a pool is sampled from: the source, and what was synthesized and verified so far."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.knowledge.density import log10_from_distances
from stages.knowledge.neighbours import Neighbours
from stages.records import SeedQuestion, SynthesizedQuestion


class Candidate(NamedTuple):
    """One question with its knowledge points."""

    question_id: str
    round: int  # 0: of the source
    question: str
    answer: str
    answer_aliases: tuple[str, ...]
    title: str
    page_id: int
    revision_id: int
    points: tuple[str, ...]


def candidate(row: SeedQuestion | SynthesizedQuestion, round: int, points: Sequence[str]) -> Candidate:
    """Return a question, of the source (round 0) or synthesized, with its knowledge points as a candidate."""
    return Candidate(
        question_id=row.question_id,
        round=round,
        question=row.question,
        answer=row.answer,
        answer_aliases=tuple(row.answer_aliases),
        title=row.title,
        page_id=row.page_id,
        revision_id=row.revision_id,
        points=tuple(points),
    )


class Candidates:
    """A growing set of questions, their distinct knowledge points, and the density of each point among them.

    The points of the questions given at the start are the reference: `reference` is the density that they
    alone have at every point, which does not change as the set grows.

    Args:
        k: neighbours of the density estimate.
        rows: the source.
        places: statement → its place (d numbers) and group, for every point of `rows`.

    Raises:
        BadInput: the source has no more than k distinct points, or all of them coincide.
    """

    def __init__(self, k: int, rows: Sequence[Candidate], places: dict[str, tuple[np.ndarray, int]]) -> None:
        self.rows: list[Candidate] = []
        self.members: list[np.ndarray] = []  # of each question: positions of its points
        self.texts: list[str] = []
        self.k = k
        self._position: dict[str, int] = {}
        d = len(next(iter(places.values()))[0])
        self.vectors = np.empty((0, d))
        self.groups = np.empty(0, dtype=np.int64)
        self.reference = np.empty(0)
        self.density = np.empty(0)
        self._neighbours = Neighbours(k, d)
        self._source: np.ndarray | None = None
        self.add(rows, places)
        self._source = self.vectors
        self.source_points = len(self.texts)
        self.source_questions = len(self.rows)
        self.reference = self.density

    def add(self, rows: Sequence[Candidate], places: dict[str, tuple[np.ndarray, int]]) -> None:
        """Add questions; densities are re-estimated where they change."""
        new = [t for t in dict.fromkeys(t for row in rows for t in row.points) if t not in self._position]
        self._position |= {text: len(self.texts) + i for i, text in enumerate(new)}
        self.texts += new
        if new:
            vectors = np.array([places[text][0] for text in new])
            self.vectors = np.concatenate([self.vectors, vectors])
            self.groups = np.concatenate([self.groups, [places[text][1] for text in new]]).astype(np.int64)
            self._neighbours.add(vectors)
            self.density = self._log10(self._neighbours, f"the {len(self.rows) + len(rows)} candidates have")
            if self._source is not None:
                self.reference = np.concatenate([self.reference, self._in_source(vectors)])
        self.rows += rows
        self.members += [np.unique([self._position[text] for text in row.points]) for row in rows]

    def question_means(self, values: np.ndarray) -> np.ndarray:
        """Return each question's mean over its points of `values`, one number per point."""
        return np.array([values[held].mean() for held in self.members])

    def held(self, chosen: np.ndarray) -> np.ndarray:
        """Return the positions of the distinct points of the questions `chosen`, ascending."""
        return np.unique(np.concatenate([self.members[i] for i in chosen]))

    def within(self, chosen: np.ndarray) -> np.ndarray:
        """Return log10 ρ of the points of the questions `chosen` among themselves, in the order of `held`.

        Raises:
            BadInput: they have no more than k distinct points, or all of them coincide.
        """
        among = Neighbours(self.k, self.vectors.shape[1])
        among.add(self.vectors[self.held(chosen)])
        return self._log10(among, f"{len(chosen)} questions of a pool have")

    def recall(self, seed: int) -> float:
        """Return the share of the true k nearest neighbours that the densities rest on; 1 where exact."""
        return self._neighbours.sampled_recall(seed)

    def position(self, text: str) -> int:
        """Return the position of a knowledge point."""
        return self._position[text]

    def home(self, i: int) -> int:
        """Return the group of a question: that of its first point, which states its answer."""
        return int(self.groups[self._position[self.rows[i].points[0]]])

    def _log10(self, among: Neighbours, whose: str) -> np.ndarray:
        """Return log10 ρ of points among themselves, or refuse them in one line."""
        r_k = among.distances[:, -1]
        if len(r_k) <= self.k:
            raise BadInput(
                f"knowledge.neighbours {self.k}: {whose} {len(r_k)} distinct knowledge points, too few for "
                "so many neighbours; lower it, or raise `synthesize.questions` or `ask.articles`"
            )
        if not r_k.any():
            raise BadInput(
                f"knowledge.neighbours {self.k}: {whose} {len(r_k)} distinct knowledge points, each in the "
                "place of so many others, so that no density can be told; choose another `knowledge.embedder`"
            )
        return log10_from_distances(r_k, self.k, among.d)

    def _in_source(self, vectors: np.ndarray) -> np.ndarray:
        from scipy.spatial import cKDTree

        r_k = np.atleast_2d(cKDTree(self._source).query(vectors, k=self.k)[0])[:, -1]
        return log10_from_distances(r_k, self.k, vectors.shape[1])
