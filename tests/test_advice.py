"""Advice on planted surfaces: the better purchase is found, costs are exact, and doubt is said."""

import numpy as np
import pytest
from planted_advice import (
    BUDGETS,
    E0,
    KAPPA,
    MANY_UNSOLVED,
    RATES,
    SHARES,
    SOON_SOLVED,
    loss,
    offer,
    panel,
)
from pytest import approx

from stages.advice import Config, Writing, costs, study
from stages.advice.costs import Price
from stages.advice.purchases import Audited, Purchase
from stages.advice.surface import FORMS, Curve, Form, Measured, fit, uncovered
from stages.errors import BadInput
from stages.grid import Cut

WRITTEN = Config(writing={"physics": Writing(prompt_tokens=300, completion_tokens=100)})
UNPRICED = RATES._replace(price=Price(None, 2.0))


def rows(*offers: study.Offer, config: Config = WRITTEN, audits: tuple[Audited, ...] = ()) -> list[Purchase]:
    return study.advise(offers, audits, config, 0.9).purchases


def test_planted_surface_is_recovered_within_its_errors() -> None:
    found = fit(panel(MANY_UNSOLVED, 0.05).cells, MANY_UNSOLVED)
    curve = found.curves[0]
    assert curve.form == "line" and sum(c.weight for c in found.curves) == approx(1)
    assert abs(curve.E0 - E0 - KAPPA) < 0.1
    assert curve.kappa == approx(KAPPA, abs=3 * curve.kappa_error)
    assert curve.kappa_error < 0.2 and curve.sigma == approx(0.05, rel=0.5)


@pytest.mark.parametrize("form", FORMS)
def test_the_form_that_made_the_losses_is_found_and_its_changes_are_the_true_ones(form: Form) -> None:
    rng = np.random.default_rng(4)
    made = Curve(form, 1.0, 2.0 if form == "power" else 9.0, 0.7 if form == "power" else 2.5, 0.0, 0.0, ())
    cuts = [Cut(s, r) for s in SHARES for r in BUDGETS]
    true = {cut: made.loss(1 - uncovered(MANY_UNSOLVED, cut)) for cut in [*cuts, Cut(2.0, 32)]}
    cells = [Measured(cut, true[cut] * (1 + 0.002 * rng.normal()), 3) for cut in cuts]
    found = fit(cells, MANY_UNSOLVED)
    assert found.curves[0].form == form and found.curves[0].weight > 0.95
    assert found.curves[0].kappa == approx(made.kappa, rel=0.02)
    change = found.change(Cut(1.0, 32), Cut(2.0, 32), true[Cut(1.0, 32)])
    assert change and change.estimate == approx(true[Cut(2.0, 32)] - true[Cut(1.0, 32)], rel=0.05)
    assert abs(change.estimate - (true[Cut(2.0, 32)] - true[Cut(1.0, 32)])) < 3 * change.error


def test_forms_that_the_cells_do_not_tell_apart_widen_the_error() -> None:
    """Two shares within a narrow range of coverage: the forms fit alike and part beyond."""
    theta = (6.0, 1.0, 0.0)
    near = [Cut(s, r) for s in (0.8, 1.0) for r in (1, 2, 4)]
    rng = np.random.default_rng(5)
    found = fit([Measured(cut, loss(theta, cut) + 0.05 * rng.normal(), 3) for cut in near], theta)
    assert max(curve.weight for curve in found.curves) < 0.7
    for curve in found.curves:
        alone = found._replace(curves=(curve._replace(weight=1.0),)).change(near[-1], Cut(3.0, 4))
        whole = found.change(near[-1], Cut(3.0, 4))
        assert alone and whole and whole.error > 0 and whole.estimate != alone.estimate
    errors = [c.change(0.9, 2.7, 6.4, True)[1] for c in found.curves]
    whole = found.change(near[-1], Cut(3.0, 4))
    assert whole and whole.error > sum(c.weight * e for c, e in zip(found.curves, errors, strict=True))


def test_full_share_is_uncovered_where_the_ledger_is_unsolved() -> None:
    assert uncovered((1.0, 1.0, 0.0), Cut(1.0, 4)) == approx(1 / 5)
    assert uncovered((1.0, 1.0, 0.0), Cut(0.5, 4)) == approx(1 - 0.5 * 4 / 5)
    assert uncovered((1.0, 1.0, 0.0), Cut(2.0, 4)) < 0


def test_questions_are_the_better_buy_where_draws_soon_solve_what_there_is() -> None:
    first = rows(offer(SOON_SOLVED))[0]
    assert (first.kind, first.rank, first.verdict) == ("questions", 1, "gain")


def test_responses_are_the_better_buy_where_draws_go_on_solving_and_questions_are_dear() -> None:
    dear = Config(writing={"physics": Writing(prompt_tokens=4000, completion_tokens=4000)})
    at = [Cut(s, r) for s in SHARES for r in BUDGETS if r <= 4]
    first = rows(offer(MANY_UNSOLVED, 0.002, cuts=at), config=dear)[0]
    assert (first.kind, first.held, first.verdict) == ("responses", Cut(1.0, 4), "gain")


def test_predicted_change_of_a_noiseless_surface_is_the_true_one() -> None:
    for row in rows(offer(MANY_UNSOLVED, 1e-9)):
        true = KAPPA * (uncovered(MANY_UNSOLVED, row.bought) - uncovered(MANY_UNSOLVED, row.held))
        assert row.change == approx(true, abs=1e-6)


def test_questions_below_the_full_source_are_bought_share_by_share() -> None:
    found = study.advise([offer(MANY_UNSOLVED)], (), WRITTEN, 0.9, held=Cut(0.25, 8)).purchases
    assert [row.bought.share for row in found if row.kind == "questions"] == approx([0.5, 1, 1.5, 2])
    assert {row.bought for row in found if row.kind == "responses"} == {Cut(0.25, n) for n in (16, 32, 64)}


def test_costs_are_those_of_the_further_calls_alone() -> None:
    cost = costs.extension(RATES, Cut(0.5, 8), Cut(0.5, 16), WRITTEN, "physics")
    assert cost == costs.Cost(1600, 96_000.0, 64_000.0, approx(0.096 * 0.5 + 0.064 * 2))
    new = costs.extension(RATES, Cut(1.0, 1), Cut(1.5, 1), WRITTEN, "physics")
    assert new == costs.Cost(200, 200 * 360.0, 200 * 140.0, approx(0.072 * 0.5 + 0.028 * 2))


def test_a_missing_price_is_null_and_the_ranking_goes_by_tokens() -> None:
    advice = study.advise([offer(SOON_SOLVED, rates=UNPRICED)], (), WRITTEN, 0.9)
    assert advice.unit == "million_tokens"
    assert all(row.cost.usd is None and row.gain_per("usd")[0] is None for row in advice.purchases)
    assert advice.purchases[0].rank == 1 and advice.purchases[0].gain_per("million_tokens")[0] > 0


def test_new_questions_whose_writing_has_no_known_cost_have_a_gain_and_no_rank() -> None:
    found = [row for row in rows(offer(SOON_SOLVED), config=Config()) if row.kind == "questions"]
    assert {row.reason for row in found} == {"cost_unknown"} and {row.verdict for row in found} == {"gain"}
    assert all(row.rank is None and row.cost.usd is None and row.cost.calls for row in found)


def test_flat_losses_cannot_tell() -> None:
    flat = panel(MANY_UNSOLVED)
    rng = np.random.default_rng(2)
    flat = flat._replace(cells=tuple(c._replace(loss=2 + 0.05 * rng.normal()) for c in flat.cells))
    found = rows(study.Offer(flat, RATES))
    assert {row.verdict for row in found} == {"undecided"}
    assert {row.reason for row in found} == {"interval_contains_0"}
    assert {row.rank for row in found} == {None}


def test_what_was_never_seen_is_refused_by_name() -> None:
    one_share = rows(offer(MANY_UNSOLVED, cuts=[Cut(1.0, r) for r in BUDGETS]))
    assert {row.reason for row in one_share if row.kind == "questions"} == {"one_share"}
    assert all(row.change is None for row in one_share if row.kind == "questions")
    assert any(row.change is not None for row in one_share if row.kind == "responses")
    few = rows(offer(MANY_UNSOLVED, cuts=[Cut(0.5, 8), Cut(1.0, 8)]))
    assert {row.reason for row in few} == {"too_few_cells"}
    silent = panel(MANY_UNSOLVED)._replace(theta={4: None})
    assert {row.reason for row in rows(study.Offer(silent, RATES))} == {"no_coverage_law"}


def test_a_gain_larger_than_the_loss_that_is_left_is_not_told() -> None:
    far = WRITTEN.model_copy(update={"questions": [40.0]})
    row = next(row for row in rows(offer(MANY_UNSOLVED), config=far) if row.bought.share == 40)
    assert (row.change, row.rank, row.reason, row.verdict) == (None, None, "below_zero", "undecided")


def test_another_teacher_is_bought_whole_at_its_own_price() -> None:
    dear = RATES._replace(price=Price(5.0, 20.0))
    found = rows(offer(MANY_UNSOLVED), offer(SOON_SOLVED, rates=dear, teacher="weak"))
    row = next(row for row in found if row.kind == "teacher" and row.teacher == "strong")
    true = loss(SOON_SOLVED, Cut(1.0, 32)) - loss(MANY_UNSOLVED, Cut(1.0, 32))
    assert row.name == "weak" and row.change == approx(true, abs=0.1)
    assert row.cost.calls == 400 * 32 and row.cost.usd == approx(12.8 * (60 * 5 + 40 * 20) / 1000)


def test_an_audit_at_another_cut_than_the_held_one_is_not_ranked() -> None:
    audit = Audited(
        "strong",
        "qwen",
        "physics",
        "protocol",
        "x",
        Cut(1.0, 8),
        -1.0,
        -1.2,
        -0.8,
        0.95,
        costs.Cost(1, 1, 1, 1),
    )
    free = audit._replace(name="free", cut=Cut(1.0, 32), cost=costs.Cost(0, 0.0, 0.0, 0.0))
    single = audit._replace(name="single", cut=Cut(1.0, 32), low=None, high=None)
    found = rows(offer(MANY_UNSOLVED), audits=(audit, free, single))
    by_name = {row.name: row for row in found}
    assert by_name["x"].reason == "other_cut" and by_name["x"].rank is None
    assert by_name["free"].rank == 1, "a gain that costs nothing comes first"
    assert (by_name["single"].verdict, by_name["single"].reason) == ("undecided", "one_training_seed")


def test_a_held_cut_that_was_not_measured_is_refused() -> None:
    with pytest.raises(BadInput, match=r"--held 0\.3x4: not measured"):
        study.advise([offer(MANY_UNSOLVED)], (), WRITTEN, 0.9, held=Cut(0.3, 4))
