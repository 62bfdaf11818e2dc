"""The pictures: what is drawn lies where it should, and the same rows draw the same bytes."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import planted_grid as planted
import pytest

from stages.pictures import density, law, ledger, svg
from stages.tables import query

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def seeds() -> list[dict]:
    return query.build(planted.cells(), planted.all_responses())["seeds"].to_pylist()


@pytest.fixture(scope="module")
def clouds() -> tuple[density.Cloud, density.Cloud]:
    rng = np.random.default_rng(0)
    source = rng.normal(size=(6000, 4)) * [1, 0.5, 0.2, 0.1]
    return density.Cloud(source[:1500], rng.normal(2, 0.5, 1500)), density.Cloud(
        source, rng.normal(2, 1, 6000)
    )


def words(text: str) -> str:
    return " ".join(t for t in ET.fromstring(text).itertext() if t.strip())


def draw_law(seeds: list[dict], **changes: object) -> str:
    return law.law_picture(
        2.0, seeds, law.read_curves(planted.curves()), planted.laws(**changes), planted.BUDGET
    )


def check(text: str) -> None:
    """A picture is well-formed, small, needs nothing else, and its ids are its own."""
    root = ET.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-label")
    assert len(text.encode()) < 300_000
    assert "<script" not in text and "DOCTYPE" not in text and "metadata" not in text
    assert not re.search(r'href="(?!#|data:image/png)', text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    used = re.findall(r'href="#([^"]+)"', text) + re.findall(r"url\(#([^)]+)\)", text)
    assert set(used) <= set(ids)


def test_the_law_picture_shows_seeds_laws_and_the_held_out_point(seeds):
    text = draw_law(seeds)
    check(text)
    said = words(text)
    assert "eval loss (nats per answer token)" in said and "responses per question" in said
    assert "mean measured at 16" in said and "held out of every fit" in said
    assert "rectified: +2.0 %" in said and "its 90 % interval" in said
    assert "last_two: −20.0 %" in said and "power: no_trend" in said


def test_a_refused_headline_law_has_no_band_and_its_reason_in_the_legend(seeds):
    curves = [c for c in law.read_curves(planted.curves()) if c.law != "rectified"]
    text = law.law_picture(2.0, seeds, curves, planted.laws(status="no_trend"), planted.BUDGET)
    assert "rectified: no_trend" in words(text) and "interval" not in words(text).replace("aria", "")


def test_the_law_picture_takes_one_seed_one_budget_and_several_students(seeds):
    one = [row for row in seeds if row["seed"] == 0 and row["budget"] in (0, 16)]
    check(draw_law(one))
    other = [row | {"student": "small"} for row in seeds]
    assert "small, density 2.0 dex" in words(draw_law(seeds + other))


def test_pictures_are_the_same_bytes_each_time(seeds, clouds):
    assert draw_law(seeds) == draw_law(seeds)
    assert density.views(2.0, *clouds) == density.views(2.0, *clouds)


def test_a_users_own_matplotlib_settings_change_nothing(seeds):
    import matplotlib

    plain = draw_law(seeds)
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.facecolor": "red"}):
        assert draw_law(seeds) == plain


def test_thousands_of_points_are_an_image_and_the_labels_stay_text(clouds):
    text = density.views(2.0, *clouds)
    check(text)
    assert text.count("data:image/png;base64,") >= 3
    for label in ("Pool at 2.0 dex: 1500 points", "first principal axis", "k-NN density in the pool (dex)"):
        assert label in words(text)


def test_points_on_a_line_have_no_kernel_estimate(clouds):
    flat = density.Cloud(np.outer(np.arange(50.0), [1, 0]), np.ones(50))
    assert "no estimate" in words(density.views(2.0, flat, flat))


def test_the_histogram_shows_targets_and_means_and_thins_the_source(clouds):
    pool, source = clouds
    text = density.histogram([(2.0, pool), (3.0, pool)], source)
    check(text)
    assert f"pool at 3.0 dex: mean {pool.log10_density.mean():.2f}" in words(text)
    assert "source, thinned at random" in words(text) and "(dex" in words(text)


def test_verdicts_count_every_draw_by_its_reason():
    drawn = ledger.drawn(2.0, planted.ledger(2.0))
    assert sum(drawn.counts.values()) == 640 and next(iter(drawn.counts)) == "accepted"
    assert drawn.counts["accepted"] == sum(r.accepted for r in planted.ledger(2.0))
    text = ledger.verdicts_picture([ledger.verdicts("ask", "kept", 90, {"near_duplicate": 7, "x": 9}), drawn])
    check(text)
    assert "7 (6.6 %)" in words(text) and "ask: 106" in words(text)
    assert words(text).index("near duplicate") > words(text).index("kept")
    check(ledger.verdicts_picture([ledger.verdicts("ask", "kept", 0, {})]))


def test_coverage_is_the_share_of_questions_solved_by_then():
    rows = planted.ledger(3.0)
    found = ledger.coverage(3.0, rows)
    for r in (1, 5, 16):
        solved = {row.question_id for row in rows if row.accepted and row.rollout < r}
        assert found.share[r - 1] == pytest.approx(len(solved) / 40)
    assert found.questions == 40 and len(found.share) == 16


def test_coverage_is_drawn_beside_the_truth_and_the_fitted_law():
    pools = [ledger.coverage(d, planted.ledger(d)) for d in planted.DENSITIES]
    text = ledger.coverage_picture(pools, 12, lambda r: 1 - 1 / (1 + r), {2.0: lambda r: 1 - 1 / (1 + r)})
    check(text)
    assert "simulator's truth, expected" in words(text) and words(text).count("coverage law fitted") == 1
    assert "truth" not in words(ledger.coverage_picture(pools, 12, None, {}))


def test_wilsons_interval_holds_its_share_and_stays_within_bounds():
    low, high = ledger.wilson(np.array([0.0, 0.5, 1.0]), 40)
    assert low == pytest.approx([0.0, 0.3520, 0.9124], abs=1e-4)
    assert high == pytest.approx([0.0876, 0.6480, 1.0], abs=1e-4)


def test_ink_and_paper_become_the_pages(seeds):
    shown = svg.on_page(draw_law(seeds))
    assert "currentColor" in shown and "var(--paper)" in shown and svg.INK not in shown
