"""Every target's knowledge points side by side: scatter, histogram and kernel density on shared scales."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from stages.grid import Target
from stages.pictures.density import Array, Cloud, colours, kernel
from stages.pictures.palette import label, looks, ordered
from stages.pictures.svg import GREY, INK, PAPER, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SHOWN = 1500  # points of a scatter at most
_BINS = 32  # of the histogram, per side
_GRID = 90  # points of the kernel estimate, per side
_DEPTH = 2.5  # dex below the highest peak at which the kernel estimate fades out
_FLAT = 1e-9  # a spread below this is none: no kernel estimate


def panels(clouds: Mapping[Target, Cloud]) -> str:
    """Draw each target's points on the space's first two axes: scatter, mean log density per bin, contours.

    Axes, the colours of the first two columns and those of the third are the same in every row.

    Args:
        clouds: the distinct points of each target's pool.
    """
    shown = ordered(clouds)
    plane = np.concatenate([clouds[t].points[:, :2] for t in shown])
    low, high = plane.min(axis=0), plane.max(axis=0)
    margin = 0.04 * np.maximum(high - low, _FLAT)
    low, high = low - margin, high + margin
    high[1] += 0.13 * (high[1] - low[1])  # room for a line of text
    dex = np.quantile(np.concatenate([clouds[t].log10_density for t in shown]), [0.01, 0.99])
    kernels = {t: kernel(clouds[t].points[:, :2], low, high, _GRID) for t in shown}
    peak = max((k.max() for k in kernels.values() if k is not None), default=0.0)

    def paint(figure: "Figure") -> None:
        # Room for the labels at the left, which the layout forgets beside two bars of colours.
        figure.set_layout_engine("constrained", rect=(0.02, 0, 0.98, 1))
        axes = figure.subplots(len(shown), 3, sharex=True, sharey=True, squeeze=False)
        scale: dict[str, Any] = {"vmin": dex[0], "vmax": dex[1], "cmap": _map("viridis")}
        coloured: Any = None
        filled: Any = None
        for (left, middle, right), target in zip(axes, shown, strict=True):
            cloud = clouds[target]
            coloured = _scatter(left, cloud, scale)
            _histogram(middle, cloud, low, high, scale)
            filled = _contours(right, kernels[target], low, high, float(peak)) or filled
            left.set_ylabel("second axis")
            mean, points = f"{cloud.log10_density.mean():.2f}", len(cloud.points)
            text = f"{label(target)}: {points} points, mean {mean} dex"
            left.text(0.02, 0.97, text, transform=left.transAxes, va="top", fontsize=9.5, color=INK)
        axes[0, 0].set_title("Knowledge points")
        axes[0, 1].set_title("Mean log density per bin")
        axes[0, 2].set_title("Kernel density")
        for ax in axes[-1]:
            ax.set_xlabel("first principal axis")
        for ax in axes.flat:
            ax.set_xlim(low[0], high[0])
            ax.set_ylim(low[1], high[1])
            ax.grid(False)
        place: dict[str, Any] = {"orientation": "horizontal", "aspect": 40, "pad": 0.01}
        figure.colorbar(coloured, ax=axes[:, :2], label="log10 k-NN density in the pool (dex)", **place)
        if filled is not None:
            place["aspect"] = 20
            figure.colorbar(filled, ax=axes[:, 2:], label="log10 kernel density, below the peak", **place)

    title = "Knowledge points of every target: scatter, mean log density per bin and kernel density"
    return draw("clouds", title, (11, 1.4 + 2.3 * len(shown)), paint)


def _map(name: str) -> Any:
    return colours(name, 0.15, 0.95)


def _scatter(ax: Any, cloud: Cloud, scale: dict[str, Any]) -> Any:
    # Evenly through the points as they are listed, which is in the pool's random order.
    at = np.unique(np.linspace(0, len(cloud.points) - 1, _SHOWN).astype(int))
    at = at[np.argsort(cloud.log10_density[at], kind="stable")]
    dots: dict[str, Any] = {"s": 7, "linewidths": 0, "rasterized": True}
    return ax.scatter(*cloud.points[at, :2].T, c=cloud.log10_density[at], **dots, **scale)


def _histogram(ax: Any, cloud: Cloud, low: Array, high: Array, scale: dict[str, Any]) -> None:
    where: dict[str, Any] = {"bins": _BINS, "range": list(zip(low, high, strict=True))}
    counts, x, y = np.histogram2d(cloud.points[:, 0], cloud.points[:, 1], **where)
    sums = np.histogram2d(cloud.points[:, 0], cloud.points[:, 1], weights=cloud.log10_density, **where)[0]
    mean = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    ax.pcolormesh(x, y, mean.T, rasterized=True, **scale)


def _contours(ax: Any, logs: Array | None, low: Array, high: Array, peak: float) -> Any:
    if logs is None:
        said = "points lie on a line:\nno estimate"
        ax.text(0.5, 0.5, said, transform=ax.transAxes, ha="center", va="center", color=INK)
        return None
    x, y = (np.linspace(low[i], high[i], _GRID) for i in (0, 1))
    levels = np.linspace(-_DEPTH, 0, 11)
    filled = ax.contourf(x, y, np.minimum(logs - peak, 0), levels=levels, cmap=_map("cividis"))
    filled.set_rasterized(True)
    return filled


def ridges(clouds: Mapping[Target, Cloud]) -> str:
    """Draw each target's distribution of log10 density, one above the other on one axis.

    Args:
        clouds: the distinct points of each target's pool.
    """
    from scipy.stats import gaussian_kde

    shown = looks(clouds)
    low, high = np.quantile(np.concatenate([c.log10_density for c in clouds.values()]), [0.002, 0.998])
    x = np.linspace(low - 0.5, high + 0.5, 300)
    curves = {
        t: gaussian_kde(c.log10_density)(x) if np.ptp(c.log10_density) > _FLAT else np.zeros_like(x)
        for t, c in clouds.items()
    }
    tall = max((c.max() for c in curves.values()), default=1.0) or 1.0

    def paint(figure: "Figure") -> None:
        ax = figure.subplots()
        for row, (target, look) in enumerate(shown.items()):
            base, mean = -row, float(clouds[target].log10_density.mean())
            curve = base + 0.92 * curves[target] / tall
            ax.fill_between(x, base, curve, color=look.colour, alpha=0.35, linewidth=0)
            ax.plot(x, curve, color=look.colour, linewidth=1.6)
            if target.density is not None:
                ax.plot(
                    [target.density] * 2, [base, base + 0.92], color=INK, linewidth=1.4, linestyle=(0, (3, 2))
                )
            ax.plot(mean, base, marker="o", color=look.colour, markersize=8, markeredgecolor=PAPER)
            ax.annotate(f"{mean:.2f}", (mean, base), (7, 4), textcoords="offset points", fontsize=9)
        ax.set_yticks([-row for row in range(len(shown))], [look.label for look in shown.values()])
        ax.set_ylim(-len(shown) + 0.65, 1.02)
        ax.set_xlabel("log10 k-NN density of a knowledge point in its pool (dex)")
        ax.set_title("Share of points per dex; dot: mean, dashed: the target")
        ax.grid(False, axis="y")
        ax.spines["left"].set_color(GREY)

    title = "Distribution of knowledge density in every target's pool, with its mean and its target"
    return draw("densities", title, (11, 1.3 + 0.62 * len(shown)), paint)
