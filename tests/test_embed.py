"""The embedding space, its arrays on disk, and the cache of embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from stages import files
from stages.errors import BadInput
from stages.knowledge import Config, embed, embedders
from stages.knowledge.cache import EmbeddingCache

CONFIG = Config(embedder="hashing", features=16, dimensions=4, neighbours=3, groups=4)
POINTS = [f"The river {name} flows into the Black Sea." for name in ("Danube", "Dnieper", "Don", "Dniester")]
POINTS += [f"{name} is a metal of group {i}." for i, name in enumerate(("Iron", "Tin", "Zinc", "Lead"), 4)]
LATER = ["The river Bug flows into the Dnieper.", "Copper is a metal of group 11.", "Bees make honey."]


class Counting:
    """An embedder that counts what it embeds: a statement's letters."""

    identity = "counting"

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __call__(self, texts: Sequence[str]) -> np.ndarray:
        self.seen += texts
        letters = np.array([[t.count(c) + 0.1 for c in "aeionrst"] for t in texts])
        return (letters / np.linalg.norm(letters, axis=1, keepdims=True)).astype(np.float32)


def rotten(texts: Sequence[str]) -> np.ndarray:
    vectors = np.ones((len(texts), 3), dtype=np.float32)
    vectors[[i for i, text in enumerate(texts) if "bad" in text], 1] = np.inf
    return vectors


rotten.identity = "rotten"  # type: ignore[attr-defined]


def test_the_space_is_fitted_once_and_stays_where_it_is() -> None:
    space = embed.fit(POINTS, CONFIG, seed=0)
    before, identity = space.place(POINTS), space.identity
    assert before.shape == (8, 4)
    space.place(LATER)
    assert np.array_equal(space.place(POINTS), before)
    assert space.identity == identity


def test_a_place_depends_on_its_text_alone() -> None:
    space = embed.fit(POINTS, CONFIG, seed=0)
    together = space.place(POINTS + LATER)
    for text, place in zip(POINTS + LATER, together, strict=True):
        assert np.array_equal(space.place([text])[0], place)
    assert np.array_equal(space.place([LATER[0], LATER[0]]), together[[8, 8]])
    assert space.place([]).shape == (0, 4)


def test_order_and_repetitions_do_not_move_the_space() -> None:
    space = embed.fit(POINTS, CONFIG, seed=0, context=LATER)
    again = embed.fit([*POINTS[::-1], POINTS[3]], CONFIG, seed=0, context=[*LATER[::-1], POINTS[0]])
    assert again.identity == space.identity
    assert embed.fit(POINTS, CONFIG, seed=0).identity != space.identity


def test_context_sets_apart_statements_that_the_points_do_not_know() -> None:
    others = ["Gulls nest on cliffs.", "Mozart wrote operas.", "Gulls nest on islands."]
    apart = []
    for context in ((), others):
        places = embed.fit(POINTS, CONFIG, seed=0, context=context).place(others)
        apart.append(pdist(places).min())
    assert apart[1] > 2 * apart[0]


def test_groups_are_the_nearest_centres() -> None:
    space = embed.fit(POINTS, CONFIG.model_copy(update={"groups": 2}), seed=0)
    groups = space.group(space.place(POINTS))
    assert len({*groups[:4]}) == len({*groups[4:]}) == 1 and groups[0] != groups[4]
    assert list(space.group(space.place(LATER[:2]))) == [groups[0], groups[4]]


def test_arrays_round_trip_in_the_same_bytes(tmp_path: Path) -> None:
    space = embed.fit(POINTS, CONFIG, seed=0)
    arrays = space.to_arrays()
    files.write_arrays(tmp_path / "a.npz", arrays)
    files.write_arrays(tmp_path / "b.npz", dict(reversed(arrays.items())))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    back = embed.Space.from_arrays(files.read_arrays(tmp_path / "a.npz", "annotate"), CONFIG)
    assert back.identity == space.identity
    assert np.array_equal(back.place(LATER), space.place(LATER))


def test_arrays_of_other_settings_are_refused() -> None:
    arrays = embed.fit(POINTS, CONFIG, seed=0).to_arrays()
    with pytest.raises(BadInput, match="fitted under other settings; run `dvc repro annotate`"):
        embed.Space.from_arrays(arrays, CONFIG.model_copy(update={"dimensions": 3}))
    with pytest.raises(BadInput, match="fitted under other settings"):
        embed.Space.from_arrays({k: v for k, v in arrays.items() if k != "idf"}, CONFIG)


def test_missing_and_corrupt_arrays_name_the_stage(tmp_path: Path) -> None:
    path = tmp_path / "space.npz"
    with pytest.raises(BadInput, match="missing; run `dvc repro annotate`"):
        files.read_arrays(path, "annotate")
    files.write_arrays(path, {"a": np.arange(1000.0)})
    whole = path.read_bytes()
    for damaged in (b"", b"no zip", whole[: len(whole) // 2], whole[:60] + b"\0" * 40 + whole[100:]):
        path.write_bytes(damaged)
        with pytest.raises(BadInput, match=r"not readable: .*; run `dvc repro annotate`"):
            files.read_arrays(path, "annotate")


def test_more_dimensions_than_the_points_span_are_refused() -> None:
    with pytest.raises(BadInput, match=r"knowledge\.dimensions 12: the points span 7 dimensions; lower it"):
        embed.fit(POINTS, CONFIG.model_copy(update={"dimensions": 12}), seed=0)


def test_too_few_points_are_refused() -> None:
    with pytest.raises(BadInput, match="3 distinct knowledge points are too few for 3 neighbours"):
        embed.fit([*POINTS[:3], POINTS[0]], CONFIG, seed=0)


def test_an_embedding_that_is_not_finite_names_its_text() -> None:
    with pytest.raises(BadInput, match=r"the embedding of 'a bad one' is not finite \(2 in its batch\)"):
        embedders.embed(rotten, ["good", "worse, bad", "a bad one"])  # type: ignore[arg-type]


def test_an_unchanged_statement_is_never_embedded_twice(tmp_path: Path) -> None:
    first = Counting()
    with EmbeddingCache(tmp_path / "deep" / "cache.sqlite") as cache:
        vectors = embedders.embed(first, [*POINTS, POINTS[0]], cache)
        assert sorted(first.seen) == sorted(POINTS)
        embedders.embed(first, [*LATER, *POINTS], cache)
        assert sorted(first.seen) == sorted(POINTS + LATER)
    second = Counting()
    with EmbeddingCache(tmp_path / "deep" / "cache.sqlite") as cache:
        again = embedders.embed(second, [*POINTS, POINTS[0]], cache)
    assert second.seen == []
    assert np.array_equal(again, vectors) and again.dtype == np.float32


def test_another_embedder_does_not_read_its_vectors(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "cache.sqlite") as cache:
        cache.put("one", ["text"], np.ones((1, 3)))
        assert cache.get("two", ["text"]) == {}
        assert list(cache.get("one", ["text", "other"])) == ["text"]


def test_two_processes_may_share_a_cache(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "c.sqlite") as one, EmbeddingCache(tmp_path / "c.sqlite") as other:
        one.put("e", ["a"], np.full((1, 2), 1.0))
        other.put("e", ["a", "b"], np.full((2, 2), 2.0))
        assert {t: v.tolist() for t, v in one.get("e", ["a", "b"]).items()} == {"a": [1, 1], "b": [2, 2]}


def test_a_damaged_cache_is_moved_aside_and_started_anew(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(b"this is no database, whatever its name says" * 100)
    counting = Counting()
    with EmbeddingCache(path) as cache:
        embedders.embed(counting, POINTS, cache)
        assert len(cache.get("counting", POINTS)) == 8
    assert Path(f"{path}.damaged").read_bytes().startswith(b"this is no database")


def test_damage_met_while_reading_costs_only_the_embedding(tmp_path: Path) -> None:
    path, texts = tmp_path / "cache.sqlite", [f"text {i}" for i in range(2000)]
    with EmbeddingCache(path) as cache:
        cache.put("e", texts, np.ones((2000, 8)))
    whole = bytearray(path.read_bytes())
    whole[3 * 4096 : -4096] = b"\xff" * (len(whole) - 4 * 4096)
    path.write_bytes(whole)
    with EmbeddingCache(path) as cache:
        assert cache.get("e", texts) == {}
        cache.put("e", texts, np.ones((2000, 8)))
        assert len(cache.get("e", texts)) == 2000
    assert Path(f"{path}.damaged").exists()
