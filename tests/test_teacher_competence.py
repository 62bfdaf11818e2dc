"""The simulator's competence against its closed form."""

import math

import numpy as np
import pytest
import scipy.special
import scipy.stats
from scripted_teacher import article

from stages.teacher import replies
from stages.teacher.competence import (
    Embedded,
    coverage,
    success_probability,
    true_competence,
    true_competences,
    uniform,
)
from stages.teacher.corpus import Corpus

REST = {"slip": 0.1, "miss": 0.2, "false_alarm": 0.05}
SHAPE = Embedded(a=0.6, b=0.8, never=0.1, **REST)
FACTS = [(f"Town {i}", "mayor") for i in range(20_000)]


def p_of(facts, shape=SHAPE, model="m"):
    return true_competences(facts, model=model, embedded=shape)


@pytest.mark.parametrize("r", [0, 1, 2, 7, 64, 100_000])
def test_coverage_is_the_ratio_of_beta_functions(r):
    ratio = math.exp(scipy.special.betaln(0.6, 0.8 + r) - scipy.special.betaln(0.6, 0.8))
    assert coverage(0.6, 0.8, 0.1, r) == pytest.approx(0.1 + 0.9 * ratio, rel=1e-9)


def test_coverage_starts_at_everything_and_its_tail_is_r_to_the_minus_a():
    assert coverage(0.6, 0.8, 0.1, 0) == pytest.approx(1.0)
    far, farther = (coverage(0.6, 0.8, 0.0, r) for r in (10_000, 20_000))
    assert farther / far == pytest.approx(2**-0.6, rel=1e-3)


def test_competences_follow_the_stated_distribution():
    p = p_of(FACTS)
    assert np.mean(p == 0.0) == pytest.approx(0.1, abs=4 * (0.1 * 0.9 / len(p)) ** 0.5)
    assert scipy.stats.kstest(p[p > 0], scipy.stats.beta(0.6, 0.8).cdf).pvalue > 0.001


def test_expected_unsolved_share_of_the_facts_is_coverage():
    p = p_of(FACTS)
    for r in (1, 4, 16, 64):
        unsolved = (1 - p) ** r
        error = unsolved.std() / len(p) ** 0.5
        assert unsolved.mean() == pytest.approx(coverage(0.6, 0.8, 0.1, r), abs=4 * error)


def test_drawn_answers_leave_the_share_unsolved_that_coverage_says():
    towns = [article(i, f"Town {i}", {"mayor": f"Person {i}"}) for i in range(800)]
    corpus = Corpus(towns)

    p = p_of([(town.title, "mayor") for town in towns])
    known = dict(zip([town.title for town in towns], p, strict=True))

    def right(i, rollout):
        question = f"Who leads Town {i}?"
        said = replies.answer(corpus, lambda title, key: known[title], question, 1.0, i, rollout, 0)
        return said["answer"] == f"Person {i}"

    solved = np.array([[right(i, rollout) for rollout in range(8)] for i in range(len(towns))])
    for r in (1, 2, 4, 8):
        unsolved = 1.0 - solved[:, :r].any(axis=1).mean()
        truth = coverage(0.6, 0.8, 0.1, r)
        assert unsolved == pytest.approx(truth, abs=4 * (truth * (1 - truth) / len(towns)) ** 0.5)
    # Given the facts' own p the draws are independent, so the test is sharper.
    spread = (p * (1 - p) / 8).sum() ** 0.5
    assert solved.mean(axis=1).sum() == pytest.approx(p.sum(), abs=4 * spread)


def test_competence_belongs_to_the_fact_and_the_model():
    one = true_competence("France", "capital", model="m", embedded=SHAPE)
    assert one == p_of([("Peru", "capital"), ("France", "capital")])[1]
    assert 0.0 <= one <= 1.0
    others = [("France", "currency"), ("Peru", "capital")]
    assert one not in [true_competence(*fact, model="m", embedded=SHAPE) for fact in others]
    assert one != true_competence("France", "capital", model="n", embedded=SHAPE)


def test_never_is_a_share_from_nothing_to_all():
    assert (p_of(FACTS[:500], Embedded(a=1, b=1, never=0, **REST)) > 0).all()
    assert (p_of(FACTS[:500], Embedded(a=1, b=1, never=1, **REST)) == 0).all()


@pytest.mark.parametrize("p", [0.0, 1e-300, 0.2, 0.5, 0.8, 1.0])
def test_temperature_one_leaves_the_probability(p):
    assert success_probability(p, 1.0) == pytest.approx(p)


def test_temperature_zero_is_greedy_and_high_temperature_is_closer_to_even():
    assert [success_probability(p, 0.0) for p in (0.0, 0.49, 0.5, 1.0)] == [0.0, 0.0, 1.0, 1.0]
    assert success_probability(0.9, 2.0) == pytest.approx(3 / 4)  # sqrt(.9) : sqrt(.1) = 3 : 1
    assert success_probability(0.9, 0.5) == pytest.approx(81 / 82)
    assert success_probability(0.4, 1e-6) == 0.0
    assert success_probability(0.6, 1e-6) == 1.0


def test_uniform_numbers_are_uniform_and_stay_what_they_were():
    u = np.array([uniform("x", i) for i in range(5000)])
    assert scipy.stats.kstest(u, "uniform").pvalue > 0.001
    assert u.min() > 0.0
    assert u.max() < 1.0
    assert uniform("France", "capital") == 0.3346889099891875
