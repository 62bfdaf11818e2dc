"""A planted study of budgets on disk: everything that `display` reads, and what it writes."""

from pathlib import Path
from typing import Any

import planted_budgets as planted
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from stages import advise, display, files, shift
from stages.grid import Cut
from stages.laws import panel
from stages.scaling import Config, tables, text
from stages.shift import auditing

ROOT = Path(__file__).parents[1]
DISPLAY = [
    *("--findings", "metrics/findings.json", "--laws", "metrics/laws.json"),
    *("--curves", "metrics/curves.csv", "--tables", "metrics/tables", "--audit", "metrics/audit"),
    *("--advice", "metrics/advice.json", "--out", "metrics/report.html"),
    *("--pictures", "metrics/pictures", "--plots", "metrics/plots"),
]
GRID: dict[str, Any] = {
    "protocols": ("majority_vote", "self_refine"),
    "protocol_cut": Cut(1.0, 8),
    "unmatched": (("question_synthesis", Cut(1.0, 9), Cut(1.0, 4)),),
    "mixed_cuts": planted.MIXED,
    "variants": (
        ("strong_cool", "physics", "rejection_sampling"),
        ("strong", "physics", "rejection_sampling_0.2"),
    ),
}
TRUTH = {"a": 0.7, "b": 0.9, "pi": 0.0}  # of the planted ledgers


def laws(planned: Any) -> dict[str, Any]:
    """Return laws.json: the planted forecasts, and the coverage law at its truth."""
    parameters = {name: {"estimate": value, "low": None, "high": None} for name, value in TRUTH.items()}
    coverage = [
        {"teacher": teacher, "domain": domain, "share": share, "draws": draws, "questions": 16}
        | {"status": "ok", "parameters": parameters, "truth": TRUTH}
        | {"unsolved": {"draws": 16, "predicted": 0.12, "observed": 0.1}}
        for teacher in planned.teachers
        for domain in planned.domains
        for share in planned.shares
        for draws in (8, 16)
    ]
    return planted.laws(planned) | {"level": 0.9, "coverage": coverage}


def curves(planned: Any) -> str:
    """Return curves.csv: both drawn laws of every curve, through 1 at the held-out budget."""
    rows = []
    for cells in planned.curves:
        first = cells[0]
        at = {"teacher": first.teacher, "student": first.student, "domain": first.domain}
        for law, budgets in (("rectified", (1.0, 4.0, 16.0, 32.0)), ("combination", (8.0, 16.0, 32.0))):
            ends = (None, None) if law == "combination" else (0.9, 1.1)
            rows += [
                panel.BandRow(at | {"share": first.cut.share}, law, r, 1 + (16 - r) / 64, *ends)
                for r in budgets
            ]
    return panel.to_csv(rows)


def varied() -> list[dict[str, Any]]:
    """Return the rows of the table `variants`, the first as the study has it."""
    found = []
    for teacher, protocol, temperature, tolerance in (
        ("strong", "rejection_sampling", 1.0, 0.05),
        ("strong_cool", "rejection_sampling", 0.5, 0.05),
        ("strong", "rejection_sampling_0.2", 1.0, 0.2),
    ):
        place = {"teacher": teacher, "domain": "physics", "protocol": protocol}
        found.append(place | {"temperature": temperature, "tolerance": tolerance, "coverage_status": "ok"})
    return found


def settle(root: Path) -> None:
    """Write everything that `display` reads."""
    planned, metrics = planted.plan(**GRID), root / "metrics"
    measured = planted.measured(root / "datasets" / "responses", planted.crossing_at(8), planned)
    found = tables.conclude(measured, laws(planned), varied(), planted.BUDGET, Config())
    written = {"tables": found.tables}
    settings = yaml.safe_load((ROOT / "studies/budget/params.yaml").read_text()) | {"budget": planted.BUDGET}
    ledgers = [
        auditing.Ledger(
            t, d, pq.read_table(root / f"datasets/responses/{t}-{d}.parquet", columns=[*auditing.COLUMNS])
        )
        for t in planned.teachers
        for d in planned.domains
    ]
    config = shift.Config(permutations=100, features=8)
    written["audit"] = auditing.audit(ledgers, planned.shares, planned.budgets, config, 0).tables
    for folder, made in written.items():
        (metrics / folder).mkdir(parents=True)
        for name, table in made.items():
            pq.write_table(table, metrics / folder / f"{name}.parquet")
    files.write_text(root / "params.yaml", yaml.safe_dump(settings))
    files.write_json(metrics / "laws.json", laws(planned))
    files.write_text(metrics / "curves.csv", curves(planned))
    files.write_json(metrics / "findings.json", text.summarise(found, True))


def run() -> Result:
    """Run the verb in the current folder."""
    return CliRunner().invoke(display.main, DISPLAY)


def build(root: Path) -> None:
    """Write all inputs, advise, and display."""
    settle(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        advised = CliRunner().invoke(advise.main, ["--out", "metrics/advice.json"])
        assert advised.exit_code == 0, advised.output
        shown = run()
        assert shown.exit_code == 0, shown.output
