"""The page of a study of budgets: findings, and a section of pictures and tables for each question asked."""

from stages.pictures import budget_advice, budget_audit, frame
from stages.pictures import budget_panels as panels
from stages.pictures.budget_study import Study
from stages.pictures.frame import Section
from stages.scaling import figures, text
from stages.scaling.claims import CLAIMS
from stages.tables.grids import Grid


def render(study: Study, drawn: dict[str, str]) -> str:
    """Return the page as HTML; every text in it is escaped.

    Args:
        study: everything it shows.
        drawn: the pictures by name.
    """
    teachers, students = zip(*panels.pairs(study.tables["cells"], study.tables["law_errors"]), strict=True)
    return frame.render(
        "budget.html",
        sections(study, drawn),
        study.settings,
        caption="Simulated teacher." if study.simulated else None,
        simulator=text.SIMULATOR if study.simulated else None,
        claims={said: study.findings[claim] for claim, said in CLAIMS.items()},
        caution=None,
        findings=[text.claims(study.found)],
        budget=study.budget,
        teachers=", ".join(dict.fromkeys(teachers)),
        students=", ".join(dict.fromkeys(students)),
    )


def sections(study: Study, drawn: dict[str, str]) -> list[Section]:
    """Return the sections in reading order, without those that have nothing to show."""
    rows, audit, budget = study.tables, study.audit, study.budget
    found = [
        Section(
            "laws",
            f"Does a law predict budget {budget}?",
            "Dots are means over training seeds at all questions; lines were fitted to the dots left of the "
            "grey region alone, and the hollow dot is what they had to predict. Below, every curve of every "
            "question share has a dot in each law's row.",
            _of(drawn, "laws", "law-errors"),
            [figures.laws(rows, budget), figures.forecasts(rows, budget)],
        ),
        Section(
            "matched",
            "More responses or more questions?",
            "Both sides of a dot paid for the same number of responses; above zero it was better to spend "
            "them on more questions (SE), below on more responses to fewer (FSS). Q is the whole source.",
            _of(drawn, "matched"),
            [figures.sources(rows), figures.crossings(rows)],
        ),
        Section(
            "mixed",
            "The mixed source",
            "One line asks ever more questions once, the others ask a fixed set ever more often; where lines "
            "stand at the same N, the lower one spent it better.",
            _of(drawn, "mixed"),
            [figures.mixed(rows)],
        ),
        Section(
            "protocols",
            "Protocols against plain rejection sampling",
            "Left of zero a protocol's students have the lower loss; an interval that crosses zero leaves it "
            "open, and the grey band is too small a difference to count.",
            _of(drawn, "protocols"),
            [figures.protocols(rows)],
        ),
        Section(
            "coverage",
            "Coverage of the source",
            "Marks are measured, the question shares a little apart; the solid line is the coverage law of "
            f"all questions, from the accept counts below budget {budget} and no student.",
            _of(drawn, "coverage"),
            [
                budget_audit.laws_grid(study.coverage_laws, budget, study.laws["level"]),
                budget_audit.coverage_grid(audit["coverage"], study.audit_level),
            ],
        ),
        Section(
            "shifts",
            "Do responses change with the budget?",
            "A cell tests the first r draws of every question against the next r. Composition shifts once "
            "easy questions are exhausted; a shift within questions is one of the teacher's answers.",
            _of(drawn, "shifts"),
            [budget_audit.shift_grid(audit["shift"])],
        ),
        Section(
            "variants",
            "Other temperatures and thresholds",
            "The same ledger drawn at another temperature, or judged by another relative tolerance; a law "
            "that holds only as the study has it would err on these.",
            _of(drawn, "variants"),
            [figures.variants(rows, budget)],
        ),
        Section(
            "advice",
            "What to buy next",
            "The ranking is by predicted gain per unit of cost. In the back-test each mark is a purchase "
            "advised on from part of the cells and then looked up: on the dashed line it came as foretold.",
            _of(drawn, "advice-backtest"),
            budget_advice.grids(study.advice),
        ),
        Section("costs", "Costs", _prices(study.simulated), [], [figures.costs(rows)]),
    ]
    kept = [section._replace(grids=_filled(section.grids)) for section in found]
    return [section for section in kept if section.pictures or section.grids]


def _of(drawn: dict[str, str], *names: str) -> list[str]:
    return [drawn[name] for name in names if name in drawn]


def _filled(grids: list[Grid]) -> list[Grid]:
    return [grid for grid in grids if grid.rows]


def _prices(simulated: bool) -> str:
    said = "Teacher calls and tokens of every ledger, at the prices of the parameters below"
    return f"{said}, which are examples: a simulator costs nothing." if simulated else f"{said}."
