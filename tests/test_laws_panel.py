"""The study of many curves: coordinates, ledgers shared by students, and what cannot be said."""

import csv

import numpy as np
import pytest

from stages.laws import Config
from stages.laws.coverage import Draws
from stages.laws.curves import Point, Rectified
from stages.laws.panel import Curve, Ledger, headline, study, to_csv

LAWS = ["rectified", "rectified_tied", "power", "exponential", "last_two", "coverage", "combination"]
BUDGETS = (1, 2, 4, 8, 16)
TRUTH = {"a": 0.7, "b": 0.9, "pi": 0.05}


def curve(student: str, budgets=BUDGETS, seeds: int = 3, share: float = 1.0, bend: float = 0.0) -> Curve:
    rng = np.random.default_rng(0)
    loss = Rectified().predict((3.0, 2.0, 0.8, 0.6), budgets)
    points = [
        Point(float(r), float(v * r**bend * np.exp(0.005 * rng.normal())), seed)
        for r, v in zip(budgets, loss, strict=True)
        for seed in range(seeds)
    ]
    place = {"teacher": "strong", "student": student, "domain": "physics", "share": share}
    return Curve(place, 2.1, points)


def ledger(domain: str = "physics", accepted: bool = True) -> Ledger:
    rng = np.random.default_rng(0)
    p = rng.beta(TRUTH["a"], TRUTH["b"], 200) * (rng.random(200) >= TRUTH["pi"]) * accepted
    tallies = {n: [Draws(int(k), n) for k in rng.binomial(n, p)] for n in (8, 16)}
    return Ledger({"teacher": "strong", "domain": domain}, tallies, TRUTH)


def by_law(document: dict, student: str = "qwen") -> dict:
    return {e["law"]: e for e in document["laws"] if e["student"] == student}


def test_every_curve_has_every_law_under_its_coordinates() -> None:
    curves = [curve("qwen"), curve("llama", share=0.5)]
    document, rows = study(curves, [ledger()], 16, Config())
    assert [e["law"] for e in document["laws"]] == LAWS * 2
    place = {name: document["laws"][-1][name] for name in ("teacher", "student", "domain", "share")}
    assert place == {"teacher": "strong", "student": "llama", "domain": "physics", "share": 0.5}
    for entry in document["laws"]:
        told = entry["prediction"]
        assert told["source"] == ("profile" if entry["law"] == "coverage" else "calibrated")
        assert told["low"] < told["loss"] < told["high"]
    assert headline(document).startswith("2 curves, held-out budget 16: rectified errs ")
    lines = list(csv.DictReader(to_csv(rows).splitlines()))
    assert list(lines[0])[:6] == ["teacher", "student", "domain", "share", "law", "budget"]


def test_students_share_the_ledger_of_their_source_and_no_other() -> None:
    document, _ = study([curve("qwen"), curve("llama")], [ledger("mathematics")], 16, Config())
    assert "coverage" not in by_law(document) and len(document["coverage"]) == 2
    paid, full = study([curve("qwen")], [ledger()], 16, Config())[0]["coverage"]
    assert (paid["draws"], full["draws"], paid["truth"]) == (8, 16, TRUTH)
    assert paid["unsolved"]["observed"] == full["unsolved"]["observed"]
    assert paid["unsolved"]["predicted"] == pytest.approx(paid["unsolved"]["observed"], abs=0.05)


def test_the_combination_is_drawn_from_the_largest_fitted_budget_on() -> None:
    document, rows = study([curve("qwen")], [], 16, Config())
    drawn = [row for row in rows if row.law == "combination"]
    assert min(row.budget for row in drawn) == pytest.approx(8) and max(
        row.budget for row in drawn
    ) == pytest.approx(32)
    (at_budget,) = (row for row in drawn if row.budget == pytest.approx(16))
    assert at_budget.loss == pytest.approx(by_law(document)["combination"]["prediction"]["loss"], rel=1e-5)
    assert at_budget.low == pytest.approx(by_law(document)["combination"]["prediction"]["low"], rel=1e-5)


def test_one_training_seed_has_no_std_and_still_an_interval() -> None:
    told = by_law(study([curve("qwen", seeds=1)], [], 16, Config())[0])["combination"]["prediction"]
    assert told["observed_std"] is None and told["seeds"] == 1 and told["low"] < told["high"]


def test_fewer_budgets_than_parameters_refuse_the_law_and_not_the_line() -> None:
    document, _ = study([curve("qwen", budgets=(1, 2, 4))], [], 4, Config())
    found = by_law(document)
    assert found["rectified"]["status"] == "too_few_budgets"
    assert found["combination"]["status"] == "too_few_budgets"
    assert found["combination"]["prediction"]["status"] == "refused"
    assert found["last_two"]["prediction"]["loss"] > 0
    assert found["last_two"]["prediction"]["source"] == "profile"


def test_rising_and_flat_curves_refuse_the_laws_that_can_only_fall() -> None:
    rising = by_law(study([curve("qwen", bend=0.6)], [], 16, Config())[0])
    assert rising["rectified"]["status"] == "increasing" and rising["rectified"]["prediction"]["loss"] is None
    assert rising["combination"]["prediction"]["loss"] > 0
    flat = [Point(float(r), 2.0 + 0.01 * ((r + s) % 3 - 1), s) for r in BUDGETS for s in range(3)]
    document, rows = study([Curve({"student": "qwen"}, 2.1, flat)], [], 16, Config())
    assert by_law(document)["power"]["status"] == "no_trend"
    assert not [row for row in rows if row.law == "power"]


def test_a_ledger_without_accepts_leaves_the_coverage_law_out() -> None:
    document, _ = study([curve("qwen")], [ledger(accepted=False)], 16, Config())
    assert "coverage" not in by_law(document)
    assert {e["status"] for e in document["coverage"]} == {"no_accepts"}
    assert document["coverage"][0]["unsolved"] == {"draws": 16, "predicted": None, "observed": 1.0}


def test_losses_that_are_no_numbers_are_refused() -> None:
    bad = curve("qwen")
    bad.points[0] = bad.points[0]._replace(loss=float("nan"))
    with pytest.raises(ValueError, match="positive and finite"):
        study([bad], [], 16, Config())
