"""Embedders: from statements to unit-norm vectors, by hashed n-grams or by a sentence-transformers model."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from stages.errors import BadInput
from stages.knowledge import Config

if TYPE_CHECKING:
    from stages.knowledge.cache import EmbeddingCache

HASHING = "hashing"
_BUCKETS = 2**16  # of the hashed n-grams
_BATCH = 4096  # statements embedded between two commits to the cache


class Embedder(Protocol):
    """What a space is built on."""

    identity: str  # of everything that decides a vector; equal identities give equal vectors

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return n × features, float32, unit norm."""


class Hashing:
    """Hashed character 3–5-grams, TF-IDF, truncated SVD, unit norm; nothing is downloaded.

    Args:
        idf: inverse document frequency of each bucket, float32.
        components: of the SVD, features × buckets, float32.
    """

    def __init__(self, idf: np.ndarray, components: np.ndarray) -> None:
        self.idf, self.components = idf, components
        self.identity = digest(HASHING, idf, components)

    @classmethod
    def fit(cls, texts: Sequence[str], features: int, seed: int) -> "Hashing":
        """Fit to distinct statements; `features` at most, fewer where there are fewer statements."""
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import TfidfTransformer

        counts = _count(texts)
        weights = TfidfTransformer(sublinear_tf=True).fit(counts)
        svd = TruncatedSVD(min(features, len(texts) - 1), random_state=seed).fit(weights.transform(counts))
        return cls(weights.idf_.astype(np.float32), svd.components_.astype(np.float32))

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return n × features, float32, unit norm; the origin for a statement without letters or figures."""
        from sklearn.preprocessing import normalize

        weighted = _count(texts)
        weighted.data = (1 + np.log(weighted.data)) * self.idf[weighted.indices]
        return normalize(weighted @ self.components.T.astype(np.float64)).astype(np.float32)


class Model:
    """A sentence-transformers model, imported and loaded when the first statement is embedded.

    Batches are padded, so that a vector's last digits may depend on what it was embedded with; read through
    the cache it is the same every time.

    Raises:
        BadInput: a hub id without a revision, or a folder with one.
    """

    def __init__(self, name: str, revision: str | None) -> None:
        self.name, self.revision = name, revision
        self._loaded: Any = None
        folder = Path(name)
        if folder.is_dir():
            if revision is not None:
                raise BadInput(f"knowledge.embedder '{name}': a folder has no `revision`; remove it")
            parts = sorted(p for p in folder.rglob("*") if p.is_file() and not _hidden(p.relative_to(folder)))
            hashes = [p.relative_to(folder).as_posix() + _file_digest(p) for p in parts]
            self.identity = digest("sentence-transformers", *hashes)
        elif revision is None:
            raise BadInput(
                f"knowledge.embedder '{name}': no such folder; of a Hugging Face id set "
                "`knowledge.revision` to the commit"
            )
        else:
            self.identity = digest("sentence-transformers", name, revision)

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        """Return n × the model's width, float32, unit norm.

        Raises:
            BadInput: the package is missing, or the model cannot be loaded.
        """
        if self._loaded is None:
            self._loaded = self._load()
        vectors = self._loaded.encode(
            list(texts), normalize_embeddings=True, show_progress_bar=False, convert_to_numpy=True
        )
        return np.asarray(vectors, dtype=np.float32)

    def _load(self) -> Any:
        try:
            from sentence_transformers import SentenceTransformer
            from transformers.utils.logging import disable_progress_bar
        except ImportError as error:
            raise BadInput(
                f"knowledge.embedder '{self.name}': the package sentence-transformers is missing; "
                "pip install 'seedbed[embeddings]', or set it to hashing"
            ) from error
        disable_progress_bar()  # one line per stage is said; weights load in a moment
        try:
            return SentenceTransformer(
                self.name,
                revision=self.revision,
                trust_remote_code=False,
                model_kwargs={"use_safetensors": True},
            )
        except Exception as error:
            why = " ".join(str(error).split())[:200]
            raise BadInput(f"knowledge.embedder '{self.name}': cannot be loaded: {why}") from error


def embed(embedder: Embedder, texts: Sequence[str], cache: "EmbeddingCache | None" = None) -> np.ndarray:
    """Return the unit-norm vectors of `texts`, n × features; the cached ones are not computed again.

    Raises:
        BadInput: a vector is not finite; the line names the first such text.
    """
    wanted = sorted(set(texts))
    known = {} if cache is None else cache.get(embedder.identity, wanted)
    missing = [text for text in wanted if text not in known]
    for start in range(0, len(missing), _BATCH):
        part = missing[start : start + _BATCH]
        vectors = embedder(part)
        wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
        if len(wrong):
            raise BadInput(
                f"knowledge: the embedding of '{part[wrong[0]][:80]}' is not finite ({len(wrong)} in its "
                "batch); choose another `knowledge.embedder`"
            )
        known.update(zip(part, vectors, strict=True))
        if cache is not None:
            cache.put(embedder.identity, part, vectors)
    return np.array([known[text] for text in texts], dtype=np.float32)


def make(texts: Sequence[str], config: Config, seed: int) -> Embedder:
    """Return the configured embedder, fitted to `texts` where it is of the kind that is fitted."""
    if config.embedder == HASHING:
        return Hashing.fit(texts, config.features, seed)
    return Model(config.embedder, config.revision)


def digest(*parts: str | np.ndarray) -> str:
    """Return the sha256 of texts and arrays with their shapes, in hex."""
    whole = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            whole.update(f"{part.dtype.str}{part.shape}".encode())
            whole.update(np.ascontiguousarray(part).tobytes())
        else:
            whole.update(f"{len(part.encode())}:{part}".encode())
    return whole.hexdigest()


def _count(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    grams = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=_BUCKETS, alternate_sign=False, norm=None
    )
    return grams.transform(texts)


def _hidden(path: Path) -> bool:
    return any(re.match(r"\.", part) for part in path.parts)


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
