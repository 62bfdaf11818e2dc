"""What is said of the tables: headline, summary, limits, lineage."""

import json

import planted_files
import planted_grid as planted
import pytest

from stages import protocols
from stages.errors import BadInput
from stages.grid import Cut
from stages.protocols import cutting
from stages.tables import figures, headline, limits, lineage, query, summary
from stages.tables.grids import Grid, markdown


@pytest.fixture(scope="module")
def tables() -> dict[str, list[dict]]:
    return {name: t.to_pylist() for name, t in query.build(planted.cells(), planted.all_responses()).items()}


def test_the_headline_reads_in_a_terminal_and_says_simulator_where_it_is_one(tables):
    text = headline.headline(tables, planted.laws(), planted.BUDGET, simulator=True)
    assert text.startswith("The teacher is a simulator")
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({len(line) for line in lines}) <= 1
        assert all(len(line) <= 125 for line in block.splitlines())
    (row,) = (line for line in text.splitlines() if line.startswith("| tiny    | 2.0     | 640"))
    cell = next(r for r in tables["cells"] if (r["density"], r["share"], r["budget"]) == (2.0, 1, 16))
    assert f"{cell['loss_mean']:.3f} ± {cell['loss_std']:.3f}" in row and "+2.0 %" in row
    assert "0.25x16" in text and "1x4" in text
    assert "simulator" not in headline.headline(tables, planted.laws(), planted.BUDGET, simulator=False)


def test_a_refused_law_says_why_instead_of_a_number(tables):
    text = headline.headline(tables, planted.laws(status="no_trend"), planted.BUDGET, simulator=False)
    assert "none: no_trend" in text


def test_laws_of_another_run_are_refused(tables):
    with pytest.raises(
        BadInput, match=r"no rectified law of student tiny at density 2.0 that predicts budget 32"
    ):
        cells = [r | {"budget": 32 if r["budget"] == 16 else r["budget"]} for r in tables["cells"]]
        headline.held_out(cells, planted.laws(), 32)


def test_a_cut_without_partner_is_named(tables):
    pairs = [r for r in tables["matched_budget"] if r["fss_budget"] == 4]
    grid = headline.matched_budget(pairs, tables["cells"])
    assert (
        "tiny at density 2.0: no cut of equal N for 0.25x16 (160); the nearest is 1x4 with 160." in grid.note
    )
    assert "nothing to compare" in headline.matched_budget([], tables["cells"]).note


def test_the_summary_is_small_and_has_names_without_indices(tables):
    found = summary.summarise(tables, planted.laws(), planted.BUDGET, simulator=True)
    leaves: list[float] = []

    def walk(value: object) -> None:
        assert not isinstance(value, list)
        if isinstance(value, dict):
            list(map(walk, value.values()))
        else:
            leaves.append(value)

    walk(found)
    assert len(leaves) <= 40
    assert list(found) == ["budget", "simulator", "tiny", "matched"]
    assert found["tiny"]["2.0"]["draws"] == 640
    assert found["tiny"]["2.0"]["law"]["error"] == 0.02
    assert found["matched"]["tiny"]["3.0"]["loss"]["difference"] < 0
    json.dumps(found, allow_nan=False)


def test_a_student_named_like_a_part_of_the_summary_is_refused(tables):
    cells = [row | {"student": "matched"} for row in tables["cells"]]
    with pytest.raises(BadInput, match=r"students\.matched"):
        summary.summarise(tables | {"cells": cells}, planted.laws(), planted.BUDGET, simulator=True)


def said(tables, **changes: object) -> str:
    return " ".join(limits.limits(tables, planted.laws(**changes), planted.BUDGET))


def test_limits_say_what_the_numbers_do_not_support(tables):
    plain = said(tables)
    assert "one training set" in plain and "not an optimum" in plain
    assert "exact match does not tell the sparser from the denser pool" in plain
    assert "eval loss does not tell" not in plain  # planted differences are far beyond the scatter
    assert "outside" not in plain and "not to be read" not in plain
    assert "not to be read (weakly_identified: as planted)" in said(tables, status="weakly_identified")
    assert "lies outside the rectified law's 90 % interval" in said(tables, error=0.3)
    assert "last_two came nearer" in said(tables, error=0.3)
    assert "no gain over" in said(tables, half=0.5)
    assert "gives no forecast (no_trend" in said(tables, status="no_trend")


def test_limits_name_gains_that_may_be_chance(tables):
    weak = [row | {"mcnemar_p": 0.2} if row["mcnemar_p"] is not None else row for row in tables["cells"]]
    assert "may be chance (McNemar p = 0.2)" in said(tables | {"cells": weak})


def examples() -> list:
    drawn = cutting.within(planted.ledger(2.0), Cut(1.0, 16))
    return protocols.PLAIN.select(drawn, Cut(1.0, 16), "{}\n{}".format)


def trace(chosen: list, ledger: list) -> list[lineage.Lineage]:
    sources = (planted.questions(), planted_files.points(), planted_files.articles())
    return lineage.trace(chosen, {2.0: ledger}, {2.0: planted.pool(2.0)}, *sources)


def test_rows_are_traced_to_response_question_points_and_revision():
    rows = examples()
    chosen = lineage.sample(rows, 3)
    assert [rows.index(e) for e in chosen] == [len(rows) // 6, len(rows) // 2, 5 * len(rows) // 6]
    for found in trace(chosen, planted.ledger(2.0)):
        assert found.response.accepted
        assert found.example.completion[0].content == f"{found.response.answer}\n{found.response.rationale}"
        assert found.response.rollout == found.example.rollout
        assert [p.position for p in found.points] == [0, 1, 2]
        assert found.article.revision_id == found.written.revision_id
    assert lineage.sample(rows[:2], 3) == rows[:2] and lineage.sample([], 3) == []


def test_a_row_whose_response_is_not_in_the_ledger_is_refused():
    rejected = [r.model_copy(update={"accepted": False}) for r in planted.ledger(2.0)]
    with pytest.raises(BadInput, match="no accepted response in the ledger"):
        trace(examples()[:1], rejected)


def test_figures_for_the_eye_have_true_minus_signs_and_dashes():
    assert figures.with_interval(-0.5, -1.0, None) == "−0.500 [−1.000, –]"
    assert figures.mean_and_std(0.25, None) == "0.250" and figures.percent(-0.021) == "−2.1 %"
    assert figures.p_value(0.00002) == "< 0.001" and figures.p_value(None) == "–"
    assert figures.whole(12345) == "12\u202f345" and figures.significant(123456.789) == 123457.0


def test_a_bar_in_a_cell_does_not_break_the_table():
    assert markdown(Grid("t", ("a",), [("x|y",)], "n")).splitlines()[4] == "| x\\|y |"
