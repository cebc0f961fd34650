"""The volume lab: what survives what, in the layer and in the volume (S-113 … S-118)."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from itertools import pairwise
from xml.etree import ElementTree

import pytest

import kit
from labs import volume_lab, volumes
from labs import volume_model as model
from labs.volume_model import DEEDS, Inputs, lost, replayed

LAYER, DATA = "layer of `counter`", "volume `1_data`"


def after(*deeds: str) -> dict[str, int]:
    """How many lines are in each place after these deeds."""
    return {name: len(data) for name, data in replayed(deeds)[-1].places.items()}


@pytest.mark.parametrize(
    ("deed", "expected"),
    [
        ("crash", {LAYER: 2, DATA: 2}),
        ("reboot", {LAYER: 2, DATA: 2}),
        ("recreate", {LAYER: 0, DATA: 2}),
        ("update", {LAYER: 0, DATA: 2}),
        ("rename", {LAYER: 0, DATA: 2, "volume `1_store`": 0}),
        ("drop", {LAYER: 0, DATA: 2}),
        ("label", {LAYER: 0, DATA: 0}),
        ("fleet", {LAYER: 0, "volume `2_data`": 0}),
        ("purge", {LAYER: 0, DATA: 0}),
    ],
)
def test_what_survives_a_deed(deed: str, expected: dict[str, int]) -> None:
    assert after("write", "write", deed) == expected


def test_a_volume_that_comes_back_has_its_data() -> None:
    """S-115: it was never deleted."""
    assert after("write", "drop", "mount")[DATA] == 1
    assert after("write", "rename", "rename")[DATA] == 1


def test_without_a_volume_a_line_goes_into_the_layer_alone_and_the_lab_says_so() -> None:
    alone, both = (model.view(Inputs(deeds=deeds)) for deeds in (("drop", "write"), ("drop", "mount", "write")))
    assert alone.situation == "No volume is mounted: the line goes into the container's own layer only (S-118)."
    assert both.situation == "The line goes into the container's own layer and into the volume (S-118)."
    assert after("drop", "write") == {LAYER: 1, DATA: 0}


def test_without_volumes_no_line_crosses_the_sentence_that_says_so() -> None:
    assert "<path" not in volumes.to_svg(kit.Composition(services=(kit.composition.Service(name="a"),)))


def test_a_move_back_finds_nothing() -> None:
    """S-114."""
    assert DATA not in after("write", "fleet")


@pytest.mark.parametrize("deed", [name for name in DEEDS if name != "mount"])
def test_the_answer_says_what_was_lost_and_why(deed: str) -> None:
    deeds = ("write", "write", deed)
    moments = replayed(deeds)
    shown = model.view(Inputs(deeds=deeds))
    count = sum(lost(moments[-2], moments[-1]).values())
    assert (f"{count} line" in shown.answer) if count else "nothing is lost" in shown.answer
    assert re.search(r"\(S-\d+\)", shown.situation)


def scripts(seed: int, count: int) -> list[Sequence[str]]:
    chosen = random.Random(seed)
    return [chosen.choices(list(DEEDS), k=chosen.randrange(1, 11)) for _ in range(count)]


def test_the_picture_and_the_table_say_what_is_on_the_device(seed: int) -> None:
    for deeds in scripts(seed, 25):
        moments = replayed(deeds)
        table = model.to_table(moments, deeds)
        svg = model.to_svg(moments, deeds, narrow=len(deeds) % 2 == 0)
        texts = [each.text or "" for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
        cells = [text for text in texts if re.fullmatch(r"empty|\d+ lines?", text)]
        expected = [model.lines(data) for moment in moments for data in moment.places.values()]
        assert sorted(cells) == sorted(expected)
        crosses = sum(len(lost(a, b)) for a, b in pairwise(moments))
        assert sum("lost" in text for text in texts) == crosses == len(re.findall(r"\d+ lost", table))


def test_a_bar_ends_exactly_where_a_thing_is_deleted_or_made_anew() -> None:
    born = [moment.born[LAYER] for moment in replayed(("write", "crash", "recreate", "write", "update"))]
    assert [born[at] == born[at - 1] for at in range(1, 6)] == [True, True, False, True, False]
    volume = [moment.born[DATA] for moment in replayed(("write", "update", "label", "purge"))]
    assert [volume[at] == volume[at - 1] for at in range(1, 5)] == [True, True, False, False]


def test_buttons_add_deeds_take_back_and_begin_anew() -> None:
    lab = volume_lab("write")
    lab._controls["recreate"].click()
    assert lab.inputs.deeds == ("write", "recreate")
    assert "1 line is lost" in str(lab)
    lab._controls["back"].click()
    assert lab.inputs.deeds == ("write",)
    for _ in range(20):
        lab._controls["write"].click()
    assert len(lab.inputs.deeds) == model.MOST
    lab._controls["anew"].click()
    assert lab.inputs.deeds == ()
    assert not lab.status.fault


def test_the_text_of_the_world_is_what_the_device_gets(seed: int) -> None:
    for deeds in scripts(seed, 10):
        world = replayed(deeds)[-1].world
        reading = kit.read(world.text)
        assert reading.ok
        one, two = (kit.Release("r", form) for form in (world.form, reading.normal or {}))
        assert one.services == two.services
        assert one.target.volumes == two.target.volumes


def test_the_narrow_picture_fits_a_page_at_200_percent_and_loses_nothing(seed: int) -> None:
    for deeds in scripts(seed, 25):
        moments = replayed(deeds)
        wide, narrow = (ElementTree.fromstring(model.to_svg(moments, deeds, narrow=each)) for each in (False, True))
        assert narrow.get("width") == "472"
        places = [float(each.get("x", 0)) for each in narrow.iter("{http://www.w3.org/2000/svg}text")]
        assert max(places) < 472
        cells = [
            sorted(
                each.text or "" for each in svg.iter() if re.fullmatch(r"empty|\d+ lines?|\d+ lost", each.text or "")
            )
            for svg in (wide, narrow)
        ]
        assert cells[0] == cells[1]


def test_the_line_diagram_has_a_ring_for_each_mount() -> None:
    text = """
services:
  a: {image: a, volumes: ["data:/a", "more:/m"]}
  b: {image: b, volumes: ["data:/b"]}
volumes: {data: {}, more: {}, spare: {}}
"""
    one = kit.read(text).composition
    assert one
    assert volumes.mounts(one) == {"data": {"a": "/a", "b": "/b"}, "more": {"a": "/m"}, "spare": {}}
    svg = volumes.to_svg(one, 12)
    ElementTree.fromstring(svg)
    assert svg.count('rx="7"') == 3
    assert "no service has it" in svg
    assert "12_more" in svg
    assert "/var/lib/docker/volumes/12_spare/_data" in volumes.to_table(one, 12)
    assert "There is no named volume" in volumes.to_svg(kit.Composition())
