"""From the rows of published tables to panels, rates and measured differences."""

from collections.abc import Mapping, Sequence
from typing import Any

from stages.advice.backtest import Panel
from stages.advice.costs import Cost, Price, Rates, whole
from stages.advice.purchases import Audited
from stages.advice.study import Offer
from stages.advice.surface import Measured, Theta
from stages.errors import BadInput
from stages.grid import PLAIN, Cut
from stages.laws.coverage import Draws, fit_coverage
from stages.tables import paired

Rows = Sequence[Mapping[str, Any]]
Tables = Mapping[str, Rows]
Source = tuple[str, str]  # teacher, domain
_TOKENS = ("prompt_tokens", "completion_tokens")
_PLACE = ("teacher", "student", "domain", "share", "budget", "protocol", "matched")
_LOSS = ("loss_difference", "loss_low", "loss_high")
TABLES = {  # of weigh: the columns that are read
    "cells": (*_PLACE, "loss_mean", "seeds"),
    "ledgers": ("teacher", "domain", "protocol", "questions", "calls", *_TOKENS),
    "costs": (*_PLACE, "sample_budget", *_TOKENS),
    "protocols": (*_PLACE[:-1], "held_equal", *_LOSS),
}
DENSITY_TABLES = {  # of compare
    "cells": ("student", "density", "share", "budget", "sample_budget", *_TOKENS),
    "matched_density": (
        *("student", "sparse_density", "dense_density", "share", "budget", "sample_budget"),
        *_LOSS,
    ),
}


def of_laws(cells: Rows, laws: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the cells of the teachers, students and domains that have laws.

    A study's variants (another temperature, another threshold, the mixed source) vary one axis only and are
    nothing to buy from.

    Args:
        cells: rows of the table.
        laws: the document `laws.json`.
    """
    place = ("teacher", "student", "domain")
    wanted = {tuple(entry[name] for name in place) for entry in laws["laws"]}
    return [row for row in cells if tuple(row[name] for name in place) in wanted]


def sources(cells: Rows) -> dict[Source, list[int]]:
    """Return the budgets of each teacher's plain cells on each domain, in the order of the table."""
    found: dict[Source, set[int]] = {}
    for row in cells:
        if _plain(row):
            found.setdefault((row["teacher"], row["domain"]), set()).add(row["budget"])
    return {source: sorted(budgets) for source, budgets in found.items()}


def coverage_laws(tallies: Mapping[int, list[Draws]], level: float) -> dict[int, Theta | None]:
    """Return a ledger's coverage law by the draws counted; None where they do not say.

    Args:
        tallies: one per question, by draws.
        level: of the fit's intervals.
    """
    return {n: fit_coverage(counted, level).theta for n, counted in tallies.items()}


def offers(
    tables: Tables, laws: Mapping[Source, Mapping[int, Theta | None]], prices: Mapping[str, Price]
) -> list[Offer]:
    """Return one offer per teacher, student and domain, of its cells of rejection sampling.

    Args:
        tables: rows of `TABLES`, by name.
        laws: coverage laws of each ledger, by draws.
        prices: of each teacher.

    Raises:
        BadInput: no cell, or cells without their ledger.
    """
    plain = {(r["teacher"], r["domain"]): r for r in tables["ledgers"] if r["protocol"] == PLAIN.protocol}
    panels: dict[tuple[str, str, str], list[Measured]] = {}
    for row in tables["cells"]:
        if _plain(row):
            cell = Measured(Cut(row["share"], row["budget"]), row["loss_mean"], row["seeds"])
            panels.setdefault((row["teacher"], row["student"], row["domain"]), []).append(cell)
    found = []
    for (teacher, student, domain), measured in panels.items():
        ledger = plain.get((teacher, domain))
        if ledger is None:
            raise BadInput(f"table ledgers: none of {teacher} on {domain}; run `dvc repro weigh`")
        prompt, completion = (ledger[name] / ledger["calls"] for name in _TOKENS)
        rates = Rates(ledger["questions"], prompt, completion, prices[teacher])
        found.append(Offer(Panel(teacher, student, domain, tuple(measured), laws[teacher, domain]), rates))
    if not found:
        raise BadInput("table cells: no cell of rejection sampling in it; run `dvc repro weigh`")
    return found


def _plain(row: Mapping[str, Any]) -> bool:
    return bool(row["protocol"] == PLAIN.protocol and row["matched"] == PLAIN.matched)


def protocols(tables: Tables, prices: Mapping[str, Price]) -> list[Audited]:
    """Return what was measured of other protocols, as purchases of the cut at which they were audited.

    Protocols with calls of their own are taken at matched teacher tokens and bought whole. Those that choose
    among plain sampling's draws are taken at matched samples and take nothing more.

    Args:
        tables: rows of `TABLES`, by name; a protocol without a row in `ledgers` has no calls of its own.
        prices: of each teacher.
    """
    own = {(row["teacher"], row["domain"], row["protocol"]) for row in tables["ledgers"]}
    bills = {tuple(row[name] for name in _PLACE): row for row in tables["costs"]}
    found = []
    for row in tables["protocols"]:
        chooses = (row["teacher"], row["domain"], row["protocol"]) not in own
        matched = PLAIN.matched if chooses else "tokens"
        if row["held_equal"] != matched:
            continue
        bill = bills[*(row[name] for name in _PLACE[:-1]), matched]
        price = prices[row["teacher"]]
        found.append(
            Audited(
                row["teacher"],
                row["student"],
                row["domain"],
                "protocol",
                row["protocol"],
                Cut(row["share"], row["budget"]),
                row["loss_difference"],
                row["loss_low"],
                row["loss_high"],
                paired.LEVEL,
                whole(0, 0.0, 0.0, price) if chooses else _bill(bill, price),
            )
        )
    return found


def densities(tables: Tables, price: Price) -> list[Audited]:
    """Return what was measured of pools of another density at each student's largest common cut.

    Args:
        tables: rows of `DENSITY_TABLES` of a run over densities, by name.
        price: of its teacher.
    """
    bills = {(r["student"], r["density"], r["share"], r["budget"]): r for r in tables["cells"]}
    matched = tables["matched_density"]
    largest: dict[str, int] = {}
    for row in matched:
        largest[row["student"]] = max(largest.get(row["student"], 0), row["sample_budget"])
    found = []
    for row in (r for r in matched if r["sample_budget"] == largest[r["student"]]):
        for held, other, sign in (("sparse", "dense", -1), ("dense", "sparse", 1)):
            bill = bills[row["student"], row[f"{other}_density"], row["share"], row["budget"]]
            ends = [None if row[end] is None else sign * row[end] for end in ("loss_low", "loss_high")]
            low, high = ends if sign > 0 else reversed(ends)
            found.append(
                Audited(
                    "teacher",
                    row["student"],
                    f"density {row[f'{held}_density']:g}",
                    "density",
                    f"{row[f'{other}_density']:g}",
                    Cut(row["share"], row["budget"]),
                    sign * row["loss_difference"],
                    low,
                    high,
                    paired.LEVEL,
                    _bill(bill, price),
                )
            )
    return found


def _bill(row: Mapping[str, Any], price: Price) -> Cost:
    prompt, completion = (float(row[name]) for name in _TOKENS)
    return whole(row["sample_budget"], prompt, completion, price)
