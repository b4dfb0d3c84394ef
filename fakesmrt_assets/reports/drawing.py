"""How every picture looks, and how it becomes a PNG.

What lives here: style, panels, labels, bytes. What does not: what is drawn (``pictures.py``).
Colours are those of Okabe and Ito (2008), which people with any kind of colour vision tell apart.
matplotlib is imported with the first picture; its global state changes only while one is drawn.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, YELLOW, GREY = "#E69F00", "#56B4E9", "#F0E442", "#999999"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, YELLOW, GREY)
LINES = ("-", "--", "-.", ":")

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "text.parse_math": False,
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
}
WIDTH_INCHES = 7.2
DOTS_PER_INCH = 100
LONGEST_LABEL = 42


def as_data_uri(png: bytes) -> str:
    """The picture as an address that holds it whole."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def as_markdown(png: bytes) -> str:
    """The picture as Markdown that needs no other file."""
    return f"![]({as_data_uri(png)})"


@contextmanager
def figure(
    height: float, n_panels: int = 1, *, vertical: bool = False, ratios: Sequence[float] | None = None
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure of `height` inches with panels side by side, or one below the other."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, layout="constrained")
        rows, columns = (n_panels, 1) if vertical else (1, n_panels)
        panels = drawn.subplots(rows, columns, squeeze=False, height_ratios=ratios)
        yield drawn, list(panels.flat)


def png(figure: Figure) -> bytes:
    """At most 64 colours make a third of the file, and nobody sees the difference."""
    from PIL import Image

    raw = io.BytesIO()
    figure.savefig(raw, format="rgba", dpi=DOTS_PER_INCH)
    drawn = Image.frombytes("RGBA", figure.canvas.get_width_height(), raw.getvalue()).convert("RGB")
    target = io.BytesIO()
    drawn.quantize(64, dither=Image.Dither.NONE).save(target, format="png", optimize=True)
    return target.getvalue()


def short_label(text: str, longest: int = LONGEST_LABEL) -> str:
    """Text that can be printed and is short enough to stand beside a bar."""
    printable = "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
    return printable if len(printable) <= longest else printable[: longest - 1] + "…"
