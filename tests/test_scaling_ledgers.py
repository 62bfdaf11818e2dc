"""What cells pay for, counted over the files of ledgers and by hand; and which ledgers are refused."""

from collections import Counter

import planted_budgets as planted
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import BadInput
from stages.grid import Cut
from stages.protocols import cutting
from stages.records import Response
from stages.scaling import ledgers
from stages.scaling.places import Ledger, Place

PLAIN = Place("strong", "qwen", "physics", Cut(0.5, 4))
REFINED = Place("strong", "qwen", "physics", Cut(0.5, 4), "self_refine", "tokens")


@pytest.fixture
def paths(tmp_path):
    found = {place.ledger: tmp_path / f"{place.ledger.name}.parquet" for place in (PLAIN, REFINED)}
    pq.write_table(planted.responses(PLAIN.ledger, planted.BUDGET), found[PLAIN.ledger])
    pq.write_table(planted.responses(REFINED.ledger, planted.CALLS, tokens=53), found[REFINED.ledger])
    return found


def rows(path) -> list[Response]:
    return [Response.model_validate(row) for row in pq.read_table(path).to_pylist()]


def change(path, **columns) -> None:
    table = pq.read_table(path)
    for name, change in columns.items():
        values = [change(i, value) for i, value in enumerate(table[name].to_pylist())]
        place = table.schema.get_field_index(name)
        table = table.set_column(
            place, table.schema.field(name), pa.array(values, table.schema.field(name).type)
        )
    pq.write_table(table, path)


def test_cells_are_named_as_the_grid_names_them():
    assert (PLAIN.name, PLAIN.ledger.name) == ("strong-qwen-physics-0.5x4", "strong-physics")
    assert REFINED.name == "strong-qwen-physics-0.5x4-self_refine-tokens"
    assert REFINED.ledger.name == "strong-physics-self_refine"
    voted = PLAIN._replace(protocol="majority_vote")
    assert voted.ledger == PLAIN.ledger and voted.name == "strong-qwen-physics-0.5x4-majority_vote"
    assert (
        PLAIN._replace(protocol="rejection_sampling_0.2").ledger.name
        == "strong-physics-rejection_sampling_0.2"
    )


def test_bills_are_what_the_cuts_pay_for(paths):
    found = ledgers.bills([PLAIN, REFINED], paths)
    drawn = cutting.within(rows(paths[PLAIN.ledger]), PLAIN.cut)
    assert found[PLAIN].sample_budget == len(drawn) == 32
    assert found[PLAIN].accepted == sum(row.accepted for row in drawn)
    assert found[PLAIN].covered == len({row.question_id for row in drawn if row.accepted})
    assert found[PLAIN].teacher_tokens == 32 * 80 and found[PLAIN].cost_usd == pytest.approx(32 * 2.0e-4)
    paid = cutting.within_tokens(rows(paths[REFINED.ledger]), REFINED.cut, 32 * 80)
    assert found[REFINED].sample_budget == len(paid) == 48
    assert found[REFINED].accepted == sum(row.accepted for row in paid)
    assert found[REFINED].covered == len({row.question_id for row in paid if row.accepted})
    assert found[REFINED].questions == 8 and found[REFINED].teacher_tokens == 48 * 53


def test_an_unknown_price_is_null_and_never_nought(paths):
    change(paths[PLAIN.ledger], cost_usd=lambda i, cost: None if i == 0 else cost)
    assert ledgers.bills([PLAIN], paths)[PLAIN].cost_usd is None
    assert ledgers.total(PLAIN.ledger, paths[PLAIN.ledger])["cost_usd"] is None


def test_tallies_count_each_question_of_the_share(paths):
    found = ledgers.tallies(paths[PLAIN.ledger], 0.5, (4, 16))
    for n, tallied in found.items():
        counts = Counter(
            r.question_id for r in rows(paths[PLAIN.ledger]) if r.rank < 8 and r.rollout < n and r.accepted
        )
        assert sorted(d.k for d in tallied) == sorted([*counts.values()] + [0] * (8 - len(counts)))
        assert {d.n for d in tallied} == {n}


def test_totals_count_every_call(paths):
    total = ledgers.total(REFINED.ledger, paths[REFINED.ledger])
    assert (total["questions"], total["calls"], total["prompt_tokens"]) == (16, 192, 192 * 39)


def test_a_ledger_too_short_for_the_tokens_is_refused(paths):
    change(paths[REFINED.ledger], prompt_tokens=lambda i, _: 5, completion_tokens=lambda i, _: 5)
    with pytest.raises(BadInput, match="unequal teacher tokens: the ledger ends at 960"):
        ledgers.bills([PLAIN, REFINED], paths)


def test_a_rollout_that_is_there_twice_or_missing_is_refused(paths):
    change(paths[PLAIN.ledger], rollout=lambda i, r: 1 if i == 0 else r)
    with pytest.raises(BadInput, match="question q00 has a rollout twice"):
        ledgers.bills([PLAIN], paths)
    pq.write_table(pq.read_table(paths[PLAIN.ledger]).slice(1), paths[PLAIN.ledger])
    change(paths[PLAIN.ledger], rollout=lambda i, r: 15 if i == 0 else r)
    with pytest.raises(BadInput, match=r"ledger strong-physics: question q00 lacks some of the 4 rollouts"):
        ledgers.bills([PLAIN], paths)


def test_another_teachers_ledger_is_refused(paths):
    path = paths[PLAIN.ledger]
    with pytest.raises(BadInput, match="a ledger of teacher strong, not weak"):
        ledgers.total(Ledger("weak", "physics"), path)
    with pytest.raises(BadInput, match="of protocol self_refine, not rejection_sampling"):
        ledgers.total(PLAIN.ledger, paths[REFINED.ledger])


def test_a_missing_or_damaged_ledger_is_one_line(paths, tmp_path):
    with pytest.raises(BadInput, match=r"nowhere.parquet: missing; run `dvc repro respond`"):
        ledgers.total(PLAIN.ledger, tmp_path / "nowhere.parquet")
    paths[PLAIN.ledger].write_bytes(b"PAR1 no ledger")
    with pytest.raises(BadInput, match="not readable as a ledger") as refusal:
        ledgers.total(PLAIN.ledger, paths[PLAIN.ledger])
    assert "\n" not in str(refusal.value)
