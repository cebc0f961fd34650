"""The same as a picture, in words: a table for pages, a text for terminals, and the whole card."""

from __future__ import annotations

from .. import looks
from .graph import Graph, Node
from .svg import to_svg

COLUMNS = ("Service", "State", "Because", "Starts in round", "After", "Ports", "Volumes", "Host access")
_SHOWN = 200


def rows(graph: Graph) -> list[tuple[str, ...]]:
    """The cells of the table, as text. A large release is sorted by round."""
    nodes = sorted(graph.nodes, key=lambda node: node.round or len(graph.nodes)) if graph.too_many else graph.nodes
    return [
        (
            node.name,
            looks.word(node.state) if node.state else "",
            node.because,
            str(node.round or "–"),
            ", ".join(node.after),
            ", ".join(node.ports),
            ", ".join(node.volumes),
            ", ".join(node.host),
        )
        for node in nodes[:_SHOWN]
    ]


def to_table(graph: Graph) -> str:
    """The picture as a real table, one row for each service and unknown name."""
    states = {node.name: node.state for node in graph.nodes}
    kept = [place for place, _ in enumerate(COLUMNS) if place in (0, 3, 4) or any(row[place] for row in rows(graph))]
    cells = []
    for row in rows(graph):
        html = [looks.prose(cell) if place == 2 else looks.escaped(cell) for place, cell in enumerate(row)]
        if states[row[0]]:
            html[1] = looks.state(states[row[0]])
        cells.append(tuple(html[place] for place in kept))
    hidden = len(graph.nodes) - len(cells)
    more = f'<p class="mc-quiet">{hidden} more services are not shown.</p>' if hidden > 0 else ""
    return looks.table(tuple(COLUMNS[place] for place in kept), cells) + more


def to_text(graph: Graph) -> str:
    """The picture for a terminal: the answer, the situation, and one line for each service."""
    table = [COLUMNS, *rows(graph)]
    kept = [place for place in (3, 0, 1, 4, 5, 6, 7, 2) if place in (0, 3) or any(row[place] for row in table[1:])]
    heads = {3: "Round"}
    lines = [[(heads.get(place, row[place]) if row is COLUMNS else row[place]) for place in kept] for row in table]
    widths = [max(len(line[place]) for line in lines) for place in range(len(kept))]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join((graph.answer, graph.situation, "", *drawn)).replace("`", "")


def _legend(graph: Graph) -> str:
    states = [state for state in looks.GLYPHS if any(node.state == state for node in graph.nodes)]
    icons = (
        [node.icon for node in graph.nodes]
        + ["port"] * any(node.ports for node in graph.nodes)
        + ["volume"] * graph.shelf
    )
    return looks.legend([*states, *(icon for icon in looks.ICONS if icon in icons)])


def figure(graph: Graph, *, with_style: bool = True) -> str:
    """The whole card: answer, situation, picture in both directions, legend, table."""
    pictures = ""
    if not graph.too_many and graph.nodes:
        pictures = looks.picture(to_svg(graph), to_svg(graph, narrow=True) if graph.narrow else "", name="start order")
    return looks.figure(
        graph.answer, graph.situation, pictures, _legend(graph) if pictures else "", to_table(graph),
        name=graph.name or graph.answer.replace("`", ""), open_table=not pictures, with_style=with_style,
    )  # fmt: skip


def state_of(node: Node) -> str:
    """The word for a node's state, or nothing."""
    return looks.word(node.state) if node.state else ""
