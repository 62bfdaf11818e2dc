"""What the report shows: one run's rows in, pictures and sections out."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.grid import Target
from stages.knowledge.density import log10_density
from stages.pictures import density, feedback, law, ledger, taxonomy
from stages.pictures.frame import Section
from stages.records import KnowledgePoint, PoolQuestion, Response
from stages.tables import forecasts, headline, limits
from stages.tables.figures import ABSENT, mean_and_std, number, p_value, percent, whole, with_interval
from stages.tables.grids import Grid
from stages.tables.lineage import Lineage
from stages.teacher import competence

Rows = list[dict[str, Any]]


class Run(NamedTuple):
    """Everything the report is made of."""

    settings: dict[str, Any]  # params.yaml
    tables: dict[str, Rows]  # published tables by name
    laws: dict[str, Any]  # laws.json
    curves: list[law.CurvePoint]
    points: list[KnowledgePoint]
    pools: dict[float, list[PoolQuestion]]  # by density
    ledgers: dict[float, list[Response]]
    made: dict[Target, feedback.Making]  # how each pool was made
    counts: dict[str, dict[str, Any]]  # ask.json and annotate.json, by stage
    lineages: list[Lineage]

    @property
    def budget(self) -> int:
        """Return the highest response budget."""
        return int(self.settings["budget"])

    @property
    def neighbours(self) -> int:
        """Return k of the density estimate."""
        return int(self.settings["knowledge"]["neighbours"])

    @property
    def simulated(self) -> bool:
        """Return whether the teacher is the simulator."""
        return bool(self.settings["teacher"]["backend"] == "embedded")

    @property
    def truth(self) -> competence.Embedded | None:
        """Return the simulator's competence; None where its draws do not follow it as it stands."""
        teacher = self.settings["teacher"]
        as_stated = self.simulated and teacher["temperature"] == 1
        return competence.Embedded.model_validate(teacher["embedded"]) if as_stated else None


def pictures(run: Run) -> dict[str, str]:
    """Return every picture's SVG by its name."""
    drawn = {
        f"law-{d}": law.law_picture(d, run.tables["seeds"], run.curves, run.laws, run.budget)
        for d in run.pools
    }
    source = cloud(run.points, run.neighbours)
    clouds = {}
    for d in run.pools:
        clouds[d] = cloud(run.made[Target("density", d)].points, run.neighbours)
        drawn[f"density-{d}"] = density.views(d, clouds[d], source)
    drawn["densities"] = density.histogram(list(clouds.items()), source)
    drawn["convergence"] = feedback.convergence(run.made, run.settings["synthesize"])
    drawn["taxonomy"] = taxonomy.bars(run.made)
    drawn["verdicts"] = ledger.verdicts_picture(verdicts(run))
    drawn["coverage"] = ledger.coverage_picture(
        [ledger.coverage(d, rows) for d, rows in run.ledgers.items()],
        run.budget,
        true_coverage(run.truth),
        {d: fit for d in run.ledgers if (fit := fitted_coverage(run.laws, d))},
    )
    return drawn


def cloud(points: Sequence[KnowledgePoint], k: int) -> density.Cloud:
    """Return the distinct statements among the points, with their density among themselves."""
    places = np.array(list({p.text: p.embedding for p in points}.values()))
    return density.Cloud(places, log10_density(places, k))


def true_coverage(truth: competence.Embedded | None) -> Callable[[int], float] | None:
    """Return the simulator's expected coverage by budget; None for a teacher whose truth nobody knows."""
    if truth is None:
        return None
    return lambda r: 1 - competence.coverage(truth.a, truth.b, truth.never, r)


def fitted_coverage(laws: dict[str, Any], density: float) -> Callable[[Any], Any] | None:
    """Return the coverage law `1 − F(r)` of one density's ledger; None where it has no parameters.

    `F(r) = pi + (1 − pi) B(a, b + r) / B(a, b)`, fitted to the draws below the held-out budget.
    """
    entry = forecasts.coverage(laws, density)
    return ledger.coverage_law(entry["parameters"]) if entry else None


def verdicts(run: Run) -> list[ledger.Verdicts]:
    """Return the counts of every stage that judges."""
    asked, annotated = run.counts["ask"], run.counts["annotate"]
    return [
        ledger.verdicts("ask: questions written", "kept", asked["kept"], asked["rejected"]),
        ledger.verdicts("annotate: questions", "annotated", annotated["annotated"], annotated["rejected"]),
        *(ledger.drawn(d, rows) for d, rows in run.ledgers.items()),
    ]


def sections(run: Run, drawn: dict[str, str]) -> list[Section]:
    """Return the page's sections in reading order."""
    matched = [
        headline.matched_budget(run.tables["matched_budget"], run.tables["cells"]),
        headline.matched_density(run.tables["matched_density"]),
    ]
    return [
        Section(
            "headline",
            "Headline",
            "Each row is a pool at one knowledge density, its student trained on all accepted responses "
            "within the highest budget. Read the error beside the interval: a small error inside a wide "
            "interval is luck.",
            [],
            headline.grids(run.tables, run.laws, run.budget)[:3],
        ),
        Section(
            "laws",
            "Scaling laws",
            "Dots are training seeds, bars their means; the star was kept from every fit and shows what the "
            "laws had to predict. A law earns its place by beating the line through the last two points, and "
            "its parameters mean something only where their intervals are closed.",
            [drawn[f"law-{d}"] for d in run.pools],
            [laws_grid(run)],
        ),
        Section(
            "matched",
            "Matched budgets",
            "Both arms of a row paid for equally many responses, so a difference is one of how they were "
            "spent. An interval across zero leaves open which arm is better.",
            [],
            matched,
        ),
        Section(
            "benchmarks",
            "Benchmarks",
            f"The students of budget {run.budget} beside the base model, benchmark by benchmark; gained "
            "items are those the base missed and the student answers. The McNemar p is of the majority over "
            "seeds and is not adjusted for the number of rows.",
            [],
            [benchmarks_grid(run)],
        ),
        Section(
            "density",
            "Knowledge density",
            "Every point is a distinct knowledge point on the first two axes of its embedding; densities are "
            f"estimated from the {run.neighbours} nearest neighbours in all its dimensions. A pool's density "
            "is the mean of the last picture's distribution, to be compared only between pools of one size.",
            [*(drawn[f"density-{d}"] for d in run.pools), drawn["densities"]],
            [taxonomy.dimension_grid(run.counts["annotate"])],
        ),
        Section(
            "pools",
            "How the pools were made",
            "Each round writes questions where the target lacks knowledge points, keeps those that pass the "
            f"verification, and samples the pool anew. {feedback.to_read(run.settings['synthesize'])}"
            + "".join(f" Warning, {said}." for said in feedback.warnings(run.made)),
            [drawn["convergence"], drawn["taxonomy"]],
            [
                feedback.stops_grid(run.made),
                feedback.rounds_grid(run.made),
                taxonomy.counts_grid(run.made),
                taxonomy.rounds_grid(run.made),
                *([verifier] if (verifier := taxonomy.verifier_grid(run.made)) else []),
            ],
        ),
        Section(
            "verdicts",
            "Kept and rejected",
            "Each bar is a share of what one stage judged; orange bars are rejections by their named reason. "
            "Rejected draws were paid for as well: they are in N, in the tokens and in the cost.",
            [drawn["verdicts"]],
            [spent_grid(run)],
        ),
        Section(
            "coverage",
            "Coverage",
            "The more responses, the more questions have at least one accepted; the rest never reach the "
            "student. Where the curve flattens, more responses of the same teacher buy repetition rather "
            "than new facts.",
            [drawn["coverage"]],
            [],
        ),
    ]


def unsupported(run: Run) -> list[str]:
    """Return what the numbers do not support."""
    return limits.limits(run.tables, run.laws, run.budget)


def laws_grid(run: Run) -> Grid:
    """Return every law's status, parameters and forecast."""
    level = f"{100 * run.laws['level']:g} %"
    rows = []
    for entry in run.laws["laws"]:
        told = entry["prediction"]
        parameters = ", ".join(
            f"{name} {with_interval(e['estimate'], e['low'], e['high'], '.3g')}"
            for name, e in entry["parameters"].items()
            if {e["estimate"], e["low"], e["high"]} != {None}
        )
        inside = {True: "yes", False: "no", None: ABSENT}[told["covered"]]
        forecast = with_interval(told["loss"], told["low"], told["high"])
        place = (entry["student"], str(entry["density"]), entry["law"], entry["status"], parameters or ABSENT)
        rows.append((*place, forecast, percent(told["relative_error"]), inside))
    head = ("student", "density", "law", "parameters are", f"parameters [{level}]")
    return Grid(
        f"Laws fitted below budget {run.budget}",
        (*head, f"predicts [{level}]", "error", "inside"),
        rows,
        "A dash stands for what the data do not say: a refused fit, or an interval's open side. inside: the "
        "interval holds the measured mean.",
        texts=5,
    )


def benchmarks_grid(run: Run) -> Grid:
    """Return the base models and the students at the highest budget, benchmark by benchmark."""
    rows = [
        (
            row["student"],
            "base" if row["density"] is None else str(row["density"]),
            row["benchmark"],
            whole(row["items"]),
            mean_and_std(row["accuracy_mean"], row["accuracy_std"]),
            mean_and_std(row["loss_mean"], row["loss_std"]),
            number(row["gained"], ".1f"),
            number(row["lost"], ".1f"),
            p_value(row["mcnemar_p"]),
        )
        for row in run.tables["benchmarks"]
        if row["density"] is None or (row["share"], row["budget"]) == (1, run.budget)
    ]
    head = ("student", "density", "benchmark", "items", "exact match", "loss", "gained", "lost", "McNemar p")
    note = (
        "Mean ± standard deviation over training seeds; loss in nats per answer token; gained, lost in items."
    )
    return Grid(f"Benchmarks at budget {run.budget}", head, rows, note, texts=3)


def spent_grid(run: Run) -> Grid:
    """Return what each pool's draws cost up to the highest budget."""
    seen: dict[float, dict[str, Any]] = {}
    for row in run.tables["cells"]:
        if (row["share"], row["budget"]) == (1, run.budget):
            seen.setdefault(row["density"], row)
    rows = [
        (
            str(d),
            whole(row["questions"]),
            whole(row["sample_budget"]),
            whole(row["accepted"]),
            whole(row["covered"]),
            whole(row["prompt_tokens"]),
            whole(row["completion_tokens"]),
            number(row["cost_usd"], ".2f"),
        )
        for d, row in seen.items()
    ]
    head = ("density", "questions", "N", "accepted", "covered", "tokens in", "tokens out", "cost (USD)")
    note = "Rejected draws included; a dash where the price of a token is not known."
    return Grid(f"What budget {run.budget} bought", head, rows, note)
