"""The coverage law on ledgers with a known truth, and on draws that were counted elsewhere."""

import numpy as np
import pyarrow as pa
import pytest

from stages.errors import BadInput
from stages.laws import simulation
from stages.laws.coverage import Draws, best, fit_coverage
from stages.laws.simulation import Setting

TRUTH = Setting(0.7, 0.9, 0.05, 248, 16)


def test_planted_truth_is_found_and_its_future_foretold() -> None:
    rows = simulation.simulate(TRUTH, range(12))
    found = {row["quantity"]: row for row in simulation.summarise(TRUTH, rows)}
    assert abs(found["a"]["median_error"]) < 0.2 and abs(found["F2"]["bias"]) < 0.02
    assert found["F2"]["rmse"] < found["F2"]["plug_in_rmse"]
    assert all(found[name]["coverage"] >= 0.7 for name in ("a", "b", "pi"))
    assert found["F4"]["coverage"] is None and found["a"]["ledgers"] == 12


def test_ledgers_do_not_depend_on_what_else_is_simulated() -> None:
    assert simulation.simulate(TRUTH, [3]) == simulation.simulate(TRUTH, range(4))[3:]


def test_the_best_is_the_maximum_of_the_whole_fit() -> None:
    draws = [Draws(int(k), 8) for k in np.random.default_rng(0).binomial(8, 0.4, 50)] + [Draws(0, 8)] * 9
    assert best(draws) == fit_coverage(draws).theta
    assert best(draws)[2] > 0.1 and best(draws, all_solvable=True)[2] == 0.0


def counted(**changes: list) -> pa.Table:
    columns = {
        "Model": ["m"] * 4,
        "Benchmark": ["MATH"] * 4,
        "Problem Idx": [0, 0, 1, 2],  # a row for each k: the first problem is there twice
        "Num. Samples Total": [10_000] * 4,
        "Num. Samples Correct": [3000.0, 3000.0, 0.0, 20.0],
    }
    return pa.table(columns | changes)


def test_each_problem_is_counted_once() -> None:
    solved, draws = simulation.successes(counted(), "x")
    assert draws == 10_000 and {k: sorted(v.tolist()) for k, v in solved.items()} == {
        "m, MATH": [0, 20, 3000]
    }


def test_few_draws_foretell_the_unsolved_share_of_many_better_than_the_plug_in() -> None:
    p = np.random.default_rng(0).beta(0.3, 8.0, 128)
    solved = np.random.default_rng(1).binomial(10_000, p)
    rows = simulation.foretell("m", solved, 10_000)
    assert len(rows) == simulation.SUBSAMPLES and rows == simulation.foretell("m", solved, 10_000)
    found = {(row["model"], row["estimate"]): row for row in simulation.foretold(rows)}
    one, plug_in = found["m", "coverage_law"], found["m", "plug_in"]
    assert one["unsolved"] == np.mean(solved == 0) and one["forecasts"] == simulation.SUBSAMPLES
    assert one["median_absolute_error"] < plug_in["median_absolute_error"] / 2
    whole = found["all", "coverage_law"]
    assert whole["one_subsample_low"] < whole["median_absolute_error"] < whole["one_subsample_high"]


def test_tables_that_hold_no_counts_are_refused() -> None:
    with pytest.raises(BadInput, match="no column 'Model'"):
        simulation.successes(counted().drop_columns(["Model"]), "x")
    with pytest.raises(BadInput, match="one number, 100 or more"):
        simulation.successes(counted(**{"Num. Samples Total": [10_000, 10_000, 50, 50]}), "x")
