"""Solving: right solutions are right, slips never are, and variations know their truth."""

from collections import Counter
from fractions import Fraction

import pytest

from stages.grading.verification import accepts
from stages.problems import catalog, slips
from stages.problems.arithmetic import decimal, number
from stages.problems.catalog import FAMILIES, instances, seed_problem
from stages.problems.solving import Book, slipped, varied, worked

EMBEDDED = [
    catalog.problem(catalog.ask(one, "test"))
    for group in FAMILIES.values()
    for family in group
    for one in instances(family)
]
CLIPS = seed_problem(
    "mathematics",
    "Ann sold 48 clips in  April and half as many in May. How many in all?",
    "72",
    unit="",
    solution="She sold 48/2 = <<48/2=24>>24 in May.\nThat makes 48+24 = <<48+24=72>>72 in all.",
)
POINT = seed_problem("mathematics", "Where is it?", r"\left( 3, \frac{\pi}{2} \right)", unit="", solution="")
GAS = seed_problem(
    "physics",
    "What is the molar energy?",
    "12.5",
    unit=r"$\mathrm{~kJ} \mathrm{mol}^{-1}$",
    solution="First find the heat. Then divide: it is 12.5.",
)


def test_the_worked_answer_is_the_reference_with_its_unit():
    for problem in EMBEDDED:
        told = worked(problem)
        assert told.steps and told.answer == f"{problem.answer} {problem.unit}".strip()
        assert accepts(problem.domain, told.answer, problem.answer, unit=problem.unit)
    assert worked(GAS) == (("First find the heat.", "Then divide: it is 12.5."), "12.5 kJ mol^-1")
    assert worked(CLIPS) == (
        ("She sold 48/2 = 24 in May.", "That makes 48+24 = 72 in all."),
        "72",
    )
    assert worked(POINT).steps == (rf"The answer is {POINT.answer}.",)


@pytest.mark.parametrize("draw", range(4))
def test_a_slip_always_ends_in_a_wrong_answer(draw):
    for problem in (*EMBEDDED, CLIPS, POINT, GAS):
        told = slipped(problem, "draw", draw)
        assert told == slipped(problem, "draw", draw)
        assert told.steps and told.answer != worked(problem).answer
        assert not accepts(problem.domain, told.answer, problem.answer, unit=problem.unit), told
        said, right = number(told.answer.removesuffix(problem.unit)), number(problem.answer)
        if said is not None and right is not None:
            assert abs(said - right) > Fraction(5, 1000) * abs(right)


def test_draws_slip_differently():
    made = Counter(slipped(EMBEDDED[0], draw).answer for draw in range(200))
    assert len(made) >= 6 and made.most_common(1)[0][1] < 120


def test_a_third_of_the_slips_in_physics_are_small_errors():
    physics = [problem for problem in EMBEDDED if problem.unit]
    errors = []
    for problem in physics:
        for draw in range(4):
            said = number(slipped(problem, draw).answer.removesuffix(problem.unit))
            errors.append(abs(said / number(problem.answer) - 1))
    small = sum(Fraction(6, 100) <= error <= Fraction(25, 100) for error in errors)
    assert 0.30 < small / len(errors) < 0.45
    assert sum(error > Fraction(1, 2) for error in errors) > 0.3 * len(errors)


def test_a_slip_in_an_annotated_solution_is_carried_to_its_end():
    seen = {slipped(CLIPS, draw) for draw in range(60)}
    first = [told for told in seen if "= 24" not in told.steps[0]]
    assert first
    for told in first:
        half = number(told.steps[0].split("= ")[1].split(" ")[0])
        assert told.answer == decimal(48 + half)
        assert told.steps[1] == f"That makes 48+{decimal(half)} = {decimal(48 + half)} in all."
    assert any(told.steps[0] == "She sold 48/2 = 24 in May." for told in seen)


def test_kinds_of_slips():
    wrong = set(slips.wrong_values(Fraction(24), 1, physics=True)) | set(
        slips.wrong_values(Fraction(24), 2, physics=True)
    )
    assert {42, -24} < wrong and 24 not in wrong
    assert list(slips.wrong_values(Fraction(0), physics=False))[-1] == 1


def test_a_book_finds_given_problems_embedded_ones_and_one_more_step():
    book = Book([CLIPS, POINT])
    assert book.find(f" {CLIPS.question.replace('  ', ' ')}\n") is CLIPS
    assert book.find(EMBEDDED[5].question) == EMBEDDED[5]
    assert book.find("What is love?") is None
    assert book.find("What is love? What are 3 times this result?") is None
    assert book.find(f"{POINT.question} What are 3 times this result?") is None
    longer = book.find(f"{CLIPS.question} What are 3 times this result?")
    assert (longer.answer, longer.domain) == ("216", "mathematics")
    assert worked(longer).steps[-1] == "Then 72 * 3 = 216."


@pytest.mark.parametrize("draw", range(3))
def test_a_variation_of_an_embedded_problem_is_another_instance_in_words_of_the_source(draw):
    for problem in EMBEDDED[::7]:
        new = varied(problem, draw)
        one, old = catalog.find(new.question), catalog.find(problem.question)
        assert one.family is old.family and one is not old
        assert new.question in {one.phrase(wording) for wording in one.family.source}
        assert accepts(new.domain, worked(new).answer, one.truth, unit=new.unit)
        assert new.answer == one.truth and Book([]).find(new.question) == new


def test_a_variation_of_another_problem_has_one_more_step_with_its_truth():
    half = seed_problem("mathematics", "What part?", r"\frac{2}{3}", unit="", solution="")
    texts = set()
    for draw in range(40):
        for problem in (CLIPS, half, GAS):
            new = varied(problem, draw)
            assert Book([problem]).find(new.question) == new
            assert new.unit == problem.unit and new.problem_id != problem.problem_id
            ratio, gap = (
                number(new.answer) / number(problem.answer),
                number(new.answer) - number(problem.answer),
            )
            assert ratio.denominator == 1 or gap.denominator == 1
            texts.add(new.question)
    assert len(texts) > 30
    assert varied(POINT, 0) is None
