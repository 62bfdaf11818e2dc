"""The embedding space of knowledge points: fitted once, so that statements written later find their place."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.knowledge import Config, embedders
from stages.knowledge.threads import one_thread
from stages.records import Knowledge, KnowledgePoint

if TYPE_CHECKING:
    from stages.knowledge.cache import EmbeddingCache

# Below this many decimals, linear algebra libraries differ between machines; the digits beyond would carry
# such differences into pools.
_DECIMALS = 6
_ARRAYS = {"mean", "axes", "centres"}


class Space(NamedTuple):
    """A fitted space; made by `fit` or `from_arrays`, never changed.

    Unit-norm embeddings x are projected to y = A(x − m), A being the first d principal axes.
    """

    embedder: embedders.Embedder
    mean: np.ndarray  # m, features
    axes: np.ndarray  # A, d × features
    centres: np.ndarray  # groups × d

    @property
    def identity(self) -> str:
        """The sha256 of everything that decides a place or a group."""
        return embedders.digest(self.embedder.identity, self.mean, self.axes, self.centres)

    @property
    def dimensions(self) -> int:
        """The dimension d of a place."""
        return len(self.axes)

    def features(self, texts: Sequence[str], cache: "EmbeddingCache | None" = None) -> np.ndarray:
        """Return the unit-norm embeddings before projection, n × features.

        Raises:
            BadInput: an embedding is not finite.
        """
        if not len(texts):
            return np.zeros((0, len(self.mean)), dtype=np.float32)
        return embedders.embed(self.embedder, texts, cache)

    def place(self, texts: Sequence[str], cache: "EmbeddingCache | None" = None) -> np.ndarray:
        """Return the places of `texts`, n × d, rounded to 6 decimals; each depends on its text alone.

        Raises:
            BadInput: an embedding is not finite.
        """
        return self.project(self.features(texts, cache))

    def project(self, features: np.ndarray) -> np.ndarray:
        """Return the places, n × d, of unit-norm embeddings, n × features."""
        moved = features.astype(np.float64) - self.mean
        return (moved @ self.axes.T).round(_DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0

    def group(self, vectors: np.ndarray) -> np.ndarray:
        """Return the nearest centre of each place (n × d): n integers, the lowest where two are as near."""
        far = (vectors**2).sum(axis=1)[:, None] - 2 * vectors @ self.centres.T + (self.centres**2).sum(axis=1)
        return far.round(12).argmin(axis=1)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what `from_arrays` makes the space from."""
        fitted = self.embedder
        own = (
            {"idf": fitted.idf, "components": fitted.components}
            if isinstance(fitted, embedders.Hashing)
            else {}
        )
        return {"mean": self.mean, "axes": self.axes, "centres": self.centres, **own}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], config: Config) -> "Space":
        """Return the space that `to_arrays` described.

        Raises:
            BadInput: it was fitted under other settings than `config`.
        """
        hashing = config.embedder == embedders.HASHING
        needed = _ARRAYS | ({"idf", "components"} if hashing else set())
        if set(arrays) != needed or len(arrays["axes"]) != config.dimensions:
            raise BadInput(
                "knowledge: the stored space was fitted under other settings; run `dvc repro annotate`"
            )
        embedder = (
            embedders.Hashing(arrays["idf"], arrays["components"])
            if hashing
            else embedders.Model(config.embedder, config.revision)
        )
        return cls(embedder, arrays["mean"], arrays["axes"], arrays["centres"])


def fit(
    texts: Sequence[str],
    config: Config,
    seed: int,
    cache: "EmbeddingCache | None" = None,
    context: Sequence[str] = (),
) -> Space:
    """Fit a space to knowledge points.

    The embedder (where it is fitted) and the principal axes are fitted to the points and to `context`, so
    that points about the rest of the theme are placed by what sets them apart; the groups are the k-means
    clusters of the points alone. It is computed on one thread, so that it does not depend on the machine.

    Args:
        texts: knowledge points; order and repetitions change nothing.
        config: embedder, d and number of groups; at most one group per distinct place is made.
        seed: of the randomised SVD and of the clusters' initial centres.
        cache: of embeddings.
        context: statements that points written later will resemble, such as sentences of the articles.

    Raises:
        BadInput: there are fewer distinct points than the density needs neighbours, they do not span d
            dimensions, or an embedding is not finite.
    """
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA

    points = sorted(set(texts))
    if len(points) <= config.neighbours:
        raise BadInput(
            f"knowledge: {len(points)} distinct knowledge points are too few for {config.neighbours} "
            "neighbours; raise `ask.articles` or lower `knowledge.neighbours`"
        )
    with one_thread():
        whole = points + sorted(set(context) - set(points))
        embedder = embedders.make(whole, config, seed)
        vectors = embedders.embed(embedder, whole, cache).astype(np.float64)
        own = vectors[: len(points)]
        span = int(np.linalg.matrix_rank(own - own.mean(axis=0), tol=10.0**-_DECIMALS * len(own) ** 0.5))
        if config.dimensions > span:
            raise BadInput(
                f"knowledge.dimensions {config.dimensions}: the points span {span} dimensions; lower it"
            )
        projection = PCA(config.dimensions, svd_solver="covariance_eigh").fit(vectors)
        space = Space(embedder, projection.mean_, projection.components_, np.zeros((1, config.dimensions)))
        places = space.project(own)
        clusters = min(config.groups, len(np.unique(places, axis=0)))
        found = KMeans(clusters, n_init=4, random_state=seed).fit(places)
        return space._replace(centres=found.cluster_centers_.round(_DECIMALS) + 0.0)


def locate(
    rows: Sequence[Knowledge], space: Space, cache: "EmbeddingCache | None" = None
) -> list[KnowledgePoint]:
    """Return every knowledge point with its place and group; equal statements share both.

    Raises:
        BadInput: an embedding is not finite.
    """
    texts = sorted({text for row in rows for text in row.points})
    vectors = space.place(texts, cache)
    place = {
        text: (int(group), vector.tolist())
        for text, group, vector in zip(texts, space.group(vectors), vectors, strict=True)
    }
    return [
        KnowledgePoint(
            question_id=row.question_id,
            position=position,
            text=text,
            group=place[text][0],
            embedding=place[text][1],
        )
        for row in rows
        for position, text in enumerate(row.points)
    ]


def distinct(points: Sequence[KnowledgePoint]) -> np.ndarray:
    """Return the places of the distinct knowledge points, n × d."""
    return np.array(list({point.text: point.embedding for point in points}.values()))
