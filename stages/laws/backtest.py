"""Back-tests on published curves: who foretells the sizes beyond a cut-off, and how wide intervals must be.

Every forecast that learns from other curves is judged on curves it did not see: whole model families are left
out, in both data sets, or one data set is judged by what the other taught.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from stages.errors import BadInput
from stages.laws import calibration, combination, local
from stages.laws.calibration import HORIZONS, Calibration
from stages.laws.curves import Array
from stages.laws.local import Cells, Reach
from stages.laws.published import COMPARED, LAWS, LEVEL, PROFILED, Published, Traced

FEWEST = 4  # sizes fitted where forecasts are compared: the rectified law has four parameters
SHOWN = HORIZONS[:COMPARED]  # of the tables
_LINE = LAWS.index(combination.LINE)
Rows = list[dict[str, Any]]


class Cases(NamedTuple):
    """One row for each curve, cut-off and horizon, in this order."""

    curve: Array  # position of the curve
    fitted: Array  # sizes
    horizon: Array  # doublings
    observed: Array  # log loss
    predicted: Array  # log loss, shape (n, laws)
    past: Array  # mean squared one-step log errors within the fitted sizes, likewise
    cells: Cells  # of the local curve, log_evidence here of shape (n, CELLS)

    def only(self, keep: Array) -> "Cases":
        """Return the rows where `keep` is true."""
        rows = {name: getattr(self, name)[keep] for name in self._fields if name != "cells"}
        return Cases(**rows, cells=Cells(*(a[keep] for a in self.cells)))


class Split(NamedTuple):
    """How curves are told apart into those that teach and those that are judged."""

    name: str
    folds: list[tuple[Array, Array]]  # teaching and judged curves, true or false


class Judged(NamedTuple):
    """What was foretold of the judged curves' cases under one split; NaN where nothing was."""

    split: str
    log_loss: dict[str, Array]  # by forecast
    half_width: dict[str, Array]  # of the calibrated interval, log loss, by law


def cases(traced: Sequence[Traced]) -> Cases:
    """Return all forecasts of all curves as rows."""
    rows = [(i, f, _past(t, f.fitted)) for i, t in enumerate(traced) for f in t.forecasts]
    times = [len(f.horizon) for _, f, _ in rows]
    parts = [f for _, f, _ in rows]
    return Cases(
        np.repeat([float(i) for i, _, _ in rows], times),
        np.repeat([float(f.fitted) for f in parts], times),
        np.concatenate([f.horizon for f in parts]),
        np.concatenate([f.observed for f in parts]),
        np.concatenate([f.predicted for f in parts]),
        np.repeat([past for _, _, past in rows], times, axis=0),
        Cells(
            np.repeat([f.cells.log_evidence for f in parts], times, axis=0),
            np.concatenate([f.cells.mean.T for f in parts]),
            np.concatenate([f.cells.variance.T for f in parts]),
        ),
    )


def _past(traced: Traced, fitted: int) -> Array:
    """Return each law's mean squared log error one doubling ahead, over the cut-offs below; NaN without."""
    squares = [
        np.square(f.predicted[0] - f.observed[0])
        for f in traced.forecasts
        if f.fitted < fitted and f.horizon[0] == 1
    ]
    known = np.array(squares).reshape(-1, len(LAWS))
    count = (~np.isnan(known)).sum(axis=0)
    return np.asarray(np.where(count, np.nansum(known, axis=0) / np.maximum(count, 1), np.nan))


def reach(told: Cases, prior: Array) -> Reach:
    """Return the local curve's word on every case."""
    log_evidence, mean, variance = told.cells
    mixed = local.mix(Cells(log_evidence, mean[..., None], variance[..., None]), prior)
    return Reach(mixed.log_loss[:, 0], mixed.sd[:, 0])


def derive(
    curves: Sequence[Published], traced: Sequence[Traced], told: Cases, teaching: Array
) -> Calibration:
    """Derive a calibration from some of the curves.

    Args:
        curves: all.
        traced: likewise.
        told: all cases.
        teaching: which curves to learn from, true or false.
    """
    prior = calibration.learn_prior(
        np.array([t.log_evidence for t, use in zip(traced, teaching, strict=True) if use])
    )
    seen = told.only(teaching[told.curve.astype(int)])
    near = reach(seen, prior)
    quantiles = {
        law: calibration.score_quantiles(
            np.abs(seen.observed - log_loss) / calibration.scale(log_loss, near),
            seen.horizon,
            int(teaching.sum()),
        )
        for law, log_loss in _own_forecasts(seen, near).items()
    }
    used = [c for c, use in zip(curves, teaching, strict=True) if use]
    provenance = {
        "derived_by": "python -m stages.backtest",
        "datasets": sorted({c.dataset for c in used}),
        "curves": len(used),
        "sizes": max((len(c.points) for c in used), default=0),
        "cases": len(seen.observed),
    }
    return Calibration(prior, quantiles, provenance)


def _own_forecasts(told: Cases, near: Reach) -> dict[str, Array]:
    """Return the forecasts that get an interval: every law's and the combination's."""
    by_law = dict(zip(LAWS, told.predicted.T, strict=True))
    by_law[combination.NAME] = combination.joined(told.predicted[:, _LINE], near.log_loss)
    return by_law


def splits(curves: Sequence[Published]) -> list[Split]:
    """Return the three ways of judging curves by others."""
    family = np.array([c.family for c in curves])
    dataset = np.array([c.dataset for c in curves])
    families = [(family != f, family == f) for f in dict.fromkeys(family)]
    within = [
        (rest & (dataset == d), own & (dataset == d))
        for d in dict.fromkeys(dataset)
        for rest, own in families
    ]
    across = [(dataset != d, dataset == d) for d in dict.fromkeys(dataset)]
    found = {"other_families": families, "other_families_same_dataset": within, "other_datasets": across}
    usable = {n: [f for f in folds if f[0].any() and f[1].any()] for n, folds in found.items()}
    return [Split(name, folds) for name, folds in usable.items() if folds]


def judge(
    curves: Sequence[Published], traced: Sequence[Traced], told: Cases, split: Split
) -> Iterator[tuple[Array, Judged]]:
    """Yield, for each fold, which cases it judges, and what was foretold of them."""
    for teaching, judged in split.folds:
        learnt = derive(curves, traced, told, teaching)
        seen, unseen = (told.only(side[told.curve.astype(int)]) for side in (teaching, judged))
        near = reach(unseen, learnt.prior)
        own = _own_forecasts(unseen, near)
        half = {
            law: _quantile(learnt, law, unseen.horizon) * calibration.scale(log_loss, near)
            for law, log_loss in own.items()
        }
        rivals = _rivals(seen, reach(seen, learnt.prior), unseen, near)
        yield judged[told.curve.astype(int)], Judged(split.name, own | rivals, half)


def _quantile(learnt: Calibration, law: str, horizon: Array) -> Array:
    return learnt.quantile(law, horizon, LEVEL)


def _rivals(seen: Cases, seen_near: Reach, unseen: Cases, near: Reach) -> dict[str, Array]:
    """Return the forecasts that the combination was chosen among."""
    told = {"local": near.log_loss, "own_errors": np.full(len(unseen.observed), np.nan)}
    enough = unseen.fitted >= FEWEST
    told["own_errors"][enough] = combination.own_errors(unseen.predicted[enough], unseen.past[enough])
    members = {name: (learn, False) for name, learn in combination.LEARNT.items()}
    members["stacked_with_local"] = (combination.stacked, True)
    for name, (learn, with_local) in members.items():
        told[name] = np.full(len(unseen.observed), np.nan)
        for h in HORIZONS:
            taught = (seen.horizon == h) & (seen.fitted >= FEWEST)
            asked = (unseen.horizon == h) & enough
            if taught.any() and asked.any():
                weights = learn(_members(seen, seen_near, with_local)[taught], seen.observed[taught])
                told[name][asked] = _members(unseen, near, with_local)[asked] @ weights
    return told


def _members(told: Cases, near: Reach, with_local: bool) -> Array:
    return np.column_stack([told.predicted, near.log_loss]) if with_local else told.predicted


def run(curves: Sequence[Published], traced: Sequence[Traced], told: Cases) -> list[Judged]:
    """Judge all cases under every split.

    Raises:
        BadInput: all curves are of one family and data set.
    """
    ways = splits(curves)
    if not ways:
        raise BadInput(
            f"{len(curves)} curves of one family and data set: none can teach the others; add curves"
        )
    found = []
    for split in ways:
        log_loss: dict[str, Array] = {}
        half: dict[str, Array] = {}
        for rows, judged in judge(curves, traced, told, split):
            for part, whole in ((judged.log_loss, log_loss), (judged.half_width, half)):
                for name, values in part.items():
                    whole.setdefault(name, np.full(len(told.observed), np.nan))[rows] = values
        found.append(Judged(split.name, log_loss, half))
    return found


def _groups(curves: Sequence[Published], told: Cases) -> dict[str, Array]:
    """Return the cases of each data set, and all."""
    dataset = np.array([c.dataset for c in curves])[told.curve.astype(int)]
    names = list(dict.fromkeys(dataset))
    groups = {str(name): dataset == name for name in names}
    return groups | {"all": np.ones(len(dataset), bool)} if len(names) > 1 else groups


def errors(curves: Sequence[Published], told: Cases, judged: Sequence[Judged]) -> Rows:
    """Return one row per split, data set, forecast and horizon: median and mean absolute relative error."""
    rows = []
    for outcome in judged:
        for dataset, here in _groups(curves, told).items():
            for name, log_loss in outcome.log_loss.items():
                for h in SHOWN:
                    use = here & (told.horizon == h) & (told.fitted >= FEWEST) & ~np.isnan(log_loss)
                    off = np.abs(np.expm1(log_loss[use] - told.observed[use]))
                    if len(off):
                        place = {"split": outcome.split, "dataset": dataset, "forecast": name, "times": 2**h}
                        figures = {"median": float(np.median(off)), "mean": float(off.mean())}
                        rows.append(place | {"cases": len(off)} | figures)
    return rows


def advantage(curves: Sequence[Published], told: Cases, judged: Sequence[Judged]) -> Rows:
    """Return one row per split, data set, law and horizon: how much nearer the combination came than the law.

    The difference of mean absolute relative errors, negative where the combination is nearer, with a 90 %
    interval from resampling curves (percentiles of 2,000 bootstraps), and the share of curves on which it was
    nearer on average: cut-offs of one curve are not independent, so curves are the units.
    """
    rows = []
    for outcome in judged:
        off = {
            name: np.abs(np.expm1(outcome.log_loss[name] - told.observed))
            for name in (*LAWS, combination.NAME)
        }
        for dataset, here in _groups(curves, told).items():
            for law in LAWS:
                for h in SHOWN:
                    use = here & (told.horizon == h) & (told.fitted >= FEWEST)
                    use &= ~np.isnan(off[law]) & ~np.isnan(off[combination.NAME])
                    if not use.any():
                        continue
                    change = (off[combination.NAME] - off[law])[use]
                    of, count = np.unique(told.curve[use], return_inverse=True)[1], np.bincount
                    each = count(of, change) / count(of)
                    again = np.random.default_rng(0).choice(each, (2000, len(each))).mean(axis=1)
                    low, high = np.quantile(again, [0.05, 0.95])
                    rows.append(
                        {"split": outcome.split, "dataset": dataset, "law": law, "times": 2**h}
                        | {"curves": len(each), "difference": float(each.mean()), "low": float(low)}
                        | {"high": float(high), "nearer": float((each < 0).mean())}
                    )
    return rows


def intervals(
    curves: Sequence[Published], traced: Sequence[Traced], told: Cases, judged: Sequence[Judged]
) -> Rows:
    """Return one row per split, data set, law, kind, cut-off and horizon: coverage and width at `LEVEL`.

    The width is that of the interval over the observed loss; its mean and its median, since a profile
    interval may reach very far. `fitted` is null where all cut-offs are taken together.
    """
    half: list[tuple[str, str, str, Array, Array]] = []
    cut_offs = [int(n) for n in np.unique(told.fitted) if n >= FEWEST]
    for outcome in judged:
        for law, width in outcome.half_width.items():
            centre = outcome.log_loss[law]
            half.append((outcome.split, law, "calibrated", centre - width, centre + width))
    half += _uncalibrated(traced, told)
    rows = []
    for split, law, kind, low, high in half:
        for dataset, here in _groups(curves, told).items():
            for fitted in (None, *cut_offs) if kind == "calibrated" else PROFILED:
                for h in SHOWN:
                    use = here & (told.horizon == h) & ~np.isnan(low)
                    use &= told.fitted >= FEWEST if fitted is None else told.fitted == fitted
                    if use.any():
                        rows.append(
                            {"split": split, "dataset": dataset, "law": law, "kind": kind}
                            | {"fitted": fitted, "times": 2**h, "cases": int(use.sum())}
                            | _coverage(low[use], high[use], told.observed[use])
                        )
    return rows


def _uncalibrated(traced: Sequence[Traced], told: Cases) -> list[tuple[str, str, str, Array, Array]]:
    """Return the rivals' ends, in the cases' order."""
    place = {
        key: i for i, key in enumerate(zip(told.curve.astype(int), told.fitted, told.horizon, strict=True))
    }
    ends: dict[tuple[str, str], Array] = {}
    for i, one in enumerate(traced):
        for found in one.intervals:
            at = place.get((i, float(found.fitted), float(found.horizon)))
            if at is not None:
                both = ends.setdefault((found.law, found.kind), np.full((len(told.observed), 2), np.nan))
                both[at] = found.low, found.high
    return [("none", law, kind, both[:, 0], both[:, 1]) for (law, kind), both in sorted(ends.items())]


def _coverage(low: Array, high: Array, observed: Array) -> dict[str, float]:
    with np.errstate(over="ignore"):
        width = np.exp(high - observed) - np.exp(low - observed)
    return {
        "coverage": float(((low <= observed) & (observed <= high)).mean()),
        "mean_width": float(np.minimum(width, 1e6).mean()),  # one that has no end counts as a million times
        "median_width": float(np.median(width)),
    }


def choices(told_errors: Rows) -> Rows:
    """Return, for each data set, the forecast that did best there, and how it did on the others.

    Chosen by the mean absolute relative error as a share of the two-point line's, averaged over horizons,
    under left-out families of the data set itself; judged where that data set was the teacher. So the choice
    has not seen what it is judged on.
    """
    mean = {(r["split"], r["dataset"], r["forecast"], r["times"]): r for r in told_errors}
    names = list(dict.fromkeys(r["forecast"] for r in told_errors))
    datasets = [d for d in dict.fromkeys(r["dataset"] for r in told_errors) if d != "all"]
    times = sorted({r["times"] for r in told_errors})

    def ratio(split: str, dataset: str, name: str) -> float:
        off = [
            mean[split, dataset, name, t]["mean"] / mean[split, dataset, combination.LINE, t]["mean"]
            for t in times
        ]
        return float(np.mean(off))

    rows = []
    for chosen_on in datasets if len(datasets) == 2 else []:
        (judged_on,) = (d for d in datasets if d != chosen_on)
        best = min(names, key=lambda name: ratio("other_families_same_dataset", chosen_on, name))
        for name in dict.fromkeys([best, combination.NAME, combination.LINE]):
            rows += [
                {"chosen_on": chosen_on, "judged_on": judged_on, "forecast": name, "chosen": name == best}
                | {
                    k: mean["other_datasets", judged_on, name, t][k]
                    for k in ("times", "cases", "median", "mean")
                }
                for t in times
            ]
    return rows


def fits(curves: Sequence[Published], traced: Sequence[Traced]) -> Rows:
    """Return one row per curve, number of sizes fitted and law: status, log-RMSD and parameters."""
    return [
        {
            "dataset": curve.dataset,
            "model": curve.model,
            "fitted": found.fitted,
            "law": found.law,
            "status": found.status,
            "log_rmsd": found.log_rmsd,
        }
        | {name: found.parameters.get(name) for name in ("B", "D_l", "beta", "E")}
        for curve, one in zip(curves, traced, strict=True)
        for found in one.fits
    ]


def statuses(described: Rows) -> Rows:
    """Return one row per data set, sizes fitted, law and status: the share of curves with it."""
    rows = []
    for key in dict.fromkeys((r["dataset"], r["fitted"], r["law"]) for r in described):
        found = [r["status"] for r in described if (r["dataset"], r["fitted"], r["law"]) == key]
        rows += [
            dict(zip(("dataset", "fitted", "law"), key, strict=True))
            | {"status": status, "curves": len(found), "share": found.count(status) / len(found)}
            for status in sorted(set(found))
        ]
    return rows


def tables(
    curves: Sequence[Published], traced: Sequence[Traced], told: Cases, judged: Sequence[Judged]
) -> dict[str, Rows]:
    """Return every table of the published curves, by name."""
    told_errors, described = errors(curves, told, judged), fits(curves, traced)
    return {
        "errors": told_errors,
        "choices": choices(told_errors),
        "advantage": advantage(curves, told, judged),
        "intervals": intervals(curves, traced, told, judged),
        "fits": described,
        "statuses": statuses(described),
        "agreement": agreement(described),
    }


def agreement(described: Rows) -> Rows:
    """Return one row per data set and law: the mean log-RMSD of the fits to all sizes."""
    whole = max((r["fitted"] for r in described), default=0)
    groups: dict[tuple[str, str], list[float]] = {}
    for r in described:
        if r["fitted"] == whole and r["log_rmsd"] is not None:
            groups.setdefault((r["dataset"], r["law"]), []).append(r["log_rmsd"])
    return [
        {"dataset": dataset, "law": law, "curves": len(found), "mean_log_rmsd": float(np.mean(found))}
        for (dataset, law), found in groups.items()
    ]


def headline(tables: dict[str, Rows]) -> str:
    """Return in one line how near the combination and the line came on curves of left-out families."""
    rows = [r for r in tables["errors"] if r["split"] == "other_families"]
    whole = rows[-1]["dataset"] if rows else ""  # all of them, where there are several data sets
    told = {(r["forecast"], r["times"]): r["mean"] for r in rows if r["dataset"] == whole}
    if not told:
        return "no family can be left out"
    means = (
        ", ".join(f"{100 * told[name, 2**h]:.2f} %" for h in SHOWN if (name, 2**h) in told)
        for name in (combination.NAME, combination.LINE)
    )
    return "mean error 2, 4 and 8 times ahead: combination {}; two-point line {}".format(*means)
