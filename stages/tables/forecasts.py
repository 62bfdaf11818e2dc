"""The laws' entries, as `fit` wrote them, by student and density."""

from typing import Any

from stages.errors import BadInput

# Named before any result is seen: choosing the law by its error at the held-out budget would flatter it.
HEADLINE_LAW = "rectified"

Entry = dict[str, Any]


def entry(laws: Entry, student: str, density: float, budget: int, law: str = HEADLINE_LAW) -> Entry:
    """Return one law's entry.

    Args:
        laws: the document `laws.json`.
        student: name.
        density: dex.
        budget: the held-out budget that the entry has to predict.
        law: name.

    Raises:
        BadInput: there is none, or it is of another budget: the laws are of another run.
    """
    for found in laws["laws"]:
        if (found["student"], found["density"], found["law"]) == (student, density, law):
            if found["prediction"]["budget"] == budget:
                return dict(found)
            break
    raise BadInput(
        f"laws: no {law} law of student {student} at density {density} that predicts budget {budget}; "
        "run `dvc repro fit`"
    )


def rivals(laws: Entry, student: str, density: float) -> list[Entry]:
    """Return the entries of every law of one curve, in the document's order."""
    return [dict(e) for e in laws["laws"] if (e["student"], e["density"]) == (student, density)]


def coverage(laws: Entry, density: float) -> Entry | None:
    """Return the coverage law's entry that knows only the draws below the held-out budget."""
    found = [e for e in laws["coverage"] if e["density"] == density]
    return dict(min(found, key=lambda e: e["draws"])) if found else None
