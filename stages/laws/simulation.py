"""How well the coverage law is estimated: on ledgers drawn from a known truth, and on published draws."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.errors import BadInput
from stages.laws.coverage import NAMES, Draws, best, fit_coverage, unsolved_share

AHEAD = (2, 4)  # times the draws that the fit has seen
LEVEL = 0.9
FEW = 100  # draws per problem from which the unsolved share of all draws is foretold
SUBSAMPLES = 50
ESTIMATES = ("coverage_law", "no_share_unsolvable", "plug_in")
Rows = list[dict[str, Any]]


class Setting(NamedTuple):
    """A truth, and how much of it a ledger shows."""

    a: float
    b: float
    pi: float
    questions: int
    draws: int  # per question


SETTINGS = (
    Setting(0.7, 0.9, 0.05, 248, 16),  # the embedded teacher's
    Setting(0.7, 0.9, 0.05, 248, 8),
    Setting(0.7, 0.9, 0.05, 1000, 16),
    Setting(0.4, 2.0, 0.2, 248, 32),  # a weak teacher
    Setting(2.0, 1.0, 0.1, 248, 16),  # a strong one
)


def simulate(setting: Setting, numbers: Sequence[int]) -> Rows:
    """Draw ledgers and fit each; one row per ledger: status, estimates, whether intervals hold the truth.

    An interval's open side holds everything.

    Args:
        setting: the truth.
        numbers: of the ledgers; each has a random generator of its own.
    """
    truth = (setting.a, setting.b, setting.pi)
    rows = []
    for number in numbers:
        rng = np.random.default_rng([number, setting.questions, setting.draws])
        p = rng.beta(setting.a, setting.b, setting.questions) * (rng.random(setting.questions) >= setting.pi)
        ledger = [Draws(int(k), setting.draws) for k in rng.binomial(setting.draws, p)]
        found = fit_coverage(ledger, LEVEL)
        row: dict[str, Any] = {"status": found.status}
        for i, (name, value) in enumerate(zip(NAMES, truth, strict=True)):
            e = found.parameters[name]
            row[name] = found.theta[i] if found.theta else None
            row[f"{name}_covered"] = (
                (e.low is None or e.low <= value) and (e.high is None or value <= e.high)
                if found.theta
                else None
            )
        for times in AHEAD:
            r = times * setting.draws
            row[f"F{times}"] = float(unsolved_share(found.theta, r)) if found.theta else None
            row[f"zero{times}"] = sum(d.k == 0 for d in ledger) / len(ledger)  # the plug-in: no more solved
        rows.append(row)
    return rows


def batches(ledgers: int) -> list[tuple[Setting, range]]:
    """Return the ledgers' numbers of every setting in ten parts, to be simulated apart."""
    return [(s, range(i, ledgers, 10)) for s in SETTINGS for i in range(min(10, ledgers))]


def summaries(parts: Sequence[tuple[Setting, range]], simulated: Sequence[Rows]) -> Rows:
    """Return the summary of every setting, from the simulated parts in their order."""
    found = []
    for setting in dict.fromkeys(setting for setting, _ in parts):
        mine = [rows for (s, _), rows in zip(parts, simulated, strict=True) if s == setting]
        found += summarise(setting, [row for rows in mine for row in rows])
    return found


def summarise(setting: Setting, rows: Rows) -> Rows:
    """Return one row per quantity of a setting: its truth, bias, error and interval coverage.

    Bias is the mean error; since a and b have long tails, the median error stands beside it. The plug-in's
    root mean squared error is that of the share unsolved so far, taken for the share after more draws.
    """
    truth = {"a": setting.a, "b": setting.b, "pi": setting.pi}
    truth |= {
        f"F{t}": float(unsolved_share((setting.a, setting.b, setting.pi), t * setting.draws)) for t in AHEAD
    }
    fitted = [row for row in rows if row["a"] is not None]
    found = []
    for name, value in truth.items():
        error = np.array([row[name] for row in fitted]) - value
        covered = [row[f"{name}_covered"] for row in fitted if f"{name}_covered" in row]
        zero = [row[name.replace("F", "zero")] for row in fitted] if name.startswith("F") else []
        found.append(
            setting._asdict()
            | {"ledgers": len(rows), "fitted": len(fitted), "quantity": name, "truth": value}
            | {"bias": float(error.mean()), "median_error": float(np.median(error))}
            | {"rmse": float(np.sqrt(np.square(error).mean()))}
            | {"coverage": float(np.mean(covered)) if covered else None}
            | {"plug_in_rmse": float(np.sqrt(np.square(np.array(zero) - value).mean())) if zero else None}
        )
    return found


def successes(table: Any, where: str) -> tuple[dict[str, NDArray[np.int64]], int]:
    """Return how often each problem was solved, by model and benchmark, and the draws of each problem.

    Args:
        table: Arrow table with a row for each model, benchmark, problem (and k).
        where: names the file in a refusal.

    Raises:
        BadInput: columns are missing, or problems were drawn unequally often.
    """
    names = ("Model", "Benchmark", "Problem Idx", "Num. Samples Total", "Num. Samples Correct")
    missing = [name for name in names if name not in table.column_names]
    if missing:
        raise BadInput(f"{where}: no column {missing[0]!r}; give success counts per problem")
    counts: dict[str, dict[int, int]] = {}
    totals = set()
    for model, benchmark, problem, total, correct in zip(*(table[n].to_pylist() for n in names), strict=True):
        counts.setdefault(f"{model}, {benchmark}", {})[problem] = int(correct)
        totals.add(total)
    if len(totals) != 1 or min(totals) < FEW:
        raise BadInput(
            f"{where}: draws per problem are {sorted(totals)[:3]}; one number, {FEW} or more, is needed"
        )
    return {name: np.array(list(found.values())) for name, found in counts.items()}, totals.pop()


def foretell(name: str, solved: NDArray[np.int64], draws: int) -> Rows:
    """Foretell the share of problems unsolved in all draws from `FEW` of each problem.

    The few are drawn without replacement from those that were made: a hypergeometric count, `SUBSAMPLES`
    times over. `no_share_unsolvable` is the coverage law with pi = 0; the plug-in takes the share unsolved in
    the few.

    Args:
        name: model and benchmark.
        solved: draws of each problem that succeeded.
        draws: of each problem.

    Returns:
        One row per subsample.
    """
    truth = float((solved == 0).mean())
    rng = np.random.default_rng(0)
    rows = []
    for number in range(SUBSAMPLES):
        k = rng.hypergeometric(solved, draws - solved, FEW)
        few = [Draws(int(x), FEW) for x in k]
        row: dict[str, Any] = {"model": name, "subsample": number, "unsolved": truth}
        for which, theta in (("coverage_law", best(few)), ("no_share_unsolvable", best(few, True))):
            row[which] = float(unsolved_share(theta, draws)) if theta else None
        rows.append(row | {"plug_in": float((k == 0).mean())})
    return rows


def foretold(rows: Rows) -> Rows:
    """Return one row per model and estimate: median absolute error and bias over the subsamples.

    The rows of all models hold, beside the median over everything, the range of what one subsample alone
    would have shown: the 5 % and 95 % quantiles over subsamples of the median over models.
    """
    found = []
    for name in (*dict.fromkeys(row["model"] for row in rows), "all"):
        mine = [row for row in rows if name in (row["model"], "all")]
        for which in ESTIMATES:
            known = [row for row in mine if row[which] is not None]
            error = np.array([row[which] - row["unsolved"] for row in known])
            number = np.array([row["subsample"] for row in known])
            one = [np.median(np.abs(error[number == n])) for n in np.unique(number)]
            low, high = np.quantile(one, [0.05, 0.95]) if name == "all" else (None, None)
            found.append(
                {"model": name, "estimate": which, "forecasts": len(known)}
                | {"unsolved": mine[0]["unsolved"] if name != "all" else None}
                | {"median_absolute_error": float(np.median(np.abs(error))), "bias": float(error.mean())}
                | {"one_subsample_low": low, "one_subsample_high": high}
            )
    return found
