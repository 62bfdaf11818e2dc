"""The tables against what was planted, figure by figure."""

from pathlib import Path

import numpy as np
import planted_grid as planted
import pyarrow as pa
import pytest

from stages.grid import Cut
from stages.tables import PUBLISHED, figures, query


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict]]:
    built = query.build(planted.cells(), planted.all_responses())
    assert tuple(built) == PUBLISHED
    return {name: table.to_pylist() for name, table in built.items()}


def find(rows: list[dict], **where: object) -> dict:
    (row,) = (r for r in rows if all(r[k] == v for k, v in where.items()))
    return row


def test_a_cell_counts_what_its_cut_pays_for(tables):
    for density in planted.DENSITIES:
        for cut, questions in (("1x2", 40), ("0.25x16", 10)):
            share, budget = Cut.parse(cut)
            paid = [r for r in planted.ledger(density) if r.rank < questions and r.rollout < budget]
            row = find(tables["cells"], density=density, share=share, budget=budget)
            assert (row["questions"], row["sample_budget"]) == (questions, questions * budget)
            assert row["accepted"] == sum(r.accepted for r in paid)
            assert row["acceptance"] == pytest.approx(row["accepted"] / len(paid), rel=1e-5)
            assert row["covered"] == len({r.question_id for r in paid if r.accepted})
            assert row["prompt_tokens"] == 60 * len(paid)
            assert row["completion_tokens"] == 20 * len(paid)
            assert row["cost_usd"] is None


def test_cost_is_the_sum_where_every_price_is_known(tables):
    ledger = planted.all_responses()
    priced = ledger.set_column(
        ledger.schema.get_field_index("cost_usd"), "cost_usd", pa.array([0.5] * len(ledger))
    )
    rows = query.build(planted.cells(), priced)["cells"].to_pylist()
    assert find(rows, density=2.0, share=1.0, budget=4)["cost_usd"] == 80.0


def test_loss_is_per_token_over_all_items_with_std_over_seeds(tables):
    scored = planted.cell(3.0, "1x4").scores.to_pylist()
    by_seed = []
    for seed in planted.SEEDS:
        rows = [r for r in scored if r["seed"] == seed]
        by_seed.append(sum(r["answer_loss"] for r in rows) / sum(r["answer_tokens"] for r in rows))
    row = find(tables["cells"], density=3.0, share=1.0, budget=4)
    assert row["loss_mean"] == pytest.approx(np.mean(by_seed), rel=1e-5)
    assert row["loss_std"] == pytest.approx(np.std(by_seed, ddof=1), rel=1e-5)
    assert (row["seeds"], row["items"]) == (3, 60)
    assert [
        r["loss"] for r in tables["seeds"] if (r["density"], r["share"], r["budget"]) == (3.0, 1.0, 4)
    ] == (pytest.approx(by_seed, rel=1e-5))


def test_the_base_model_has_its_row_and_no_draws(tables):
    row = find(tables["cells"], density=None)
    assert row["budget"] == 0 and row["seeds"] == 1 and row["loss_std"] is None
    assert row["sample_budget"] is None and row["gained"] is None and row["mcnemar_p"] is None


def test_gained_and_lost_items_are_counted_against_the_base(tables):
    scored = planted.cell(2.0, "1x16").scores.to_pylist()
    known = {r["item_id"] for r in planted.cells()[0].scores.to_pylist() if r["correct"]}
    right = {i: [r["correct"] for r in scored if r["item_id"] == i] for _, i in planted.ITEMS}
    row = find(tables["cells"], density=2.0, share=1.0, budget=16)
    assert row["gained"] == pytest.approx(sum(np.mean(right[i]) for i in right if i not in known), rel=1e-5)
    assert row["lost"] == pytest.approx(sum(1 - np.mean(right[i]) for i in known), rel=1e-5, abs=1e-9)
    assert row["gained_majority"] == sum(sum(right[i]) >= 2 for i in right if i not in known)
    assert row["mcnemar_p"] < 1e-6
    by_benchmark = [
        r for r in tables["benchmarks"] if (r["density"], r["share"], r["budget"]) == (2.0, 1.0, 16)
    ]
    assert sum(r["gained"] for r in by_benchmark) == pytest.approx(row["gained"], rel=1e-5)
    assert {r["benchmark"]: r["items"] for r in by_benchmark} == {"simpleqa": 20, "triviaqa": 40}


def test_density_by_budget_keeps_whole_pools_only(tables):
    assert [(r["density"], r["budget"]) for r in tables["density_by_budget"]] == [
        (d, r) for d in planted.DENSITIES for r in (1, 2, 4, 8, 16)
    ]


def test_cuts_pair_where_their_counted_sample_budgets_are_equal(tables):
    found = [(r["density"], r["sample_budget"], r["fss_share"], r["fss_budget"], r["se_budget"])
             for r in tables["matched_budget"]]  # fmt: skip
    assert found == [(d, *pair) for d in planted.DENSITIES for pair in ((40, 0.25, 4, 1), (160, 0.25, 16, 4))]
    for row in tables["matched_budget"]:
        assert row["fss_teacher_tokens"] == row["se_teacher_tokens"] == 80 * row["sample_budget"]


def test_a_planted_difference_is_found_with_its_sign_and_size(tables):
    # Means over three seeds, each shifted by 0.01: the planted error of a difference is 0.008. How often
    # the interval holds the truth is a matter of many comparisons, see test_tables_paired.
    row = find(tables["matched_budget"], density=2.0, sample_budget=40)
    truth = planted.loss(2.0, Cut(0.25, 4)) - planted.loss(2.0, Cut(1.0, 1))
    assert row["loss_difference"] == pytest.approx(truth, abs=0.03)
    assert row["loss_difference"] == pytest.approx(row["fss_loss"] - row["se_loss"], abs=1e-5)
    assert row["loss_low"] < row["loss_difference"] < row["loss_high"] < 0
    assert row["loss_p"] <= row["loss_p_holm"] < 0.05
    pools = find(tables["matched_density"], share=1.0, budget=16)
    assert pools["loss_difference"] == pytest.approx(-0.1, abs=0.03)
    assert len(tables["matched_density"]) == len(planted.CUTS)


def test_cuts_whose_question_counts_do_not_divide_are_not_paired():
    # 39 questions: a quarter is 10, so 10 × 4 meets no 39 × r.
    responses = planted.all_responses()
    fewer = responses.filter(pa.compute.less(responses["rank"], 39))
    assert len(query.build(planted.cells(), fewer)["matched_budget"]) == 0


def test_tables_do_not_depend_on_the_order_of_rows():
    def csv(reverse: bool) -> dict[str, str]:
        turn = slice(None, None, -1) if reverse else slice(None)
        order = list(range(len(planted.cell(2.0, "1x4").scores)))[turn]
        cells = [c._replace(scores=c.scores.take(order)) if c.cut else c for c in planted.cells()]
        return {name: figures.to_csv(t) for name, t in query.build(cells, planted.all_responses()).items()}

    assert csv(False) == csv(True)


def test_one_training_seed_gives_values_without_spread_or_interval():
    cells = [
        c._replace(scores=c.scores.filter(pa.compute.equal(c.scores["seed"], 0))) for c in planted.cells()
    ]
    built = query.build(cells, planted.all_responses())
    assert set(built["cells"]["loss_std"].to_pylist()) == {None}
    pairs = built["matched_budget"].to_pylist()
    assert pairs[0]["loss_difference"] < 0
    assert {pairs[0][f"loss_{name}"] for name in ("low", "high", "p", "p_holm")} == {None}
    assert ",,\n" in figures.to_csv(built["cells"])


def test_every_sql_file_states_its_grain_and_ends_in_final():
    found = sorted((Path(__file__).parents[1] / "stages" / "tables").glob("*.sql"))
    assert set(PUBLISHED) <= {path.stem for path in found}
    for path in found:
        text = path.read_text()
        assert text.startswith("-- one row per "), path.name
        assert text.endswith("\nselect * from final\n"), path.name
