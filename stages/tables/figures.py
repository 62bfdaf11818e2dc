"""Numbers as they are published: rounded once, written one way."""

import csv
import io
from typing import Any

import pyarrow as pa

MINUS = "−"
ABSENT = "–"


def rounded(table: pa.Table, digits: int = 6) -> pa.Table:
    """Return the table with its floats at so many significant digits: beyond them machines differ."""
    columns = [
        pa.array([significant(v, digits) for v in column.to_pylist()], pa.float64())
        if pa.types.is_floating(column.type)
        else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def significant(value: float | None, digits: int = 6) -> float | None:
    """Return a number at so many significant digits; None stays None."""
    return None if value is None else float(f"{value:.{digits}g}")


def to_csv(table: pa.Table) -> str:
    """Return the table as CSV, its rows in order, null as nothing."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in table.to_pylist():
        writer.writerow(["" if value is None else value for value in row.values()])
    return text.getvalue()


def number(value: float | None, form: str = ".3f") -> str:
    """Return a number for the eye, with a true minus sign; a dash where there is none."""
    return ABSENT if value is None else format(value, form).replace("-", MINUS)


def mean_and_std(mean: float | None, std: float | None, form: str = ".3f") -> str:
    """Return `0.412 ± 0.008`; without a standard deviation (one seed) the mean alone."""
    return number(mean, form) + ("" if std is None else f" ± {number(std, form)}")


def with_interval(value: float | None, low: float | None, high: float | None, form: str = ".3f") -> str:
    """Return `0.412 [0.391, 0.440]`; an open side is a dash, no interval at all leaves the value alone."""
    if low is None and high is None:
        return number(value, form)
    return f"{number(value, form)} [{number(low, form)}, {number(high, form)}]"


def percent(value: float | None, form: str = "+.1f") -> str:
    """Return a share as a signed percentage."""
    return ABSENT if value is None else f"{number(100 * value, form)} %"


def p_value(value: float | None) -> str:
    """Return a p-value at two significant digits, `< 0.001` below that."""
    if value is None:
        return ABSENT
    return "< 0.001" if value < 0.001 else f"{value:.2g}"


def whole(value: Any) -> str:
    """Return a count with thin spaces between thousands."""
    return ABSENT if value is None else f"{round(value):,}".replace(",", "\u202f")
