"""The embedded families: what is computed, what is worked and what is asked agree on every instance."""

import re
from collections import Counter
from fractions import Fraction

import pytest

from stages.problems import catalog
from stages.problems.arithmetic import decimal, evaluate, latex, number, significant
from stages.problems.catalog import FAMILIES, instances
from stages.problems.family import Family, Instance, Step
from stages.questions.words import words

ALL = [family for group in FAMILIES.values() for family in group]
NAMES = [family.name for family in ALL]


@pytest.mark.parametrize("family", ALL, ids=NAMES)
def test_worked_steps_end_in_the_truth_that_sympy_or_pint_computes(family):
    for one in instances(family):
        steps, answer = one.written(one.values())
        assert answer == one.truth
        assert not re.search(r"[<>]", " ".join(steps))


@pytest.mark.parametrize("family", ALL, ids=NAMES)
def test_every_wording_of_every_instance_is_found_again_as_that_instance(family):
    for one in instances(family):
        for wording in (*family.source, *family.held_out):
            assert catalog.find(f"  {one.phrase(wording)}\n") is one


def test_no_two_problems_are_asked_in_the_same_words():
    asked = [
        one.phrase(wording)
        for family in ALL
        for one in instances(family)
        for wording in (*family.source, *family.held_out)
    ]
    assert len(set(asked)) == len(asked)


def test_a_text_that_is_no_instance_is_not_found():
    text = "In Uruguay, solve $3x+3=30$."
    assert catalog.find(text)
    assert catalog.find(f"{text} And why?") is None
    assert catalog.find(text.replace("30", "33")) is None
    assert catalog.find(text.replace("Uruguay", "Miami")) is None


@pytest.mark.parametrize("family", ALL, ids=NAMES)
def test_the_most_frequent_answer_of_a_family_is_a_poor_guess(family):
    made = instances(family)
    assert Counter(one.truth for one in made).most_common(1)[0][1] <= 0.16 * len(made)
    assert len({tuple(one.numbers.values()) for one in made}) == len(made)


@pytest.mark.parametrize("domain", ["mathematics", "physics"])
def test_held_out_wordings_are_made_of_words_that_some_source_uses(domain):
    """Else a student that knows the problem could fail for the vocabulary alone."""
    families = [family for family in ALL if family.domain == domain]
    made = [one for family in families for one in instances(family)]
    assert len(made) == len({one.place for one in made}) == 476
    spoken = {word for family in families for text in family.source for word in _said(text)}
    for family in families:
        assert len(family.source) >= 3 and len(family.held_out) >= 2
        for text in family.held_out:
            assert set(_said(text)) <= spoken, text


def test_truths_are_what_a_hand_computes():
    found = {
        catalog.find("In Uruguay, solve $3x+3=30$.").truth,
        catalog.find("In Hangzhou, simplify $\\sqrt{12}$.").truth,
        catalog.find("In Maryland, compute $\\frac{1}{9}+\\frac{3}{4}$.").truth,
        catalog.find("In Zaragoza, a train goes 3 km in 20 min. What is its speed?").truth,
        catalog.find("In Miami, 8 kg of water get 20 K warmer. What heat is needed?").truth,
    }
    assert found == {"9", "2\\sqrt{3}", "\\frac{31}{36}", "2.5", "669"}


def test_physics_is_computed_in_its_units():
    fall = Family(
        name="fall",
        space={"d": (9,), "t": (4,)},
        truth="d / t",
        steps=(Step("v", "d * 1000 / (t * 60)", "<d> km in <t> min are <v> m/s."),),
        source=(),
        held_out=(),
        answer="<v>",
        units={"d": "km", "t": "min"},
        unit="m/s",
    )
    one = Instance(fall, "Rome", (("d", "9"), ("t", "4")))
    assert one.truth == "37.5"
    assert one.written(one.values()) == (("9 km in 4 min are 37.5 m/s.",), "37.5")
    assert one.written(one.values((0, Fraction(40)))) == (("9 km in 4 min are 40 m/s.",), "40")


def test_a_wrong_step_is_carried_through_the_later_ones():
    ring = next(family for family in ALL if family.name == "ring")
    one = Instance(ring, "Rome", (("r", "7"), ("s", "15")))
    assert one.written(one.values((1, Fraction(50)))) == (
        ("$15^2=225$.", "$7^2=50$.", "$225-50=175$."),
        r"175\pi",
    )


def test_formulas_are_exact_and_bounded():
    assert evaluate("0.1 * 3 - a", {"a": Fraction(1, 5)}) == Fraction(1, 10)
    assert evaluate("gcd(a, b) + 2 ** 3", {"a": 12, "b": 18}) == 14
    for bad in ("1/0", "9**9**9", "2 ** 99", "__import__('os')", "(" * 150, "1" * 5000, "a", "1 if 1 else 2"):
        with pytest.raises(ValueError, match=r"formula|zero|characters"):
            evaluate(bad)


def test_numbers_are_read_and_written_as_people_write_them():
    texts = [
        "-3",
        "1,200",
        "$2.50",
        r"-\frac{6}{8}",
        "3/4",
        ".5",
        r"\frac{1}{0}",
        "1/0",
        "12a",
        "",
        "9" * 10_000,
    ]
    read = [number(text) for text in texts]
    assert read[:6] == [-3, 1200, Fraction(5, 2), Fraction(-3, 4), Fraction(3, 4), Fraction(1, 2)]
    assert read[6:] == [None] * 5
    assert [significant(Fraction(n), 3) for n in ("1234.5", "0.0012345", "-99.95", "0")] == [
        "1230",
        "0.00123",
        "-100",
        "0",
    ]
    assert [decimal(Fraction(n)) for n in ("12", "0.375", "-1/3", "2/3")] == ["12", "0.375", "-0.33", "0.67"]
    assert [latex(Fraction(n)) for n in ("-6/8", "4")] == [r"-\frac{3}{4}", "4"]


def _said(text: str) -> list[str]:
    return words(re.sub(r"<\w+>", " ", text))
