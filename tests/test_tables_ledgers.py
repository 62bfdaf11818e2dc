"""Cuts of ledgers against counting by hand, and ledgers that are not sound."""

import random
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from stages.errors import BadInput
from stages.grid import Cut
from stages.records import Response
from stages.tables import ledgers

SCHEMA = pa.schema([Response.arrow_schema().field(name) for name in ledgers.COLUMNS])
CUTS = [Cut(share, budget) for share in (1.0, 0.5, 0.25) for budget in (8, 1, 3)]
PLACE = ("strategy", "density", "teacher", "protocol")
LEDGERS = (
    ("density", 2.0, "teacher", "rejection_sampling"),
    ("physics", None, "strong", "rejection_sampling"),
    ("physics", None, "strong", "self_refine"),
)


def responses(*place: object, questions: int = 10, rollouts: int = 8) -> list[dict]:
    """Return a ledger in the order of rank and rollout; the question of rank 3 is never solved."""
    rng = random.Random(str(place))
    return [
        dict(zip(PLACE, place, strict=True))
        | {"question_id": f"q{rank:02}", "rank": rank, "rollout": rollout}
        | {"accepted": rank != 3 and rng.random() < 0.3, "cost_usd": rng.randrange(9999) * 1e-9}
        | {"prompt_tokens": rng.randrange(50), "completion_tokens": rng.randrange(50)}
        for rank in range(questions)
        for rollout in range(rollouts)
    ]


EVERY = [responses(*place) for place in LEDGERS]
PLAIN = EVERY[0]


def arrow(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def counted(rows: list[dict], cut: Cut) -> dict:
    """Count one ledger's cut by hand; 10 questions: shares of 10, 5 and 3."""
    questions = {1.0: 10, 0.5: 5, 0.25: 3}[cut.share]
    paid = [r for r in rows if r["rank"] < questions and r["rollout"] < cut.budget]
    return {name: rows[0][name] for name in PLACE} | {
        "share": cut.share,
        "budget": cut.budget,
        "questions": questions,
        "sample_budget": questions * cut.budget,
        "accepted": sum(r["accepted"] for r in paid),
        "acceptance": sum(r["accepted"] for r in paid) / len(paid),
        "covered": len({r["rank"] for r in paid if r["accepted"]}),
        "prompt_tokens": sum(r["prompt_tokens"] for r in paid),
        "completion_tokens": sum(r["completion_tokens"] for r in paid),
        "cost_usd": pytest.approx(sum(r["cost_usd"] for r in paid), rel=1e-12),
    }


def test_every_cut_of_every_ledger_is_counted():
    found = ledgers.draws(arrow([*chain(*EVERY)]), CUTS).to_pylist()
    in_order = sorted(CUTS, key=lambda cut: (-cut.share, cut.budget))
    assert found == [counted(rows, cut) for rows in EVERY for cut in in_order]


def test_files_hold_the_same_ledger_in_any_order_and_without_their_texts(tmp_path):
    rows = [*chain(*EVERY)]
    whole = ledgers.draws(arrow(rows), CUTS)
    random.Random(0).shuffle(rows)
    paths = [tmp_path / f"{part}.parquet" for part in range(3)]
    for part, path in enumerate(paths):
        pq.write_table(arrow(rows[part::3]), path, row_group_size=7)
    assert ledgers.draws(paths, CUTS).equals(whole)


def test_rollouts_beyond_the_largest_budget_are_in_no_cut():
    short = [row for row in PLAIN if row["rollout"] < 3]
    cuts = [Cut(1.0, 3), Cut(0.25, 1)]
    assert ledgers.draws(arrow(PLAIN), cuts).equals(ledgers.draws(arrow(short), cuts))


def test_a_budget_without_an_accepted_response_is_data():
    rows = [row | {"accepted": row["rollout"] >= 3 and row["accepted"]} for row in PLAIN]
    found = ledgers.draws(arrow(rows), [Cut(1.0, 3), Cut(1.0, 8)]).to_pylist()
    assert [(r["accepted"] > 0, r["acceptance"] > 0, r["covered"] > 0) for r in found] == [
        (False, False, False),
        (True, True, True),
    ]
    assert found[0]["covered"] == 0 and found[0]["acceptance"] == 0.0


@pytest.mark.parametrize("unknown", [None, float("nan")])
def test_a_missing_price_leaves_the_costs_of_its_cuts_unknown(unknown):
    rows = [row | {"cost_usd": unknown if (row["rank"], row["rollout"]) == (4, 2) else 0.1} for row in PLAIN]
    found = ledgers.draws(arrow(rows), CUTS).to_pylist()
    costs = {(r["share"], r["budget"]): r["cost_usd"] for r in found}
    assert {cut for cut, cost in costs.items() if cost is None} == {(1.0, 3), (1.0, 8), (0.5, 3), (0.5, 8)}
    assert costs[1.0, 1] == 1.0 and costs[0.25, 8] == 2.4  # to the last bit


def changed(place: tuple[int, int], **values: object) -> list[dict]:
    return [row | values if (row["rank"], row["rollout"]) == place else row for row in PLAIN]


# Of a question's rollouts 0 … 7, 0 2 2 3 3 4 7 7 has the count, the sum and the sum of squares.
SAME_MOMENTS = [
    row | {"rollout": (0, 2, 2, 3, 3, 4, 7, 7)[row["rollout"]]} if row["rank"] == 6 else row for row in PLAIN
]
UNSOUND = [
    ([*PLAIN, PLAIN[13]], "question q01 has a rollout twice"),
    (changed((1, 5), rollout=4), "question q01 has a rollout twice"),
    (SAME_MOMENTS, "question q06 has a rollout twice"),
    (PLAIN[:13] + PLAIN[14:], r"question q01 lacks some of the 8 rollouts .* question: 7\)"),
    (changed((2, 0), rollout=-1), "question q02 lacks some of the 8 rollouts"),
    (PLAIN[:-3], "question q09 lacks some of the 8 rollouts"),
    (changed((4, 0), rank=5), "question q04 has several ranks"),
    (PLAIN[:32] + PLAIN[40:], "9 questions have 9 ranks, the last of them 9: a question is missing"),
    (
        [row | {"rank": 5} if row["rank"] == 4 else row for row in PLAIN],
        "10 questions have 9 ranks, the last of them 9: a question is missing, or shares its rank",
    ),
]


@pytest.mark.parametrize(("rows", "said"), UNSOUND)
def test_an_unsound_ledger_is_refused_by_name(rows, said):
    with pytest.raises(BadInput, match=rf"^ledger 2\.0: .*{said}") as caught:
        ledgers.draws(arrow([*rows, *responses(*LEDGERS[1])]), CUTS)
    assert "\n" not in caught.value.message


def test_a_ledger_of_a_study_is_named_by_what_it_varies():
    broken = responses(*LEDGERS[2])[1:]
    with pytest.raises(BadInput, match=r"^ledger strong-physics-self_refine: question q00"):
        ledgers.draws(arrow([*PLAIN, *broken]), CUTS)


def test_a_file_that_holds_no_ledger_is_refused_by_name(tmp_path):
    good, odd = tmp_path / "good.parquet", tmp_path / "odd.parquet"
    pq.write_table(arrow(PLAIN), good)

    def said(content: pa.Table | bytes | None) -> str:
        odd.unlink(missing_ok=True)
        if isinstance(content, bytes):
            odd.write_bytes(content)
        elif content is not None:
            pq.write_table(content, odd)
        with pytest.raises(BadInput, match=str(odd)) as caught:
            ledgers.draws([good, odd], CUTS)
        assert "\n" not in caught.value.message
        return caught.value.message

    table = arrow(PLAIN)
    as_text = table.set_column(6, "rollout", table["rollout"].cast(pa.string()))
    may_be_null = table.set_column(7, "accepted", table["accepted"])
    assert "missing; run `dvc repro respond`" in said(None)
    assert "not readable" in said(Path(good).read_bytes()[:100])
    assert "column teacher is not that of Response" in said(table.drop_columns("teacher"))
    assert "column rollout is not that of Response" in said(as_text)
    assert "column accepted is not that of Response" in said(may_be_null)


def test_a_file_with_a_corrupt_page_is_one_line(tmp_path):
    path = tmp_path / "ledger.parquet"
    pq.write_table(arrow(PLAIN), path, compression="zstd")
    whole = bytearray(path.read_bytes())
    whole[4:600] = bytes(596)
    path.write_bytes(whole)
    with pytest.raises(BadInput, match=r"the ledgers cannot be scanned: .*run `dvc repro respond`") as caught:
        ledgers.draws([path], CUTS)
    assert "\n" not in caught.value.message
