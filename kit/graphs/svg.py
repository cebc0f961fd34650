"""Drawings as SVG.

Every text is escaped, colours are names that the card explains, and nothing has an id: two pictures on
one page cannot meet. The same drawing gives the same bytes.
"""

from __future__ import annotations

from ..looks import FONTS, escaped, literal, mark
from .drawing import Drawing, Group, Mark, Path, Shape, Text, drawing
from .graph import Graph

_STYLE = f"<style>text{{font-family:{FONTS['sans']};white-space:pre}}.mc-m{{font-family:{FONTS['mono']}}}</style>"


def to_svg(graph: Graph, *, narrow: bool = False, standalone: bool = False) -> str:
    """The picture of a graph: for a card, or `standalone` as a file, light and on white."""
    return render(drawing(graph, narrow), standalone)


def render(drawn: Drawing, standalone: bool = False) -> str:
    """A drawing as one `svg` element with its name and description."""
    title, said = (escaped(words.replace("`", "")) for words in (drawn.title, f"{drawn.title} {drawn.said}"))
    body = f"<title>{title}</title><desc>{said}</desc>"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}"'
    shapes = "".join(map(_svg, drawn.shapes))
    if not standalone:
        return f'{head} width="{drawn.width:g}" height="{drawn.height:g}">{body}{shapes}</svg>'
    width, height = drawn.width + 48, drawn.height + 48
    paper = f'<rect x="-24" y="-24" width="{width:g}" height="{height:g}" fill="var(--mc-paper)"/>'
    size = f'width="{width:g}" height="{height:g}" viewBox="-24 -24 {width:g} {height:g}"'
    return literal(f"{head} {size}>{body}{_STYLE}{paper}{shapes}</svg>\n")


def _svg(shape: Shape) -> str:
    if isinstance(shape, Group):
        return f"<g><title>{escaped(shape.title)}</title>{''.join(map(_svg, shape.shapes))}</g>"
    if isinstance(shape, Text):
        x, y, words, size, bold, ink, mono, anchor = shape
        how = ' font-weight="600"' if bold else ""
        how += ' class="mc-m"' if mono else ""
        how += f' text-anchor="{anchor}"' if anchor != "start" else ""
        return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="var(--mc-{ink})"{how}>{escaped(words)}</text>'
    if isinstance(shape, Mark):
        drawn = mark(shape.name, shape.x, shape.y, shape.size)
        return f'<g opacity=".45">{drawn}</g>' if shape.pale else drawn
    paint = f'fill="var(--mc-{shape.fill})"' if shape.fill else 'fill="none"'
    if shape.stroke:
        paint += f' stroke="var(--mc-{shape.stroke})" stroke-width="{shape.line:g}"'
    if shape.dash:
        paint += f' stroke-dasharray="{shape.dash}"' + (' stroke-linecap="round"' if shape.dash[:3] == "0.1" else "")
    if isinstance(shape, Path):
        return f'<path d="{shape.d}" {paint}/>' if shape.d else ""
    at = f'x="{shape.x:g}" y="{shape.y:g}" width="{shape.width:g}" height="{shape.height:g}"'
    return f'<rect {at} rx="{shape.corner:g}" {paint}/>'
