"""What a study of budgets shows: published tables, laws and advice in, pictures and CSV tables out."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from stages.errors import BadInput
from stages.pictures import budget_advice, budget_audit, budget_curves, budget_forest
from stages.pictures import budget_panels as panels
from stages.scaling.tables import Findings
from stages.tables.figures import rounded, to_csv

Row = dict[str, Any]

DRAWN = ("cells", "law_errors", "laws", "matched")  # without a row in each, there is nothing to show


class Study(NamedTuple):
    """Everything that the page is made of."""

    settings: dict[str, Any]  # params.yaml
    findings: dict[str, Any]  # findings.json
    found: Findings  # the same with every published table
    tables: dict[str, list[Row]]  # of `weigh`, by name
    laws: dict[str, Any]  # laws.json
    curves: list[Row]  # of curves.csv
    audit: dict[str, list[Row]]  # tables of `audit`, by name
    audit_level: float  # of its intervals
    advice: dict[str, Any]  # advice.json

    @property
    def budget(self) -> int:
        """Return the highest response budget, which the laws must predict."""
        return int(self.findings["budget"])

    @property
    def simulated(self) -> bool:
        """Return whether a teacher is the simulator."""
        return bool(self.findings["simulator"])

    @property
    def coverage_laws(self) -> list[Row]:
        """Return the coverage law's entries that know only the draws below the highest budget."""
        return budget_audit.fitted_below(self.laws)

    @property
    def margins(self) -> dict[str, float]:
        """Return by domain the difference to plain sampling that counts as none, nats per answer token."""
        rows = panels.of(self.tables["pooled"], claim="protocols")
        return {row["domain"]: row["margin"] for row in rows}


def check(study: Study) -> None:
    """Refuse parts that do not belong together.

    Raises:
        BadInput: a table is empty, or the laws or the advice are of another highest budget.
    """
    for name in DRAWN:
        if not study.tables[name]:
            raise BadInput(f"{name}.parquet: no row in it; run `dvc repro weigh`")
    for name, part, stage in (("laws", study.laws, "weigh"), ("advice", study.advice, "advise")):
        if part["budget"] != study.budget:
            raise BadInput(
                f"{name}: of budget {part['budget']}, the findings are of {study.budget}; "
                f"run `dvc repro {stage}`"
            )


def pictures(study: Study) -> dict[str, str]:
    """Return every picture's SVG by its name; none of what the study did not vary."""
    tables, budget = study.tables, study.budget
    level, cells = study.laws["level"], tables["cells"]
    drawn = {
        "laws": budget_curves.laws(cells, study.curves, tables["law_errors"], budget, level),
        "law-errors": budget_forest.law_errors(tables["law_errors"], tables["laws"], budget),
        "matched": budget_forest.matched(tables["matched"], cells),
    }
    if tables["mixed"]:
        drawn["mixed"] = budget_curves.mixed(cells)
    if tables["protocols"]:
        drawn["protocols"] = budget_forest.protocols(tables["protocols"], study.margins)
    if tables["variants"]:
        drawn["variants"] = budget_curves.variants(cells, tables["variants"])
    drawn["coverage"] = budget_audit.coverage(
        study.audit["coverage"], study.coverage_laws, budget, study.audit_level
    )
    drawn["shifts"] = budget_audit.shifts(study.audit["shift"])
    drawn["advice-backtest"] = budget_advice.back_test(
        study.advice["back_test"]["outcomes"], study.advice["level"]
    )
    return drawn


def plots(study: Study) -> dict[str, str]:
    """Return the tables that `dvc plots` draws, as CSV by name, a column for each line.

    loss_by_budget, a file per domain: eval loss at all questions, by pair; matched: FSS − SE by domain, mean
    over pairs; both in nats per answer token. coverage: share of all questions, by teacher and domain.
    """
    errors, cells = study.tables["law_errors"], panels.of(panels.plain(study.tables["cells"]), share=1.0)
    pairs = panels.pairs(study.tables["cells"], errors)
    made = {
        f"loss_by_budget-{domain}": _wide(
            [
                (row["budget"], f"{row['teacher']}-{row['student']}", row["loss_mean"])
                for row in panels.of(cells, domain=domain)
                if (row["teacher"], row["student"]) in pairs
            ],
            "budget",
        )
        for domain in panels.domains(errors)
    }
    made["matched"] = _wide(
        [
            (row["sample_budget"], row["domain"], row["difference"])
            for row in panels.of(study.tables["pooled"], claim="sources")
        ],
        "sample_budget",
    )
    made["coverage"] = _wide(
        [
            (row["budget"], f"{row['teacher']}-{row['domain']}", row["covered_share"])
            for row in panels.of(study.audit["coverage"], share=1.0)
        ],
        "budget",
    )
    return {name: to_csv(rounded(pa.Table.from_pylist(rows))) for name, rows in made.items()}


def _wide(values: Sequence[tuple[int, str, float]], x: str) -> list[Row]:
    """Return (x, column, value) as rows with a column per name, in order of x."""
    at = {(place, name): value for place, name, value in values}
    names = list(dict.fromkeys(name for _, name, _ in values))
    places = sorted({place for place, _, _ in values})
    return [{x: place} | {name: at.get((place, name)) for name in names} for place in places]
