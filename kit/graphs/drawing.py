"""A graph as a list of shapes: what SVG and matplotlib both draw, in the order in which it is drawn.

Colours are names of tokens (`kit.looks.TOKENS`). A placement knows no state; here the states are painted.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..looks import cut_middle, text_width, word
from .graph import Graph, Node, count
from .placement import Box, Line, Placement


class Rect(NamedTuple):
    """A rectangle with rounded corners; a circle if it is all corner."""

    x: float
    y: float
    width: float
    height: float
    corner: float
    stroke: str
    line: float = 1.2
    fill: str = "paper"
    dash: str = ""


class Path(NamedTuple):
    """A line or an area, written as absolute SVG commands M, L, Q and Z."""

    d: str
    stroke: str = ""
    line: float = 1.5
    dash: str = ""
    fill: str = ""


class Text(NamedTuple):
    """One line of text; (x, y) is on its baseline."""

    x: float
    y: float
    words: str
    size: float = 13
    bold: bool = False
    ink: str = "ink"
    mono: bool = False
    anchor: str = "start"


class Mark(NamedTuple):
    """A glyph or an icon, (x, y) its top left corner."""

    name: str
    x: float
    y: float
    size: float = 16
    pale: bool = False


class Group(NamedTuple):
    """The shapes of one thing, with its full name."""

    title: str
    shapes: tuple[Rect | Path | Text | Mark, ...]


Shape = Rect | Path | Text | Mark | Group


class Drawing(NamedTuple):
    """Shapes on a sheet, the name of the sheet, and what it says in words."""

    title: str
    said: str
    width: float
    height: float
    shapes: tuple[Shape, ...]


# class of picture: glyph, its left and top, baselines of the name and of the second line, size of the name
_INSIDE: Final = {
    "small": (18, 14, 13, 28, 47, 15),
    "medium": (16, 10, 9, 22, 40, 13),
    "narrow": (16, 10, 9, 22, 40, 13),
    "large": (14, 8, 6, 17.5, 0, 13),
}
_ALERT: Final = {"no": "no", "ref": "ref", "cyc": "no", "ask": "ask"}


def label(x: float, y: float, words: str, room: float, size: float = 13, bold: bool = False, ink: str = "ink") -> Text:
    """A text that is cut in the middle where it needs more than `room` pixels."""
    return Text(x, y, cut_middle(words, room, size, bold=bold), size, bold, ink)


def port_tag(x: float, y: float, words: str, ink: str = "ink") -> tuple[Rect | Path | Text | Mark, ...]:
    """A tag with published ports, its right top corner at (x, y)."""
    width = text_width(words, 12, bold=True, mono=True) + 30
    return (
        Rect(x - width, y, width, 20, 4, "edge" if ink == "ink3" else ink),
        Mark("port", x - width + 6, y + 3, 14),
        Text(x - width + 23, y + 14.5, words, 12, True, ink, True),
    )


def drawing(graph: Graph, narrow: bool = False) -> Drawing:
    """The picture of a graph, from left to right or, narrow, from top to bottom."""
    title = f"{graph.name}: {graph.answer}" if graph.name else graph.answer
    if graph.too_many:
        words = f"{len(graph.nodes)} services are too many for one picture. Name one of them as focus."
        return Drawing(title, words, text_width(words) + 8, 32, (Text(0, 20, words),))
    placed = graph.placement(narrow)
    nodes = [_node(graph, node, placed.boxes[node.name], placed.size.name) for node in graph.nodes]
    volumes = [_volume(graph, box) for box in placed.volumes]
    shapes = (*_heads(graph, placed), *_lines(graph, placed), *nodes, *volumes)
    return Drawing(title, _said(graph), placed.width, placed.height, shapes)


def _said(graph: Graph) -> str:
    """The picture in a few sentences, for who cannot see it."""
    rounds: dict[int, list[str]] = {}
    for node in graph.nodes:
        rounds.setdefault(node.round, []).append(node.name)
    told = [f"Round {number}: {', '.join(rounds[number])}." for number in sorted(rounds) if number]
    return " ".join(
        told + [f"{node.name}: {word(node.state)}." for node in graph.nodes if node.state not in ("", "run")]
    )


def _heads(graph: Graph, placed: Placement) -> list[Shape]:
    """The number of the round above each column, or beside each row."""
    column, narrow = graph.layers.column, placed.size.narrow
    rounds: list[set[int]] = [set() for _ in placed.columns]
    for node in graph.nodes:
        rounds[column[node.name]] |= {node.round} - {0}
    looped = {column[name] for row in graph.layers.loops for name in row}
    last = max((node.round for node in graph.nodes), default=0)
    shapes: list[Shape] = []
    for place, (start, _) in enumerate(placed.columns):
        if {place - 1, place} <= looped:
            continue
        end = place
        while {end, end + 1} <= looped:
            end += 1
        stop = sum(placed.columns[end])
        words = ", ".join(map(str, sorted(rounds[place])))
        if place in looped:
            words = "in a loop" if narrow else "the loop: no member can be first"
        elif words in ("1", str(last)):
            words += " starts first" if words == "1" else " starts last"
        elif graph.shelf and not narrow and place == len(placed.columns) - 1:
            words = "kept across releases"
        if narrow:
            shapes.append(Text(0, (start + stop) / 2 + 4, words.replace("starts ", ""), 12, ink="ink3"))
        else:
            shapes += [Text(start, 12, words, 12, ink="ink3"), Path(f"M{start:g} 22.5L{stop:g} 22.5", "rule", 1)]
    return shapes


def _look(graph: Graph, line: Line) -> tuple[int, str, float, str]:
    """When a line is painted, and its colour, width and dashes."""
    edge = (line.source, line.target)
    if line.kind == "volume":
        return 0, "edge", 1.8, "0.1 4"
    if line.kind == "loop":
        return 4, "no", 2, "6 4"
    if graph.by_name[line.source].state == "ask":
        return 3, "ask", 1.5, "5 4"
    if graph.focus and graph.strong(edge):
        return 5, "ink", 2.5, ""
    binds = graph.binds(edge)
    return 1 + binds, "rule" if graph.focus else "edge", 1 if graph.focus else 1.5, "" if binds else "4 4"


def _lines(graph: Graph, placed: Placement) -> list[Shape]:
    looks: dict[tuple[int, str, float, str], list[Line]] = {}
    for line in placed.lines:
        looks.setdefault(_look(graph, line), []).append(line)
    shapes: list[Shape] = []
    for (_, colour, width, dash), lines in sorted(looks.items()):
        shapes.append(Path("".join(line.path for line in lines), colour, width, dash))
        shapes.append(Path("".join(dict.fromkeys(line.tip for line in lines)), fill=colour))
    for row, x, y, returns in placed.labels:
        words = f"remove any one of these {count(len(row), 'arrow')}" if len(row) > 1 else "remove this arrow"
        words = words if returns == 1 else "each ring must lose one arrow"
        if placed.size.narrow:
            shapes.append(Text(x, y + 4, words, 12, ink="ink2"))
        else:
            width = text_width(words, 12) + 16
            shapes.append(Rect(x - width / 2, y - 9, width, 18, 0, ""))
            shapes.append(Text(x, y + 4, words, 12, ink="ink2", anchor="middle"))
    return shapes


def _node(graph: Graph, node: Node, box: Box, size: str) -> Group:
    glyph, left, top, first, second, letters = _INSIDE[size]
    x, y, wide = box.x, box.y, box.width
    pale = bool(graph.focus) and node.name not in graph.waited | {graph.focus}
    alert, quiet, bold = _ALERT.get(node.state, ""), "ink3" if pale else "ink2", bool(second)
    outline = alert or ("out" if node.state == "out" else "ink" if graph.focus else "edge")
    if node.state == "run" and size == "small" and not graph.focus:
        outline = "run"  # elsewhere only the exceptions are coloured
    words, icon = node.second, node.icon
    if size == "narrow" and graph.shelf and node.volumes and node.state in ("", "run"):  # it has no shelf
        words, icon = ", ".join(volume for service, volume, _ in graph.mounts if service == node.name), "volume"
    dash = "5 4" if node.state in ("out", "ask") else ""
    width = 1.5 if graph.focus and not pale else 1.2
    fill = f"{alert}t" if alert and not pale else "paper"
    shapes: list[Rect | Path | Text | Mark] = [
        Rect(x, y, wide, box.height, 8 if second else 6, "rule" if pale else outline, width, fill, dash)
    ]
    inset = left + 2
    if node.state:
        inset = left + glyph + (letters - 5 if second else 5)
        shapes.append(Mark(node.state, x + left, y + (top if words else (box.height - glyph) / 2), glyph, pale))
    room = wide - inset - 5
    tag = cut_middle(node.tag[size != "small"], wide / 2 - (36 if size == "narrow" else 14), 12, mono=True)
    if tag and not second:
        room -= text_width(tag, 12, mono=True) + 8
        shapes.append(Text(x + wide - left, y + first, tag, 12, ink=quiet, mono=True, anchor="end"))
    level = first if words else box.height / 2 + 4.5
    ink = quiet if pale or node.state == "out" else "ink"
    shapes.append(label(x + inset, y + level, node.name, room, letters, bold, ink))
    if second and words:
        indent = 17 if icon else 0
        words = words if text_width(words, 12) <= room - indent else words.removeprefix("built from ")
        shapes += [Mark(icon, x + inset, y + second - 11, 13)] if icon else []
        shapes.append(label(x + inset + indent, y + second, words, room - indent, 12, ink=quiet))
    if tag and second:
        shapes += port_tag(x + wide - (4 if size == "narrow" else 8), y - 11, tag, "ink3" if pale else "ink")
    return Group(f"{node.name}: {word(node.state)}" if node.state else node.name, tuple(shapes))


def _volume(graph: Graph, box: Box) -> Group:
    targets = list(dict.fromkeys(target for _, volume, target in graph.mounts if volume == box.name))
    where = f"at {targets[0]}" if len(targets) == 1 else f"at {len(targets)} places"
    x, y, room = box.x + 36, box.y, box.width - 36
    name, place = (
        label(x, y + 14, box.name, room, bold=True),
        label(x, y + 31, f"named volume, {where}", room, 12, ink="ink2"),
    )
    return Group(f"{box.name}: named volume", (Mark("volume", box.x + 2, y + 7, 22), name, place))
