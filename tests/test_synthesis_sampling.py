"""Acceptance and sampling: planted weights come back as inclusion frequencies."""

import numpy as np
import pytest

from stages.synthesis import sampling

LOGS = np.linspace(0, 2, 40)


@pytest.mark.parametrize("size", [1, 7, 20, 39, 40])
@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 9.0])
def test_acceptance_adds_up_to_the_size_of_the_sample(size: int, scale: float) -> None:
    probabilities = sampling.acceptance(scale * LOGS, size)
    assert probabilities.sum() == pytest.approx(size)
    assert probabilities.min() >= 0
    assert probabilities.max() <= 1 + 1e-12


@pytest.mark.parametrize("size", [3, 20, 35])
def test_acceptance_is_the_smaller_of_1_and_c_times_the_weight(size: int) -> None:
    shuffled = np.random.default_rng(0).permutation(LOGS)
    probabilities = sampling.acceptance(shuffled, size)
    certain = probabilities > 1 - 1e-9
    ratio = probabilities[~certain] / 10 ** shuffled[~certain]
    assert np.allclose(ratio, ratio[0])
    assert (ratio[0] * 10 ** shuffled[certain] >= 1 - 1e-9).all()
    assert np.allclose(probabilities, np.minimum(1, ratio[0] * 10**shuffled))


def test_a_constant_added_to_the_logs_changes_nothing() -> None:
    assert np.allclose(sampling.acceptance(LOGS, 10), sampling.acceptance(LOGS + 123.0, 10))


def test_equal_weights_are_accepted_alike() -> None:
    assert np.allclose(sampling.acceptance(np.zeros(50), 20), 0.4)


def test_questions_are_chosen_as_often_as_their_probability_says() -> None:
    probabilities = sampling.acceptance(0.6 * LOGS, 12)
    rng = np.random.default_rng(1)
    draws = 4000
    counts = np.zeros(len(LOGS))
    for _ in range(draws):
        chosen = sampling.choose(probabilities, rng.random(len(LOGS)), 12)
        assert len(set(chosen.tolist())) == 12
        counts[chosen] += 1
    # A standard error of at most 0.008; sequential Poisson sampling is itself off by some thousandths.
    assert np.abs(counts / draws - probabilities).max() < 0.03


def test_the_heaviest_are_certain_and_the_others_share_what_is_left() -> None:
    probabilities = sampling.acceptance(np.array([9.0, 9.0, 0.0, 0.0, 0.0, 0.0]), 3)
    assert np.allclose(probabilities, [1, 1, 0.25, 0.25, 0.25, 0.25])


def test_choosing_does_not_depend_on_the_order_of_the_questions() -> None:
    rng = np.random.default_rng(3)
    uniforms, mixed = rng.random(40), rng.permutation(40)
    probabilities = sampling.acceptance(LOGS, 15)
    chosen = sampling.choose(probabilities, uniforms, 15)
    again = sampling.choose(sampling.acceptance(LOGS[mixed], 15), uniforms[mixed], 15)
    assert sorted(mixed[again].tolist()) == chosen.tolist()


def test_one_more_question_moves_few_others() -> None:
    names = [f"q{i}" for i in range(301)]
    uniforms = np.array([sampling.uniform(0, "accept", name) for name in names])
    logs = np.random.default_rng(4).random(301)
    before = sampling.choose(sampling.acceptance(logs[:300], 100), uniforms[:300], 100)
    after = sampling.choose(sampling.acceptance(logs, 100), uniforms, 100)
    assert len(set(before.tolist()) & set(after.tolist())) >= 98


def test_a_larger_sample_holds_the_smaller_one_of_equal_weights() -> None:
    uniforms = np.random.default_rng(5).random(40)
    small, large = (set(sampling.choose(np.full(40, n / 40), uniforms, n).tolist()) for n in (10, 25))
    assert small < large


def test_the_effective_size_of_equal_weights_is_their_number() -> None:
    assert sampling.effective_size(np.full(30, -7.0)) == pytest.approx(30)
    assert sampling.effective_size(np.array([0.0, 0.0, -300.0])) == pytest.approx(2)
    # (1 + 3)² / (1 + 9)
    assert sampling.effective_size(np.log10([1.0, 3.0])) == pytest.approx(1.6)


def test_a_root_is_found_to_the_tolerance() -> None:
    tilt, value = sampling.solve(lambda t: t**3, 2.0, -8.0, 8.0, 1e-6, most=60)
    assert value == pytest.approx(2.0, abs=1e-6)
    assert tilt == pytest.approx(2 ** (1 / 3), abs=1e-5)


@pytest.mark.parametrize(("target", "end"), [(-9.0, -8.0), (9.0, 8.0), (-8.0, -8.0), (8.0, 8.0)])
def test_outside_its_range_the_nearer_end_is_returned(target: float, end: float) -> None:
    assert sampling.solve(lambda t: t, target, -8.0, 8.0, 0.0) == (end, end)


def test_a_step_over_the_target_returns_the_nearer_side() -> None:
    tilt, value = sampling.solve(lambda t: 0.0 if t < 1.5 else 1.0, 0.3, -8.0, 8.0, 0.01)
    assert value == 0.0
    assert tilt < 1.5


def test_random_numbers_depend_on_seed_purpose_and_question_alone() -> None:
    assert sampling.uniform(0, "accept", "q1") == sampling.uniform(0, "accept", "q1")
    changed = {sampling.uniform(*of) for of in [(0, "a", "q"), (1, "a", "q"), (0, "b", "q"), (0, "a", "r")]}
    assert len(changed) == 4
    drawn = np.array([sampling.uniform(0, "accept", str(i)) for i in range(4000)])
    assert drawn.min() > 0
    assert drawn.max() <= 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.02)
    assert drawn.var() == pytest.approx(1 / 12, abs=0.005)
