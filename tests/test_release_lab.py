"""The release lab: a text, and the sides of it that can be looked at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from labs import release_lab
from labs.release_controls import SHOWS, Inputs, think

EVIL = '"><img src=x onerror=alert(1)>'
TEXT = """
services:
  frontend: {build: ./frontend, restart: "on-failure:3", expose: ["80"]}
  proxy: {image: haproxy, privileged: true, depends_on: [frontend], ports: ["80:80"]}
"""


@pytest.fixture
def lab() -> Iterator[Any]:
    opened = release_lab(TEXT)
    yield opened
    opened.close()


def test_each_side_of_a_release_is_shown(lab: Any) -> None:
    assert lab.view.answer == "Two services start in two rounds; `proxy` starts last."
    shown = {}
    for side in SHOWS:
        lab._controls["shows"].value = side
        shown[side] = lab.view.panels["shown"]
    assert "<svg" in shown["start order"]
    assert "on-failure:3" in shown["what arrives"]
    assert "removed, with a warning" in shown["what arrives"]
    assert "One of the two services can take over the whole device." in shown["what it opens"]
    assert "C-106" in shown["findings"]


def test_its_answer_is_the_text(lab: Any) -> None:
    lab._controls["text"].value = "services: {web: {image: nginx}}"
    assert lab.answer == "services: {web: {image: nginx}}"
    assert lab.view.answer == "One service starts."


@pytest.mark.parametrize("side", SHOWS)
@pytest.mark.parametrize(
    "text", ["", "services:", "services: {a: {image: x, imagee: y}}", EVIL, "a: &a [*a]", "{", "- a"]
)
def test_what_cannot_be_read_is_said_and_not_raised(text: str, side: str) -> None:
    view = think(Inputs(text=text, shows=side))
    assert view.answer.startswith(("Refused", "There is no service"))
    assert "<img" not in f"{view.panels}{view.table}"


def test_a_ring_is_drawn_although_it_is_refused() -> None:
    """C-55."""
    view = think(Inputs(text="services: {a: {image: x, depends_on: [b]}, b: {image: x, depends_on: [a]}}"))
    assert view.answer == "Refused. No release is made."
    assert "remove any one of these two arrows" in view.panels["shown"]
