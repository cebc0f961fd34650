"""How everything looks: colours, marks, text measure and the frame around a picture.

A transport map on paper. State is a shape, then a word, then a colour: round runs, square stops, a
dashed ring is left out, six corners could not be read, a diamond nobody knows. The tokens, marks and
letter widths lie in `looks.json`, the style sheet in `looks.css`; this module turns them into strings.

Colours in a picture are written as names, `var(--mc-ink)`, and the card says what a name means: the
theme of the page can change without a new picture. `literal` puts the light colours in their place.

Class names that views use: `mc` (card), `mc-sub`, `mc-quiet`, `mc-small`, `mc-pic`, `mc-foot`,
`mc-legend`, `mc-chips`, `mc-cols`, `mc-rows` (verdicts), `mc-tree` + `mc-item` + `mc-decides`,
`mc-panel` + `mc-tint-STATE`, `mc-progress`, `mc-head`, `mc-source` + `mc-line` + `mc-hit`.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import lru_cache, partial
from html import escape
from pathlib import Path
from typing import Any, Final

from .diagnostics import beside

_LOOKS: Final[dict[str, Any]] = beside(__file__)

TOKENS: Final[dict[str, dict[str, str]]] = _LOOKS["tokens"]
"""Theme (`light`, `dark`) to token to colour. A state's tint is its name and a `t`: `run`, `runt`."""
FONTS: Final[dict[str, str]] = _LOOKS["fonts"]
GLYPHS: Final[dict[str, dict[str, Any]]] = _LOOKS["glyphs"]
"""State marks: filled, 16 × 16. Each has a word, a legend and shapes."""
ICONS: Final[dict[str, dict[str, Any]]] = _LOOKS["icons"]
"""Names of things: strokes, 16 × 16, never without a word or a value beside them. They have no word of their own."""
_MARKS: Final = GLYPHS | ICONS
_SHAPES: Final = {name: "".join(row["shapes"]) for name, row in _MARKS.items()}
"""The drawing of each glyph and icon on its 16 × 16 field."""
WIDTHS: Final[list[int]] = _LOOKS["widths"]
"""Helvetica advance widths of the characters 32 to 126, in thousandths of the size."""

# What XML cannot carry, and what would turn the reading direction of the text around it.
_UNSAYABLE = re.compile("[\0-\b\v\f\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def sayable(text: object) -> str:
    r"""A person's text without the characters that XML cannot carry or that turn the text around them.

    >>> sayable("bell \x07")
    'bell \ufffd'
    """
    return _UNSAYABLE.sub("\ufffd", str(text))


def escaped(text: object) -> str:
    """A person's text, ready for HTML and SVG.

    >>> escaped("<b> & 'c'")
    '&lt;b&gt; &amp; &#x27;c&#x27;'
    """
    return escape(sayable(text), quote=True)


def prose(text: str) -> str:
    """Escape a sentence; what stands between backticks becomes code.

    >>> prose("write `>=5.15`")
    'write <code>&gt;=5.15</code>'
    """
    return re.sub("`([^`]+)`", r"<code>\1</code>", escaped(text))


@lru_cache(maxsize=4096)
def text_width(text: str, size: float = 13, *, bold: bool = False, mono: bool = False) -> float:
    """How many pixels a text takes, measured to suit Arial and DejaVu Sans Condensed alike."""
    weight = 1.06 * (1.06 if bold else 1)
    thousandths = sum(605 / weight if mono and char.isascii() else _advance(char) for char in text)
    return thousandths / 1000 * weight * size


def _advance(char: str) -> int:
    if " " <= char <= "~":
        return WIDTHS[ord(char) - 32]
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Cf"):
        return 0
    return 1250 if unicodedata.east_asian_width(char) in "WF" else 778


@lru_cache(maxsize=4096)
def cut_middle(text: str, width: float, size: float = 13, *, bold: bool = False, mono: bool = False) -> str:
    """The text if it fits, else its head and its tail: names differ at both ends.

    >>> cut_middle("watchdog-agent", 89, 13)
    'watchdo…gent'
    """

    def cut(kept: int) -> str:
        tail = kept * 2 // 5
        return f"{text[: kept - tail]}…{text[len(text) - tail :]}"

    wide = partial(text_width, size=size, bold=bold, mono=mono)
    if wide(text) <= width:
        return text
    return cut(bisect_right(range(1, len(text) + 1), width, key=lambda kept: wide(cut(kept))))


def mark(name: str, x: float = 0, y: float = 0, size: float = 16) -> str:
    """A glyph or an icon inside a picture, its top left corner at (x, y)."""
    scale = f" scale({size / 16:g})" if size != 16 else ""
    drawn = _SHAPES[name]
    if name in ICONS and size > 16:  # an icon keeps its thin line
        drawn = drawn.replace("stroke-width='1.4'", f"stroke-width='{1.4 * 16 / size:.3g}'")
    return f'<g transform="translate({x:g} {y:g}){scale}">{drawn}</g>'


def glyph(name: str, size: int = 16) -> str:
    """A glyph or an icon in running HTML. It is hidden from readers: a word stands beside it."""
    field = f'width="{size}" height="{size}" viewBox="0 0 16 16"'
    return f'<svg class="mc-g" {field} aria-hidden="true">{_SHAPES[name]}</svg>'


def word(state: str) -> str:
    """What a state is called: `left out` for `out`."""
    return str(GLYPHS[state]["word"])


def state(name: str, words: str = "", size: int = 16) -> str:
    """A state's mark and its word, as HTML: `words` replaces the usual word."""
    return f'<span class="mc-state">{glyph(name, size)} <span>{prose(words or word(name))}</span></span>'


def legend(names: list[str], more: str = "") -> str:
    """The foot of a card: the glyphs and icons that occur, each with its meaning."""
    items = (f"<li>{glyph(name)} <span>{_MARKS[name]['legend']}</span></li>" for name in names)
    return f'<ul class="mc-legend">{"".join(items)}</ul>{more}'


@lru_cache(maxsize=1)
def css() -> str:
    """The style sheet of every card, about 8 kB: tokens for both themes, then the components."""
    fonts = "".join(f"--mc-{name}:{family};" for name, family in FONTS.items())
    light, dark = ("".join(f"--mc-{token}:{colour};" for token, colour in TOKENS[theme].items()) for theme in TOKENS)
    sheet = re.sub(r"/\*.*?\*/", "", Path(__file__).with_suffix(".css").read_text("utf-8"), flags=re.DOTALL)
    by_page = f'[data-jp-theme-light="false"] .mc{{{dark}}}'
    by_system = f"@media (prefers-color-scheme:dark){{body:not([data-jp-theme-light]) .mc{{{dark}}}}}"
    return f".mc{{{fonts}{light}}}@media not print{{{by_page}{by_system}}}{sheet.strip()}"


def style() -> str:
    """The style sheet as an element; a page needs it once, and a copy does no harm."""
    return f"<style>{css()}</style>"


def literal(svg: str, theme: str = "light") -> str:
    """A picture that stands alone: token names become the colours of one theme."""
    return re.sub(r"var\(--mc-(\w+)\)", lambda found: TOKENS[theme][found[1]], svg)


def picture(wide: str, narrow: str = "", name: str = "") -> str:
    """One picture in its frame, which scrolls sideways. With a narrow twin the card's width chooses."""
    width = re.search(r'\bwidth="([\d.]+)"', wide)
    broad = " mc-broad" if width and float(width[1]) > 761 else ""  # needs nearly the whole card
    shown = {f" mc-wide{broad}": wide, f" mc-narrow{broad}": narrow} if narrow else {"": wide}
    role = f'tabindex="0" role="group" aria-label="{escaped(name or "picture")}"'
    return "".join(f'<div class="mc-pic{kind}" {role}>{drawn}</div>' for kind, drawn in shown.items())


def table(head: tuple[str, ...], rows: list[tuple[str, ...]], caption: str = "") -> str:
    """A real table. The head is text; cells are HTML, and the first of each row names it."""
    top = "".join(f'<th scope="col">{escaped(cell)}</th>' for cell in head)
    cells = ((first, "".join(f"<td>{cell}</td>" for cell in rest)) for first, *rest in rows)
    body = "".join(f'<tr><th scope="row">{first}</th>{rest}</tr>' for first, rest in cells)
    title = f"<caption>{escaped(caption)}</caption>" if caption else ""
    return f'<div class="mc-scroll"><table>{title}<thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'


def figure(
    answer: str, situation: str = "", pictures: str = "", foot: str = "", table: str = "", name: str = "", *,
    with_style: bool = True,
) -> str:  # fmt: skip
    """A card: the answer, the situation, pictures, the foot, and below pictures the same as a table.

    `answer` and `situation` are sentences and are escaped; `pictures`, `foot` and `table` are HTML.
    Without `svg` and `style`, as an untrusted notebook shows it, the card still says everything.
    """
    if table and pictures:
        table = f"<details><summary>The same as a table</summary>{table}</details>"
    opening = f'<figure class="mc" lang="en" aria-label="{escaped(name or answer)}"><h3>{prose(answer)}</h3>'
    situation = situation and f'<p class="mc-sub">{prose(situation)}</p>'
    foot = foot and f'<div class="mc-foot">{foot}</div>'
    return f"{style() if with_style else ''}{opening}{situation}{pictures}{foot}{table}</figure>"
