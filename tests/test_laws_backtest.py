"""Back-tests on planted curves: what is judged was not learnt from, and tables say what happened."""

import numpy as np
import pytest

from stages.errors import BadInput
from stages.laws import backtest, published
from stages.laws.published import LAWS

SIZES = (100, 200, 400, 800, 1600, 3200, 6400)
FAMILIES = ("a", "b", "c")


def text(scale: float = 1.0, noise: float = 0.003) -> str:
    """Power laws with a floor, in the columns of the published files."""
    rng = np.random.default_rng(int(100 * scale))
    lines = [",".join(["config name", "0", *map(str, SIZES), "size", "family"])]
    for i, family in enumerate(FAMILIES):
        losses = (
            scale * (4.0 * np.array(SIZES) ** -(0.2 + 0.02 * i) + 0.3) * np.exp(noise * rng.normal(size=7))
        )
        lines.append(",".join([f"model {family}", "4.5", *(f"{x:.6f}" for x in losses), "1", family]))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def outcome() -> tuple:
    curves = [c for d, s in (("x", 1.0), ("y", 1.2)) for c in published.read(text(s), d, d)]
    traced = [published.trace(c) for c in curves]
    told = backtest.cases(traced)
    judged = backtest.run(curves, traced, told)
    return curves, traced, told, judged


def test_every_cut_off_foretells_every_horizon_that_was_measured(outcome: tuple) -> None:
    curves, _, told, _ = outcome
    mine = {(n, h) for i, n, h in zip(told.curve, told.fitted, told.horizon, strict=True) if i == 0}
    assert mine == {(n, h) for n in (3, 4, 5, 6) for h in (1, 2, 3, 4, 5) if n + h <= 7}
    assert np.exp(told.observed[0]) == pytest.approx(curves[0].points[3].loss)


def test_forecasts_are_those_of_a_fit_to_the_smallest_sizes(outcome: tuple) -> None:
    from stages.laws.curves import all_laws
    from stages.laws.fitting import fit
    from stages.laws.forecast import forecast

    curves, _, told, _ = outcome
    row = int(np.flatnonzero((told.curve == 1) & (told.fitted == 5) & (told.horizon == 2))[0])
    for j, law in enumerate(all_laws(curves[1].base_loss)):
        direct = forecast(fit(law, curves[1].points[:5]), float(SIZES[6]), 1)
        assert np.exp(told.predicted[row, j]) == pytest.approx(direct.loss, rel=1e-6)


def test_fewer_sizes_than_parameters_foretell_nothing(outcome: tuple) -> None:
    told = outcome[2]
    silent = np.isnan(told.predicted[:, LAWS.index("rectified")])
    assert (silent == (told.fitted == 3)).all() and not np.isnan(told.predicted[:, 1:]).any()


def test_past_errors_are_those_of_smaller_cut_offs_only(outcome: tuple) -> None:
    told, line = outcome[2], LAWS.index("last_two")
    mine = told.curve == 0
    first, second = (
        (told.predicted[:, line] - told.observed)[mine & (told.fitted == n) & (told.horizon == 1)] ** 2
        for n in (3, 4)
    )
    past = {n: told.past[mine & (told.fitted == n), line][0] for n in (3, 4, 5)}
    assert np.isnan(past[3]) and past[4] == pytest.approx(first[0])
    assert past[5] == pytest.approx((first[0] + second[0]) / 2)


def test_no_curve_is_judged_by_what_it_taught(outcome: tuple) -> None:
    curves = outcome[0]
    found = {split.name: split.folds for split in backtest.splits(curves)}
    assert {name: len(folds) for name, folds in found.items()} == {
        "other_families": 3,
        "other_families_same_dataset": 6,
        "other_datasets": 2,
    }
    for name, folds in found.items():
        assert not any((teaching & judged).any() for teaching, judged in folds)
        assert (sum(judged.astype(int) for _, judged in folds) == 1).all()
        for teaching, judged in folds:
            mine = {
                curves[i].dataset if name == "other_datasets" else curves[i].family
                for i in np.flatnonzero(judged)
            }
            taught = {
                curves[i].dataset if name == "other_datasets" else curves[i].family
                for i in np.flatnonzero(teaching)
            }
            assert not mine & taught


def test_curves_of_one_family_cannot_teach_each_other(outcome: tuple) -> None:
    curves, traced, _, _ = outcome
    with pytest.raises(BadInput, match="1 curves of one family and data set"):
        backtest.run(curves[:1], traced[:1], backtest.cases(traced[:1]))


def test_the_true_law_comes_nearest_and_the_tables_say_so(outcome: tuple) -> None:
    curves, traced, told, judged = outcome
    tables = backtest.tables(curves, traced, told, judged)
    rows = {
        r["forecast"]: r
        for r in tables["errors"]
        if (r["split"], r["dataset"], r["times"]) == ("other_families", "all", 4)
    }
    assert min(LAWS, key=lambda law: rows[law]["mean"]) in ("power", "rectified_tied")
    assert rows["combination"]["cases"] == 6 * 2
    nearer = [r for r in tables["advantage"] if r["law"] == "exponential" and r["dataset"] == "all"]
    assert nearer and all(r["high"] < 0 and r["nearer"] == 1.0 for r in nearer)
    assert {(r["chosen_on"], r["judged_on"]) for r in tables["choices"]} == {("x", "y"), ("y", "x")}
    shares = [
        r["share"] for r in tables["statuses"] if (r["dataset"], r["law"], r["fitted"]) == ("x", "power", 7)
    ]
    assert sum(shares) == pytest.approx(1.0)
    assert all(r["mean_log_rmsd"] < 0.005 for r in tables["agreement"] if r["law"] == "power")
    assert "combination" in backtest.headline(tables)


def test_intervals_are_held_against_what_was_measured(outcome: tuple) -> None:
    rows = backtest.intervals(*outcome)
    kinds = {r["kind"] for r in rows}
    assert kinds == {"calibrated", "profile", "bootstrap"}
    assert all(0 <= r["coverage"] <= 1 and r["mean_width"] > 0 for r in rows)
    wide = {
        r["kind"]: r["coverage"]
        for r in rows
        if (r["law"], r["fitted"], r["times"], r["dataset"]) == ("exponential", 5, 4, "all")
    }
    assert wide["bootstrap"] < wide["calibrated"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.replace("family", "kind"), "no column 'family'"),
        (lambda t: "config name,0,100,200,family\nm,4,3,2,a\n", "2 data sizes"),
        (lambda t: t.replace(t.splitlines()[2].split(",")[3], "nan"), "model b: a loss is not positive"),
        (lambda t: "", "no column 'config name'"),
    ],
)
def test_files_that_hold_no_curves_are_refused(change, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        published.read(change(text()), "x", "x.csv")
