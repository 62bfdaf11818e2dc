"""Knowledge points in their space, their intrinsic dimension, and models as embedders."""

import numpy as np
import pytest

from stages.knowledge import Config, embed
from stages.knowledge.intrinsic import intrinsic_dimension, warning
from stages.records import Knowledge

CONFIG = Config(embedder="hashing", features=16, dimensions=4, neighbours=3, groups=4)
ROWS = [
    Knowledge(
        question_id=str(i),
        topic_entities=["x"],
        points=["Iron is a metal.", f"Town {i} lies north.", f"Lake {i * 7} is deep."],
        logic_form="",
        request_key="",
    )
    for i in range(4)
]


def test_equal_statements_share_place_and_group() -> None:
    space = embed.fit([text for row in ROWS for text in row.points], CONFIG, seed=0)
    points = embed.locate(ROWS, space)
    assert [(p.question_id, p.position, p.text) for p in points] == [
        (row.question_id, i, text) for row in ROWS for i, text in enumerate(row.points)
    ]
    same = [p for p in points if p.text == "Iron is a metal."]
    assert len({(tuple(p.embedding), p.group) for p in same}) == 1
    assert embed.distinct(points).shape == (9, 4)


def test_located_points_are_where_the_space_places_them() -> None:
    space = embed.fit([text for row in ROWS for text in row.points], CONFIG, seed=0)
    for point in embed.locate(ROWS[:2], space):
        place = space.place([point.text])
        assert point.embedding == place[0].tolist()
        assert point.group == space.group(place)[0]


def test_embedding_puts_like_statements_together() -> None:
    rivers = [f"The river {name} flows into the Black Sea." for name in ("Danube", "Dnieper", "Don", "Bug")]
    metals = [f"{name} is a metal of group {i}." for i, name in enumerate(("Iron", "Tin", "Zinc", "Lead"), 4)]
    vectors = embed.fit(rivers + metals, CONFIG, seed=0).place(rivers + metals)
    near = np.linalg.norm(vectors[0] - vectors[1:4], axis=1).max()
    assert near < np.linalg.norm(vectors[0] - vectors[4:], axis=1).min()


@pytest.mark.parametrize("true", [1, 3, 6])
def test_intrinsic_dimension_sees_through_the_ambient_one(true: int) -> None:
    rng = np.random.default_rng(4)
    flat = rng.standard_normal((3000, true)) @ np.linalg.qr(rng.standard_normal((12, true)))[0].T
    for estimate in intrinsic_dimension(flat, 10).values():
        assert estimate["value"] == pytest.approx(true, rel=0.12)
        assert estimate["se"] is not None and 0 < estimate["se"] < 0.05 * true


def test_a_standard_error_is_the_spread_between_samples() -> None:
    found = [
        intrinsic_dimension(np.random.default_rng(seed).uniform(size=(400, 2)), 5)["two_nn"]
        for seed in range(40)
    ]
    spread = np.std([e["value"] for e in found], ddof=1)
    assert spread == pytest.approx(np.mean([e["se"] for e in found]), rel=0.4)


def test_coinciding_points_have_no_intrinsic_dimension() -> None:
    for estimate in intrinsic_dimension(np.zeros((20, 3)), 5).values():
        assert estimate == {"value": None, "se": None}


def test_dimensions_within_a_factor_of_an_estimate_are_not_warned_of() -> None:
    estimates = {"levina_bickel": {"value": 4.0, "se": 0.1}, "two_nn": {"value": 8.0, "se": 0.2}}
    assert warning(3, estimates) is None  # 4 / 3 < 1.5
    assert warning(12, estimates) is None  # 12 / 8
    for far in (2, 13):
        said = warning(far, estimates)
        assert said is not None
        assert said.startswith(f"knowledge.dimensions {far} is far from")
        assert "levina_bickel 4.0, two_nn 8.0" in said and "\n" not in said


def test_no_estimate_gives_no_warning() -> None:
    nothing = {"value": None, "se": None}
    assert warning(4, {"levina_bickel": nothing, "two_nn": nothing}) is None
    assert warning(4, {"levina_bickel": nothing, "two_nn": {"value": 20.0, "se": 1.0}}) is not None
