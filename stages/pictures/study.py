"""What a study shows: its tables, pools and logs in, pictures and tables for `dvc plots` out."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pyarrow as pa

from stages.errors import BadInput
from stages.findings.tables import Findings
from stages.grid import Target
from stages.pictures import clouds, course, feedback, outcomes, taxonomy
from stages.pictures.contents import cloud
from stages.pictures.palette import ordered
from stages.records import PoolQuestion, TrainingLog
from stages.tables.figures import rounded, to_csv

Rows = list[dict[str, Any]]

TABLES = ("by_target", "by_benchmark")  # of `conclude`, that are drawn


class Study(NamedTuple):
    """Everything that the page is made of."""

    settings: dict[str, Any]  # params.yaml
    findings: dict[str, Any]  # findings.json
    found: Findings  # the same with every published table
    tables: dict[str, Rows]  # of `TABLES`
    annotated: dict[str, Any]  # annotate.json
    pools: Mapping[Target, list[PoolQuestion]]
    made: Mapping[Target, feedback.Making]
    logs: Mapping[tuple[str, Target], list[TrainingLog]]  # by student and target

    @property
    def tokens(self) -> int:
        """Return the largest data size, training tokens."""
        return int(self.findings["tokens"])

    @property
    def headline(self) -> str:
        """Return the headline student."""
        return str(self.findings["headline"])

    @property
    def simulated(self) -> bool:
        """Return whether the teacher is the simulator."""
        return bool(self.settings["teacher"]["backend"] == "embedded")

    @property
    def students(self) -> outcomes.Students:
        """Return the students as they are drawn."""
        return outcomes.students(self.tables["by_target"], self.settings["students"])


def check(study: Study) -> None:
    """Refuse tables that are not of these students and targets.

    Raises:
        BadInput: a table is empty, or lacks a student or a target.
    """
    for name, rows in study.tables.items():
        if not rows:
            raise BadInput(f"{name}.parquet: no row in it; run `dvc repro conclude`")
        have = {(row["student"], row["target"]) for row in rows}
        for student, target in study.logs:
            if (student, str(target)) not in have:
                raise BadInput(f"{name}.parquet: nothing of {student} at {target}; run `dvc repro conclude`")
    k = study.settings["knowledge"]["neighbours"]
    for target, made in study.made.items():
        distinct = len({point.text for point in made.points})
        if distinct <= k:
            raise BadInput(
                f"points of target {target}: {distinct} distinct knowledge points are too few for {k} "
                "neighbours; run `dvc repro synthesize`"
            )


def pictures(study: Study) -> dict[str, str]:
    """Return every picture's SVG by its name."""
    places = {
        t: cloud(made.points, study.settings["knowledge"]["neighbours"]) for t, made in study.made.items()
    }
    students, rows = study.students, study.tables["by_target"]
    probe = study.settings["train"]["probe"]
    items = f"{probe['items']} {probe['benchmark']} items" if probe else "the probe"
    drawn = {
        "clouds": clouds.panels(places),
        "densities": clouds.ridges(places),
        "convergence": feedback.convergence(study.made, study.settings["synthesize"]),
        "taxonomy": taxonomy.bars(study.made),
        "loss-by-size": outcomes.loss_by_size(rows, students, study.tokens),
        "loss-by-benchmark": outcomes.loss_by_benchmark(study.tables["by_benchmark"], students, study.tokens),
        "heatmap": outcomes.heatmap(rows, students),
    }
    for student in students.all:
        logs = {target: rows for (name, target), rows in study.logs.items() if name == student}
        drawn[f"training-{student}"] = course.picture(student, logs, study.tokens, items)
    return drawn


def plots(study: Study) -> dict[str, str]:
    """Return the tables that `dvc plots` draws, as CSV by name; losses in nats per answer token.

    A column per line where every line has the same x, else a file per line.
    """
    at = [row for row in study.tables["by_target"] if row["tokens"] == study.tokens]
    students = study.students
    targets = ordered(study.pools)
    made = {
        "loss_by_density": _wide(
            [row for row in at if row["density"] is not None], "density", "student", students.all
        ),
        "loss_by_size": _wide(
            [row for row in at if row["student"] in students.sizes], "parameters", "target", targets
        ),
        "heatmap": _wide(
            [row for row in study.tables["by_target"] if row["student"] == study.headline],
            "tokens",
            "target",
            targets,
        ),
    }
    for target in targets:
        if target.strategy in ("density", "uniform", "groups"):
            made[f"convergence-{target}"] = [
                {"round": r.round, "wasserstein": r.wasserstein, "log10_density": r.log10_density}
                for r in study.made[target].rounds
                if r.wasserstein is not None
            ]
        for measure in ("loss", "accuracy"):
            found = course.course(study.logs[study.headline, target], measure, study.tokens)
            made[f"training-{measure}-{target}"] = [
                {"step": step, measure: mean} for step, mean in zip(found.steps, found.mean, strict=True)
            ]
    return {name: to_csv(rounded(pa.Table.from_pylist(rows))) for name, rows in made.items()}


def _wide(rows: Rows, x: str, column: str, names: Any) -> Rows:
    """Return the eval loss by x, with a column per name in order."""
    loss = {(row[x], row[column]): row["eval_loss"] for row in rows}
    return [
        {x: value} | {str(name): loss.get((value, str(name))) for name in names}
        for value in sorted({row[x] for row in rows})
    ]
