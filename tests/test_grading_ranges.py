"""Acceptable ranges of SimpleQA Verified, and the verification of teacher answers."""

from decimal import Decimal

import pytest

from stages.grading import exact_match, matches, ranges
from stages.records import BenchmarkItem


def graded(prediction: str, official: str, question: str = "How much?") -> bool:
    answers = [ranges.split(official)[0], official]
    item = BenchmarkItem(benchmark="simpleqa_verified", item_id="1", question=question, answers=answers)
    return exact_match(prediction, item)


def bounds(official: str) -> list[tuple[Decimal, Decimal]]:
    found = ranges.parse(official)
    assert found is not None
    return [(interval.low, interval.high) for interval in found.intervals]


def test_bounds_are_closed():
    official = "120 (acceptable range: anything between 118 and 122)"
    assert [p for p in ("117", "118", "120", "122", "123", "117.99") if graded(p, official)] == [
        "118",
        "120",
        "122",
    ]


def test_an_answer_without_a_range_has_none():
    assert ranges.parse("Satpura Range") is None
    assert ranges.parse("tramp steamer (or collier)") is None


@pytest.mark.parametrize(
    ("official", "expected"),
    [
        ("8,282 (acceptable range: anything between 8,199 and 8365)", [(8199, 8365)]),
        ("53rd minute (acceptable range: anything between 52nd and 54th minute)", [(52, 54)]),
        ("41:18 (acceptable range: anything between 41:17 and 41:19)", [(2477, 2479)]),
        ("405 x 480 cm (acceptable range: [400-409] x [475-485] cm)", [(400, 409), (475, 485)]),
        (
            "1 year, 161 days (acceptable range: 1 year, anything between 160 and 162 days)",
            [(1, 1), (160, 162)],
        ),
        ("10 years 3 months (acceptable range: 10 years and between 2-4 months)", [(10, 10), (2, 4)]),
        (
            "1.5 million (acceptable range: anything between 1.4 million and 1.6 million)",
            [(1400000, 1600000)],
        ),
    ],
)
def test_every_wording_of_the_official_file_is_read(official, expected):
    assert bounds(official) == expected


def test_a_unit_may_be_left_out_but_not_exchanged():
    official = "390 metres (acceptable range: anything between 386 and 394 metres)"
    assert all(graded(p, official) for p in ("390", "391 m", "388 meters", "394 metres."))
    assert not any(graded(p, official) for p in ("390 feet", "390 km", "390%", "390 square metres"))
    area = "74,500 km2 (acceptable range: anything between 70,775 and 78,225 km2)"
    assert graded("75,000 square kilometres", area)
    assert not graded("75,000 km", area)


def test_where_the_answer_has_no_unit_the_question_gives_it():
    official = "4000 (acceptable range: anything between 3960 and 4040)"
    assert graded("4,000 acres", official, "How many acres was the farm?")
    assert not graded("4,000 acres", official, "How many hectares was the farm?")


def test_further_numbers_words_and_signs_make_an_answer_wrong():
    official = "120 (acceptable range: anything between 118 and 122)"
    for prediction in ("120 or 300", "118 119", "-120", "1200", "12", "not 120", "120.5.1", "1120"):
        assert not graded(prediction, official), prediction
    days = "1 year, 161 days (acceptable range: 1 year, anything between 160 and 162 days)"
    assert graded("1 year and 160 days", days)
    assert not graded("1 day 161 years", days)


@pytest.mark.parametrize(
    "odd", ["130 (acceptable range: anything between 118 and 122)", "5 (acceptable range: about)"]
)
def test_a_range_that_does_not_bound_its_reference_is_refused(odd):
    with pytest.raises(ValueError, match="does not bound"):
        ranges.parse(odd)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("1000", "1,000"),
        ("1,234,567.50", "1234567.5"),
        ("8849.0", "8849"),
        ("+33", "33"),
        ("5 %", "5 percent"),
        ("6650km", "6,650 km"),
        ("the Nile.", "Nile"),
        ("Guinea Bissau", "Guinea-Bissau"),
        ("NDjamena", "N'Djamena"),
        ("São Tomé", "Sa\u0303o Tome\u0301"),
        ("CaCO₃", "CaCO3"),
        ("UTC−1", "UTC-1"),
    ],
)
def test_equal_answers_match(answer, reference):
    assert matches(answer, reference, [])
    assert matches(reference, answer)


@pytest.mark.parametrize(
    ("answer", "reference"),
    [
        ("35", "3.5"),
        ("69 km", "6.9 km"),
        ("5", "-5"),
        ("UTC-1", "UTC+1"),
        ("UTC+530", "UTC+5:30"),
        ("100", "1,00"),
        ("1000 m", "1000 km"),
        ("5", "5%"),
        ("R", "R$"),
        ("US", "US$"),
        ("", "$"),
        ("", "A"),
        ("19141918", "1914-1918"),
        ("H2O", "H20"),
        ("Paris or London", "Paris"),
        ("unknown", "Paris"),
    ],
)
def test_different_answers_do_not_match(answer, reference):
    assert not matches(answer, reference, [])
    assert not matches(reference, answer, [])


def test_an_alias_is_as_good_as_the_reference_and_a_blank_one_is_none():
    assert matches("Holland", "Netherlands", ["Holland"])
    assert not matches("", "Netherlands", ["", " "])
