"""Boundary expansion: items that the base model missed and the student answers, minus the reverse.

Rule. The net gain is a mean over training seeds, with its interval over items × seeds; the test is McNemar's,
exact, of the majority over seeds against the base model, adjusted (Holm) over the targets of one student,
data size and benchmark. The claim that every density expands the boundary is *supported* if at the largest
data size every student gains at every level of density with adjusted p < .05, *not supported* if some student
loses at some level with adjusted p < .05, otherwise undecided.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from stages.findings import ALPHA, NOT_SUPPORTED, SUPPORTED, UNDECIDED
from stages.findings.study import Panel
from stages.tables import paired
from stages.tables.figures import number, p_value

Row = dict[str, Any]

_SCHEMA = pa.schema(
    [("student", pa.string()), ("target", pa.string()), ("tokens", pa.int64()), ("benchmark", pa.string())]
    + [(name, pa.float64()) for name in ("net_low", "net_high", "mcnemar_p", "mcnemar_p_holm")]
)


def gains(panels: Sequence[Panel], level: float) -> pa.Table:
    """Return interval and test of each net gain, for `expansion.sql`; benchmark null is all of them."""
    rows = []
    for panel in panels:
        benchmarks = np.array([benchmark for benchmark, _ in panel.items])
        parts: dict[str | None, Any] = {None: np.ones(len(panel.items), bool)}
        parts |= {str(name): benchmarks == name for name in dict.fromkeys(benchmarks)}
        for b, tokens in enumerate(panel.tokens):
            for benchmark, part in parts.items():
                family: list[Row] = []
                for t, target in enumerate(panel.targets):
                    right, known = panel.correct[t, b][:, part], panel.base_correct[part]
                    n = int(part.sum())
                    net = paired.difference(right - known, np.ones(n), level)
                    mostly = 2 * right.sum(axis=0) > len(right)
                    gained, lost = int((mostly & (known == 0)).sum()), int((~mostly & (known == 1)).sum())
                    family.append(
                        {
                            "student": panel.student,
                            "target": str(target),
                            "tokens": tokens,
                            "benchmark": benchmark,
                            "net_low": None if net.low is None else n * net.low,
                            "net_high": None if net.high is None else n * net.high,
                            "mcnemar_p": paired.mcnemar(gained, lost),
                        }
                    )
                adjusted = paired.holm([row["mcnemar_p"] for row in family])
                rows += [row | {"mcnemar_p_holm": p} for row, p in zip(family, adjusted, strict=True)]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)


def verdict(rows: Sequence[Row]) -> tuple[str, str]:
    """Return the verdict on boundary expansion and one sentence; the rule is the module's.

    Args:
        rows: of the table `expansion` at the largest data size, over all benchmarks.
    """
    judged = [row for row in rows if row["density"] is not None]
    gain, loss = (
        [row for row in judged if row["mcnemar_p_holm"] < ALPHA and sign * row["net_majority"] > 0]
        for sign in (1, -1)
    )
    least = min(loss or judged, key=lambda row: row["net"])
    said = (
        f"the least is {least['student']} at {least['target']} dex: {number(least['net'], '+.1f')} items "
        f"[{number(least['net_low'], '+.1f')}, {number(least['net_high'], '+.1f')}] of {least['items']}, "
        f"adjusted p {p_value(least['mcnemar_p_holm'])}"
    )
    counted = f"{len(gain)} of {len(judged)} pairs of student and density gain items"
    if loss:
        return NOT_SUPPORTED, f"{counted}, {len(loss)} lose some; {said}."
    return (SUPPORTED if len(gain) == len(judged) else UNDECIDED), f"{counted}; {said}."
