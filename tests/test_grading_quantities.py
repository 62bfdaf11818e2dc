"""Quantities: a number within a relative tolerance and a unit that converts."""

import json
from pathlib import Path

import pytest

from stages.grading.quantities import Quantity, equal, parse, second_opinion, unit_of

OFFICIAL = Path(__file__).parents[2] / "shared" / "data" / "benchmarks" / "scibench"
CELSIUS = r"$^{\circ} \mathrm{C}$"
RIGHT = [
    ("3.6 km/h", "1", "m/s"),
    ("20 metres per second", "20", r"$\mathrm{~m} / \mathrm{s}$"),
    ("5137 kPa", "50.7", "$\\mathrm{atm}$ "),
    ("-131100 J mol^-1", "-131.1", r" $\mathrm{~kJ} \mathrm{~mol}^{-1}$"),
    (r"-1.311 \times 10^5 \frac{\mathrm{J}}{\mathrm{mol}}", "-131.1", r"$\mathrm{kJ} \mathrm{mol}^{-1}$"),
    ("5.4 J/(mol K)", "5.4", r"$ \mathrm{Jmol}^{-1} \mathrm{~K}^{-1}$"),
    ("3.52 × 10⁻¹⁹ J", "3.52", r"$10^{-19} \mathrm{~J}$"),
    ("2.197 eV", "3.52", r"$10^{-19} \mathrm{~J}$"),
    ("v = 3 m s⁻²", "3", "$m/s^2$"),
    ("12.2 J", "9", r"$\mathrm{ft-lb}$"),
    ("3e-6 C", "3", r"$\mu \mathrm{C}$"),
    (r"7.25 \%", "7.25", " %"),
    ("22 degrees", "22", r" $^{\circ}$"),
    ("0.384 rad", "22", r"${\circ}$"),
    ("$588,313", "588313", r" $\$$"),
    ("1 hour", "60", "min"),
    ("$1,500$", "1500", " "),
    ("1.5e3", "1500", ""),
    ("10^3", "1000", ""),
    ("+65.49", "65.49", ""),
    ("−3", "-3", ""),
]
WRONG = [
    ("1 m", "1", "m/s"),  # another dimension
    ("1", "1", "m/s"),  # no unit
    ("1 m", "1", ""),  # a unit too many
    ("50.7 Pa", "50.7", r"$\mathrm{atm}$"),
    ("3.52 J", "3.52", r"$10^{-19} \mathrm{~J}$"),  # the power of ten is lost
    ("12 or 13 m", "12", "m"),
    ("1.06 m", "1", "m"),
    ("-5 K", "5", "K"),
    ("5 zorks", "5", "m"),
    ("inf", "5", ""),
    ("nan", "5", ""),
    ("1e999", "5", ""),
    ("9" * 10_000, "5", ""),
    ("", "5", ""),
    ("m/s", "5", "m/s"),
    ("5 m^9^9^9", "5", "m"),
    ("5 m**(9**9**9)", "5", "m"),
    ("5 m" + "(" * 150, "5", "m"),
    (r"5 \frac{1}{0}", "5", ""),
]


@pytest.mark.parametrize(("answer", "reference", "unit"), RIGHT)
def test_a_number_near_enough_in_a_unit_that_converts_is_right(answer, reference, unit):
    assert equal(answer, reference, unit)


@pytest.mark.parametrize(("answer", "reference", "unit"), WRONG)
def test_another_number_dimension_or_no_unit_is_wrong(answer, reference, unit):
    assert not equal(answer, reference, unit)
    assert not second_opinion(answer, reference, unit)


def test_the_tolerance_is_relative_and_absolute_at_zero():
    assert equal("1.19 m", "1", "m", 0.2) and not equal("1.21 m", "1", "m", 0.2)
    assert equal("119 cm", "1", "m", 0.2)
    assert equal("0.04 m", "0", "m") and not equal("0.06 m", "0", "m")


def test_temperatures_convert_with_their_offset_and_in_products_without():
    assert (
        equal("298.15 K", "25", CELSIUS) and equal("25 °C", "25", CELSIUS) and equal("77 °F", "25", CELSIUS)
    )
    assert not equal("25 K", "25", CELSIUS)
    assert equal("4 J/K", "4", r"$\mathrm{~J}^{\circ} \mathrm{C}^{-1}$")


def test_a_unit_that_cannot_be_read_is_compared_as_a_text():
    assert unit_of("zorks") is None
    assert equal("5 zorks", "5", r"$\mathrm{zorks}$") and not equal("5 zarks", "5", "zorks")


def test_a_quantity_is_read_with_its_powers_of_ten():
    assert parse(r"1.5 \times 10^{3} \mathrm{~m} \cdot \mathrm{s}^{-1}") == Quantity(1500.0, "m*s^-1")
    assert parse(r"2 $\mathrm{10^7} \mathrm{~km}$") == Quantity(2e7, "km")
    assert parse("about 3 m") is None


def test_the_second_opinion_converts_nothing():
    assert second_opinion("1.5 m", "1.5", r"$\mathrm{~m}$")
    assert not second_opinion("150 cm", "1.5", "m") and equal("150 cm", "1.5", "m")


@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official files are not at hand")
def test_the_units_of_scibench_are_read_but_for_one_and_each_answer_is_right():
    rows = [row for file in sorted(OFFICIAL.glob("*.json")) for row in json.loads(file.read_text("utf-8"))]
    said = [parse(f"{row['answer_number']} {row['unit']}") for row in rows]
    unread = {one.unit for one in said if one.unit and unit_of(one.unit) is None}
    assert len(rows) == 692 and unread == {r"J/\alpha*-particle"}
    for row in rows:
        assert equal(f"{row['answer_number']} {row['unit']}", row["answer_number"], row["unit"])
