"""Pictures for print: the same drawing, by matplotlib."""

from __future__ import annotations

import subprocess
import sys
from xml.etree import ElementTree

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from kit import graphs, looks
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
    first = pictures.picture(graph, kind)
    assert first == pictures.picture(graph, kind)
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])


def test_an_svg_of_matplotlib_is_xml_without_a_date() -> None:
    svg = pictures.picture(graphs.of_composition(HOSTILE, decided(HOSTILE)), "svg")
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
