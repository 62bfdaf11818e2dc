"""The verdicts against what was planted, what is published of them, and one line for what is wrong."""

import json
from typing import Any

import planted_budgets as planted
import pyarrow.compute as pc
import pytest

from stages.errors import BadInput
from stages.grid import Cut
from stages.scaling import PUBLISHED, Config, claims, results, tables, text
from stages.scaling.places import Place
from stages.tables import checks
from stages.tables.grids import markdown

GRID: dict[str, Any] = {
    "protocols": ("majority_vote", "self_refine"),
    "protocol_cut": Cut(1.0, 8),
    "unmatched": (("question_synthesis", Cut(1.0, 9), Cut(1.0, 4)),),
    "mixed_cuts": planted.MIXED,
}


def conclude(folder, loss: planted.Loss, grid: dict[str, Any] = GRID, **changes: Any) -> tables.Findings:
    """Return the findings of planted losses; the laws are planted apart."""
    planned = planted.plan(**grid)
    found = planted.measured(folder, loss, planned, **changes)
    return tables.conclude(found, planted.laws(planned), [], planted.BUDGET, Config())


def coverage_matters(place: Place) -> float:
    """Return a loss in which FSS and SE part beyond N = 8, and in the mixed source at every N."""
    apart = planted.crossing_at(1) if place.domain == "mixed" else planted.parting_after(8)
    return apart(place)


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> tables.Findings:
    return conclude(tmp_path_factory.mktemp("study"), coverage_matters)


def test_what_was_planted_is_supported(found):
    assert {claim: one.verdict for claim, one in text.verdicts(found).items()} == dict.fromkeys(
        claims.CLAIMS, "supported"
    )
    assert "24 of 24 curves" in found.law.reason and found.law.estimate == 1
    assert "2 of 2 domains" in found.sources.reason and "crosses" in found.sources.reason
    assert "0 of 6 comparisons won" in found.protocols.reason
    assert "5 of 5 comparisons" in found.mixed.reason


def test_where_nothing_matters_neither_sources_nor_the_mixed_domain_are_supported(tmp_path):
    found = conclude(tmp_path, planted.by_samples)
    assert found.sources.verdict == found.mixed.verdict == "not supported"  # gains are below the margin
    assert found.protocols.verdict == "supported"


def test_a_better_protocol_and_parted_sources_at_small_budgets_speak_against_the_claims(tmp_path):
    def loss(place: Place) -> float:
        return planted.crossing_at(1, steep=0.2)(place) - 0.3 * (place.protocol == "self_refine")

    found = conclude(tmp_path, loss)
    assert found.protocols.verdict == "not supported" and "self_refine" in found.protocols.statistic
    assert found.sources.verdict == "not supported" and found.mixed.verdict == "supported"


@pytest.mark.parametrize(
    ("error", "outside", "refused", "expected"),
    [
        (0.01, 0, 0, "supported"),
        (0.01, 3, 0, "supported"),
        (0.01, 4, 0, "undecided"),  # 20 of 24 is less than .85, and may be chance
        (0.01, 10, 0, "not supported"),
        (0.06, 0, 0, "not supported"),  # every error above 5 %
        (0.01, 0, 4, "undecided"),
        (0.01, 0, 20, "not supported"),
    ],
)
def test_the_law_is_judged_by_its_interval_and_its_error(error, outside, refused, expected):
    places = [Place("strong", "qwen", "physics", Cut(1.0, 1))] * 24
    rows = []
    for i, place in enumerate(places):
        entry = planted.entry(place, "rectified", error, covered=i >= outside)
        if i >= 24 - refused:
            entry["prediction"] |= dict.fromkeys(("loss", "low", "high", "relative_error", "covered"))
        rows.append(entry)
    made = tables.forecasts.errors({"laws": rows}).to_pylist()
    one = claims.law(made)
    assert one.verdict == expected
    assert one.low <= one.estimate == (24 - max(outside, refused)) / 24 <= one.high


def test_one_training_seed_has_no_spread_and_decides_no_difference(tmp_path):
    found = conclude(tmp_path, coverage_matters, seeds=(0,))
    assert {found.sources.verdict, found.protocols.verdict, found.mixed.verdict} == {"undecided"}
    assert "One training seed" in found.sources.reason
    assert set(found.tables["cells"]["loss_std"].to_pylist()) == {None}
    assert set(found.tables["pooled"]["low"].to_pylist()) == {None}
    json.dumps(text.summarise(found, True), allow_nan=False)
    assert "–" in text.findings(found, True)


def test_a_study_without_protocols_and_mixed_cells_leaves_them_open(tmp_path):
    found = conclude(tmp_path, coverage_matters, grid={})
    assert (found.protocols.verdict, found.mixed.verdict) == ("undecided", "undecided")
    titles = [grid.title for grid in text.grids(found)]
    assert not any(title.startswith(("Protocols", "The mixed", "The law under")) for title in titles)


def test_every_table_is_published_with_what_it_is_named_for(found):
    assert tuple(found.tables) == PUBLISHED
    cells = {row["cell"]: row for row in found.tables["cells"].to_pylist()}
    one = cells["weak-llama-physics-0.5x4"]
    assert (one["questions"], one["sample_budget"], one["seeds"], one["items"]) == (8, 32, 3, 40)
    assert one["loss_mean"] < one["base_loss"] and one["loss_std"] > 0
    equal = {row["held_equal"] for row in found.tables["protocols"].to_pylist()}
    assert equal == {"samples", "tokens", "responses"}
    best, worst = found.tables["laws"].to_pylist()
    assert (best["law"], best["median_error"], worst["covered"]) == ("rectified", 0.01, 0)
    assert worst["covered_low"] == 0 and worst["covered_high"] == pytest.approx(
        1 - 0.025 ** (1 / 24), rel=1e-4
    )
    by_cell = {row["cell"]: row for row in found.tables["costs"].to_pylist()}
    costs = by_cell["strong-qwen-physics-1x8"]
    assert costs["cost_usd"] == pytest.approx(128 * 2.0e-4) and costs["training_tokens"] == 1500
    assert costs["training_seconds"] == 1500 / 250
    assert by_cell["strong-llama-physics-1x8"]["training_seconds"] is None  # no rate is known


def test_the_summary_has_no_lists_and_gives_the_findings_back(found):
    summary = text.summarise(found, True)

    def lists(value: Any) -> bool:
        return isinstance(value, list | tuple) or (
            isinstance(value, dict) and any(map(lists, value.values()))
        )

    assert not lists(summary) and summary["simulator"]
    again = text.read_back(json.loads(json.dumps(summary)), found.tables)
    assert again.sources.reason == found.sources.reason
    assert [markdown(g) for g in text.grids(again)] == [markdown(g) for g in text.grids(found)]


def test_a_simulator_is_called_one(found):
    assert text.findings(found, True).startswith("The teacher is a simulator")
    assert "simulator" not in text.findings(found, False)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("answer_loss", float("nan"), "loss nan over"),
        ("teacher", "weak", "rows are of teacher weak, not strong"),
        ("matched", "tokens", "rows are of matched tokens, not samples"),
        ("seed", 7, "training seed 7 is unknown"),
        ("item_id", "i999", "items of training seed 0 are not those of qwen-base"),
        ("answer_tokens", 9, "different answer tokens"),
    ],
)
def test_a_cell_that_does_not_belong_is_refused_in_one_line(column, value, says):
    place = Place("strong", "qwen", "physics", Cut(1.0, 4))
    base_scores = {"qwen": planted.scores(None, "qwen", 2.0)}
    base = results.bases(base_scores, ["physics"], planted.BENCHMARKS)["qwen", "physics"]
    good = planted.scores(place, "qwen", 1.0)
    assert results.arm(place, good, base, planted.SEEDS, 64).loss.shape == (3, 40)
    index = good.schema.get_field_index(column)
    changed = [value, *good[column].to_pylist()[1:]]
    bad = good.set_column(index, good.schema.field(column), [changed])
    with pytest.raises(BadInput, match=says) as refusal:
        results.arm(place, checks.typed(bad, results.SCHEMA, "x"), base, planted.SEEDS, 64)
    assert "\n" not in str(refusal.value)
    with pytest.raises(BadInput, match="training seed 2 is missing"):
        results.arm(place, good.filter(pc.less(good["seed"], 2)), base, planted.SEEDS, 64)
