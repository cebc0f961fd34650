"""Pictures for print: the SVG of the screen, drawn by matplotlib.

Every picture of the kit will do: a graph, or an SVG made of the shapes in `kit.graphs.svg`. A `Figure`
is made directly and never through pyplot, so nothing stays open. Colours are the light tokens; hatches
say the same as the colours, for grey printers. Equal pictures give equal files.

>>> from kit.graphs.svg import rect, sheet
>>> picture(sheet("A box", "There is one box.", 80, 40, rect(0, 0, 80, 40, 8, "edge")), kind="svg")[:5]
b'<?xml'
"""

from __future__ import annotations

import re
import warnings
from functools import partial
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, fromstring

from ..diagnostics import beside
from ..graphs import Graph, to_svg
from ..looks import TOKENS, literal, sayable, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK: Final = TOKENS["light"]
_DPI: Final = 96
_POINT: Final = 72 / _DPI
_HEAD: Final = 56  # pixels above a picture, for its answer and situation
_TABLES: Final[dict[str, Any]] = beside(__file__)
_STYLE: Any = _TABLES["style"] | {"text.color": _INK["ink"], "axes.edgecolor": _INK["edge"]}


def figure(drawn: Graph | str, answer: str = "", situation: str = "") -> Figure:
    """A graph or an SVG as a figure, its answer and situation above it. A graph brings both along.

    The SVG may be standalone or as it lies in a card. Its size is that of its `viewBox`, in pixels, or
    its `width` and `height` with a margin.

    Raises:
        ValueError: The SVG has an element or a path command that is none of ours.
    """
    import matplotlib
    from matplotlib.figure import Figure

    if isinstance(drawn, Graph):
        answer, situation = answer or drawn.answer, situation or drawn.situation
        drawn = to_svg(drawn, standalone=True)
    svg = fromstring(literal(drawn))  # noqa: S314  (our own picture, in which every text is escaped)
    width, height = (float(svg.get(side, 0)) for side in ("width", "height"))
    left, top, width, height = map(float, svg.get("viewBox", f"-24 -24 {width + 48} {height + 48}").split())
    answer, situation = (sayable(words.replace("`", "")) for words in (answer, situation))
    if answer or situation:
        said = max(text_width(answer, 20, bold=True), text_width(situation))
        width = max(width, 528, min(said + 48, 960))  # a sentence makes a picture at most 960 wide
        rows = wrap(situation, int(len(situation) * (width - 48) // text_width(situation))) if situation else []
        top, height = top - _HEAD - 18 * len(rows[1:]), height + _HEAD + 18 * len(rows[1:])
    with matplotlib.rc_context(_STYLE):
        result = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)
        axes = result.add_axes((0, 0, 1, 1))
        axes.set(xlim=(left, left + width), ylim=(top + height, top))
        axes.set_axis_off()
        if answer or situation:
            axes.text(left + 24, top + 34, answer, fontweight="bold", **_letters(20))
            axes.text(left + 24, top + 46, "\n".join(rows), color=_INK["ink2"], va="top", **_letters(13))
        _draw(axes, svg)
    return result


def _letters(size: float, *, mono: bool = False) -> dict[str, Any]:
    """The font that is here, by its own name, since a figure may be drawn where other styles hold; and its points.

    The letters of DejaVu Sans are a tenth wider than what pictures reckon with.
    """
    from matplotlib.font_manager import FontProperties, findfont

    file = findfont(FontProperties(family=["monospace" if mono else "sans-serif"]))
    family = FontProperties(fname=file).get_name()
    return {"family": family, "fontsize": size * _POINT * (0.9 if family == "DejaVu Sans" else 1)}


def picture(drawn: Graph | str, answer: str = "", situation: str = "", kind: str = "png", dpi: int = 192) -> bytes:
    """The same as a file of that kind: `png`, `svg` or `pdf`, the same bytes for the same picture.

    Raises:
        ValueError: As `figure`.
    """
    import matplotlib

    buffer = BytesIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # A name may hold letters that the fonts here have not: a box is drawn, and that is enough.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure(drawn, answer, situation).savefig(buffer, format=kind, dpi=dpi, metadata=_TABLES["metadata"].get(kind))
    return buffer.getvalue()


def _path(d: str, x: float, y: float, scale: float) -> Any:
    """Absolute commands M, L, H, V, Q, C and Z as a matplotlib path, moved to (x, y) and scaled."""
    from matplotlib.path import Path

    points: list[tuple[float, float]] = []
    kinds: list[int] = []
    here = [0.0, 0.0]
    for command, values in re.findall("([A-DF-Za-df-z])([^A-DF-Za-df-z]*)", d):  # an `e` is part of a number
        if command not in _TABLES["commands"]:
            raise ValueError(f"a picture of ours has no path command `{command}`")
        numbers = [float(number) for number in values.replace(",", " ").split()] or here
        if command in "HV":
            numbers = [numbers[-1], here[1]] if command == "H" else [here[0], numbers[-1]]
        here = numbers[-2:]
        points += [(x + a * scale, y + b * scale) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]
        kinds += [_TABLES["commands"][command]] * (len(numbers) // 2)
    return Path(points, kinds)


def _draw(axes: Axes, group: Element, x: float = 0, y: float = 0, scale: float = 1, alpha: float = 1) -> None:
    """Draw the parts of a group of our SVG: rectangles, circles, paths, texts and groups, which may be moved."""
    from matplotlib.patches import Circle, FancyBboxPatch, PathPatch

    for part in group:
        kind, get = part.tag.rpartition("}")[2], part.get
        if kind in ("title", "desc", "style"):
            continue
        if kind not in _TABLES["places"]:
            raise ValueError(f"a picture of ours has no element `{kind}`")
        left, top, *sizes = [float(get(key, 0)) * scale for key in _TABLES["places"][kind]]
        at = (x + left, y + top)
        line = float(get("stroke-width", 1)) * scale
        dash = [float(step) * scale / line for step in get("stroke-dasharray", "").split()]
        look: dict[str, Any] = {
            "edgecolor": get("stroke", "none"), "facecolor": get("fill", "black"), "linewidth": line * _POINT,
            "alpha": alpha * float(get("opacity", 1)), "linestyle": (0, dash) if dash else "solid",
            "capstyle": get("stroke-linecap", "butt"), "joinstyle": "round",
        }  # fmt: skip
        if kind == "g":
            moved = [float(number) for number in re.findall(r"-?[\d.]+", get("transform", ""))]
            dx, dy, times = (moved + [0, 0, 1][len(moved) :])[:3]
            _draw(axes, part, x + dx * scale, y + dy * scale, scale * times, look["alpha"])
        elif kind == "text":
            axes.text(
                *at, part.text or "", color=look["facecolor"], alpha=look["alpha"],
                weight="bold" if get("font-weight") else "normal", **_letters(sizes[0], mono=bool(get("class"))),
                horizontalalignment=_TABLES["anchors"].get(get("text-anchor"), "left"),
            )  # fmt: skip
        elif kind == "path":
            axes.add_patch(PathPatch(_path(get("d", ""), x, y, scale), **look))
        elif kind == "circle" or {*sizes} == {2 * sizes[-1], sizes[-1]}:  # or a rectangle that is all corner
            radius = sizes[-1]
            middle = at if kind == "circle" else (at[0] + radius, at[1] + radius)
            axes.add_patch(Circle(middle, radius, **look))
        else:
            corner = min(sizes[2], sizes[0] / 2, sizes[1] / 2)
            style = f"round,pad=0,rounding_size={corner}" if corner else "square,pad=0"
            box = partial(FancyBboxPatch, at, sizes[0], sizes[1], style)
            if (hatch := _TABLES["hatches"].get(group.get("data-state"))) and corner >= 6:  # the box of a service
                axes.add_patch(box(**look | {"edgecolor": _INK["rule"], "linewidth": 0, "hatch": hatch}))
                look["facecolor"] = "none"
            axes.add_patch(box(**look))
