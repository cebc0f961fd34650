"""The engine lab: the same buttons on the simulated engine and on Docker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from labs import engine_lab
from labs.decisions import Page
from labs.engine_controls import EngineLab
from labs.engine_model import DOCKER, SIMULATED, told

FILE = Path(__file__).parents[1] / "data" / "compositions" / "getting-started.yml"
TEXT = """
services:
  web: {image: kit/busybox, volumes: ['log:/log']}
  job: {image: kit/busybox, restart: 'no'}
volumes: {log: }
"""


@pytest.fixture
def lab() -> Iterator[EngineLab]:
    made = engine_lab(TEXT)
    assert isinstance(made, EngineLab)
    yield made
    made.close()


def press(lab: EngineLab, name: str) -> str:
    """Press a button; what the lab then says."""
    lab._controls[name].click()
    assert not lab.status.fault, lab.status.text
    return str(lab)


def test_nothing_can_be_done_before_the_release_is_up(lab: EngineLab) -> None:
    assert str(lab).startswith("Nothing is up yet.")
    assert lab._controls["crash"].disabled
    assert press(lab, "up").startswith("2 of 2 services run on the simulated engine.")
    assert not lab._controls["crash"].disabled
    assert lab._controls["up"].disabled


def test_what_happens_is_seen(lab: EngineLab) -> None:
    press(lab, "up")
    lab._controls["service"].value = "job"
    lab._controls["code"].value = 4
    assert press(lab, "crash").startswith("1 of 2 services run")
    assert "ended with 4" in lab.view.panels["now"]
    assert press(lab, "start").startswith("2 of 2 services run")
    press(lab, "kill")
    assert "ended with 137" in lab.view.panels["now"]
    press(lab, "restart")
    assert told(lab.inputs.desk.moments, ["web", "job"]) == "web: 1 run. job: 3 runs."
    assert press(lab, "down").startswith("Nothing is up yet.")


def test_a_volume_keeps_what_a_new_container_loses(lab: EngineLab) -> None:
    press(lab, "up")
    press(lab, "layer")
    press(lab, "volume write")
    assert lab.view.panels["now"].count("written") == 2
    press(lab, "lost")
    assert lab.view.panels["now"].count("written") == 1
    assert "log: written" in lab.view.panels["now"]


def test_a_reboot_leaves_down_what_the_policy_says(lab: EngineLab) -> None:
    press(lab, "up")
    assert press(lab, "reboot").startswith("1 of 2 services run")


def test_without_an_engine_the_simulated_one_serves(
    lab: EngineLab, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    lab._controls["engine"].value = DOCKER
    said = press(lab, "up")
    assert "No engine listens at" in said
    assert "The simulated engine serves instead." in said
    assert lab._controls["engine"].value == SIMULATED
    assert press(lab, "up").startswith("2 of 2 services run on the simulated engine.")


def test_what_makes_no_release_has_no_lab() -> None:
    assert isinstance(engine_lab("services: {web: {}}"), Page)


def test_a_path_may_be_a_text_or_a_path() -> None:
    for given in (FILE, str(FILE)):
        made = engine_lab(given)
        assert isinstance(made, EngineLab)
        assert made.inputs.desk.root == FILE.parent
        made.close()


def test_the_picture_stands_still_and_says_all(lab: EngineLab) -> None:
    press(lab, "up")
    still = lab.still()
    assert "<svg" in still
    assert "What happened" in still
    assert "web" in still
