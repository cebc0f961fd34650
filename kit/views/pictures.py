"""Graphs for print: the drawing of the screen, drawn by matplotlib.

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

from ..graphs import Graph
from ..graphs.drawing import Group, Mark, Path, Rect, Shape, Text, drawing
from ..looks import GLYPHS, ICONS, TOKENS, sayable, word

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.path import Path as Outline

_INK: Final = TOKENS["light"]
_DPI: Final = 96
_POINT: Final = 72 / _DPI
_MARGIN, _HEAD = 24, 84
_HATCH: Final = {word("ref"): "///", word("no"): "xxx", word("out"): "---"}
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

    drawn = drawing(graph)
    width, height = max(drawn.width, 480) + 2 * _MARGIN, drawn.height + _MARGIN + _HEAD
    with matplotlib.rc_context(_STYLE):
        result = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        axes = result.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-_MARGIN, width - _MARGIN), ylim=(height - _HEAD, -_HEAD))
        axes.set_axis_off()
        _draw(axes, Text(0, -46, graph.answer.replace("`", ""), 20, True))
        _draw(axes, Text(0, -22, graph.situation.replace("`", ""), 13, ink="ink2"))
        for shape in drawn.shapes:
            _draw(axes, shape)
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


def _outline(d: str, x: float = 0, y: float = 0, scale: float = 1) -> Outline:
    """Absolute SVG commands as a matplotlib path, moved to (x, y) and scaled."""
    from matplotlib.path import Path as Outline

    codes = {"M": [1], "L": [2], "Q": [3, 3], "C": [4, 4, 4], "Z": [79]}
    points: list[tuple[float, float]] = []
    kinds: list[int] = []
    for command, values in re.findall(r"([MLQCZ])([^MLQCZ]*)", d):
        numbers = [float(number) for number in values.split()] or [0.0, 0.0]
        points += [(x + a * scale, y + b * scale) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        kinds += codes[command]
    return Outline(points, kinds)


def _paint(stroke: str, line: float, dash: str, fill: str) -> dict[str, Any]:
    steps = [float(step) / line for step in dash.split()]
    return {
        "edgecolor": _INK[stroke] if stroke else "none", "facecolor": _INK[fill] if fill else "none",
        "linewidth": line * _POINT, "linestyle": (0, steps) if steps else "solid",
        "capstyle": "round" if dash.startswith("0.1") else "butt", "joinstyle": "round",
    }  # fmt: skip


def _draw(axes: Axes, shape: Shape, hatch: str = "") -> None:
    from matplotlib.patches import FancyBboxPatch, PathPatch

    if isinstance(shape, Group):
        state = shape.title.rpartition(": ")[2]
        for part in shape.shapes:
            _draw(axes, part, _HATCH.get(state, ""))
    elif isinstance(shape, Text):
        axes.text(
            shape.x, shape.y, sayable(shape.words), color=_INK[shape.ink], fontsize=shape.size * _POINT,
            fontweight="bold" if shape.bold else "normal", family="monospace" if shape.mono else "sans-serif",
            horizontalalignment={"start": "left", "middle": "center", "end": "right"}[shape.anchor],
        )  # fmt: skip
    elif isinstance(shape, Mark):
        _mark(axes, shape)
    elif isinstance(shape, Path):
        if shape.d:
            axes.add_patch(PathPatch(_outline(shape.d), **_paint(shape.stroke, shape.line, shape.dash, shape.fill)))
    elif isinstance(shape, Rect):
        look = _paint(shape.stroke, shape.line, shape.dash, shape.fill)
        style = f"round,pad=0,rounding_size={shape.corner}" if shape.corner else "square,pad=0"
        box = (shape.x, shape.y), shape.width, shape.height
        axes.add_patch(FancyBboxPatch(*box, boxstyle=style, **look))
        if hatch and shape.corner >= 6:  # the box of a service
            look = {"edgecolor": _INK["rule"], "facecolor": "none", "linewidth": 0, "hatch": hatch}
            axes.add_patch(FancyBboxPatch(*box, boxstyle=style, **look))


def _mark(axes: Axes, shape: Mark) -> None:
    from matplotlib.patches import Circle, PathPatch

    scale = shape.size / 16
    known = GLYPHS.get(shape.name)
    parts: list[dict[str, Any]] = (
        known["shapes"] if known else [{"d": ICONS[shape.name]["d"], "stroke": "C", "width": 1.4}]
    )
    names = {"C": known["colour"] if known else "ink2", "P": "on"}
    for part in parts:
        width = part.get("width", 0) * scale
        dash = " ".join(str(step * scale) for step in part.get("dash", ()))
        look = _paint(names.get(part.get("stroke", ""), ""), width or 1, dash, names.get(part.get("fill", ""), ""))
        look["alpha"] = 0.45 if shape.pale else 1
        if "circle" in part:
            cx, cy, r = (value * scale for value in part["circle"])
            axes.add_patch(Circle((shape.x + cx, shape.y + cy), r, **look))
        else:
            axes.add_patch(PathPatch(_outline(part["d"], shape.x, shape.y, scale), **look))
