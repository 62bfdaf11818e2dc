"""Calibrated intervals: where they come from, where there is none, and that they hold what they should."""

from pathlib import Path

import numpy as np
import pytest

from stages.laws import calibration, local, published
from stages.laws.calibration import HORIZONS, LEVELS, Calibration, Outlook, score_quantiles, shipped
from stages.laws.combination import average, inverse_error, joined, own_errors, stacked
from stages.laws.curves import LastTwo, Point, Power, Rectified, all_laws
from stages.laws.fitting import fit
from stages.laws.forecast import band, forecast, forecast_combination

DATA = Path(__file__).parents[2] / "shared" / "data" / "laws"
QUANTILES = np.outer(np.arange(1.0, 6.0), np.linspace(1.0, 2.0, len(LEVELS)))
PLANTED = Calibration(local.flat(), {"power": QUANTILES}, {})


def points(budgets: tuple[int, ...] = (1, 2, 4, 8, 16), seeds: int = 1) -> list[Point]:
    loss = Power().predict((2.0, 0.6, 0.5), budgets)
    return [Point(float(r), float(v), s) for r, v in zip(budgets, loss, strict=True) for s in range(seeds)]


def test_quantiles_have_the_rank_of_split_conformal_prediction() -> None:
    scores, horizon = np.arange(1.0, 20.0), np.ones(19)
    found = score_quantiles(scores, horizon, curves=19)
    assert found[0, LEVELS.index(0.9)] == 18.0 and found[0, LEVELS.index(0.5)] == 10.0
    assert np.isnan(found[1:]).all()


def test_quantiles_between_horizons_lie_between_and_beyond_them_is_none() -> None:
    q = PLANTED.quantile("power", np.array([-1.0, 0.0, 0.5, 1.0, 1.5, 5.0, 5.1]), LEVELS[0])
    assert q[2:6] == pytest.approx([1.0, 1.0, 1.5, 5.0])
    assert np.isnan(q[[0, 1, 6]]).all()
    assert np.isnan(PLANTED.quantile("coverage", np.ones(1), 0.9)).all()
    assert np.isnan(PLANTED.quantile("power", np.ones(1), 0.999)).all()


def test_an_interval_is_the_quantile_times_the_curves_own_scale() -> None:
    outlook = Outlook(points(), PLANTED)
    near = outlook.reach(np.array([32.0]), 1)
    told = near.log_loss + 0.3
    low, high = outlook.ends("power", told, np.array([32.0]), 1, LEVELS[0])[0]
    half = np.hypot(near.sd[0], 0.3)
    assert (low, high) == pytest.approx((told[0] - half, told[0] + half))


def test_a_forecast_says_which_interval_it_carries() -> None:
    outlook = Outlook(points(), PLANTED)
    noisy = [Point(p.r, p.loss * (1 + 0.01 * (i % 3 - 1)), 0) for i, p in enumerate(points())]
    told = forecast(fit(Power(), noisy), 32.0, 1, 0.9, outlook)
    assert told.source == "calibrated" and told.profile_low != told.low
    assert forecast(fit(Power(), noisy), 32.0 * 32, 1, 0.9, outlook).source == "profile"
    assert forecast(fit(LastTwo(), noisy), 32.0, 1, 0.9, outlook).status == "no_interval"


def test_one_seed_and_as_many_budgets_as_parameters_have_a_calibrated_interval() -> None:
    loss = Rectified().predict((3.0, 2.0, 0.8, 0.6), [1, 2, 4, 8])
    few = [Point(float(r), float(v), 0) for r, v in zip((1, 2, 4, 8), loss, strict=True)]
    told = forecast(fit(Rectified(), few), 16.0, 1, 0.9, Outlook(few, shipped()))
    assert (told.reason, told.status, told.source) == ("no_error_estimate", "ok", "calibrated")
    assert told.profile_low is None and told.low < told.loss < told.high


def test_bands_join_the_fitted_range_to_the_calibrated_one() -> None:
    noisy = [Point(p.r, p.loss * (1 + 0.01 * (i % 3 - 1)), 0) for i, p in enumerate(points())]
    fitted, outlook = fit(Power(), noisy), Outlook(noisy, shipped())
    r = np.array([2.0, 16.0, 32.0, 64.0])
    profile, ends = band(fitted, r, 1)[1], band(fitted, r, 1, 0.9, outlook)[1]
    assert ends[:2] == pytest.approx(profile[:2]) and (ends[2:] != profile[2:]).all()


def test_a_combination_needs_three_budgets() -> None:
    assert forecast_combination(Outlook(points((1, 2)), shipped()), 4.0, 1).reason == "too_few_budgets"
    told = forecast_combination(Outlook(points((1, 2, 4)), shipped()), 8.0, 1)
    assert told.status == "ok" and told.low < told.loss < told.high


def test_weights_are_shares_and_the_stack_finds_the_planted_one() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(200, 3))
    truth = predicted @ [0.7, 0.3, 0.0] + 0.01 * rng.normal(size=200)
    assert stacked(predicted, truth) == pytest.approx([0.7, 0.3, 0.0], abs=0.01)
    for learn in (average, inverse_error, stacked):
        weights = learn(predicted, truth)
        assert weights.sum() == pytest.approx(1.0) and (weights >= -1e-9).all()
    assert joined(np.array([1.0]), np.array([2.0])) == pytest.approx([1.5])


def test_members_that_erred_on_the_curve_so_far_count_less() -> None:
    past = np.array([[1e-6, 1e-2, np.nan]])
    assert own_errors(np.array([[1.0, 2.0, 2.0]]), past)[0] == pytest.approx(1.0, abs=0.05)


def test_the_shipped_calibration_covers_every_law_that_can_be_back_tested() -> None:
    held = shipped()
    assert set(held.quantiles) == {law.name for law in all_laws(1.0)} | {"combination"}
    assert held.prior.sum() == pytest.approx(1.0) and held.provenance["curves"] == 60
    for rows in held.quantiles.values():
        assert rows.shape == (len(HORIZONS), len(LEVELS)) and (np.diff(rows, axis=1) >= 0).all()
        assert 1.2 < rows[0, LEVELS.index(0.9)] < 3.0  # a Gaussian's is 1.64


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason="no shared data")
def test_left_out_families_are_foretold_better_than_by_the_line_alone() -> None:
    curves = [c for n in ("flan", "gigaword") for c in published.read((DATA / f"{n}.csv").read_text(), n, n)]
    whole = [published.average(c.points) for c in curves]
    evidence = np.array([local.local_cells(*w, w[0].r[-1:], 1.0).log_evidence for w in whole])
    family = np.array([c.family for c in curves])
    off = {(name, h): [] for name in ("combination", "last_two") for h in (1, 2, 3)}
    for i, curve in enumerate(curves):
        prior = calibration.learn_prior(evidence[family != family[i]])
        for n in (4, 6, 8, 10, 11):
            outlook = Outlook(curve.points[:n], Calibration(prior, {}, {}))
            line = fit(LastTwo(), curve.points[:n])
            for h in (1, 2, 3):
                held = curve.points[n - 1 + h]
                for name, told in (
                    ("combination", forecast_combination(outlook, held.r, 1)),
                    ("last_two", forecast(line, held.r, 1)),
                ):
                    off[name, h].append(abs(told.loss / held.loss - 1))
    for h in (1, 2, 3):
        assert np.mean(off["combination", h]) < np.mean(off["last_two", h])
        assert np.median(off["combination", h]) < np.median(off["last_two", h])
