"""The decision map: every place has the answer that the kit gives there; picture and tables say the same."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kit
from kit.contracts import OPTIONAL, PREFIX, Fact
from kit.looks import text_width
from labs import maps
from labs.maps import Field, decision_map, decisions, map_svg

ROOT = Path(__file__).parent.parent
EVIL = '"><img src=x onerror=alert(1)>'
ORIN = kit.Device.preset("jetson-agx-orin-devkit", "6.12.3")
PI = kit.Device.preset("raspberrypi4-64", "7.0.5")


def service(name: str, optional: bool = False, **asks: str) -> kit.Service:
    labels = [(PREFIX + key.replace("__", ".").replace("_", "-"), value) for key, value in asks.items()]
    return kit.Service(name=name, labels=(*labels, *([(OPTIONAL, "1")] if optional else [])))


def release(*services: kit.Service) -> kit.Composition:
    return kit.Composition(services=services)


PICTURE_11 = release(service("recorder", sw__linux=">=5.10"), service("vision-gpu", True, sw__linux=">5.15.*"))
BUSY = release(
    service("a", sw__balena_os=">=6.4 <8"),
    service("b", True, sw__supervisor=">=17.6", sw__linux="~5.15 || >=6.12.60"),
    service("c", True, sw__l4t="36.4 - 36.4.3", arch__sw="aarch64"),
)
RANGES = st.sampled_from(
    [">=5.10", ">5.15.*", "5.15 - 6.1", "<=6", "=6.12.61", "^17 || 19", "*", "<0.0.0", ">=17.4.0-0", "x y"]
)
VERSIONS = st.tuples(st.sampled_from([0, 4, 5, 6, 7, 14, 16, 17, 18, 36]), st.integers(0, 20), st.integers(0, 70))


def at(device: kit.Device, **versions: tuple[int, int, int]) -> kit.Facts:
    slugs = {"os": "balena-os", "kernel": "linux", "supervisor": None, "l4t": None}
    facts = {field: Fact(slugs[field], ".".join(map(str, numbers)), "x") for field, numbers in versions.items()}
    return replace(device.facts, **facts)


@settings(max_examples=300)
@given(RANGES, RANGES, st.booleans(), VERSIONS, VERSIONS, st.sampled_from([*permutations(get_args(Field), 2)]))
def test_every_place_has_the_answer_that_the_kit_gives_there(
    one: str, other: str, optional: bool, x: tuple[int, int, int], y: tuple[int, int, int], fields: tuple[Field, Field]
) -> None:
    made = release(
        service("a", optional, sw__linux=one, sw__supervisor=other),
        service("b", True, sw__l4t=one, sw__balena_os=other),
    )
    shown = decisions(made, ORIN, *fields)
    answer = kit.decide(made, at(ORIN, **{fields[0]: x, fields[1]: y}))
    assert (shown.at(x, y).outcome, shown.at(x, y).run) == (answer.outcome, answer.run)


def test_the_map_of_the_picture_has_its_four_regions() -> None:
    shown = decisions(PICTURE_11, ORIN, "supervisor", "kernel")
    assert [each.at for each in shown.across.boundaries] == [(17, 4, 0)]
    assert [each.at for each in shown.up.boundaries] == [(5, 10, 0), (5, 16, 0)]
    assert [each.outcome for each in shown.cells[0]] == ["refused"] * 3
    assert [each.outcome for each in shown.cells[1]] == ["rejected", "partial", "deployed"]


def test_boundaries_that_change_nothing_are_none() -> None:
    blocked = release(service("a", sw__l4t="<0.0.0", sw__linux=">=5.10"), service("b", True, sw__supervisor=">=18"))
    shown = decisions(blocked, PI, "kernel", "supervisor")
    assert [each.at for each in shown.across.boundaries] == []
    # Below 10.16.17 another label is unreadable, so the cause differs; 18.0.0 decides nothing any more.
    assert [each.at for each in shown.up.boundaries] == [(10, 16, 17), (17, 4, 0)]


def test_releases_lie_where_their_facts_are_and_have_their_own_outcome() -> None:
    for point in decisions(BUSY, ORIN, "os", "supervisor").points:
        facts = kit.Device.preset("jetson-agx-orin-devkit", point.version).facts
        assert facts.os is not None
        assert facts.os.version == ".".join(map(str, point.x))
        assert kit.decide(BUSY, facts).outcome == point.outcome


def test_the_answer_is_about_every_release_of_the_type() -> None:
    assert str(decision_map(PICTURE_11, ORIN)).startswith("No balenaOS release for jetson-agx-orin-devkit runs all")
    text = str(decision_map(release(service("a", sw__linux=">=5.10")), PI))
    assert text.startswith("raspberrypi4-64 runs everything from balenaOS 6.10.6 on.")
    first = text.split("balenaOS ")[1].split(" on")[0]
    assert (
        kit.decide(release(service("a", sw__linux=">=5.10")), kit.Device.preset("raspberrypi4-64", first).facts).outcome
        == "deployed"
    )


@pytest.mark.parametrize("fields", [*permutations(get_args(Field), 2)])
@pytest.mark.parametrize("made", [PICTURE_11, BUSY, release(service("web")), release()])
def test_a_picture_is_xml_without_ids_and_the_same_each_time(
    made: kit.Composition, fields: tuple[Field, Field]
) -> None:
    for device in (ORIN, kit.Device("unheard-of", "aarch64", "17.6.3")):
        shown = decisions(made, device, *fields)
        svg = map_svg(shown, "map")
        root = ET.fromstring(svg)
        assert not [each for each in root.iter() if each.get("id")]
        assert svg == map_svg(shown, "map")
        assert ET.fromstring(map_svg(shown, "map", standalone=True)) is not None


@pytest.mark.parametrize("narrow", [False, True])
def test_no_label_leaves_the_picture_and_no_two_labels_meet(narrow: bool) -> None:
    for made, device, fields in ((PICTURE_11, ORIN, ("supervisor", "kernel")), (BUSY, PI, ("os", "supervisor"))):
        picture = maps._Picture(decisions(made, device, *fields), narrow)
        picture.drawn()
        labels = picture.taken[len(picture.points) :]
        assert all(not maps._overlap(one, two) for at, one in enumerate(labels) for two in labels[at + 1 :])
        assert all(box[0] >= picture.left - 1 and box[2] <= picture.end + 1 for box in labels)


@pytest.mark.parametrize("fields", [*permutations(get_args(Field), 2)])
@pytest.mark.parametrize("made", [PICTURE_11, BUSY, release(service("a" * 60, sw__linux=">=5.10"))])
def test_a_narrow_map_fits_a_page_at_200_percent_and_says_the_same(
    made: kit.Composition, fields: tuple[Field, Field]
) -> None:
    shown = decisions(made, ORIN, *fields)
    wide, narrow = (ET.fromstring(map_svg(shown, "map", narrow=each)) for each in (False, True))
    assert float(narrow.get("width", 0)) <= 504 - 2 * 14 - 2, (
        "an output of 504 pixels; a card keeps 2.7 % of it at each side"
    )
    assert narrow.get("aria-label") == wide.get("aria-label")
    height, words = float(narrow.get("height", 0)), set()
    lifted = [each.get("transform", "") for each in narrow if each.get("transform", "").startswith("translate(0 ")]
    lift = float(lifted[0][12:-1]) if lifted else 0
    for each in narrow.iter("{http://www.w3.org/2000/svg}text"):
        size, bold = float(each.get("font-size", 0)), each.get("font-weight") == "600"
        length = text_width(each.text or "", size, bold=bold, mono=each.get("class") == "mc-m")
        left = float(each.get("x", 0)) - {"end": length, "middle": length / 2}.get(each.get("text-anchor", ""), 0)
        assert left >= -1
        assert left + length <= maps.NARROW + 1
        assert 10 <= float(each.get("y", 0)) + lift <= height
        words.add(each.text)
    for boundary in shown.up.boundaries:  # on the axis, and below with who asks
        assert ".".join(map(str, boundary.at)) in words


def test_a_card_has_a_wide_and_a_narrow_map_and_one_table() -> None:
    html = decision_map(PICTURE_11, ORIN).html
    assert html.count('role="img"') == 2
    assert "mc-wide" in html
    assert "mc-narrow" in html
    assert html.count("<details") == 1


def test_the_tables_say_what_the_picture_says() -> None:
    shown = decisions(PICTURE_11, ORIN, "supervisor", "kernel")
    html = maps.tables(shown)
    said = re.sub("<[^>]+>", " ", html)
    for words in (
        "below 17.4.0",
        "17.4.0 or newer",
        "5.16.0 or newer",
        "5.10.0 to before 5.16.0",
        "without vision-gpu",
    ):
        assert words in said
    for point in shown.points:
        assert f'<th scope="row">{point.version}</th>' in html


def test_hostile_names_are_escaped() -> None:
    made = release(service(EVIL, sw__linux=EVIL), service("b" + EVIL, True, sw__linux=">=5", sw__supervisor=">=99"))
    html = decision_map(made, kit.Device(EVIL, "aarch64", "17.6.3", kernel="6.1.1")).html
    assert "onerror" in html
    assert "<img" not in html


def test_a_map_needs_two_different_facts() -> None:
    with pytest.raises(ValueError, match="two different facts"):
        decision_map(PICTURE_11, ORIN, "os", "os")
    with pytest.raises(ValueError, match="two different facts"):
        decision_map(PICTURE_11, ORIN, "arch")  # type: ignore[arg-type]


def test_too_many_services_are_said_and_not_drawn() -> None:
    assert str(decision_map(release(*(service(f"s{n}") for n in range(201))), PI)).startswith("201 services")
