"""The engine lab: the same buttons on the simulated engine and on Docker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kit.device import Device
from labs import engine_lab, engine_model
from labs.decisions import Page
from labs.engine_controls import EngineLab
from labs.engine_model import DOCKER, SIMULATED, closed, told
from lessons.capstone import composed, startable
from lessons.mixed_fleet import TODAY, TOMORROW, some
from lessons.optional_services import ONE, TWO, here
from lessons.update_strategies import updating

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


def test_a_lock_keeps_the_stop_button_off_and_the_lab_says_so(lab: EngineLab) -> None:
    press(lab, "up")
    lab.inputs.desk.act("lock", "job")
    for name in ("stop", "restart"):
        assert press(lab, name).startswith("2 of 2 services run")
        last = next(each for each in reversed(lab.inputs.desk.moments) if each.said)
        assert last.said.startswith("the device says: `job` holds an update lock"), last.said
        assert not any(each.ended for each in lab.inputs.desk.moments)


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


# ------------------------------------------------------------------------------ two releases, and devices


def said(lab: EngineLab) -> list[str]:
    """What was seen, in words."""
    return [each.said for each in lab.inputs.desk.moments]


def runs(lab: EngineLab) -> dict[str, str]:
    """The release of each service that runs."""
    return {each.service: each.commit for each in lab.inputs.desk.moments[-1].state.containers if each.up}


def made(*given: Any, **more: Any) -> EngineLab:
    lab = engine_lab(*given, **more)
    assert isinstance(lab, EngineLab)
    return lab


def test_controls_of_updates_and_devices_are_there_only_where_they_have_a_use(lab: EngineLab) -> None:
    assert lab.view.hidden >= {"updates", "locks", "device", "closed"}
    other = made(ONE, offer=TWO, devices=here())
    assert not other.view.hidden & {"updates", "locks", "device"}
    assert other._controls["offer"].disabled
    other.close()


def test_an_optional_service_that_is_not_met_is_killed_or_never_made_s57_s56() -> None:
    lab = made(ONE, offer=TWO, devices=here())
    assert lab._controls["device"].value == "nano"
    press(lab, "up")
    assert runs(lab) == {"camera": "r1", "gpu": "r1", "ui": "r1"}
    assert press(lab, "offer").startswith("2 of 3 services run on the simulated engine. Release 2: Partly deployed")
    assert runs(lab) == {"camera": "r2", "ui": "r2"}
    assert "is left out" in lab.view.panels["now"]
    assert lab._controls["offer"].description == "Offer release 1"
    press(lab, "offer")
    assert runs(lab) == {"camera": "r1", "gpu": "r1", "ui": "r1"}
    press(lab, "down")
    lab._controls["device"].value = "this machine"
    assert "fetch gpu" not in lab.view.panels["now"]
    press(lab, "up")
    assert runs(lab) == {"camera": "r1", "ui": "r1"}
    lab.close()


def test_strategies_leave_gaps_of_different_lengths_and_a_lock_holds_all_but_a_hand_over_back() -> None:
    one, two = updating(api="hand-over", ui="download-then-kill", log="kill-then-download")
    lab = made(one, offer=two)
    press(lab, "up")
    press(lab, "offer")
    names = ["api", "ui", "log"]
    bars = {name: [*engine_model._runs(lab.inputs.desk.moments, name)] for name in names}
    gaps = {name: after[0] - before[1] for name, (before, after) in bars.items()}
    assert gaps["api"] < 0.1 < gaps["ui"] < gaps["log"]
    assert [commit for _, _, commit in bars["ui"]] == ["r1", "r2"]
    lab._controls["service"].value = "ui"
    press(lab, "lock")
    assert "holds the update lock" in lab.view.panels["now"]
    assert "one lock blocks the whole app (S-110, S-111)" in press(lab, "offer")
    press(lab, "unlock")
    assert runs(lab) == dict.fromkeys(names, "r1")
    lab.close()


@pytest.mark.parametrize(
    ("name", "first", "then"),
    [("shop-002", "Refused", "Deployed"), ("rack-001", "Rejected", "Deployed"), ("eye-002", "Rejected", "Rejected")],
)
def test_an_update_of_the_host_os_decides_anew_s135(name: str, first: str, then: str) -> None:
    lab = made(TODAY, offer=TOMORROW, devices=some(name), host_os="8.0.2")
    press(lab, "up")
    assert f"Release 2: {first}" in press(lab, "offer")
    assert {*runs(lab).values()} == {"r1"}
    assert any(each.startswith("the device says: ") for each in said(lab))
    assert f"Release 2: {then}" in press(lab, "host")
    assert {*runs(lab).values()} == {"r2" if then == "Deployed" else "r1"}
    assert lab._controls["host"].disabled
    lab.close()


def test_what_every_device_refuses_is_not_brought_up_c99() -> None:
    lab = made(composed(1))
    assert "The device refuses the release" in lab.view.panels["now"]
    assert press(lab, "up").startswith("0 of 5 services run")
    assert "(C-99)" in said(lab)[-1]
    lab.close()
    for variant in range(1, 60):
        lab = made(startable(variant))
        assert press(lab, "up").startswith("5 of 5 services run"), variant
        lab.close()


# ------------------------------------------------------- Docker's plan, without an engine: an api that has nothing


class Nothing:
    """An engine on which nothing is."""

    def images(self, *_name: str) -> list[Any]:
        return []

    containers = networks = lambda self, **_how: []

    def volumes(self, **_how: Any) -> dict[str, Any]:
        return {"Volumes": []}

    def inspect_image(self, _name: str) -> None:
        from docker.errors import ImageNotFound

        raise ImageNotFound("none")


@pytest.fixture
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    client = SimpleNamespace(api=Nothing(), version=lambda: {"Version": "27.0"}, close=lambda: None)
    monkeypatch.setattr(engine_model, "connect", lambda: client)


@pytest.mark.usefixtures("empty")
def test_docker_shows_both_releases_before_it_starts_anything() -> None:
    lab = made(ONE, offer=TWO, devices=here())
    lab._controls["engine"].value = DOCKER
    assert lab._controls["up"].description == "Show the plan"
    assert press(lab, "up").startswith("This is what would be done.")
    shown = lab.view.panels["now"]
    assert "on Docker 27.0 of this machine" in shown
    assert "Then, when " in shown
    assert "not running containers because of contract violations: gpu" in shown
    assert lab._controls["up"].description == "Go"
    assert not lab.inputs.desk.up
    lab._controls["device"].value = "this machine"  # another choice wants another plan
    assert lab._controls["up"].description == "Show the plan"
    press(lab, "up")
    assert not lab.inputs.desk.up


@pytest.mark.usefixtures("empty")
def test_what_opens_this_machine_is_refused_and_can_be_left_out() -> None:
    lab = made(startable(1))
    lab._controls["engine"].value = DOCKER
    assert "Tick “leave out what opens this machine”" in press(lab, "up")
    assert lab._controls["up"].description == "Show the plan"
    lab._controls["closed"].value = True
    assert press(lab, "up").startswith("This is what would be done.")
    forms = {each.name: each.form for each in lab.inputs.desk._docker[1][0].target.services}
    assert "privileged" not in forms["worker"]
    assert "healthcheck" not in forms["broker"]
    assert not lab.inputs.desk.up


def test_what_is_closed_keeps_all_else() -> None:
    labels = {"io.balena.features.dbus": "1", "io.balena.features.optional": "1", "team": "blue"}
    form = {"services": {"a": {"cap_add": ["X"], "labels": labels, "network_mode": "service:b", "pid": "host"}}}
    kept = {"io.balena.features.optional": "1", "team": "blue"}
    assert closed(form) == {"services": {"a": {"labels": kept, "network_mode": "service:b"}}}
    memory = {"driver_opts": {"type": "tmpfs", "device": "tmpfs"}}
    bind = {"driver_opts": {"type": "none", "o": "bind", "device": "/etc"}, "labels": {"team": "blue"}}
    volumes = closed({"services": {}, "volumes": {"one": memory, "two": bind, "three": {}}})["volumes"]
    assert volumes == {"one": memory, "two": {"labels": {"team": "blue"}}, "three": {}}


def test_this_machine_asks_for_what_it_has() -> None:
    mine = here()["this machine"]
    assert isinstance(mine, Device)
    assert mine.facts.l4t is None
