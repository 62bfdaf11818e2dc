"""The findings in words and in few, stable numbers: what is read, and what `dvc metrics diff` shows."""

import textwrap
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from stages.scaling import figures
from stages.scaling.claims import CLAIMS, Finding
from stages.scaling.tables import Findings
from stages.tables.figures import p_value, significant, with_interval
from stages.tables.grids import Grid, markdown

Row = dict[str, Any]

SIMULATOR = (
    "The teacher is a simulator: its answers are made from an embedded world and from problems with a "
    "computed truth, with a planted competence. These findings are about this system on that world; of "
    "language models as teachers they say nothing."
)
_DIGITS = 5
_TOLD = ("difference", "low", "high", "margin", "p_equal", "p_better")
_PROTOCOL = ("loss_difference", "loss_low", "loss_high", "loss_p_holm")
_CROSSING = ("status", "crossing", "low", "high", "slope", "slope_p")


def findings(found: Findings, simulator: bool) -> str:
    """Return the findings as Markdown: the claims, a sentence on each, and the figures behind them.

    Args:
        found: tables and verdicts.
        simulator: a teacher is the embedded one.
    """
    notice = [f"{textwrap.fill(SIMULATOR, 100)}\n"] if simulator else []
    said = [
        textwrap.fill(f"- {CLAIMS[claim]}: **{one.verdict}.** {one.reason}", 100, subsequent_indent="  ")
        for claim, one in verdicts(found).items()
    ]
    table, *behind = (markdown(grid) for grid in grids(found))
    return "\n".join([*notice, table, "\n".join(said) + "\n", *behind])


def grids(found: Findings) -> list[Grid]:
    """Return the findings table, then the figures behind it."""
    rows = {name: table.to_pylist() for name, table in found.tables.items()}
    return [claims(found), *figures.grids(rows, found.budget)]


def verdicts(found: Findings) -> dict[str, Finding]:
    """Return what is said of each claim."""
    return {claim: getattr(found, claim) for claim in CLAIMS}


def claims(found: Findings) -> Grid:
    """Return the findings table: a row per claim with verdict, statistic, interval, test and p."""
    return Grid(
        title="Findings",
        head=("claim", "verdict", "statistic", "value [95 %]", "test", "p"),
        rows=[
            (
                CLAIMS[claim],
                one.verdict,
                one.statistic,
                with_interval(one.estimate, one.low, one.high),
                one.test,
                p_value(one.p),
            )
            for claim, one in verdicts(found).items()
        ],
        note=(
            "Where a claim is about several domains, protocols or budgets, the one that supports it least is "
            "shown. Every cell has one training set: intervals and tests cover benchmark items and training "
            "seeds, not another draw of the questions or of the teacher's replies."
        ),
        texts=3,
    )


def summarise(found: Findings, simulator: bool) -> dict[str, Any]:
    """Return the findings as nested names and numbers, without lists.

    Args:
        found: tables and verdicts.
        simulator: a teacher is the embedded one.
    """
    rows = {name: table.to_pylist() for name, table in found.tables.items()}
    laws = {r["law"]: _take(r, ("median_error", "max_error", "covered", "curves")) for r in rows["laws"]}
    sources: dict[str, Any] = {}
    allocations: dict[str, Any] = {}
    for row in rows["pooled"]:
        if row["claim"] == "sources":
            sources.setdefault(row["domain"], {})[f"N {row['sample_budget']}"] = _take(row, _TOLD)
        elif row["claim"] == "mixed":
            allocations[f"{row['first']} against {row['second']}"] = _take(row, _TOLD)
    for row in rows["crossing"]:
        if row["teacher"] is None:
            sources.setdefault(row["domain"], {})["crossing"] = _take(row, _CROSSING)
    audit: dict[str, Any] = {}
    for row in rows["protocols"]:
        of_domain = audit.setdefault(row["protocol"], {}).setdefault(f"equal {row['held_equal']}", {})
        of_domain[row["domain"]] = _take(row, _PROTOCOL)
    parts = {"law": ("laws", laws), "sources": ("domains", sources), "protocols": ("protocols", audit)}
    parts["mixed"] = ("cuts", allocations)
    return {
        "simulator": simulator,
        "budget": found.budget,
        **{
            claim: {**_take(one._asdict(), Finding._fields), parts[claim][0]: parts[claim][1]}
            for claim, one in verdicts(found).items()
        },
    }


def read_back(summary: Mapping[str, Any], tables: dict[str, pa.Table]) -> Findings:
    """Return the findings from what was published of them.

    Args:
        summary: of `summarise`.
        tables: those published, by name.
    """
    said = {claim: Finding(*(summary[claim][name] for name in Finding._fields)) for claim in CLAIMS}
    return Findings(tables=tables, budget=summary["budget"], **said)


def _take(row: Row, names: tuple[str, ...]) -> Row:
    return {n: significant(row[n], _DIGITS) if isinstance(row[n], float) else row[n] for n in names}
