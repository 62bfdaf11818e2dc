"""The embedding cache's faults, and sentence-transformers models."""

import sqlite3
import sys
from pathlib import Path

import numpy as np
import pytest

from stages.errors import BadInput
from stages.knowledge import Config, embedders
from stages.knowledge.cache import EmbeddingCache
from stages.knowledge.embed import Space, fit

TEXTS = [f"Town {i} lies {i * 7} km from the sea, in land number {i % 5}." for i in range(40)]
VECTORS = np.eye(4, dtype=np.float32)


def test_a_vector_is_known_under_its_embedder_only(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "a" / "cache.sqlite") as cache, EmbeddingCache(cache.path) as other:
        cache.put("one", TEXTS[:4], VECTORS)
        found = other.get("one", TEXTS[:6])
        assert list(found) and {t: v.tolist() for t, v in found.items()} == dict(
            zip(TEXTS[:4], VECTORS.tolist(), strict=True)
        )
        assert other.get("two", TEXTS[:4]) == {}


def test_a_file_that_is_no_cache_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"no database" * 500)
    with EmbeddingCache(path) as cache:
        cache.put("one", TEXTS[:4], VECTORS)
        assert len(cache.get("one", TEXTS[:4])) == 4
    assert (tmp_path / "cache.sqlite.damaged").read_bytes().startswith(b"no database")


def test_a_cache_damaged_within_is_rebuilt(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    texts = [str(i) for i in range(500)]
    with EmbeddingCache(path) as cache:
        cache.put("one", texts, np.ones((500, 64), dtype=np.float32))
    pages = bytearray(path.read_bytes())
    pages[8192:] = b"\xff" * (len(pages) - 8192)
    path.write_bytes(pages)
    with EmbeddingCache(path) as cache:
        assert cache.get("one", texts) == {}
        cache.put("one", texts, np.ones((500, 64), dtype=np.float32))
        assert len(cache.get("one", texts)) == 500
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match=r"cannot open the embedding cache.*SEEDBED_EMBEDDINGS"):
        EmbeddingCache(tmp_path / "file" / "cache.sqlite")


def test_a_hub_id_needs_a_revision_and_a_folder_has_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"set `knowledge.revision` to the commit"):
        embedders.Model("sentence-transformers/all-MiniLM-L6-v2", None)
    with pytest.raises(BadInput, match="a folder has no `revision`"):
        embedders.Model(str(tmp_path), "main")


def test_a_missing_package_is_named_with_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(BadInput, match=r"pip install 'seedbed\[embeddings\]'"):
        embedders.Model(str(tmp_path), None)(["text"])


def test_a_changed_folder_is_another_embedder(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = embedders.Model(str(tmp_path), None).identity
    (tmp_path / "model.safetensors").write_bytes(b"2")
    assert embedders.Model(str(tmp_path), None).identity != first


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Make a BERT of one layer with random weights, in the format of sentence-transformers."""
    package = pytest.importorskip("sentence_transformers")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *sorted({w for t in TEXTS for w in t.lower().split()}),
    ]
    (tmp_path / "bert").mkdir()
    (tmp_path / "bert" / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(tmp_path / "bert" / "vocab.txt")).save_pretrained(tmp_path / "bert")
    size = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    BertModel(BertConfig(vocab_size=len(words), **size)).save_pretrained(tmp_path / "bert")
    package.SentenceTransformer(str(tmp_path / "bert"), device="cpu").save(str(tmp_path / "model"))
    return tmp_path / "model"


def test_a_sentence_transformers_model_makes_a_space_and_is_cached(model: Path, tmp_path: Path) -> None:
    config = Config(embedder=str(model), features=8, dimensions=3, neighbours=3, groups=4)
    with EmbeddingCache(tmp_path / "cache.sqlite") as cache:
        space = fit(TEXTS, config, seed=0, cache=cache)
        assert np.allclose(np.linalg.norm(space.features(TEXTS, cache), axis=1), 1)
        back = Space.from_arrays(space.to_arrays(), config)
        (model / "1_Pooling").rename(tmp_path / "elsewhere")  # the model can no longer be loaded
        assert (back.place(TEXTS, cache) == space.place(TEXTS, cache)).all()
    assert back.identity == space.identity
