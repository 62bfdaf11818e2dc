"""Embeddings of knowledge points: unit norm, then projected to the density's dimension."""

from collections.abc import Sequence

import numpy as np

from stages.errors import BadInput
from stages.knowledge import Config
from stages.records import Knowledge, KnowledgePoint

# Below this many decimals, linear algebra libraries differ between machines; the digits beyond would carry
# such differences into pools.
_DECIMALS = 6


def locate(rows: Sequence[Knowledge], config: Config, seed: int) -> list[KnowledgePoint]:
    """Return every knowledge point with its place and group; equal statements share both.

    Raises:
        BadInput: there are fewer distinct points than the density needs neighbours.
    """
    texts = sorted({text for row in rows for text in row.points})
    if len(texts) <= config.neighbours:
        raise BadInput(
            f"knowledge: {len(texts)} distinct knowledge points are too few for {config.neighbours} "
            "neighbours; raise `ask.articles` or lower `knowledge.neighbours`"
        )
    vectors = embed(texts, config, seed)
    groups = cluster(vectors, config.groups, seed)
    place = {
        text: (int(group), vector.tolist())
        for text, group, vector in zip(texts, groups, vectors, strict=True)
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


def embed(texts: Sequence[str], config: Config, seed: int) -> np.ndarray:
    """Embed texts by hashed character 3–5-grams, TF-IDF and truncated SVD, then project by PCA.

    Args:
        texts: n distinct statements.
        config: `features` dimensions, at unit norm, before PCA to `dimensions`.
        seed: of the randomised SVD.

    Returns:
        Array n × d, d = min(`dimensions`, what n allows), rounded to 6 decimals.
    """
    from sklearn.decomposition import PCA, TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
    from sklearn.preprocessing import normalize

    grams = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=2**16, alternate_sign=False)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(grams.transform(texts))
    rank = min(config.features, len(texts) - 1)
    unit = normalize(TruncatedSVD(rank, random_state=seed).fit_transform(weighted))
    projection = PCA(min(config.dimensions, rank), svd_solver="full")
    return projection.fit_transform(unit).round(_DECIMALS) + 0.0  # + 0.0 turns -0.0 into 0.0


def cluster(points: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """Return the k-means group of each point.

    Args:
        points: n × d.
        groups: at most n are made.
        seed: of the initial centres.
    """
    from sklearn.cluster import KMeans

    distinct = len(np.unique(points, axis=0))
    return KMeans(min(groups, distinct), n_init=4, random_state=seed).fit_predict(points)
