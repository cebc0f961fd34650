"""Shapes as SVG: what every picture of the kit is made of, and what a picture of yours can be made of.

rect, path, text   the three shapes; a circle is a `rect` that is all corner
mark               a state (`run`, `no`, …) or an icon (`volume`, …) at a place; from `looks`
group              shapes that belong together, with their name and the state that they stand for
port_tag           a tag with published ports
sheet              the whole picture: shapes, its size, and the same in words

Lengths are pixels, and (0, 0) is at the left top. Colours are names of `looks.TOKENS`: `ink`, `run`,
`runt` (a tint); the card says what a name means, so that one picture suits both themes. Every text is
escaped, and nothing has an id: two pictures on one page cannot meet. Paths are absolute M, L, H, V, C,
Q and Z, so that `views.pictures` can give any of these pictures to matplotlib.

>>> bar = group(rect(0, 0, 90, 18, 4, "run", fill="runt") + text(8, 13, "2.3.0", 12), "`web` 2.3.0", "run")
>>> sheet("An update", "`web` runs 2.3.0.", 90, 18, bar)[-10:]
'</g></svg>'
"""

from __future__ import annotations

from ..looks import FONTS, cut_middle, escaped, literal, mark, text_width

_STYLE = f"<style>text{{font-family:{FONTS['sans']};white-space:pre}}.mc-m{{font-family:{FONTS['mono']}}}</style>"


__all__ = ["cut_middle", "group", "mark", "path", "port_tag", "rect", "sheet", "text", "text_width"]


def _paint(stroke: str, line: float, fill: str, dash: str) -> str:
    how = f'fill="var(--mc-{fill})"' if fill else 'fill="none"'
    how += f' stroke="var(--mc-{stroke})" stroke-width="{line:g}"' if stroke else ""
    how += f' stroke-dasharray="{dash}"' if dash else ""
    return how + (' stroke-linecap="round"' if dash.startswith("0.1") else "")


def rect(
    x: float, y: float, width: float, height: float, corner: float, stroke: str, line: float = 1.2, *,
    fill: str = "paper", dash: str = "",
) -> str:  # fmt: skip
    """A rectangle with rounded corners, and a circle if it is all corner. Without `stroke` it has no outline."""
    size = f'width="{width:g}" height="{height:g}" rx="{corner:g}"'
    return f'<rect x="{x:g}" y="{y:g}" {size} {_paint(stroke, line, fill, dash)}/>'


def path(d: str, stroke: str = "", line: float = 1.5, *, fill: str = "", dash: str = "") -> str:
    """A line (`stroke`, `line` wide) or an area (`fill`). `dash` is SVG's: `"4 4"`; `"0.1 4"` is a row of dots."""
    return f'<path d="{d}" {_paint(stroke, line, fill, dash)}/>' if d else ""


def text(
    x: float, y: float, words: str, size: float = 13, *, bold: bool = False, ink: str = "ink", mono: bool = False,
    anchor: str = "", room: float = 0,
) -> str:  # fmt: skip
    """One line of text on the baseline *y*, cut in the middle where it needs more than `room` pixels.

    *x* is its left end; its middle or right end with the `anchor` `middle` or `end`.
    """
    how = (' font-weight="600"' if bold else "") + (' class="mc-m"' if mono else "")
    how += f' text-anchor="{anchor}"' if anchor else ""
    shown = escaped(cut_middle(words, room, size, bold=bold, mono=mono) if room else words)
    return f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="var(--mc-{ink})"{how}>{shown}</text>'


def group(body: str, title: str = "", state: str = "", opacity: float = 1) -> str:
    """Shapes that belong together: `title` names them under the pointer, `state` gives them its hatch in print."""
    how = (f' data-state="{escaped(state)}"' if state else "") + (f' opacity="{opacity:g}"' if opacity < 1 else "")
    return f"<g{how}>{f'<title>{escaped(title)}</title>' if title else ''}{body}</g>"


def port_tag(x: float, y: float, words: str, ink: str = "ink") -> str:
    """A tag with published ports, its right top corner at (x, y)."""
    left = x - text_width(words, 12, bold=True, mono=True) - 30
    box = rect(left, y, x - left, 20, 4, "edge" if ink == "ink3" else ink)
    return box + mark("port", left + 6, y + 3, 14) + text(left + 23, y + 14.5, words, 12, bold=True, ink=ink, mono=True)


def sheet(title: str, said: str, width: float, height: float, body: str, standalone: bool = False) -> str:
    """One `svg` element with its name (`title`) and what it says: for a card, or as a file, light and on white."""
    title, said = (escaped(words.replace("`", "")) for words in (title, f"{title} {said}"))
    body = f"<title>{title}</title><desc>{said}</desc>{body}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{said}"'
    if not standalone:
        return f'{head} width="{width:g}" height="{height:g}">{body}</svg>'
    wide, high = width + 48, height + 48
    size = f'width="{wide:g}" height="{high:g}" viewBox="-24 -24 {wide:g} {high:g}"'
    return literal(f"{head} {size}>{_STYLE}{rect(-24, -24, wide, high, 0, '')}{body}</svg>\n")
