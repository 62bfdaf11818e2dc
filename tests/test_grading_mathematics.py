"""Mathematical answers: equal as expressions, in bounded time, in any thread."""

import os
import threading

import pytest

from stages.grading import deadline, matches
from stages.grading.mathematics import equal, second_opinion
from stages.grading.verification import accepts

EQUAL = [
    ("0.5", r"\frac{1}{2}"),
    (r"$\dfrac12$", r"\frac{1}{2}"),
    (r"\boxed{\frac{1}{2}}", "0.5"),
    (r"(3, \pi/2)", r"\left( 3, \frac{\pi}{2} \right)"),
    ("sqrt(2)/2", r"\frac{1}{\sqrt2}"),
    ("2*pi", r"2\pi"),
    ("x**2 + 2*x + 1", "(x+1)^2"),
    ("5", "x=5"),
    ("x = 5", "5"),
    ("90", r"90^\circ"),
    ("-2, 1", "1,-2"),
    (r"(2,12)\cup(12,102)", r"(2,12) \cup (12,102)"),
    ("1,000", "1000"),
    ("$72", "72"),
    ("72 clips.", "72"),
    ("18.9", r"\$18.90"),
    ("10080", r"10,\!080"),
    ("−3", "-3"),
    ("Evelyn", r"\text{Evelyn}"),
    ("C", r"\text{(C)}"),
    ("9" * 10_000, "9" * 10_000),
    (r"\frac{1}{0}", r"\frac{1}{0}"),
]
UNEQUAL = [
    ("", "5"),
    ("6", "5"),
    ("nan", "5"),
    ("q-p", "p-q"),
    ("(3,4]", "(3,4)"),
    ("seat", r"\text{east}"),  # the same product of letters
    ("B", r"\text{(C)}"),
    ("72 or 73", "72"),
    (r"\frac{1}{0}", "5"),
    ("0.3333", r"\frac{1}{3}"),
]
BOMBS = [
    "9" * 10_000,
    "9^{9^{9^9}}",
    "9**9**9**9",
    "10^{10^{10}}",
    "((((9^{99})^{99})^{99})^{99})^{99}",
    r"9^{9\cdot9\cdot9\cdot9\cdot9\cdot9\cdot9\cdot9\cdot9\cdot9}",
    r"\frac{1}{" * 500 + "1" + "}" * 500,
    r"\sqrt{" * 500 + "2" + "}" * 500,
    r"\sqrt" * 500 + "2",
    "(" * 2000,
    "1" + "+1" * 5000,
    "9!!!!!",
    "((9!)!)!",
    r"\binom{1000000000}{500000000}",
    r"e^{e^{e^{e^{9}}}}",
    "1e999999999",
    "\x00\ud800",
]


@pytest.mark.parametrize(("answer", "reference"), EQUAL)
def test_equal_texts_numbers_and_expressions_are_right(answer, reference):
    assert equal(answer, reference)


@pytest.mark.parametrize(("answer", "reference"), UNEQUAL)
def test_other_answers_are_wrong(answer, reference):
    assert not equal(answer, reference)


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_an_answer_that_would_never_end_is_wrong_at_once_on_either_side(bomb):
    for other in ("5", r"\frac{\pi}{2}", "x^2+1"):
        assert not equal(bomb, other) and not equal(other, bomb)
        assert not second_opinion(bomb, other) and not second_opinion(other, bomb)


def test_a_long_simplification_is_broken_off_in_a_worker_thread_and_later_answers_are_graded():
    seen = []

    def grade() -> None:
        seen.append(equal(r"\int \frac{\sin(x)^{9}}{\log(x)+e^{x}} dx", "x^2+1"))
        seen.append(equal(r"\frac{2}{4}", "0.5"))

    thread = threading.Thread(target=grade)
    thread.start()
    thread.join()
    assert seen == [False, True]


def test_a_forked_process_grades():
    child = os.fork()
    if not child:
        os._exit(7 if equal(r"\frac{3}{6}", "0.5") and not equal(r"\frac{3}{7}", "0.5") else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_the_deadline_breaks_off_what_catches_exceptions_and_passes_results_through():
    def endless() -> bool:
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    assert not deadline.within(0.1, endless)
    assert deadline.within(1.0, lambda: True)
    assert not deadline.within(1.0, lambda: bool(1 / 0))


@pytest.mark.parametrize(
    ("answer", "reference", "right"),
    [
        (r"\dfrac12", r"\frac{1}{2}", True),
        ("0.50", r"\frac{1}{2}", True),
        ("90", r"90^\circ", True),
        (r"15\mbox{ cm}^2", "15", True),
        (r"\left(1, 2\right)", "(1,2)", True),
        ("137.5", r"137\frac{1}{2}", True),
        ("72 clips", "72", True),
        ("x=5", "5", True),
        ("2x+1", "1+2x", False),  # no algebra
        (r"\frac{1}{0}", "1", False),
        ("52", "52_8", False),
        ("", "", False),
    ],
)
def test_the_second_opinion_normalises_texts_and_knows_no_algebra(answer, reference, right):
    assert second_opinion(answer, reference) is right


def test_each_domain_has_its_grader():
    assert accepts("knowledge", "the Rome", "Rome") and matches("the Rome", "Rome")
    assert accepts("mathematics", "2/4", "3", ["0.5"]) and not accepts("knowledge", "2/4", "0.5")
    assert accepts("physics", "3.6 km/h", "1", unit="m/s") and not accepts("physics", "1", "1", unit="m/s")
    assert accepts("physics", "1.1 m", "1", unit="m", tolerance=0.2)
    assert not accepts("physics", "1.1 m", "1", unit="m")
    with pytest.raises(ValueError, match="no domain 'chemistry'"):
        accepts("chemistry", "1", "1")
