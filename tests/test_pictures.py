"""Pictures for print: the same drawing, by matplotlib."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib")

from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, PathPatch

from kit import graphs, looks
from kit.graphs import svg
from kit.views import pictures
from test_graphs import CYCLE, EXAMPLES, HOSTILE, PLANT, SVG, VISION, decided, release


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_figure_carries_every_text_of_the_drawing(name: str) -> None:
    graph = graphs.of_composition(EXAMPLES[name], decided(EXAMPLES[name]))
    figure = pictures.figure(graph)
    assert isinstance(figure, Figure)
    drawn = {text.get_text() for text in figure.axes[0].texts}
    written = {text.text for text in ElementTree.fromstring(graphs.to_svg(graph)).iter(f"{SVG}text")}
    assert written <= drawn
    assert looks.sayable(graph.answer.replace("`", "")) in drawn


def test_services_stand_where_the_screen_has_them() -> None:
    graph = graphs.of_composition(VISION, decided(VISION))
    boxes = {(box.x, box.y, box.width, box.height) for box in graph.placement().boxes.values()}
    patches = [patch for patch in pictures.figure(graph).axes[0].patches if isinstance(patch, FancyBboxPatch)]
    assert boxes <= {(one.get_x(), one.get_y(), one.get_width(), one.get_height()) for one in patches}


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_same_graph_gives_the_same_file(kind: str) -> None:
    graph = graphs.of_composition(CYCLE)
    first = pictures.picture(graph, kind=kind)
    assert first == pictures.picture(graph, kind=kind)
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])


def test_an_svg_of_matplotlib_is_xml_without_a_date() -> None:
    svg = pictures.picture(graphs.of_composition(HOSTILE, decided(HOSTILE)), kind="svg")
    ElementTree.fromstring(svg)
    assert b"dc:date" not in svg


def test_what_does_not_run_is_hatched() -> None:
    graph = graphs.of_composition(PLANT, decided(PLANT))
    hatches = [patch.get_hatch() for patch in pictures.figure(graph).axes[0].patches]
    assert [hatch for hatch in hatches if hatch] == ["---"]
    assert not [one for one in pictures.figure(graphs.of_composition(VISION)).axes[0].patches if one.get_hatch()]


def test_too_many_services_are_a_sentence() -> None:
    graph = graphs.of_composition(release(*(f"s{n}" for n in range(41))))
    assert any("too many" in text.get_text() for text in pictures.figure(graph).axes[0].texts)


def test_pyplot_is_never_loaded() -> None:
    code = (
        "import sys; from kit import Composition, Service; from kit.graphs import of_composition\n"
        "from kit.views.pictures import picture; picture(of_composition(Composition(services=(Service(name='a'),))))\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


LINE = svg.path("M10 50H110V60", "run", 4) + svg.rect(10, 20, 30, 18, 6, "run", fill="runt", dash="4 4")


def test_every_picture_of_our_shapes_becomes_a_figure() -> None:
    drawn = svg.sheet("An update", "One bar.", 120, 70, f"{LINE}{svg.text(45, 33, '<2.3.0>')}{looks.mark('lock', 90)}")
    axes = pictures.figure(drawn, "It is locked.", "Nothing starts.").axes[0]
    assert {text.get_text() for text in axes.texts} == {"It is locked.", "Nothing starts.", "<2.3.0>"}
    paths = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    assert [tuple(map(float, point)) for point in paths[0].get_path().vertices] == [(10, 50), (110, 50), (110, 60)]
    assert paths[0].get_edgecolor() == to_rgba(looks.TOKENS["light"]["run"])


def test_a_picture_from_a_card_is_drawn_as_the_one_that_stands_alone() -> None:
    files = [pictures.picture(svg.sheet("A", "B", 120, 70, LINE, alone), "An answer.") for alone in (True, False)]
    boxes = [pictures.figure(svg.sheet("A", "B", 120, 70, LINE, alone)).axes[0].patches[-1] for alone in (True, False)]
    assert files[0] == files[1]
    assert boxes[0].get_extents().bounds == boxes[1].get_extents().bounds


def test_what_lies_in_a_moved_group_moves_and_grows() -> None:
    body = f'<g transform="translate(5 6) scale(2)">{svg.rect(1, 2, 3, 4, 0, "ink")}{svg.text(7, 8, "x", 12)}</g>'
    axes = pictures.figure(svg.sheet("A", "B", 50, 50, body)).axes[0]
    (box,) = (patch for patch in axes.patches if isinstance(patch, FancyBboxPatch))
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (7, 10, 6, 8)
    assert axes.texts[-1].get_position() == (19, 22)
    plain = pictures.figure(svg.sheet("A", "B", 50, 50, svg.text(7, 8, "x", 12))).axes[0]
    assert axes.texts[-1].get_fontsize() == 2 * plain.texts[-1].get_fontsize()


def test_a_rectangle_that_is_all_corner_is_a_circle() -> None:
    axes = pictures.figure(svg.sheet("A", "B", 50, 50, svg.rect(10, 20, 14, 14, 7, "ink"))).axes[0]
    (ring,) = (patch for patch in axes.patches if isinstance(patch, Circle))
    assert (ring.center, ring.radius) == ((17, 27), 7)


def test_a_long_situation_is_broken_into_rows_that_fit() -> None:
    situation = "`vision-gpu` carries a label that this supervisor does not know, " * 4
    figure = pictures.figure(svg.sheet("A", "B", 300, 50, LINE), "Refused.", situation)
    (told,) = (text for text in figure.axes[0].texts if "vision-gpu" in text.get_text())
    assert " ".join(told.get_text().split()) == situation.replace("`", "").strip()
    assert told.get_text().count("\n") >= 1
    assert told.get_window_extent().width <= figure.get_figwidth() * 96 - 48


def test_a_picture_without_words_has_no_head() -> None:
    bare, told = (pictures.figure(svg.sheet("A", "B", 600, 50, LINE), answer) for answer in ("", "An answer."))
    assert [round(each.get_figheight() * 96) for each in (bare, told)] == [98, 154]


@pytest.mark.parametrize(
    "foreign", ['<ellipse cx="5"/>', svg.path("M1 1m2 2", "ink")], ids=["an element", "a path command"]
)
def test_a_shape_that_is_none_of_ours_is_not_passed_over(foreign: str) -> None:
    with pytest.raises(ValueError, match=r"a picture of ours has no (element `ellipse`|path command `m`)"):
        pictures.figure(svg.sheet("A", "B", 50, 50, foreign))
