"""The planted grid on disk, laid out as the DAG lays it out: what `compare` and `report` read."""

from pathlib import Path

import numpy as np
import planted_grid as planted
import planted_making
import yaml

from stages import files, params, protocols
from stages.grid import Target
from stages.protocols import cutting
from stages.records import (
    Article,
    ItemScore,
    KnowledgePoint,
    PoolQuestion,
    Response,
    SeedQuestion,
    TrainingExample,
)

ROOT = Path(__file__).parents[1]
CUT_FLAGS = [f"--cut={cut}" for cut in planted.CUTS]
COMPARE = [
    *("--cells", "metrics/cells", "--responses", "datasets/responses", "--laws", "metrics/laws.json"),
    *("--tables", "metrics/tables", "--headline", "metrics/headline.md", "--out", "metrics/summary.json"),
    *CUT_FLAGS,
]
REPORT = [
    *("--tables", "metrics/tables", "--laws", "metrics/laws.json", "--curves", "metrics/curves.csv"),
    *("--points", "datasets/knowledge/points.parquet", "--questions", "datasets/questions"),
    *("--pools", "datasets/pools", "--synthesis", "datasets/synthesis", "--metrics", "metrics"),
    *("--responses", "datasets/responses", "--articles", "datasets/articles", "--train", "datasets/train"),
    *("--out", "metrics/report.html", "--pictures", "metrics/pictures"),
]


def write(root: Path) -> None:
    """Write everything that `compare` and `report` read."""
    data, metrics = root / "datasets", root / "metrics"
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings = {name: settings.get(name) or {} for name in params.NAMES} | {
        "seed": 0,
        "budget": planted.BUDGET,
        "densities": list(planted.DENSITIES),
        "students": {planted.STUDENT: {}},
    }
    files.write_text(root / "params.yaml", yaml.safe_dump(settings))
    for c in planted.cells():
        path = metrics / "cells" / f"{c.name}.parquet"
        files.write_parquet(path, planted.scores(c.density, c.cut), ItemScore)
    files.write_json(metrics / "laws.json", planted.laws())
    files.write_text(metrics / "curves.csv", planted.curves())
    counts = {"articles": 97, "written": 97, "kept": planted.SOURCE, "rejected": {"near_duplicate": 7}}
    files.write_json(metrics / "ask.json", counts)
    files.write_json(metrics / "annotate.json", {"annotated": planted.SOURCE, "rejected": {"no_edges": 2}})
    files.write_parquet(data / "questions" / "questions.parquet", planted.questions(), SeedQuestion)
    files.write_parquet(data / "knowledge" / "points.parquet", points(), KnowledgePoint)
    files.write_parquet(data / "articles" / "part-0.parquet", articles(), Article)
    for density in planted.DENSITIES:
        files.write_parquet(data / "pools" / f"{density}.parquet", planted.pool(density), PoolQuestion)
        files.write_parquet(data / "responses" / f"{density}.parquet", planted.ledger(density), Response)
        planted_making.write(root, Target("density", density))
        inside = {q.question_id for q in planted.pool(density)}
        held = [point for point in points() if point.question_id in inside]
        files.write_parquet(data / "synthesis" / str(density) / "points.parquet", held, KnowledgePoint)
        for cut in planted.CUTS:
            drawn = cutting.within(planted.ledger(density), cut)
            kept = protocols.PLAIN.select(drawn, cut, "{}\n{}".format)
            files.write_parquet(data / "train" / f"{density}-{cut}.parquet", kept, TrainingExample)


def points() -> list[KnowledgePoint]:
    """Return three knowledge points a question, those of every second question crowded."""
    rng = np.random.default_rng(5)
    rows = []
    for i, q in enumerate(planted.questions()):
        centre = np.zeros(8) if i % 2 else 0.5 * rng.normal(size=8)
        rows += [
            KnowledgePoint(
                question_id=q.question_id,
                position=k,
                text=f"Place {i} is thing {k}.",
                group=i % 5,
                embedding=(centre + (0.1 if i % 2 else 0.4) * rng.normal(size=8)).tolist(),
            )
            for k in range(3)
        ]
    return rows


def articles() -> list[Article]:
    """Return one article for each question of the source."""
    return [
        Article(
            page_id=q.page_id,
            revision_id=q.revision_id,
            timestamp="2026-01-01T00:00:00Z",
            title=q.title,
            aliases=[],
            text=f"{q.title} is a place. {q.evidence}",
            facts=[],
            categories=[],
        )
        for q in planted.questions()
    ]
