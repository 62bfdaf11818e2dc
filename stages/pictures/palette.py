"""How a target looks in every picture: order, name, colour, line and marker; labels beside lines' ends."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from stages.grid import STRATEGIES, Target
from stages.pictures.svg import GREY, INK

# Of viridis, the part that is seen on white and on dark paper.
_LOW, _HIGH = 0.2, 0.84
_MARKERS = ("o", "s", "^", "D", "v", "P")
# What is not steered to a level stands apart from the ramp of levels; of Okabe and Ito's palette (2008).
_STRATEGIES = {
    "uniform": ("#e69f00", "p"),
    "groups": ("#56b4e9", "h"),
    "random": (GREY, "X"),
    "fixed_tokens": ("#d55e00", "<"),
    "fixed_ratio": ("#cc79a7", ">"),
}


class Look(NamedTuple):
    """One target's appearance."""

    label: str
    colour: str
    marker: str
    line: Any  # matplotlib's line style


class End(NamedTuple):
    """Where a line ends, and what is written beside it."""

    x: float
    y: float
    text: str
    colour: str


def ordered(targets: Iterable[Target]) -> list[Target]:
    """Return the distinct targets: levels from the sparsest up, then the other strategies."""
    return sorted(
        set(targets), key=lambda t: (t.density is None, t.density or 0.0, (*STRATEGIES, "").index(_name(t)))
    )


def _name(target: Target) -> str:
    return target.strategy if target.density is None else ""


def label(target: Target) -> str:
    """Return a target's name for the eye, such as `4.8 dex` or `fixed tokens`."""
    return target.strategy.replace("_", " ") if target.density is None else f"{target.density} dex"


def looks(targets: Iterable[Target]) -> dict[Target, Look]:
    """Return the look of each target, in order; the levels run through one ramp of colours."""
    import matplotlib
    from matplotlib.colors import to_hex

    shown = ordered(targets)
    levels = [target for target in shown if target.density is not None]
    ramp = matplotlib.colormaps["viridis"]
    found = {}
    for target in shown:
        if target.density is None:
            colour, marker = _STRATEGIES[target.strategy]
            found[target] = Look(label(target), colour, marker, (0, (5, 2)))
        else:
            i = levels.index(target)
            part = i / (len(levels) - 1) if len(levels) > 1 else 0.5
            colour = to_hex(ramp(_LOW + (_HIGH - _LOW) * part))
            found[target] = Look(label(target), colour, _MARKERS[i % len(_MARKERS)], "-")
    return found


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Return the places nearest to the wanted ones that are `gap` apart, in their order and within 0 … 1.

    Where so many do not fit, the gap is what is left for each.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    gap = min(gap, 1 / max(len(wanted) - 1, 1))
    # Least squares under "each at least a gap above the one before" is the isotonic regression of what is
    # left without the gaps: neighbours in the wrong order are pooled into their mean.
    pooled: list[tuple[float, int]] = []  # (sum, count)
    for rank, i in enumerate(order):
        pooled.append((wanted[i] - rank * gap, 1))
        while len(pooled) > 1 and pooled[-2][0] / pooled[-2][1] > pooled[-1][0] / pooled[-1][1]:
            (last, n), (before, m) = pooled.pop(), pooled.pop()
            pooled.append((before + last, m + n))
    free = [total / count for total, count in pooled for _ in range(count)]
    ceiling = 1 - gap * max(len(wanted) - 1, 0)
    found = [0.0] * len(wanted)
    for rank, i in enumerate(order):
        found[i] = min(max(free[rank], 0.0), ceiling) + rank * gap
    return found


def label_ends(ax: Any, ends: Sequence[End], gap: float = 0.065) -> None:
    """Write each line's label to the right of the axes, joined to its end; call it when all else is drawn.

    Args:
        ax: matplotlib axes.
        ends: of the lines, in the axes' units.
        gap: between two labels, as a share of the axes' height.
    """
    ax.get_ylim()  # finds limits that are still to be found
    to_share = ax.transScale + ax.transLimits
    heights = [float(to_share.transform((end.x, end.y))[1]) for end in ends]
    for end, place in zip(ends, spread(heights, gap), strict=True):
        swatch: dict[str, Any] = {"color": end.colour, "marker": "s", "markersize": 6, "linestyle": "none"}
        ax.plot(1.05, place, transform=ax.transAxes, clip_on=False, **swatch)
        ax.annotate(
            end.text,
            xy=(end.x, end.y),
            xytext=(1.075, place),
            textcoords="axes fraction",
            va="center",
            fontsize=9.5,
            color=INK,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": GREY,  # thin and dotted: a leader is no data
                "linewidth": 0.6,
                "linestyle": ":",
                "shrinkA": 12,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )
