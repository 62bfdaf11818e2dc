"""Cuts and cell names."""

import pytest

from stages.errors import BadInput
from stages.grid import STRATEGIES, Cut, Target, budget, cell_name, distinct


@pytest.mark.parametrize("text", ["1x1", "0.25x4", "0.5x128"])
def test_a_cut_reads_as_it_is_written(text: str) -> None:
    assert str(Cut.parse(text)) == text


def test_the_same_cut_written_twice_counts_once() -> None:
    assert distinct((Cut.parse("1x8"), Cut.parse("1.0x8"), Cut.parse("1x4"))) == [Cut(1.0, 8), Cut(1.0, 4)]


@pytest.mark.parametrize("text", ["1x0", "1x-2", "1x2.5", "1xmany", "0x4", "1.5x4", "4", "x4", "1x", "-1x4"])
def test_a_bad_cut_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInput, match=r"cut '|budget '"):
        Cut.parse(text)


@pytest.mark.parametrize("text", ["0", "-3", "2.5", "many", "", "1e3"])
def test_a_bad_budget_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match=f"budget '{text}': not a positive whole number"):
        budget(text)


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "dense", ""])
def test_a_target_that_is_neither_finite_nor_a_strategy_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(BadInput, match=f"target '{text}': neither a finite number of dex nor one of uniform"):
        Target.parse(text)


@pytest.mark.parametrize("text", ["4.8", "-0.5", *STRATEGIES])
def test_a_target_reads_as_it_is_written(text: str) -> None:
    target = Target.parse(text)
    assert str(target) == text
    assert (target.density is None) == (text in STRATEGIES)
    assert (target.strategy == "density") == (text not in STRATEGIES)


def test_a_cell_is_named_by_its_coordinates() -> None:
    assert cell_name("tiny", 3.4, Cut(0.25, 16)) == "tiny-3.4-0.25x16"
    assert cell_name("tiny", Target("density", 3.4), Cut(0.25, 16)) == "tiny-3.4-0.25x16"
    assert cell_name("tiny", Target("uniform", None), Cut(1.0, 16)) == "tiny-uniform-1x16"
