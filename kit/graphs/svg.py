"""Graphs as SVG: a placement is painted with the states of a graph.

Every text is escaped, colours are names that the card explains, and nothing has an id: two pictures on
a page cannot meet. The same graph gives the same bytes.
"""

from __future__ import annotations

from functools import lru_cache

from ..looks import FONTS, cut_middle, escaped, literal, mark, text_width, word
from .graph import Graph, Node, count
from .placement import Box, Line, Placement

_ALERT = {"no": "no", "ref": "ref", "cyc": "no", "ask": "ask"}
_STYLE = f"<style>text{{font-family:{FONTS['sans']};white-space:pre}}.mc-m{{font-family:{FONTS['mono']}}}</style>"
_INSIDE = {  # class of picture: glyph, its left and top, baseline of the name, baseline of the second line
    "small": (18, 14, 13, 28, 47),
    "medium": (16, 10, 9, 22, 40),
    "narrow": (16, 10, 9, 22, 40),
    "large": (14, 8, 6, 17.5, 0),
}


@lru_cache(maxsize=4096)
def text(
    x: float, y: float, words: str, size: int = 13, *,
    bold: bool = False, ink: str = "ink", mono: bool = False, anchor: str = "", room: float = 0,
) -> str:  # fmt: skip
    """One line of text, cut in the middle if it needs more than `room` pixels."""
    shown = cut_middle(words, room, size, bold=bold, mono=mono) if room else words
    how = (
        (' font-weight="600"' if bold else "")
        + (' class="mc-m"' if mono else "")
        + (f' text-anchor="{anchor}"' if anchor else "")
    )
    return f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="var(--mc-{ink})"{how}>{escaped(shown)}</text>'


def to_svg(graph: Graph, *, narrow: bool = False, standalone: bool = False) -> str:
    """The picture of a graph.

    Inline it belongs into a card (`looks.figure`), which knows its colours. Standalone it is a file of
    its own: light, on white.
    """
    if graph.too_many:
        words = f"{len(graph.nodes)} services are too many for one picture. Name one of them as focus."
        return _sheet(graph, text(0, 20, words), text_width(words) + 8, 32, standalone)
    placed = graph.placement(narrow)
    parts = [*_heads(graph, placed), *_lines(graph, placed)]
    parts += [_node(graph, node, placed.boxes[node.name], placed) for node in graph.nodes]
    parts += [_volume(graph, box) for box in placed.boxes.values() if box.kind == "volume"]
    return _sheet(graph, "".join(parts), placed.width, placed.height, standalone)


def _sheet(graph: Graph, body: str, width: float, height: float, standalone: bool) -> str:
    title = f"{graph.name}: {graph.answer}" if graph.name else graph.answer
    said = escaped(f"{title} {_said(graph)}".replace("`", ""))
    names = f"<title>{escaped(title.replace('`', ''))}</title><desc>{said}</desc>"
    head = '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
    if not standalone:
        return f'{head} aria-label="{said}" width="{width:g}" height="{height:g}">{names}{body}</svg>'
    view = f'width="{width + 48:g}" height="{height + 48:g}" viewBox="-24 -24 {width + 48:g} {height + 48:g}"'
    paper = f'<rect x="-24" y="-24" width="{width + 48:g}" height="{height + 48:g}" fill="var(--mc-paper)"/>'
    return literal(f'{head} aria-label="{said}" {view}>{names}{_STYLE}{paper}{body}</svg>\n')


def _said(graph: Graph) -> str:
    """The picture in one or two sentences, for who cannot see it."""
    rounds: dict[int, list[str]] = {}
    for node in graph.nodes:
        if node.round:
            rounds.setdefault(node.round, []).append(node.name)
    told = [f"Round {number}: {', '.join(rounds[number])}." for number in sorted(rounds)]
    told += [f"{node.name}: {word(node.state)}." for node in graph.nodes if node.state not in ("", "run")]
    return " ".join(told)


def _heads(graph: Graph, placed: Placement) -> list[str]:
    """The number of the round above each column, or beside each row."""
    columns = graph.layers.column
    rounds = [
        sorted({node.round for node in graph.nodes if columns[node.name] == c and node.round})
        for c in range(len(placed.columns))
    ]
    looped = {columns[name] for row in graph.layers.loops for name in row}
    last = max((node.round for node in graph.nodes), default=0)
    parts, at = [], 0
    while at < len(placed.columns):
        start, end = placed.columns[at][0], sum(placed.columns[at])
        words = ", ".join(map(str, rounds[at]))
        if at in looped:
            while at + 1 in looped:
                at += 1
            words, end = "the loop: no member can be first", sum(placed.columns[at])
        elif graph.shelf and not placed.size.narrow and at == len(placed.columns) - 1:
            words = "kept across releases"
        elif words:
            plain = "" if placed.size.narrow else "starts "
            words += (
                f" {plain}first"
                if rounds[at][0] == 1 and last > 1
                else f" {plain}last"
                if rounds[at][-1] == last > 1
                else ""
            )
        if placed.size.narrow:
            parts.append(
                text(0, (start + end) / 2 + 4, "in a loop" if at in looped else words, 12, ink="ink3", room=70)
            )
        else:
            parts.append(text(start + 1, 12, words, 12, ink="ink3"))
            parts.append(f'<path d="M{start + 1:g} 22.5H{end + 1:g}" stroke="var(--mc-rule)"/>')
        at += 1
    return parts


def _line_style(graph: Graph, line: Line) -> tuple[int, str]:
    """The order in which lines are painted, and how."""
    if line.kind == "volume":
        return 0, 'stroke="var(--mc-edge)" stroke-width="1.5" stroke-dasharray="0.1 4" stroke-linecap="round"'
    edge = (line.source, line.target)
    dash = "" if graph.binds(edge) else ' stroke-dasharray="4 4"'
    if line.kind == "loop":
        return 4, 'stroke="var(--mc-no)" stroke-width="2" stroke-dasharray="6 4"'
    if graph.by_name[line.source].state == "ask":
        return 3, 'stroke="var(--mc-ask)" stroke-width="1.5" stroke-dasharray="5 4"'
    if graph.focus:
        if graph.strong(edge):
            return 5, 'stroke="var(--mc-ink)" stroke-width="2.5"'
        return 1, f'stroke="var(--mc-rule)" stroke-width="1"{dash}'
    return (1 if dash else 2), f'stroke="var(--mc-edge)" stroke-width="1.5"{dash}'


def _lines(graph: Graph, placed: Placement) -> list[str]:
    styles: dict[tuple[int, str], list[Line]] = {}
    for line in placed.lines:
        styles.setdefault(_line_style(graph, line), []).append(line)
    parts = []
    for (_, style), lines in sorted(styles.items()):
        colour = style.split('"')[1]
        parts.append(f'<path d="{"".join(line.path for line in lines)}" fill="none" {style}/>')
        if lines[0].kind != "volume":
            tips = "".join(dict.fromkeys(line.tip for line in lines))
            parts.append(f'<path d="{tips}" fill="{colour}"/>')
    for row, x, y, returns in placed.loops:
        words = f"remove any one of these {count(len(row), 'arrow')}" if len(row) > 1 else "remove this arrow"
        if returns > 1:
            words = "each ring must lose one arrow"
        width = text_width(words, 12) + 16
        if placed.size.narrow:
            parts.append(text(x, y + 4, words, 12, ink="ink2"))
        else:
            parts.append(
                f'<rect x="{x - width / 2:g}" y="{y - 9:g}" width="{width:g}" height="18" fill="var(--mc-paper)"/>'
            )
            parts.append(text(x, y + 4, words, 12, ink="ink2", anchor="middle"))
    return parts


def _node(graph: Graph, node: Node, box: Box, placed: Placement) -> str:
    size = placed.size.name
    pale = bool(graph.focus) and node.name != graph.focus and node.name not in graph.waited
    alert = _ALERT.get(node.state, "")
    outline = "rule" if pale else alert or ("out" if node.state == "out" else "edge")
    if not alert and not pale:
        outline = "ink" if graph.focus else "run" if node.state == "run" and size == "small" else outline
    tint = f"{alert}t" if alert and not pale else "paper"
    dash = ' stroke-dasharray="5 4"' if node.state in ("out", "ask") else ""
    name_ink = "ink3" if pale else "ink2" if node.state == "out" else "ink"
    glyph, left, top, first, second = _INSIDE[size]
    x, y, wide = box.x, box.y, box.width
    inset = left + glyph + (10 if size == "small" else 8 if second else 5) if node.state else left + 2
    room = wide - inset - left
    thick = 1.5 if graph.focus and not pale else 1.2
    parts = [
        f"<g><title>{escaped(node.name)}{': ' + word(node.state) if node.state else ''}</title>",
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{box.height:g}" rx="{8 if second else 6}" '
        f'fill="var(--mc-{tint})" stroke="var(--mc-{outline})" stroke-width="{thick}"{dash}/>',
    ]
    if node.state:
        drawn = mark(node.state, x + left, y + top, glyph)
        parts.append(f'<g opacity=".45">{drawn}</g>' if pale else drawn)
    tag = _ports(node, size)
    if tag and not second:
        parts.append(text(x + wide - left, y + 17.5, tag, 12, mono=True, ink="ink3" if pale else "ink2", anchor="end"))
        room -= text_width(tag, 12, mono=True) + 6
    parts.append(
        text(x + inset, y + first, node.name, 15 if size == "small" else 13, bold=bool(second), ink=name_ink, room=room)
    )
    if second and node.second:
        ink = "ink3" if pale else "ink2"
        if node.icon:
            parts.append(mark(node.icon, x + inset, y + second - 11, 13))
        parts.append(
            text(
                x + inset + 17 * bool(node.icon), y + second, node.second, 12, ink=ink, room=room - 17 * bool(node.icon)
            )
        )
    if tag and second:
        width = text_width(tag, 12, bold=True, mono=True) + 32
        right = x + wide - left + 2 - width
        parts.append(
            f'<rect x="{right:g}" y="{y - 11:g}" width="{width:g}" height="20" rx="4" fill="var(--mc-paper)" '
            f'stroke="var(--mc-{"edge" if pale else "ink"})" stroke-width="1.2"/>{mark("port", right + 7, y - 8, 14)}'
            + text(right + 25, y + 3.5, tag, 12, bold=True, mono=True, ink="ink3" if pale else "ink")
        )
    return "".join((*parts, "</g>"))


@lru_cache(maxsize=512)
def _ports_text(ports: tuple[str, ...], size: str) -> str:
    shown = ports if size == "small" else tuple(port.split(" → ")[0] for port in ports)
    if not shown:
        return ""
    both = ", ".join(shown)
    most = 124 if size == "small" else 80 if size != "large" else 46
    if text_width(both, 12, bold=True, mono=True) <= most:
        return both
    rest = f" +{len(shown) - 1}" if len(shown) > 1 else ""
    return cut_middle(shown[0], most - text_width(rest, 12, bold=True, mono=True), 12, bold=True, mono=True) + rest


def _ports(node: Node, size: str) -> str:
    return _ports_text(node.ports, size)


def _volume(graph: Graph, box: Box) -> str:
    targets = list(dict.fromkeys(target for _, volume, target in graph.mounts if volume == box.name))
    where = f"at {targets[0]}" if len(targets) == 1 else f"at {len(targets)} places"
    return (
        f"<g><title>{escaped(box.name)}: named volume</title>{mark('volume', box.x + 2, box.y + 7, 22)}"
        + text(box.x + 36, box.y + 14, box.name, bold=True, room=box.width - 36)
        + text(box.x + 36, box.y + 31, f"named volume, {where}", 12, ink="ink2", room=box.width - 36)
        + "</g>"
    )
