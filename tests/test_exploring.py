"""One composition from all sides: every part is there, nothing raises, everything is escaped."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kit
from labs.exploring import FAMILIES, explore

ROOT = Path(__file__).parent.parent
EVIL = '"><img src=x onerror=alert(1)>'
TWO = "services:\n  web:\n    image: web:2\n    ports: ['80:80']\n  db:\n    image: db:1\n    tty: false\n"
ONE = "services:\n  web:\n    image: web:1\n  old:\n    image: old:1\n"


def titles(html: str) -> list[str]:
    return re.findall(r"<summary><b>(.*?)</b></summary>", html)


def test_a_file_is_shown_from_all_sides() -> None:
    page = explore(str(ROOT / "data" / "compositions" / "vision.yml"))
    first = ["Findings", "What vanishes on the way", "What starts, in order"]
    assert titles(page.html) == [*first, "Decisions, on five devices", "Doors to the host"]
    assert all(name in str(page) for name in FAMILIES)


def test_an_example_is_found_by_its_name() -> None:
    assert str(explore("vision.yml")).startswith("4 services")


def test_a_device_a_fleet_and_another_file_add_their_parts() -> None:
    device = kit.Device.preset("raspberrypi4-64", "6.5.4")
    page = explore(TWO, device=device, fleet="device-type,os\njetson-nano,6.5.38\n", against=ONE)
    assert titles(page.html)[3:] == ["Decision", "Doors to the host", "The fleet", "The update from the other file"]
    assert "web recreate" in re.sub(r"<[^>]+>| +", " ", page.html).replace("  ", " ")
    assert "kill old@old" in str(page)
    assert "C-66" in str(page)


def test_what_a_device_leaves_out_is_not_in_its_plan_s56() -> None:
    text = TWO.replace(
        "    tty: false\n",
        "    labels:\n      io.balena.features.requires.sw.l4t: '>=1'\n      io.balena.features.optional: '1'\n",
    )
    device = kit.Device.preset("raspberrypi4-64", "6.5.4")
    assert "start db@new" not in str(explore(text, device=device, against=ONE))
    assert "start db@new" in str(explore(text, against=ONE))


def test_a_text_that_makes_no_release_has_findings_and_no_decision() -> None:
    page = explore("services:\n  web:\n    imag: x\n")
    assert str(page).startswith("No release is made")
    assert titles(page.html) == ["Findings", "What vanishes on the way"]


@pytest.mark.parametrize("source", ["nowhere.yml", "", "\0", "services:", "a: &a [*a]", "- x"])
def test_nothing_raises(source: str) -> None:
    for page in (explore(source), explore(TWO, against=source), explore(TWO, fleet=source)):
        assert str(page)
        assert "<" in page.html


@settings(max_examples=60)
@given(st.text(max_size=40))
def test_no_text_raises(text: str) -> None:
    assert explore(f"services:\n  {text}").html


def test_everything_that_a_person_wrote_is_escaped() -> None:
    text = f"services:\n  web:\n    image: '{EVIL}'\n    restart: '{EVIL}'\n    labels:\n      '{EVIL}': '{EVIL}'\n"
    page = explore(text, fleet=f"device-type,os\n{EVIL.replace(chr(34), '')},6\n", against=text.replace("web", "x"))
    assert "onerror" in page.html
    assert "<img" not in page.html
