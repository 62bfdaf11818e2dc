"""The study of budgets: what it weighs and audits is what it trains and scores."""

import re
from pathlib import Path
from typing import Any

from test_dag import BUDGET, GRAPHS, SETTINGS


def expanded(pattern: str, **axes: Any) -> set[str]:
    """Return a path for every combination of the axes that it names."""
    found = {pattern}
    for axis, values in axes.items():
        found = {p.replace(f"${{item.{axis}}}", str(v)) for p in found for v in values}
    return found


def outs(stage: dict[str, Any], suffix: str) -> set[str]:
    """Return the files of a matrix's outs that end so, without folder and suffix."""
    matrix = {axis: AXES.get(str(values), values) for axis, values in stage.get("matrix", {}).items()}
    paths = {p for out in stage["outs"] if out.endswith(suffix) for p in expanded(out, **matrix)}
    return {Path(path).name.removesuffix(suffix) for path in paths}


AXES = {f"${{{k}}}": v for entry in GRAPHS[BUDGET]["vars"] for k, v in entry.items()}


def test_the_study_of_budgets_weighs_exactly_the_cells_that_it_scores() -> None:
    stages = GRAPHS[BUDGET]["stages"]
    scored = set().union(*(outs(stages[s], ".parquet") for s in stages if s.startswith("score")))
    cmd = stages["weigh"]["cmd"]
    flags = {name: re.findall(rf"--{name} (\S+)", cmd) for name in ("teacher", "domain", "share", "budget")}
    students = list(SETTINGS[BUDGET]["students"])
    assert AXES["${names}"] == students and flags["teacher"] == AXES["${pairs}"]
    weighed = {f"{student}-base" for student in students}
    for teacher in flags["teacher"]:
        for student in students:
            pairs = [
                (d, f"{s}x{b}") for d in flags["domain"] for s in flags["share"] for b in flags["budget"]
            ]
            pairs += [("mixed", cut) for cut in re.findall(r"--mixed-cut (\S+)", cmd)]
            weighed |= {f"{teacher}-{student}-{domain}-{cut}" for domain, cut in pairs}
    one = f"{students[0]}-{{}}-1x{{}}"
    for protocol in re.findall(r"--protocol (\S+)", cmd):
        own = any(protocol in str(stages["respond-protocol"]["matrix"]["protocol"][i]) for i in range(4))
        for end in ["", "-tokens"] if own else [""]:
            weighed |= {f"strong-{one.format(d, 8)}-{protocol}{end}" for d in flags["domain"]}
    for protocol, cut, _ in re.findall(r"--unmatched (\S+) (\S+) (\S+)", cmd):
        weighed |= {f"strong-{students[0]}-{domain}-{cut}-{protocol}" for domain in flags["domain"]}
    for teacher, domain, protocol in re.findall(r"--variant (\S+) (\S+) (\S+)", cmd):
        end = "" if protocol == "rejection_sampling" else f"-{protocol}"
        weighed |= {f"{teacher}-{one.format(domain, b)}{end}" for b in flags["budget"]}
    assert weighed == scored
    assert {p for s in stages if s.startswith("train") for p in outs(stages[s], "")} == {
        cell for cell in scored if not cell.endswith("-base")
    }
    audited = stages["audit"]["cmd"]
    for name in flags:
        assert re.findall(rf"--{name} (\S+)", audited) == flags[name]
