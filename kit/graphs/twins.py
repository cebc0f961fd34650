"""The same as a picture, in words: a table for pages, a text for terminals, and the whole card."""

from __future__ import annotations

from .. import looks
from .drawing import to_svg
from .graph import Graph, Node

COLUMNS = ("Service", "State", "Because", "Starts in round", "After", "Ports", "Volumes", "Host access")
_SHOWN = 200


def _row(node: Node) -> tuple[str, ...]:
    state, number = looks.word(node.state) if node.state else "", str(node.round or "–")
    return node.name, state, node.because, number, *map(", ".join, (node.after, node.ports, node.volumes, node.host))


def _nodes(graph: Graph) -> list[Node]:
    """The nodes in the order of the file; of a large release in the order of their rounds, and not all of them."""
    by_round = sorted(graph.nodes, key=lambda node: node.round or len(graph.nodes))
    return list(by_round if graph.too_many else graph.nodes)[:_SHOWN]


def _hidden(graph: Graph) -> str:
    more = len(graph.nodes) - _SHOWN
    return f"{more} more are not shown." if more > 0 else ""


def to_table(graph: Graph) -> str:
    """The picture as a real table, one row for each service and each unknown name."""
    cells = []
    for node in _nodes(graph):
        name, _, because, *rest = _row(node)
        state = looks.state(node.state) if node.state else ""
        cells.append((looks.escaped(name), state, looks.prose(because), *map(looks.escaped, rest)))
    return looks.table(COLUMNS, cells) + (f"<p>{_hidden(graph)}</p>" if _hidden(graph) else "")


def to_text(graph: Graph) -> str:
    """The picture for a terminal: the answer, the situation, and one line for each service."""
    table = [("Service", "State", "Because", "Round", *COLUMNS[4:]), *map(_row, _nodes(graph))]
    kept = [place for place in (3, 0, 1, 4, 5, 6, 7, 2) if place in (0, 3) or any(row[place] for row in table[1:])]
    widths = [max(len(row[place]) for row in table) for place in kept]
    lines = ["  ".join(row[place].ljust(width) for place, width in zip(kept, widths, strict=True)) for row in table]
    said = [*filter(None, (graph.answer, graph.situation)), "", *map(str.rstrip, lines), _hidden(graph)]
    return looks.sayable("\n".join(said).replace("`", "").strip())


def _legend(graph: Graph) -> str:
    """The marks that occur in the picture, and what they mean."""
    names = {node.state for node in graph.nodes} | {"volume" if graph.shelf else ""}
    if graph.size != "large":  # which shows a port as a bare number, and no second line
        names |= {node.icon for node in graph.nodes} | {"port" for node in graph.nodes if node.tag[0]}
    return looks.legend([name for name in (*looks.GLYPHS, *looks.ICONS) if name in names])


def figure(graph: Graph, *, with_style: bool = True) -> str:
    """The whole card: answer, situation, picture in both directions, legend, table."""
    pictures = ""
    if graph.nodes and not graph.too_many:
        pictures = looks.picture(to_svg(graph), to_svg(graph, narrow=True) if graph.narrow else "", name="start order")
    return looks.figure(
        graph.answer, graph.situation, pictures, _legend(graph) if pictures else "",
        to_table(graph) if graph.nodes else "", graph.name or graph.answer.replace("`", ""), with_style=with_style,
    )  # fmt: skip
