"""Drawing with matplotlib to SVG text that is the same on every run and readable on light and dark paper."""

import html
import io
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, PAPER = "#1f2328", "#ffffff"  # text and axes; background. A page may put its own in their place.
GREY = "#8c959f"
# Okabe and Ito's palette (2008), told apart by colour-blind readers, without its black and yellow.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be searched, read aloud and follows the page
    "font.family": "sans-serif",
    "font.size": 11.0,
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": GREY,
    "grid.alpha": 0.25,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.facecolor": "none",
    "figure.facecolor": PAPER,
    "legend.frameon": False,
    "legend.fontsize": 10.0,
    "savefig.dpi": 160,  # of the parts that are drawn as an image
}


def draw(name: str, title: str, size: tuple[float, float], paint: "Callable[[Figure], None]") -> str:
    """Return what `paint` draws on a fresh figure, as SVG.

    Args:
        name: of the picture; its ids start with it, so that several fit on one page.
        title: says what is to be seen, for readers who do not see it.
        size: width and height in inches; 11 inches fill a page 1,056 px wide.
        paint: draws on the figure it is given.
    """
    import matplotlib.style
    from matplotlib.figure import Figure

    with matplotlib.style.context(["default", _STYLE | {"svg.hashsalt": name}]):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure)
        text = io.StringIO()
        # Without these, the file would carry the date and the version of what drew it.
        metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(text, format="svg", metadata=metadata)
    return _labelled(text.getvalue(), name, title)


def _labelled(text: str, name: str, title: str) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'(?<=\bid=")|(?<=href="#)|(?<=url\(#)', f"{name}-", text)
    label = html.escape(title)
    return text.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1).replace(
        ">", f">\n <title>{label}</title>", 1
    )


def on_page(text: str) -> str:
    """Return a picture whose ink and paper are those of the page it stands on."""
    return text.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
