"""Tokens, marks, text measure, and the card."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit import looks

TABLE = [  # design 2.1: token, on what, light, dark
    ("ink", "paper", 17.6, 15.1),
    ("ink", "wash", 16.3, 13.5),
    ("ink2", "paper", 8.1, 9.6),
    ("ink2", "wash", 7.5, 8.6),
    ("ink3", "paper", 5.2, 6.7),
    ("ink3", "wash", 4.9, 6.0),
    ("edge", "paper", 3.6, 4.8),
    ("edge", "wash", 3.3, 4.3),
    ("rule", "paper", 1.4, 1.6),
    ("rule", "wash", 1.3, 1.4),
    ("ink", "mark", 14.5, 7.3),
    ("run", "paper", 5.8, 8.1),
    ("run", "runt", 5.0, 6.4),
    ("old", "paper", 6.5, 8.0),
    ("old", "oldt", 5.5, 6.5),
    ("out", "paper", 6.0, 7.9),
    ("out", "outt", 5.4, 6.4),
    ("no", "paper", 5.9, 8.5),
    ("no", "not", 5.0, 6.8),
    ("ref", "paper", 7.7, 7.9),
    ("ref", "reft", 6.4, 6.6),
    ("ask", "paper", 6.9, 9.6),
    ("ask", "askt", 6.0, 7.5),
]
STATES = ["run", "old", "out", "no", "ref", "ask"]


def contrast(one: str, other: str) -> float:
    """The WCAG 2 contrast ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("token", "on", "light", "dark"), TABLE)
def test_the_contrast_table_is_what_the_formula_gives(token: str, on: str, light: float, dark: float) -> None:
    for theme, written in (("light", light), ("dark", dark)):
        tokens = looks.TOKENS[theme]
        assert contrast(tokens[token], tokens[on]) == pytest.approx(written, abs=0.051), theme


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_and_state_colours_reach_four_and_a_half_to_one(theme: str) -> None:
    tokens = looks.TOKENS[theme]
    grounds = ["paper", "wash"]
    pairs = [(ink, ground) for ink in ("ink", "ink2", "ink3") for ground in grounds]
    pairs += [(state, ground) for state in STATES for ground in ("paper", f"{state}t")]
    pairs += [("on", state) for state in STATES] + [("ink2", f"{state}t") for state in STATES] + [("ink", "mark")]
    for one, other in pairs:
        assert contrast(tokens[one], tokens[other]) >= 4.5, (one, other)


def test_both_themes_have_the_same_tokens() -> None:
    assert looks.TOKENS["light"].keys() == looks.TOKENS["dark"].keys()


def test_every_state_has_a_shape_of_its_own() -> None:
    drawings = [re.sub(r"--mc-\w+", "", looks.glyph(name)) for name in looks.GLYPHS]
    assert len(set(drawings)) == len(drawings)
    words = [looks.word(name) for name in looks.GLYPHS]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("name", [*looks.GLYPHS, *looks.ICONS])
def test_a_mark_is_a_picture_that_readers_skip(name: str) -> None:
    drawn = ElementTree.fromstring(looks.glyph(name, 20))
    assert drawn.get("aria-hidden") == "true"
    assert (drawn.get("width"), drawn.get("viewBox")) == ("20", "0 0 16 16")
    assert len(drawn)


def test_a_state_says_its_word_beside_its_mark() -> None:
    html = looks.state("out")
    assert re.sub("<[^>]+>", "", html).strip() == "left out"
    assert "<code>&lt;1</code>" in looks.state("no", "wants `<1`")


def test_the_theme_of_the_page_chooses_the_tokens_and_print_is_light() -> None:
    css = looks.css()
    light, dark = looks.TOKENS["light"]["paper"], looks.TOKENS["dark"]["paper"]
    first, _, rest = css.partition("@media not print")
    assert light in first
    assert dark not in first
    assert '[data-jp-theme-light="false"] .mc{' in rest
    assert "@media (prefers-color-scheme:dark){body:not([data-jp-theme-light]) .mc{" in rest
    assert rest.count(f"--mc-paper:{dark}") == 2


def test_the_style_sheet_is_whole_small_and_names_only_known_tokens() -> None:
    css = looks.css()
    assert css.count("{") == css.count("}")
    assert "</" not in css
    assert len(css.encode()) < 10_000
    assert set(re.findall(r"var\(--mc-(\w+)\)", css)) <= {*looks.TOKENS["light"], *looks.FONTS}
    classes = set(re.findall(r"\.(-?[a-zA-Z][\w-]*)", re.sub(r"\{[^{}]*\}", "{}", css)))
    assert all(name == "mc" or name.startswith("mc-") for name in classes), classes


@given(st.text(max_size=60), st.floats(20, 200), st.booleans(), st.booleans())
def test_a_cut_text_fits_and_keeps_both_ends(text: str, room: float, bold: bool, mono: bool) -> None:
    cut = looks.cut_middle(text, room, 13, bold=bold, mono=mono)
    assert looks.text_width(cut, 13, bold=bold, mono=mono) <= room or cut == "…"
    if cut != text:
        head, _, tail = cut.partition("…") if "…" not in text else (text[:1], "", "")
        assert text.startswith(head)
        assert text.endswith(tail)
        assert len(head) >= len(tail)


@given(st.text(max_size=30), st.text(max_size=30))
def test_widths_add_up_and_grow_with_weight_and_size(one: str, other: str) -> None:
    width = looks.text_width
    assert width(one + other) == pytest.approx(width(one) + width(other))
    assert width(one, bold=True) >= width(one)
    assert width(one, 26) == pytest.approx(2 * width(one, 13))


def test_wide_characters_and_emoji_are_measured_wide() -> None:
    assert looks.text_width("漢字") > 2 * looks.text_width("mm") / 2
    assert looks.text_width("🚀") > looks.text_width("M")
    assert looks.text_width("e\u0301") == looks.text_width("e")


@given(st.text())
def test_an_escaped_text_survives_xml(text: str) -> None:
    parsed = ElementTree.fromstring(f'<p title="{looks.escaped(text)}">{looks.escaped(text)}</p>')
    assert (parsed.text or "").replace("\n", "\r") == looks.sayable(text).replace("\r\n", "\r").replace("\n", "\r")


def test_direction_overrides_are_taken_out() -> None:
    assert looks.sayable("a\u202eb\u2066c") == "a\ufffdb\ufffdc"


def test_a_card_says_everything_without_svg_and_style() -> None:
    card = looks.figure(
        "`web` is left out.",
        "One clause decides.",
        looks.picture("<svg><text>only here</text></svg>"),
        looks.legend(["out"]),
        looks.table(("Service", "State"), [("web", looks.state("out"))]),
        "release <1>",
    )
    bare = re.sub(r"<(style|svg).*?</\1>", "", card, flags=re.DOTALL)
    assert 'aria-label="release &lt;1&gt;"' in bare
    assert "<h3><code>web</code> is left out.</h3>" in bare
    assert bare.index("<h3>") < bare.index("One clause decides") < bare.index("<details>") < bare.index('scope="row"')
    assert bare.count("left out") == 3  # answer, legend, table
    ElementTree.fromstring(bare)


def test_a_card_carries_its_style_unless_the_page_has_it() -> None:
    assert looks.figure("a").startswith("<style>")
    assert looks.figure("a", with_style=False).startswith("<figure")


def test_a_picture_with_a_narrow_twin_lets_the_card_choose() -> None:
    pair = ElementTree.fromstring(f"<div>{looks.picture('<b>wide</b>', '<b>narrow</b>', 'order')}</div>")
    assert [one.get("class") for one in pair] == ["mc-pic mc-wide", "mc-pic mc-narrow"]
    assert {(one.get("tabindex"), one.get("role"), one.get("aria-label")) for one in pair} == {("0", "group", "order")}
    css = looks.css()
    assert ".mc-narrow{display:none}" in css
    assert "@container (max-width:760px){.mc-wide{display:none}.mc-narrow{display:block}}" in css


def test_a_picture_that_needs_the_whole_card_gives_way_earlier() -> None:
    broad = looks.picture('<svg width="861"/>', '<svg width="540"/>')
    assert [one.get("class") for one in ElementTree.fromstring(f"<div>{broad}</div>")] == [
        "mc-pic mc-wide mc-broad",
        "mc-pic mc-narrow mc-broad",
    ]
    assert "mc-broad" not in looks.picture('<svg width="600"/>', '<svg width="540"/>')
    assert "@container (max-width:861px){.mc-wide.mc-broad{display:none}" in looks.css()


def test_tables_break_their_heads_on_a_page_at_200_percent() -> None:
    narrow = re.findall(r"@container \(max-width:560px\)\{(.*)\}", looks.css())
    assert any(".mc.mc thead th,.mc.mc tbody th" in rule and "white-space:normal" in rule for rule in narrow)


def test_a_literal_picture_has_colours_and_no_names() -> None:
    drawn = looks.literal(looks.mark("no"))
    assert "var(" not in drawn
    assert looks.TOKENS["light"]["no"] in drawn
    assert looks.TOKENS["dark"]["no"] in looks.literal(looks.mark("no"), "dark")
