"""Cells that do not belong together are refused, and the line names the one."""

import math

import planted_grid as planted
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from stages.errors import BadInput
from stages.tables import checks, ledgers, query
from stages.tables.checks import Cell

NAME = "tiny-2.0-1x4"


def changed(scores: pa.Table) -> list[Cell]:
    """Return the grid with one cell's rows replaced."""
    return [c._replace(scores=scores) if c.name == NAME else c for c in planted.cells()]


def with_column(name: str, values: list) -> pa.Table:
    scores = planted.cell(2.0, "1x4").scores
    place = scores.schema.get_field_index(name)
    return scores.set_column(
        place, scores.schema.field(name), pa.array(values, scores.schema.field(name).type)
    )


def first_replaced(name: str, value: object) -> pa.Table:
    values = planted.cell(2.0, "1x4").scores[name].to_pylist()
    return with_column(name, [value, *values[1:]])


def test_the_planted_grid_passes():
    checks.check(planted.cells(), ledgers.draws(planted.all_responses(), planted.CUTS))


REFUSED = [
    (
        first_replaced("answer_loss", math.nan),
        f"{NAME}: loss nan over 2 tokens on item triviaqa/t00 of training seed 0",
    ),
    (first_replaced("answer_loss", math.inf), f"{NAME}: loss inf"),
    (first_replaced("answer_loss", None), f"{NAME}: loss None"),
    (first_replaced("answer_tokens", 0), "over 0 tokens on item triviaqa/t00"),
    (
        first_replaced("item_id", "t99"),
        f"{NAME}: items of training seed 0 are not those of tiny-base, 2 differ",
    ),
    (first_replaced("item_id", "t01"), f"{NAME}: items of training seed 0 are not those of tiny-base"),
    (planted.cell(2.0, "1x8").scores, f"{NAME}: its rows are of budget 8, not 4"),
    (planted.cell(3.0, "1x4").scores, f"{NAME}: its rows are of density 3.0, not 2.0"),
    (planted.cell(2.0, "1x4").scores.slice(0, 0), f"{NAME}: no scores in it"),
    (
        planted.cell(2.0, "1x4").scores.slice(1),
        f"{NAME}: items of training seed 0 are not those of tiny-base",
    ),
]


@pytest.mark.parametrize(("scores", "said"), REFUSED)
def test_a_cell_that_does_not_belong_is_refused_by_name(scores, said):
    with pytest.raises(BadInput) as caught:
        query.build(changed(scores), planted.all_responses())
    assert said in caught.value.message and "\n" not in caught.value.message


def test_an_item_scored_twice_is_refused():
    scores = planted.cell(2.0, "1x4").scores
    with pytest.raises(BadInput, match="one is there twice"):
        query.build(changed(pa.concat_tables([scores, scores.slice(0, 1)])), planted.all_responses())


def test_a_ledger_that_is_too_short_or_missing_is_refused():
    ledger = planted.all_responses()
    short = ledger.filter(pc.or_(pc.less(ledger["rollout"], 8), pc.equal(ledger["density"], 3.0)))
    with pytest.raises(BadInput, match=r"ledger 2\.0: question q000 lacks some of the 16 rollouts .*: 8\)"):
        query.build(planted.cells(), short)
    one = ledger.filter(pc.equal(ledger["density"], 3.0))
    with pytest.raises(BadInput, match=r"tiny-2\.0-1x1: no responses of density 2\.0 in the ledgers"):
        query.build(planted.cells(), one)


def test_arms_with_other_training_seeds_are_not_paired():
    scores = planted.cell(2.0, "1x4").scores
    two = scores.filter(pc.less(scores["seed"], 2))
    with pytest.raises(BadInput, match=r"different training seeds, \(0, 1, 2\) and \(0, 1\)"):
        query.build(changed(two), planted.all_responses())


def test_what_only_studies_vary_is_refused():
    scores = planted.cell(2.0, "1x4").scores
    for name, value, said in (
        ("strategy", "uniform", "its rows are of strategy uniform, not density"),
        ("tokens", 5000, "its rows are of tokens 5000, not None"),
        ("teacher", "strong", "its rows are of teacher strong, not teacher"),
        ("protocol", "self_refine", "its rows are of protocol self_refine, not rejection_sampling"),
        ("matched", "tokens", "its rows are of matched tokens, not samples"),
    ):
        with pytest.raises(BadInput, match=said):
            query.build(changed(with_column(name, [value] * len(scores))), planted.all_responses())
    ledger = planted.all_responses()
    for name, value in (("strategy", "random"), ("teacher", "strong"), ("protocol", "self_refine")):
        place = ledger.schema.get_field_index(name)
        other = ledger.set_column(place, ledger.schema.field(name), pa.array([value] * len(ledger)))
        with pytest.raises(BadInput, match=f"the ledger has responses of {name} '{value}'"):
            query.build(planted.cells(), other)
