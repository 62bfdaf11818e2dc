"""Cells that meet: fewer questions asked more often against more questions, and protocols against sampling.

Every difference is paired over benchmark items and training seeds (`tables.paired.difference`) at
`paired.LEVEL`. Holm's family is one table's tests of one measure.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stages.errors import BadInput
from stages.scaling.places import RESPONSES, TOKENS, Audited, Place
from stages.scaling.study import Study
from stages.tables import paired

Array = NDArray[np.float64]
Row = dict[str, Any]

MEASURES = ("loss", "accuracy")
FIGURES = ("difference", "low", "high", "p", "p_holm")
TOLERANCE = 0.02  # by which teacher tokens that are called equal may differ, as a share


def matched(study: Study, pairs: Sequence[tuple[Place, Place]]) -> list[Row]:
    """Compare cells with equal share × budget.

    Args:
        study: results.
        pairs: of cells, fewer questions asked more often and more questions.

    Returns:
        Rows {"left", "right", differences left − right}.

    Raises:
        BadInput: the N of two cells, counted, are not equal.
    """
    rows = []
    for left, right in pairs:
        found = paired.compare(study.arms[left], study.arms[right])
        rows.append({"left": left.name, "right": right.name, **_figures(found)})
    return adjusted(rows)


def audit(study: Study, audited: Sequence[Audited]) -> list[Row]:
    """Compare every protocol's cell with its plain cell.

    Args:
        study: results.
        audited: pairs of cells. Those that meet in neither N nor teacher tokens get an interval and no test.

    Returns:
        Rows {"left", "right", "held_equal", differences protocol − plain}.

    Raises:
        BadInput: N, or teacher tokens, are not equal as the pair claims.
    """
    rows = []
    for one in audited:
        left, right = study.arms[one.place], study.arms[one.plain]
        if one.matched == TOKENS:
            equal_tokens(one, study.bills[one.place].teacher_tokens, study.bills[one.plain].teacher_tokens)
        if one.matched in (TOKENS, RESPONSES):
            right = right._replace(sample_budget=left.sample_budget)  # what is equal here is not N
        figures = _figures(paired.compare(left, right))
        if one.matched == RESPONSES:
            figures |= {f"{measure}_p": None for measure in MEASURES}
        rows.append({"left": left.name, "right": right.name, "held_equal": one.matched, **figures})
    return adjusted(rows)


def equal_tokens(one: Audited, spent: int, plain: int) -> None:
    """Refuse a pair at matched teacher tokens that spent unequal numbers of them.

    Raises:
        BadInput: they differ by more than `TOLERANCE` of the larger.
    """
    if abs(spent - plain) > TOLERANCE * max(spent, plain):
        raise BadInput(
            f"{one.place.name} and {one.plain.name}: unequal teacher tokens: {spent} and {plain}; "
            "run `dvc repro respond-protocol assemble`"
        )


def adjusted(rows: list[Row]) -> list[Row]:
    """Return the rows with Holm's adjustment over all of them, measure by measure."""
    for measure in MEASURES:
        for row, p in zip(rows, paired.holm([row[f"{measure}_p"] for row in rows]), strict=True):
            row[f"{measure}_p_holm"] = p
    return rows


def _figures(found: paired.Comparison) -> Row:
    return {
        f"{measure}_{figure}": value
        for measure, result in found._asdict().items()
        for figure, value in zip(FIGURES[:4], result, strict=True)
    }


def per_token(left: paired.Arm, right: paired.Arm) -> Array:
    """Return left minus right, seeds × items, whose plain mean is the difference of the eval losses."""
    return (left.loss - right.loss) * (len(left.items) / left.tokens.sum())
