"""The study's page: findings, pictures and samples of the synthesized questions."""

from typing import Any, NamedTuple

from stages.findings.text import CLAIMS, SIMULATOR, grids
from stages.grid import Target
from stages.pictures import feedback, frame, taxonomy
from stages.pictures.frame import Section
from stages.pictures.palette import label, ordered
from stages.pictures.study import Study
from stages.records import PoolQuestion, SynthesizedQuestion
from stages.tables.figures import whole

_CASES = 3  # samples at either end


class Sample(NamedTuple):
    """One synthesized question as it lies in its pool."""

    pool: PoolQuestion
    written: SynthesizedQuestion


class Case(NamedTuple):
    """Samples of one end of the densities."""

    target: str
    extreme: str  # "lowest" or "highest"
    samples: list[Sample]


def render(study: Study, drawn: dict[str, str]) -> str:
    """Return the page as HTML; every text in it is escaped.

    Args:
        study: everything it shows.
        drawn: the pictures by name.
    """
    backend = study.settings["teacher"]["backend"]
    return frame.render(
        "study.html",
        sections(study, drawn),
        study.settings,
        caption=f"Simulated teacher (backend: {backend})." if study.simulated else None,
        simulator=SIMULATOR if study.simulated else None,
        claims=claims(study),
        caution=study.findings["caution"],
        findings=grids(study.found, study.findings["level"]),
        cases=cases(study),
        warnings=feedback.warnings(study.made),
        targets=", ".join(label(t) for t in ordered(study.pools)),
        students=", ".join(study.students.all),
        questions=whole(max(len(rows) for rows in study.pools.values())),
        tokens=whole(study.tokens),
    )


def claims(study: Study) -> dict[str, Any]:
    """Return what was found of each claim, as {"verdict", "reason", ...} by the claim in words."""
    return {said: study.findings[claim] for claim, said in CLAIMS.items()}


def cases(study: Study) -> list[Case]:
    """Return the synthesized questions at the lowest and at the highest density.

    They are of the pools with the lowest and the highest target, and those whose own knowledge points have
    the lowest and the highest mean log10 density there, each about another article.
    """
    levels = [t for t in ordered(study.pools) if t.density is not None] or ordered(study.pools)
    ends = ((levels[0], "lowest", 1), (levels[-1], "highest", -1))
    return [Case(label(t), extreme, _extreme(study, t, sign)) for t, extreme, sign in ends]


def _extreme(study: Study, target: Target, sign: int) -> list[Sample]:
    written = {s.question_id: s for s in study.made[target].samples}
    new = [Sample(q, written[q.question_id]) for q in study.pools[target] if q.question_id in written]
    new.sort(key=lambda sample: (sign * (sample.pool.log10_density or 0.0), sample.pool.question_id))
    first: dict[int, Sample] = {}
    for sample in new:
        first.setdefault(sample.pool.page_id, sample)
    return list(first.values())[:_CASES]


def sections(study: Study, drawn: dict[str, str]) -> list[Section]:
    """Return the sections of pictures in reading order."""
    verifier = taxonomy.verifier_grid(study.made)
    students, tokens = study.students, whole(study.tokens)
    known = study.settings["knowledge"]
    k, d = known["neighbours"], known["dimensions"]
    many = f"mean and ± standard deviation over {len(study.settings['train']['seeds'])} training seeds"
    return [
        Section(
            "size",
            "Eval loss against model size",
            f"After {tokens} training tokens, over all benchmarks and for each; {many}. Lower is better; the "
            "points of one student stand a little apart so that their bars can be told from one another.",
            [drawn["loss-by-size"], drawn["loss-by-benchmark"]],
            [],
        ),
        Section(
            "data",
            "Eval loss over data size and density",
            f"The {many}. Each panel has colours of its own, from that student's lowest loss to its "
            "highest; a frame marks the lowest of each data size.",
            [drawn["heatmap"]],
            [],
        ),
        Section(
            "training",
            "Training",
            f"At {tokens} training tokens: the line is the mean over training seeds, the band its standard "
            "deviation. Step 0 is the base model.",
            [drawn[f"training-{name}"] for name in students.all],
            [],
        ),
        Section(
            "density",
            "Knowledge density of the pools",
            "Every dot is a distinct knowledge point on the first two principal axes of the embedding; "
            f"densities are estimated from its {k} nearest neighbours in all {d} dimensions. Scales are the "
            "same in every row.",
            [drawn["densities"], drawn["clouds"]],
            [taxonomy.dimension_grid(study.annotated)],
        ),
        Section(
            "pools",
            "How the pools were made",
            "Each round writes questions where the target lacks knowledge points and samples the pool "
            f"anew. {feedback.to_read(study.settings['synthesize'])} Baselines are filled, not steered: "
            "they have no distance from a target.",
            [drawn["convergence"]],
            [feedback.stops_grid(study.made), feedback.rounds_grid(study.made)],
        ),
        Section(
            "errors",
            "Errors of the synthesized questions",
            "Every written question is checked for its form, its answer's evidence, repetitions and "
            "benchmark contamination; what passes is evaluated by the teacher. Counts are of those rejected.",
            [drawn["taxonomy"]],
            [
                taxonomy.counts_grid(study.made),
                taxonomy.rounds_grid(study.made),
                *([verifier] if verifier else []),
            ],
        ),
    ]
