"""The findings against what was planted: an optimum inside, at an end, nowhere, and one for each student."""

import json

import numpy as np
import planted_study as planted
import pytest

from stages.errors import BadInput
from stages.findings import PUBLISHED, Config, study, tables, text

CONFIG = Config(level=0.9, resamples=500, permutations=1000)


@pytest.fixture(scope="module")
def steered() -> tables.Findings:
    return tables.conclude(*planted.panels(planted.interior), CONFIG, seed=0)


def rows(found: tables.Findings, name: str, **where: object) -> list[dict]:
    return [r for r in found.tables[name].to_pylist() if all(r[k] == v for k, v in where.items())]


def test_a_planted_interior_optimum_is_found_where_it_is(steered):
    assert steered.optimum.verdict == "supported"
    for row in rows(steered, "optimum", tokens=4000):
        assert row["low"] <= 4.8 <= row["high"] and row["interior"]
        assert row["vertex_low"] - 0.02 < 4.8 < row["vertex_high"] + 0.02
    shares = rows(steered, "best_share", student="small", tokens=4000)
    assert sum(r["share"] for r in shares) == pytest.approx(1, abs=1e-5)
    assert [r["density"] for r in shares] == list(planted.DEX)


def test_planted_agreement_and_superiority_are_supported(steered):
    assert steered.stability.verdict == "supported" and "9 raters" in steered.stability.reason
    (concord,) = rows(steered, "agreement", scope="densities", group="all students and data sizes")
    assert concord["low"] <= concord["W"] <= concord["high"] and concord["p"] < 0.01
    groups = {r["group"] for r in rows(steered, "agreement")}
    assert {"sizes of qwen3 at 4000 tokens", "data sizes of other"} <= groups
    assert steered.headline == "large" and steered.baselines.verdict == "supported"
    assert "3 of 3 students beat every baseline" in steered.baselines.reason
    assert steered.expansion.verdict == "supported"


def test_an_optimum_at_the_end_is_not_called_interior():
    # A steep slope: with three training seeds a t of two degrees of freedom must clear Holm over six tests.
    found = tables.conclude(
        *planted.panels(lambda *place: 3 * planted.at_the_end(*place), n=120, seed_std=0.002), CONFIG, seed=0
    )
    assert found.optimum.verdict == "not supported" and "the highest density" in found.optimum.reason
    assert not any(r["interior"] for r in rows(found, "optimum"))
    assert found.baselines.verdict == "undecided"  # the best density is as good as a baseline


def test_where_no_target_matters_nothing_is_claimed():
    found = tables.conclude(*planted.panels(planted.flat), CONFIG, seed=0)
    assert [getattr(found, c).verdict for c in ("optimum", "stability", "baselines")] == ["undecided"] * 3


def test_students_who_disagree_though_each_is_sure_speak_against_stability():
    found = tables.conclude(*planted.panels(planted.quarrel), CONFIG, seed=0)
    assert found.stability.verdict == "not supported"


def test_worse_than_a_baseline_is_said():
    found = tables.conclude(
        *planted.panels(lambda s, t, b: 0.5 if t.density else 0.0, students=("large",)), CONFIG, seed=0
    )
    assert found.baselines.verdict == "not supported" and "Worse than 3 of 3" in found.baselines.reason


def test_one_training_seed_decides_nothing_and_has_no_intervals():
    found = tables.conclude(*planted.panels(planted.interior, seeds=(0,)), CONFIG, seed=0)
    assert [getattr(found, c).verdict for c in ("optimum", "stability", "baselines")] == ["undecided"] * 3
    assert {r["low"] for r in rows(found, "optimum")} == {None}
    json.dumps(text.summarise(found, 0.9, True), allow_nan=False)
    assert "–" in text.findings(found, 0.9, True)


def test_the_tables_hold_the_measured_means(steered):
    panels, _ = planted.panels(planted.interior)
    assert tuple(steered.tables) == PUBLISHED
    for t, target in enumerate(panels[0].targets):
        (row,) = rows(steered, "by_target", student="small", target=str(target), tokens=2000)
        by_seed = panels[0].loss[t, 1].sum(axis=1) / panels[0].weight.sum()
        assert row["eval_loss"] == pytest.approx(by_seed.mean(), rel=1e-5)
        assert row["eval_loss_std"] == pytest.approx(by_seed.std(ddof=1), rel=1e-5)
        assert (row["parameters"], row["seeds"], row["tokens_shown"]) == (100, 3, 2001.0)
        parts = rows(steered, "by_benchmark", student="small", target=str(target), tokens=2000)
        assert sum(r["items"] for r in parts) == row["items"] == 80
        assert np.mean([r["exact_match"] for r in parts]) == pytest.approx(row["exact_match"], rel=1e-5)
        (gain,) = rows(steered, "expansion", student="small", target=str(target), tokens=2000, benchmark=None)
        right = panels[0].correct[t, 1].mean(axis=0)
        assert gain["net"] == pytest.approx((right - panels[0].base_correct).sum(), rel=1e-5)
        assert gain["net_low"] <= gain["net"] <= gain["net_high"]


def test_the_density_is_chosen_on_items_that_do_not_judge_it(steered):
    for row in rows(steered, "baselines", tokens=4000, benchmark=None):
        assert row["items"] == 80 if row["choice"] == "same_items" else 20 < row["items"] < 60


def test_the_same_study_gives_the_same_tables_whatever_the_order_of_rows(steered):
    _, cells = planted.panels(planted.interior)
    turned = [c._replace(scores=c.scores.take(list(range(len(c.scores)))[::-1])) for c in cells]
    panels = study.panels(turned, planted.TOKENS, planted.SEEDS, planted.pools())
    again = tables.conclude(panels, turned, CONFIG, seed=0)
    assert all(again.tables[name].equals(steered.tables[name]) for name in PUBLISHED)


def test_the_findings_read_as_a_table_and_say_simulator_where_it_is_one(steered):
    said = text.findings(steered, 0.9, simulator=True)
    assert said.startswith("The teacher is a simulator") and "| supported |" in said
    assert "simulator" not in text.findings(steered, 0.9, simulator=False)
    summary = text.summarise(steered, 0.9, simulator=True)
    assert summary["stability"]["groups"]["all students and data sizes"]["W"] > 0.7
    assert summary["baselines"]["students"]["small"]["random"]["loss"]["difference"] < 0
    assert "[" not in json.dumps({k: v for k, v in summary.items() if k == "expansion"}).split("reason")[0]


def test_a_loss_that_rises_with_training_is_pointed_out(steered):
    assert text.caution(steered) is None

    def overtrained(student: str, target, tokens: int) -> float:
        return planted.interior(student, target, tokens) + tokens / 1000

    found = tables.conclude(*planted.panels(overtrained), CONFIG, seed=0)
    said = text.caution(found)
    assert said is not None and "the eval loss rises for 27 of 27 pairs of student and target" in said
    written = text.findings(found, 0.9, simulator=True)
    assert " ".join(f"- Read with care: {said}".split()) in " ".join(written.split())
    assert text.summarise(found, 0.9, simulator=True)["caution"] == said


def test_findings_are_read_back_from_what_is_published(steered):
    summary = json.loads(json.dumps(text.summarise(steered, 0.9, simulator=True)))
    again = text.read_back(summary, steered.tables)
    assert again == steered
    table, *figures = text.grids(again, summary["level"])
    assert table.title == "Findings" and len(table.rows) == 4 and len(figures) == 5
    written = text.findings(steered, 0.9, simulator=True)
    assert all(f"**{grid.title}**" in written for grid in (table, *figures))


def test_two_levels_show_no_optimum():
    _, cells = planted.panels(planted.interior)
    few = [c for c in cells if c.target is None or c.target.density in (None, 4.4, 4.6)]
    with pytest.raises(BadInput, match="2 levels of density, an optimum takes at least 3"):
        tables.conclude(study.panels(few, planted.TOKENS, planted.SEEDS, planted.pools()), few, CONFIG, 0)
