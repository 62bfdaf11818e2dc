"""Where knowledge points lie and how densely: three views of a pool, its densities beside the source's."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stages.pictures.svg import COLOURS, GREY, INK, draw

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_CELLS = 40  # of the histogram, per side
_GRID = 140  # points of the kernel estimate, per side
_DEPTH = 3.0  # dex below its peak at which the kernel estimate fades out
_FLAT = 1e-9  # a spread below this is none: no kernel estimate


class Cloud(NamedTuple):
    """Distinct knowledge points in the embedding space, with their density among themselves."""

    points: Array  # n × d, axes by falling variance
    log10_density: Array  # n, dex


def views(density: float, pool: Cloud, source: Cloud) -> str:
    """Draw one pool on the first two axes of the embedding: scatter, 2-D histogram, kernel density.

    The axes and the scale of the histogram are the source's, so that pools can be laid side by side.

    Args:
        density: the pool's target, dex.
        pool: its points.
        source: the points of all questions.
    """
    plane = source.points[:, :2]
    low, high = plane.min(axis=0), plane.max(axis=0)
    margin = 0.05 * np.maximum(high - low, _FLAT)
    low, high = low - margin, high + margin

    def paint(figure: "Figure") -> None:
        left, middle, right = figure.subplots(1, 3)
        _scatter(figure, left, pool, source)
        left.set_title(f"Pool at {density} dex: {len(pool.points)} points")
        _histogram(figure, middle, pool, source, low, high)
        _kernel(figure, right, pool, low, high)
        for ax in (left, middle, right):
            ax.set_xlim(low[0], high[0])
            ax.set_ylim(low[1], high[1])
            ax.set_xlabel("first principal axis")
            ax.grid(False)
        left.set_ylabel("second principal axis")

    title = f"Knowledge points of the pool at {density} dex: scatter, histogram and kernel density"
    return draw(f"density-{density}", title, (11, 4.1), paint)


def colours(name: str = "viridis", low: float = 0.22, high: float = 0.96) -> Any:
    """Return a map of colours without its ends, which are lost on dark and on white paper."""
    import matplotlib
    from matplotlib.colors import ListedColormap

    return ListedColormap(matplotlib.colormaps[name](np.linspace(low, high, 256)))


def _scatter(figure: "Figure", ax: Any, pool: Cloud, source: Cloud) -> None:
    # Thousands of vector points would make a file of megabytes: they are drawn as an image.
    ax.scatter(*source.points[:, :2].T, s=5, color=GREY, alpha=0.35, linewidths=0, rasterized=True)
    order = np.argsort(pool.log10_density, kind="stable")
    drawn = ax.scatter(
        *pool.points[order, :2].T,
        c=pool.log10_density[order],
        s=9,
        cmap=colours(),
        linewidths=0,
        rasterized=True,
    )
    figure.colorbar(drawn, ax=ax, orientation="horizontal", label="k-NN density in the pool (dex)", aspect=30)


def _histogram(figure: "Figure", ax: Any, pool: Cloud, source: Cloud, low: Array, high: Array) -> None:
    limits = list(zip(low, high, strict=True))
    counts, x, y = np.histogram2d(pool.points[:, 0], pool.points[:, 1], bins=_CELLS, range=limits)
    most = np.histogram2d(source.points[:, 0], source.points[:, 1], bins=_CELLS, range=limits)[0].max()
    logs = np.log10(np.where(counts > 0, counts, np.nan))
    drawn = ax.pcolormesh(
        x, y, logs.T, cmap=colours(), vmin=0, vmax=max(np.log10(most), 0.3), rasterized=True
    )
    ax.set_title("Histogram")
    figure.colorbar(drawn, ax=ax, orientation="horizontal", label="log10 points per cell", aspect=30)


def _kernel(figure: "Figure", ax: Any, pool: Cloud, low: Array, high: Array) -> None:
    ax.set_title("Kernel density")
    logs = kernel(pool.points[:, :2], low, high, _GRID)
    if logs is None:
        ax.text(
            0.5, 0.5, "points lie on a line:\nno estimate", transform=ax.transAxes, ha="center", color=INK
        )
        return
    x, y = (np.linspace(low[i], high[i], _GRID) for i in (0, 1))
    logs = logs - logs.max()
    shown = np.where(logs > -_DEPTH, logs, np.nan)
    drawn = ax.pcolormesh(
        x, y, shown, cmap=colours(), vmin=-_DEPTH, vmax=0, rasterized=True, shading="nearest"
    )
    ax.contour(x, y, logs, levels=[-2, -1, -0.3], colors=INK, linewidths=0.6, linestyles="solid", alpha=0.6)
    figure.colorbar(drawn, ax=ax, orientation="horizontal", label="log10 density below the peak", aspect=30)


def kernel(plane: Array, low: Array, high: Array, side: int) -> Array | None:
    """Return log10 of the kernel density on a grid, side × side; None where the points lie on a line.

    Args:
        plane: n × 2.
        low: the grid's lower corner, 2.
        high: its upper one.
        side: points per side.
    """
    from scipy.stats import gaussian_kde

    if len(plane) < 4 or np.linalg.matrix_rank(plane - plane.mean(axis=0), tol=_FLAT) < 2:
        return None
    x, y = (np.linspace(low[i], high[i], side) for i in (0, 1))
    at = np.stack(np.meshgrid(x, y)).reshape(2, -1)
    found: Array = np.log10(np.maximum(gaussian_kde(plane.T)(at), 1e-300)).reshape(side, side)
    return found


def histogram(pools: Sequence[tuple[float, Cloud]], source: Cloud) -> str:
    """Draw the distribution of log10 density in each pool, with its target, over the source's.

    Number densities grow with the number of points: the source's are shown as a random pool of the same size
    would have them, log10(points in the pool / points in the source) lower.

    Args:
        pools: (target in dex, points).
        source: the points of all questions.
    """
    size = float(np.mean([len(cloud.points) for _, cloud in pools]))
    scaled = source.log10_density + np.log10(size / len(source.points))
    everything = np.concatenate([scaled, *(cloud.log10_density for _, cloud in pools)])
    low, high = np.quantile(everything, [0.001, 0.999])
    edges = np.linspace(low, high, 61)

    def paint(figure: "Figure") -> None:
        ax = figure.subplots()
        share: dict[str, Any] = {"bins": edges, "density": True}
        ax.hist(scaled, **share, color=GREY, alpha=0.35, label="source, thinned at random")
        for (target, cloud), colour in zip(pools, _cycle(len(pools)), strict=True):
            reached = float(cloud.log10_density.mean())
            label = f"pool at {target} dex: mean {reached:.2f}".replace("-", "−")
            ax.hist(cloud.log10_density, **share, histtype="step", linewidth=2, color=colour, label=label)
            ax.axvline(target, color=colour, linestyle=(0, (4, 3)), linewidth=1.6)
        ax.plot([], [], color=INK, linestyle=(0, (4, 3)), linewidth=1.6, label="target of the pool's mean")
        ax.set_xlabel("log10 k-NN density of a knowledge point (dex, points per unit volume)")
        ax.set_ylabel("share of points per dex")
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))

    title = "Distribution of knowledge density in the source and in each pool, with the targets"
    return draw("densities", title, (11, 4.2), paint)


def _cycle(n: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(n)]
