"""A graph as a picture: a placement, which knows no state, painted with the states of the graph."""

from __future__ import annotations

from typing import Final

from ..looks import cut_middle, mark, text_width, word
from .graph import Graph, Node, count
from .placement import TABLES, Box, Line, Placement
from .svg import group, path, port_tag, rect, sheet, text

_INSIDE: Final[dict[str, tuple[float, ...]]] = TABLES["inside"]
"""Class of picture: glyph, its left and top, baselines of the name and of the second line, size of the name."""
_OUTLINE: Final[dict[str, str]] = TABLES["outlines"]
"""States that colour the outline of a service. Of the others only the marks are coloured."""


def to_svg(graph: Graph, *, narrow: bool = False, standalone: bool = False) -> str:
    """The picture of a graph, from left to right or, narrow, from top to bottom.

    Inline it belongs into a card (`looks.figure`); `standalone` is a file, light and on white.
    """
    title = f"{graph.name}: {graph.answer}" if graph.name else graph.answer
    if graph.too_many:
        words = f"{len(graph.nodes)} services are too many for one picture. Name one of them as focus."
        return sheet(title, words, text_width(words) + 8, 32, text(0, 20, words), standalone)
    placed = graph.placement(narrow)
    nodes = [_node(graph, node, placed.boxes[node.name], placed.size.name) for node in graph.nodes]
    parts = [*_heads(graph, placed), *_lines(graph, placed), *nodes, *(_volume(graph, box) for box in placed.volumes)]
    return sheet(title, _said(graph), placed.width, placed.height, "".join(parts), standalone)


def _said(graph: Graph) -> str:
    """The picture in a few sentences, for who cannot see it."""
    rounds: dict[int, list[str]] = {}
    for node in graph.nodes:
        rounds.setdefault(node.round, []).append(node.name)
    told = [f"Round {number}: {', '.join(rounds[number])}." for number in sorted(rounds) if number]
    told += [f"{node.name}: {word(node.state)}." for node in graph.nodes if node.state not in ("", "run")]
    return " ".join(told)


def _heads(graph: Graph, placed: Placement) -> list[str]:
    """The number of the round above each column, or beside each row."""
    column, narrow = graph.layers.column, placed.size.narrow
    looped = {column[name] for row in graph.layers.loops for name in row}
    last = max((node.round for node in graph.nodes), default=0)
    parts = []
    for place, (start, length) in enumerate(placed.columns):
        rounds = {node.round for node in graph.nodes if column[node.name] == place} - {0}
        words, stop = ", ".join(map(str, sorted(rounds))), start + length
        if place in looped:
            if place - 1 in looped:
                continue
            after = next(end for end in range(place, len(column) + 1) if end not in looped)
            words, stop = "the loop: no member can be first", sum(placed.columns[after - 1])
            words = "in a loop" if narrow or text_width(words, 12) > stop - start + 20 else words
        elif words in ("1", str(last)):
            words += " starts first" if words == "1" else " starts last"
        elif graph.shelf and not narrow and place == len(placed.columns) - 1:
            words = "kept across releases"
        if narrow:
            parts.append(text(0, (start + stop) / 2 + 4, words.replace("starts ", ""), 12, ink="ink3"))
        else:
            parts += [text(start, 12, words, 12, ink="ink3"), path(f"M{start:g} 22.5L{stop:g} 22.5", "rule", 1)]
    return parts


def _look(graph: Graph, line: Line) -> tuple[int, str, float, str]:
    """When a line is painted, and its colour, width and dashes."""
    code, edge = line.kind, {line.source, line.target}
    if code == "edge" and graph.by_name[line.source].state == "ask":
        code = "ask"
    elif code == "edge":
        strong = bool(graph.focus) and edge <= graph.waited | {graph.focus}
        code = "strong" if strong else ("pale " if graph.focus else "") + ("binding" if graph.binds(edge) else "loose")
    order, colour, width, dash = TABLES["lines"][code]
    return order, colour, width, dash


def _lines(graph: Graph, placed: Placement) -> list[str]:
    looks: dict[tuple[int, str, float, str], list[Line]] = {}
    for line in placed.lines:
        looks.setdefault(_look(graph, line), []).append(line)
    parts = []
    for (_, colour, width, dash), lines in sorted(looks.items()):
        parts.append(path("".join(line.path for line in lines), colour, width, dash=dash))
        parts.append(path("".join(dict.fromkeys(line.tip for line in lines)), fill=colour))
    narrow = placed.size.narrow
    for row, x, y, returns in placed.labels:
        words = f"remove any one of these {count(len(row), 'arrow')}" if len(row) > 1 else "remove this arrow"
        words = words if returns == 1 else "each ring must lose one arrow"
        width = text_width(words, 12) + 16
        parts.append("" if narrow else rect(x - width / 2, y - 9, width, 18, 0, ""))
        parts.append(text(x, y + 4, words, 12, ink="ink2", anchor="" if narrow else "middle"))
    return parts


def _node(graph: Graph, node: Node, box: Box, size: str) -> str:
    glyph, left, top, first, second, letters = _INSIDE[size]
    x, y, wide, high = box.x, box.y, box.width, box.height
    pale = bool(graph.focus) and node.name not in graph.waited | {graph.focus}
    quiet, loud = ("ink3", "ink3") if pale else ("ink2", "ink2" if node.state == "out" else "ink")
    usual = "ink" if graph.focus else "run" if (node.state, size) == ("run", "small") else "edge"
    outline = _OUTLINE.get(node.state, usual)
    fill = f"{outline}t" if outline in ("no", "ref", "ask") and not pale else "paper"
    line, dash = 1.5 if graph.focus and not pale else 1.2, "5 4" if node.state in ("out", "ask") else ""
    said = word(node.state) if node.state else ""
    words, icon = node.second if second else "", node.icon
    if size == "narrow" and graph.shelf and node.volumes and node.state in ("", "run"):  # it has no shelf
        words, icon = ", ".join(volume for service, volume, _ in graph.mounts if service == node.name), "volume"
    parts = [rect(x, y, wide, high, 8 if second else 6, "rule" if pale else outline, line, fill=fill, dash=dash)]
    inset = left + 2
    if node.state:
        inset = left + glyph + (letters - 5 if second else 5)
        drawn = mark(node.state, x + left, y + (top if words else (high - glyph) / 2), glyph)
        parts.append(group(drawn, opacity=0.45) if pale else drawn)
    room = wide - inset - 5
    tag = cut_middle(node.tag[size != "small"], wide / 2 - (36 if size == "narrow" else 14), 12, mono=True)
    if tag and second:
        parts.append(port_tag(x + wide - (4 if size == "narrow" else 8), y - 11, tag, "ink3" if pale else "ink"))
    elif tag:
        room -= text_width(tag, 12, mono=True) + 8
        parts.append(text(x + wide - left, y + first, tag, 12, ink=quiet, mono=True, anchor="end"))
    level = y + (first if words else high / 2 + 4.5)
    parts.append(text(x + inset, level, node.name, letters, bold=bool(second), ink=loud, room=room))
    if words:
        indent = 17 if icon else 0
        if text_width(words, 12) > room - indent and words.startswith("built from "):
            words = "built here" if words == f"built from {node.name}" else words.removeprefix("built from ")
        parts.append(mark(icon, x + inset, y + second - 11, 13) if icon else "")
        parts.append(text(x + inset + indent, y + second, words, 12, ink=quiet, room=room - indent))
    return group("".join(parts), f"{node.name}: {said}" if said else node.name, node.state)


def _volume(graph: Graph, box: Box) -> str:
    targets = list(dict.fromkeys(target for _, volume, target in graph.mounts if volume == box.name))
    where = f"at {targets[0]}" if len(targets) == 1 else f"at {len(targets)} places"
    x, y, room = box.x + 36, box.y, box.width - 36
    name = text(x, y + 14, box.name, bold=True, room=room)
    below = text(x, y + 31, f"named volume, {where}", 12, ink="ink2", room=room)
    return group(mark("volume", box.x + 2, y + 7, 22) + name + below, f"{box.name}: named volume")
