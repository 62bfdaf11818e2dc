"""Published check values; they need the data beside the repository."""

import csv
from pathlib import Path

import numpy as np
import pytest

from stages.laws import parametric
from stages.laws.curves import LastTwo, Law, Point, Power, Rectified
from stages.laws.fitting import fit
from stages.laws.least_squares import Surface, average

DATA = Path(__file__).parents[2] / "shared" / "data" / "laws"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="no shared data")


def curves(name: str) -> dict[str, list[Point]]:
    """The fits published with arXiv 2402.02314 leave the untrained loss, column 0, out."""
    with (DATA / name).open() as file:
        rows = list(csv.DictReader(file))
    sizes = [c for c in rows[0] if c.isdigit() and c != "0"]
    return {row["config name"]: [Point(float(c), float(row[c]), 0) for c in sizes] for row in rows}


def log_rmsd(law: Law, points: list[Point]) -> float:
    means, within = average(points)
    return float(np.sqrt(Surface(law, means, within).minimise().squares / len(points)))


def predicted(law: Law, points: list[Point], r: float) -> float:
    points = points[-law.last_budgets :] if law.last_budgets else points
    means, within = average(points)
    return float(law.predict(law.theta(Surface(law, means, within).minimise().phi), r)[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "law", "published", "ours"),
    [
        ("flan.csv", Rectified(), 0.00648, 0.006401),
        ("gigaword.csv", Rectified(), 0.00515, 0.005075),
        ("flan.csv", Power(), 0.0358, 0.034865),
        ("gigaword.csv", Power(), 0.0106, 0.010053),
    ],
)
def test_mean_log_rmsd_is_the_published_one_or_better(
    file: str, law: Law, published: float, ours: float
) -> None:
    """The published fits were not all at their minimum; ours are, and so lie 1 to 6 % lower."""
    mean = float(np.mean([log_rmsd(law, points) for points in curves(file).values()]))
    assert 0.94 * published < mean < published
    assert mean == pytest.approx(ours, rel=1e-3)


def test_lamini_on_flan_has_the_published_parameters() -> None:
    fitted = fit(Rectified(), curves("flan.csv")["MBZUAI/LaMini-GPT-124M"])
    assert fitted.status == "ok"
    for name, value in {"B": 563.8, "D_l": 166.1, "beta": 0.4553, "E": 1.069}.items():
        found = fitted.parameters[name]
        assert found.estimate == pytest.approx(value, rel=5e-4)
        assert found.low < value < found.high


@pytest.mark.slow
def test_the_last_two_points_foretell_the_last_size_better_than_the_law() -> None:
    """Fitted on 13 sizes, predicting the 14th: medians .0061 and .0079 on these 60 curves.

    With the 30 WMT19 curves of the same paper they are the .0077 and .0099 of all 90.
    """
    errors: dict[str, list[float]] = {"last_two": [], "rectified": []}
    for file in ("flan.csv", "gigaword.csv"):
        for points in curves(file).values():
            for law in (LastTwo(), Rectified()):
                ratio = predicted(law, points[:-1], points[-1].r) / points[-1].loss
                errors[law.name].append(abs(ratio - 1))
    assert len(errors["last_two"]) == 60
    assert np.median(errors["last_two"]) == pytest.approx(0.00606, rel=0.01)
    assert np.median(errors["rectified"]) == pytest.approx(0.00787, rel=0.01)


@pytest.mark.slow
def test_chinchilla_runs_give_the_published_minimum() -> None:
    with (DATA / "chinchilla_epoch.csv").open() as file:
        runs = sorted(csv.DictReader(file), key=lambda row: float(row["loss"]))[:-5]
    assert len(runs) == 240
    N, flop, loss = (np.array([float(r[c]) for r in runs]) for c in ("Model Size", "Training FLOP", "loss"))
    found = parametric.fit(N, flop / (6 * N), loss, delta=1e-3)
    assert found.converged and found.agreeing == found.starts
    assert found.objective == pytest.approx(0.00101827, abs=1e-8)
    expected = {"A": 477.84, "B": 2143.86, "E": 1.81724, "alpha": 0.34731, "beta": 0.36718}
    for name, value in expected.items():
        assert found.theta[name] == pytest.approx(value, rel=3e-4)
