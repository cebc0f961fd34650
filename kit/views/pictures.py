"""Graphs for print: the SVG of the screen, drawn by matplotlib.

A `Figure` is made directly and never through pyplot, so nothing stays open. Colours are the light
tokens; hatches say the same as the colours, for grey printers. Equal graphs give equal files.

>>> from kit.composition import Composition, Service
>>> from kit.graphs import of_composition
>>> picture(of_composition(Composition(services=(Service(name="web"),))), "svg")[:5]
b'<?xml'
"""

from __future__ import annotations

import re
import warnings
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, fromstring

from ..graphs import Graph, to_svg
from ..looks import TOKENS, sayable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path

_INK: Final = TOKENS["light"]
_DPI: Final = 96
_POINT: Final = 72 / _DPI
_HEAD: Final = 56
_HATCH: Final = {"ref": "///", "no": "xxx", "out": "---"}
_PLACES: Final = {
    "rect": ("x", "y", "width", "height", "rx"),
    "circle": ("cx", "cy", "r"),
    "text": ("x", "y", "font-size"),
}
_STYLE: Any = {
    "font.sans-serif": ["Liberation Sans", "Arial", "DejaVu Sans"],
    "font.monospace": ["Liberation Mono", "DejaVu Sans Mono"],
    "font.size": 9,
    "text.color": _INK["ink"],
    "text.parse_math": False,  # a name may hold a dollar
    "axes.edgecolor": _INK["edge"],
    "hatch.linewidth": 0.4,
    "svg.hashsalt": "kit",
}


def figure(graph: Graph) -> Figure:
    """A graph as a figure, its answer and situation above it."""
    import matplotlib
    from matplotlib.figure import Figure

    # Our own picture, in which every text is escaped.
    svg = fromstring(to_svg(graph, standalone=True))  # noqa: S314
    width, height = max(float(svg.get("width", 0)), 528), float(svg.get("height", 0)) + _HEAD
    with matplotlib.rc_context(_STYLE):
        result = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        axes = result.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-24, width - 24), ylim=(height - _HEAD - 24, -_HEAD - 24))
        axes.set_axis_off()
        answer, situation = (sayable(words.replace("`", "")) for words in (graph.answer, graph.situation))
        axes.text(0, -46, answer, fontsize=20 * _POINT, fontweight="bold")
        axes.text(0, -22, situation, fontsize=13 * _POINT, color=_INK["ink2"])
        _draw(axes, svg)
    return result


def picture(graph: Graph, kind: str = "png", dpi: int = 192) -> bytes:
    """A graph as a file of that kind: `png`, `svg` or `pdf`, the same bytes for the same graph."""
    import matplotlib

    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = BytesIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # A name may hold letters that the fonts here have not: a box is drawn, and that is enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure(graph).savefig(buffer, format=kind, dpi=dpi, metadata=dates.get(kind))
    return buffer.getvalue()


def _path(d: str, x: float, y: float, scale: float) -> Path:
    """Absolute commands M, L, Q, C and Z as a matplotlib path, moved to (x, y) and scaled."""
    from matplotlib.path import Path

    codes = {"M": Path.MOVETO, "L": Path.LINETO, "Q": Path.CURVE3, "C": Path.CURVE4, "Z": Path.CLOSEPOLY}
    points: list[tuple[float, float]] = []
    kinds: list[Any] = []
    for command, values in re.findall(r"([MLQCZ])([^MLQCZ]*)", d):
        numbers = [float(number) for number in values.split()] or [0.0, 0.0]
        points += [(x + a * scale, y + b * scale) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        kinds += [codes[command]] * (len(numbers) // 2)
    return Path(points, kinds)


def _draw(axes: Axes, group: Element, x: float = 0, y: float = 0, scale: float = 1, alpha: float = 1) -> None:
    """Draw the parts of a group of our SVG: rectangles, circles, paths, texts and groups, which may be moved."""
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch

    for part in group:
        kind, get = part.tag.rpartition("}")[2], part.get
        at = [float(get(key, 0)) for key in _PLACES.get(kind, ())]
        line = float(get("stroke-width", 1)) * scale
        dash = [float(step) * scale / line for step in get("stroke-dasharray", "").split()]
        look: dict[str, Any] = {
            "edgecolor": get("stroke", "none"), "facecolor": get("fill", "none"), "alpha": alpha,
            "linewidth": line * _POINT, "linestyle": (0, dash) if dash else "solid",
            "capstyle": get("stroke-linecap", "butt"), "joinstyle": "round",
        }  # fmt: skip
        if kind == "g":
            moved = [float(number) for number in re.findall(r"-?[\d.]+", get("transform", ""))]
            dx, dy, times = (moved + [0, 0, 1][len(moved) :])[:3]
            _draw(axes, part, x + dx, y + dy, scale * times, alpha * float(get("opacity", 1)))
        elif kind == "text":
            axes.text(
                at[0], at[1], part.text or "", color=look["facecolor"], fontsize=at[2] * _POINT,
                family="monospace" if get("class") else "sans-serif",
                fontweight="bold" if get("font-weight") else "normal",
                horizontalalignment={"middle": "center", "end": "right"}.get(get("text-anchor", ""), "left"),
            )  # fmt: skip
        elif kind == "path":
            axes.add_patch(PathPatch(_path(get("d", ""), x, y, scale), **look))
        elif kind == "circle":
            axes.add_patch(Circle((x + at[0] * scale, y + at[1] * scale), at[2] * scale, **look))
        elif kind == "rect":
            box = ((at[0], at[1]), at[2], at[3])
            style = f"round,pad=0,rounding_size={at[4]}" if at[4] else "square,pad=0"
            axes.add_patch(FancyBboxPatch(*box, boxstyle=style, **look))
            if (hatch := _HATCH.get(group.get("data-state", ""))) and at[4] >= 6:  # the box of a service
                look |= {"edgecolor": _INK["rule"], "facecolor": "none", "linewidth": 0, "hatch": hatch}
                axes.add_patch(FancyBboxPatch(*box, boxstyle=style, **look))
