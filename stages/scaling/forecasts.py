"""What the laws said of the held-out budget, curve by curve and law by law."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from stages import protocols
from stages.scaling.places import Ledger
from stages.tables import paired

Row = dict[str, Any]

RECTIFIED, COMBINATION = "rectified", "combination"
PLACE = ("teacher", "student", "domain", "share")
ERRORS = pa.schema(
    [("teacher", pa.string()), ("student", pa.string()), ("domain", pa.string()), ("share", pa.float64())]
    + [("law", pa.string()), ("status", pa.string()), ("budget", pa.int64()), ("seeds", pa.int64())]
    + [(name, pa.float64()) for name in ("predicted", "low", "high", "observed", "observed_std")]
    + [("error", pa.float64()), ("relative_error", pa.float64()), ("covered", pa.bool_())]
)
_FLOATS = (
    *("temperature", "tolerance", "rectified_error", "combination_error"),
    *(f"{name}{end}" for name in ("a", "b", "pi") for end in ("", "_low", "_high")),
    *("unsolved_predicted", "unsolved_observed"),
)
VARIANTS = pa.schema(
    [(name, pa.string()) for name in (*Ledger._fields, "coverage_status")]
    + [(name, pa.float64()) for name in _FLOATS]
    + [(f"{law}_covered", pa.bool_()) for law in (RECTIFIED, COMBINATION)]
)


def errors(document: Mapping[str, Any]) -> pa.Table:
    """Return one row per curve and law: forecast and measurement at the held-out budget.

    Args:
        document: of `laws.panel.study`.
    """
    rows = []
    for entry in document["laws"]:
        told = entry["prediction"]
        row = {name: entry[name] for name in (*PLACE, "law", "status")}
        row |= {name: told[name] for name in ERRORS.names if name in told and name != "status"}
        rows.append(row | {"predicted": told["loss"]})
    return pa.Table.from_pylist(rows, schema=ERRORS)


def bounds(covered: int, curves: int, level: float = paired.LEVEL) -> tuple[float, float]:
    """Return the exact binomial interval of a share (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = 0.0 if covered == 0 else float(beta.ppf(tail, covered, curves - covered + 1))
    high = 1.0 if covered == curves else float(beta.ppf(1 - tail, covered + 1, curves - covered))
    return low, high


def with_bounds(laws: pa.Table) -> pa.Table:
    """Return the rows of `laws.sql` with the interval of each share of covered curves."""
    ends = [bounds(row["covered"], row["curves"]) for row in laws.to_pylist()]
    for place, name in enumerate(("covered_low", "covered_high")):
        laws = laws.append_column(name, pa.array([end[place] for end in ends], pa.float64()))
    return laws


def variants(
    document: Mapping[str, Any], ledgers: Sequence[Ledger], temperatures: Mapping[str, float], draws: int
) -> list[Row]:
    """Return one row per variant: how far off the laws were there, and the coverage law of its ledger.

    Args:
        document: of `laws.panel.study`, on the variants' curves.
        ledgers: of the variants, the plain one of a domain first.
        temperatures: by teacher.
        draws: those that the coverage law is fitted to, the largest fitted budget.
    """
    rows = []
    for ledger in ledgers:
        told = {e["law"]: e["prediction"] for e in document["laws"] if _is_of(e, ledger)}
        known = next(e for e in document["coverage"] if _is_of(e, ledger) and e["draws"] == draws)
        row: Row = {
            **ledger._asdict(),
            "temperature": temperatures[ledger.teacher],
            "tolerance": protocols.parse(ledger.protocol).tolerance,
        }
        for law in (RECTIFIED, COMBINATION):
            row |= {f"{law}_error": told[law]["relative_error"], f"{law}_covered": told[law]["covered"]}
        for name in ("a", "b", "pi"):
            found = known["parameters"][name]
            row |= {name: found["estimate"], f"{name}_low": found["low"], f"{name}_high": found["high"]}
        unsolved = known["unsolved"]
        row |= {"unsolved_predicted": unsolved["predicted"], "unsolved_observed": unsolved["observed"]}
        rows.append(row | {"coverage_status": known["status"]})
    return rows


def _is_of(entry: Mapping[str, Any], ledger: Ledger) -> bool:
    return all(entry[name] == value for name, value in ledger._asdict().items())


def rectified(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the rectified law with all its parameters free."""
    return [row for row in rows if row["law"] == RECTIFIED]
