"""A run in few, stable numbers: what `dvc metrics diff` shows."""

from collections.abc import Mapping
from typing import Any

from stages.errors import BadInput
from stages.tables import forecasts
from stages.tables.figures import significant

Rows = list[dict[str, Any]]
_OWN_NAMES = ("budget", "simulator", "matched")
_DIGITS = 5


def summarise(
    tables: Mapping[str, Rows], laws: dict[str, Any], budget: int, simulator: bool
) -> dict[str, Any]:
    """Return the run's figures at the highest budget.

    Args:
        tables: rows of the published tables, by name.
        laws: the document `laws.json`.
        budget: the highest response budget, which the laws had to predict.
        simulator: the teacher is the embedded one.

    Raises:
        BadInput: the laws are of another run, or a student bears a name of the summary's own.
    """
    summary: dict[str, Any] = {"budget": budget, "simulator": simulator}
    cells = tables["cells"]
    for student in dict.fromkeys(row["student"] for row in cells):
        if student in _OWN_NAMES:
            raise BadInput(f"students.{student}: the summary has this name for itself; rename the student")
        (base,) = (r for r in cells if r["student"] == student and r["density"] is None)
        summary[student] = {"base": _rounded({"loss": base["loss_mean"], "accuracy": base["accuracy_mean"]})}
        for row in cells:
            if row["student"] == student and (row["share"], row["budget"]) == (1, budget):
                law = forecasts.entry(laws, student, row["density"], budget)
                summary[student][str(row["density"])] = _rounded(_cell(row, law["prediction"]))
    matched: dict[str, dict[str, Any]] = {}
    for row in tables["matched_budget"]:
        if row["fss_budget"] == budget:
            pairs = matched.setdefault(row["student"], {})
            pairs.setdefault(str(row["density"]), _rounded(_pair(row)))  # of several, the smallest source
    return summary | {"matched": matched}


def _cell(row: dict[str, Any], prediction: dict[str, Any]) -> dict[str, Any]:
    return {
        "loss": {"mean": row["loss_mean"], "std": row["loss_std"]},
        "accuracy": {"mean": row["accuracy_mean"], "std": row["accuracy_std"]},
        "acceptance": row["acceptance"],
        "covered": row["covered"] / row["questions"],
        "draws": row["sample_budget"],
        "law": {
            "predicted": prediction["loss"],
            "low": prediction["low"],
            "high": prediction["high"],
            "error": prediction["relative_error"],
        },
    }


def _pair(row: dict[str, Any]) -> dict[str, Any]:
    """Return fixed-source synthesis minus source expansion, the pair with the highest budget in it."""
    return {
        measure: {name: row[f"{measure}_{name}"] for name in ("difference", "low", "high")}
        for measure in ("loss", "accuracy")
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return significant(value, _DIGITS) if isinstance(value, float) else value
