"""Pictures of a study of budgets: every series in them, what they leave out, and values where they belong."""

import re
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from planted_display import TRUTH, build
from test_pictures import check, words

from stages.pictures import budget_advice, budget_audit, budget_curves, budget_forest
from stages.pictures import budget_panels as panels

PAIRS = tuple(f"{teacher} → {student}" for teacher in ("strong", "weak") for student in ("qwen", "llama"))
PANELS = tuple(f"{domain}: {pair}" for domain in ("mathematics", "physics") for pair in PAIRS)
SERIES = {
    "laws": (*PANELS, "rectified law", "combination", "held out of every fit", "rectified +1.0 %"),
    "law-errors": ("rectified", "power", "inside the interval", "outside", "median |error|", "20.0 %"),
    "matched": (
        *PANELS,
        *("0.25 Q · 2 r against 0.5 Q · r", "0.25 Q · 4 r against Q · r", "0.5 Q · 2 r against Q · r"),
        *("more questions (SE) better", "more responses (FSS) better"),
    ),
    "mixed": (*PAIRS, "more questions, r = 1", "0.125 of the questions, r raised", "0.25 of the questions"),
    "protocols": (
        *("majority vote", "self refine", "question synthesis", "counts as no difference"),
        *("equal N", "equal teacher tokens", "equal responses per question, not tested"),
    ),
    "coverage": (
        *("mathematics: strong", "physics: weak", "0.25 of the questions", "all questions"),
        *("coverage law, fitted below 16", "the simulator's truth, expected", "hollow: at 16, held out"),
    ),
    "shifts": ("Composition", "Within questions", "weak, physics: answer type", "8 → 16"),
    "variants": ("temperature 0.5", "temperature 1 (as in the study)", "tolerance 0.2"),
    "advice-backtest": (
        "More responses",
        "More questions",
        "New questions",
        "inside",
        "predicted = observed",
    ),
}
CELL: dict[str, Any] = {"teacher": "t", "student": "s", "domain": "physics", "share": 1.0}
PLAIN: dict[str, Any] = {"protocol": "rejection_sampling", "matched": "samples"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("budgets")
    build(root)
    return root


@pytest.mark.parametrize("name", SERIES)
def test_a_picture_names_its_series_and_is_well_formed(written: Path, name: str) -> None:
    drawn = (written / "metrics" / "pictures" / f"{name}.svg").read_text()
    check(drawn)
    for label in SERIES[name]:
        assert label in words(drawn), label


def curve(budget: int, status: str = "ok") -> str:
    """Draw one curve of budgets 1, 2 and 4."""
    cells = [CELL | PLAIN | {"budget": r, "loss_mean": 2.0 / r, "loss_std": None} for r in (1, 2, 4)]
    error = None if status != "ok" else 0.1
    errors = [CELL | {"law": "rectified", "status": status, "relative_error": error}]
    errors[0] |= dict.fromkeys(("predicted", "low", "high"), None if error is None else 0.55)
    return budget_curves.laws(cells, [], errors, budget, 0.9)


def test_a_refused_law_says_why_and_one_seed_has_no_bar() -> None:
    assert "rectified few_budgets" in words(curve(4, "few_budgets"))
    assert "rectified +10.0 %" in words(curve(4))


def test_the_same_rows_give_the_same_bytes() -> None:
    assert curve(4) == curve(4)


def test_curves_are_read_with_empty_as_none() -> None:
    (row,) = budget_curves.read("teacher,share,law,budget,loss,low,high\nt,0.5,power,2.0,1.5,,\n")
    assert row == {"teacher": "t", "share": 0.5, "law": "power"} | {
        "budget": 2.0,
        "loss": 1.5,
        "low": None,
        "high": None,
    }


def test_a_bar_ends_where_its_interval_does_and_an_open_end_has_none() -> None:
    assert panels.bars([1.0, None], [1.5, 2.0], [3.0, 2.5]) == [[0.5, 0.0], [1.5, 0.5]]
    assert panels.bars([1e-18], [0.0], [0.1]) == [[0.0], [0.1]]


def test_a_share_has_one_colour_and_shares_are_told_apart() -> None:
    colours = [panels.share_colour(share) for share in (0.125, 0.25, 0.5, 1.0)]
    assert len(set(colours)) == 4 and all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours)
    assert panels.share_colour(0.01) == colours[0]


def test_pairs_are_those_of_the_grid_in_the_order_of_the_cells() -> None:
    cells = [{"teacher": t, "student": s} for t, s in (("b", "x"), ("a", "x"), ("cool", "x"))]
    assert panels.pairs(cells, cells[1::-1]) == [("b", "x"), ("a", "x")]


def test_without_a_truth_and_without_parameters_no_curve_is_claimed() -> None:
    covered = [CELL | {"budget": r} | {f"covered_{k}": 0.5 for k in ("share", "low", "high")} for r in (1, 2)]
    refused = {n: {"estimate": None, "low": None, "high": None} for n in TRUTH}
    entry = CELL | {"parameters": refused, "truth": None, "draws": 1, "status": "all_solved"}
    assert "truth" not in words(budget_audit.coverage(covered, [entry], 2, 0.9))
    entry |= {"unsolved": {"predicted": None, "observed": 0.5}}
    grid = budget_audit.laws_grid([entry], 2, 0.9)
    row = dict(zip(grid.head, grid.rows[0], strict=True))
    assert (row["status"], row["a"], row["observed"]) == ("all solved", "–", "0.500") and len(row) == 9


def test_only_entries_below_the_held_out_budget_are_shown() -> None:
    laws = {"budget": 4, "coverage": [{"draws": 2}, {"draws": 4}]}
    assert budget_audit.fitted_below(laws) == [{"draws": 2}]


def test_cells_of_shifts_have_the_colour_of_their_p() -> None:
    ax = Figure().subplots()
    for x, p in enumerate((0.0005, 0.005, 0.04, 0.05, 1.0)):
        budget_audit._cell(ax, x, 0, p)
    colours = [patch.get_facecolor() for patch in ax.patches]
    assert len(set(colours)) == 4 and colours[3] == colours[4]
    assert [text.get_text() for text in ax.texts] == ["< 0.001", ".005", ".04", ".05", "1"]
    budget_audit._cell(ax, 5, 0, None)
    assert len(ax.patches) == 5 and ax.texts[-1].get_text() == "no test"


def test_trials_of_every_source_are_counted_and_drawn() -> None:
    trial = {"axis": "responses", "predicted": -0.1, "low": -0.2, "high": 0.0, "observed": -0.3}
    rows = [trial | {"domain": d, "covered": d == "mixed"} for d in ("physics", "mixed")]
    said = words(budget_advice.back_test(rows, 0.9))
    assert "More responses: 1 of 2 inside" in said and "mixed" in said
    assert "More questions: 0 of 0" in said and "beyond the frame" not in said
    rows = [trial | {"domain": "physics", "covered": True} for _ in range(99)]
    assert "1 beyond the frame" in words(
        budget_advice.back_test([*rows, rows[0] | {"predicted": 9.0, "high": 9.1}], 0.9)
    )


def test_one_protocol_at_equal_samples_is_drawn_without_a_margin() -> None:
    row = {"protocol": "majority_vote", "held_equal": "samples", "domain": "physics"}
    row |= {"loss_difference": 0.1, "loss_low": None, "loss_high": None}
    said = words(budget_forest.protocols([row], {}))
    assert "majority vote" in said and "equal N" in said and "teacher tokens" not in said
