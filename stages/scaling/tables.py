"""The study's tables, and the findings that are read off them."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap
from typing import Any, NamedTuple

import pyarrow as pa

from stages.scaling import PUBLISHED, Config, claims, comparing, forecasts, pooling, results
from stages.scaling.claims import Finding
from stages.scaling.ledgers import Bill
from stages.scaling.places import Ledger, Place
from stages.scaling.study import Study
from stages.tables import paired, query
from stages.tables.figures import rounded

Row = dict[str, Any]


class Findings(NamedTuple):
    """The published tables by name, and what is said of each claim."""

    tables: dict[str, pa.Table]
    budget: int  # held out
    law: Finding
    sources: Finding
    protocols: Finding
    mixed: Finding


def _schema(texts: Sequence[str], counts: Sequence[str], figures: Sequence[str]) -> pa.Schema:
    kinds = ((texts, pa.string()), (counts, pa.int64()), (figures, pa.float64()))
    return pa.schema([(name, kind) for names, kind in kinds for name in names])


_PLACES = _schema(("cell", "teacher", "student", "domain", "protocol", "matched"), ("budget",), ("share",))
_BILLS = _schema(("cell",), Bill._fields[:-1], ("cost_usd",))
_TRAININGS = _schema(("cell",), ("examples", "training_tokens"), ("training_seconds",))
_BASES = _schema(("student", "domain"), (), ("loss", "accuracy"))
_COMPARED = _schema(
    ("left", "right", "held_equal"),
    (),
    tuple(f"{measure}_{figure}" for measure in comparing.MEASURES for figure in comparing.FIGURES),
)
_CONTRASTS = _schema(
    ("claim", "domain", "first", "second"),
    ("sample_budget", "pairs"),
    ("difference", "low", "high", "margin", "p_equal", "p_apart", "p_better", "p_short"),
)
_LINES = _schema(
    ("teacher", "student", "domain", "status"),
    ("budgets",),
    ("slope", "slope_low", "slope_high", "slope_p", "crossing", "low", "high"),
)
_TOTALS = _schema(
    Ledger._fields,
    ("questions", "calls", "answers", "accepted", "covered", "prompt_tokens", "completion_tokens"),
    ("acceptance", "cost_usd"),
)


def conclude(
    study: Study, document: Mapping[str, Any], varied: Sequence[Row], budget: int, config: Config
) -> Findings:
    """Return every table of a study, floats at 6 significant digits, and what is found in them.

    Args:
        study: what was measured.
        document: of `laws.panel.study`, on the plain grid.
        varied: of `forecasts.variants`.
        budget: held out.
        config: of the claims.

    Raises:
        BadInput: cells that are compared do not belong together.
    """
    plan = study.plan
    contrasts = [pooling.pooled(study, one, config.margin) for one in pooling.contrasts(study)]
    bills = [{"cell": place.name, **bill._asdict()} for place, bill in study.bills.items()]
    totals = [{**row, **ledger._asdict()} for ledger, row in study.totals.items()]
    made = {
        "item_scores": _scores(study.scores),
        "places": _table(map(_placed, plan.places), _PLACES),
        "bills": _table(bills, _BILLS),
        "trainings": _table(study.trainings, _TRAININGS),
        "bases": _table(starmap(_base, study.bases.items()), _BASES),
        "matched_pairs": _table(comparing.matched(study, plan.matched), _COMPARED),
        "mixed_pairs": _table(comparing.matched(study, plan.allocated), _COMPARED),
        "audits": _table(comparing.audit(study, plan.audited), _COMPARED),
        "contrasts": _table(contrasts, _CONTRASTS),
        "lines": _table(pooling.lines(study), _LINES),
        "forecasts": forecasts.errors(document),
        "varied": _table(varied, forecasts.VARIANTS),
        "totals": _table(totals, _TOTALS),
    }
    for name in PUBLISHED:
        made[name] = query.run(name, made, "stages.scaling")
    made["laws"] = forecasts.with_bounds(made["laws"])
    tables = {name: rounded(made[name]) for name in PUBLISHED}
    rows = {name: table.to_pylist() for name, table in tables.items()}
    asked = {claim: [row for row in rows["pooled"] if row["claim"] == claim] for claim in claims.CLAIMS}
    return Findings(
        tables=tables,
        budget=budget,
        law=claims.law(rows["law_errors"]),
        sources=claims.sources(asked["sources"], rows["crossing"]),
        protocols=claims.protocols(asked["protocols"], rows["protocols"]),
        mixed=claims.mixed(asked["mixed"]),
    )


def _placed(place: Place) -> Row:
    arm = {name: getattr(place, name) for name in ("teacher", "student", "domain", "protocol", "matched")}
    return {"cell": place.name, **place.cut._asdict(), **arm}


def _scores(scores: Mapping[Place, pa.Table]) -> pa.Table:
    named = [
        table.append_column("cell", pa.array([place.name] * len(table), pa.string()))
        for place, table in scores.items()
    ]
    return pa.concat_tables(named)


def _base(place: tuple[str, str], arm: paired.Arm) -> Row:
    loss, accuracy = float(results.eval_losses(arm).mean()), float(arm.correct.mean())
    return {"student": place[0], "domain": place[1], "loss": loss, "accuracy": accuracy}


def _table(rows: Iterable[Row], schema: pa.Schema) -> pa.Table:
    """Return the rows with their number as the column `place`."""
    numbered = [{**row, "place": i} for i, row in enumerate(rows)]
    return pa.Table.from_pylist(numbered, schema=schema.append(pa.field("place", pa.int64())))
