"""The study's tables, and the findings that are read off them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from stages.errors import BadInput
from stages.findings import PUBLISHED, Config, agreement, baselines, boundary, optimum, resampling
from stages.findings.study import Cell, Panel, trained
from stages.tables import query
from stages.tables.figures import rounded

Row = dict[str, Any]

_P = ("p", "p_holm")
_FIGURES = ("difference", "low", "high", "bootstrap_low", "bootstrap_high", *_P)


def _schema(texts: Sequence[str], counts: Sequence[str], figures: Sequence[str]) -> pa.Schema:
    kinds = ((texts, pa.string()), (counts, pa.int64()), (figures, pa.float64()))
    return pa.schema([(name, kind) for names, kind in kinds for name in names])


_SCHEMAS = {
    "optimum": _schema(
        ("student",),
        ("tokens",),
        (
            *("best", "low", "high", "best_share", "vertex", "vertex_low", "vertex_high"),
            *("best_loss", "lowest_loss", "highest_loss"),
            *("lowest_p", "highest_p", "interior_p", "lowest_best_p", "highest_best_p"),
        ),
    ).append(pa.field("interior", pa.bool_())),
    "best_share": _schema(("student",), ("tokens",), ("density", "eval_loss", "share")),
    "agreement": _schema(
        ("scope", "group"), ("raters", "targets"), ("W", "low", "high", "p", "consistency")
    ),
    "baselines": _schema(
        ("student", "choice", "baseline", "benchmark"),
        ("tokens", "items"),
        ("density", *(f"{measure}_{figure}" for measure in baselines.MEASURES for figure in _FIGURES)),
    ),
}  # fmt: skip


class Finding(NamedTuple):
    """What is said of one claim."""

    verdict: str
    reason: str  # one sentence with the numbers


class Findings(NamedTuple):
    """The published tables by name, and the four findings."""

    tables: dict[str, pa.Table]
    headline: str  # the student that the comparison with the baselines is judged by
    tokens: int  # the largest data size, at which every claim is judged
    optimum: Finding
    stability: Finding
    baselines: Finding
    expansion: Finding


def conclude(panels: Sequence[Panel], cells: Sequence[Cell], config: Config, seed: int) -> Findings:
    """Return every table of a study, floats at 6 significant digits, and what is found in them.

    The headline student is the one with the most active parameters, of equal ones the first.

    Args:
        panels: of `study.panels`, from the same cells.
        cells: every student's base model and its cells.
        config: level of the intervals, how much is resampled.
        seed: of the resampling.

    Raises:
        BadInput: fewer than three levels of density.
    """
    if len(panels[0].levels) < 3:
        raise BadInput(f"--target: {len(panels[0].levels)} levels of density, an optimum takes at least 3")
    counts = resampling.item_counts(len(panels[0].items), config.resamples, seed)
    draws = [resampling.eval_losses(panel, counts, seed) for panel in panels]
    best = [optimum.optimum(p, drawn, config.level) for p, drawn in zip(panels, draws, strict=True)]
    rows = {
        "optimum": [row for found, _ in best for row in found],
        "best_share": [row for _, shares in best for row in shares],
        "agreement": agreement.agreement(panels, draws, config.level, config.permutations, seed),
        "baselines": [
            row for p in panels for row in baselines.against_baselines(p, counts, config.level, seed)
        ],
    }
    made = {name: pa.Table.from_pylist(rows[name], schema=schema) for name, schema in _SCHEMAS.items()}
    relations = {
        "study_scores": pa.concat_tables([_named(cell) for cell in cells]),
        "trained": trained(cells, panels[0].tokens),
        "gains": boundary.gains(panels, config.level),
    }
    for name in ("by_target", "by_benchmark", "expansion"):
        made[name] = query.run(name, relations, "stages.findings")
    tokens, students = panels[0].tokens[-1], [panel.student for panel in panels]
    headline = max(panels, key=lambda panel: panel.active_parameters).student
    expanded = [r for r in made["expansion"].to_pylist() if r["tokens"] == tokens and r["benchmark"] is None]
    return Findings(
        tables={name: rounded(made[name]) for name in PUBLISHED},
        headline=headline,
        tokens=tokens,
        optimum=Finding(*optimum.verdict([row for row in rows["optimum"] if row["tokens"] == tokens])),
        stability=Finding(*agreement.verdict(rows["agreement"])),
        baselines=Finding(*baselines.verdict(rows["baselines"], students, headline, tokens)),
        expansion=Finding(*boundary.verdict(expanded)),
    )


def _named(cell: Cell) -> pa.Table:
    """Return a cell's scores with its target's name as a column."""
    name = "base" if cell.target is None else str(cell.target)
    return cell.scores.append_column("target", pa.array([name] * len(cell.scores), pa.string()))
