"""The engine lab on a real engine: the plan, the go, what happens by itself, and nothing left."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from own_engine import left

from labs import engine_lab
from labs.engine_controls import EngineLab
from labs.engine_model import DOCKER
from lessons.capstone import startable
from lessons.mixed_fleet import TODAY, TOMORROW, some
from lessons.optional_services import ONE, TWO, here
from lessons.update_strategies import updating

TEXT = "services: {web: {image: kit/busybox, volumes: ['log:/log']}}\nvolumes: {log: }"


def press(lab: EngineLab, name: str) -> str:
    lab._controls[name].click()
    assert not lab.status.fault, lab.status.text
    return str(lab)


def test_first_the_plan_then_the_go(client: Any) -> None:
    lab = engine_lab(TEXT, DOCKER)
    assert isinstance(lab, EngineLab)
    assert press(lab, "up").startswith("This is what would be done.")
    assert left(client) == []
    assert lab._controls["up"].description == "Go"
    assert press(lab, "up").startswith("1 of 1 services run on Docker on this machine.")
    press(lab, "layer")
    press(lab, "volume write")
    press(lab, "crash")
    said: list[str] = []
    for _ in range(200):  # what the engine does by itself is heard
        said = [each.said for each in lab.inputs.desk.moments]
        if any("ended with 1" in each for each in said) and lab.inputs.desk.moments[-1].state.containers[0].up:
            break
        time.sleep(0.05)
    assert "Docker says: the container of `web` ended with 1" in said
    press(lab, "lost")
    assert "log: written" in lab.view.panels["now"]
    assert "does not restart it" in press(lab, "reboot")
    assert press(lab, "down").startswith("Nothing is up yet.")
    assert left(client) == []
    lab.close()


def test_when_the_kernel_ends_nothing_is_left(client: Any) -> None:
    program = (
        "from labs import engine_lab; from labs.engine_model import DOCKER\n"
        f"lab = engine_lab({TEXT!r}, DOCKER)\n"
        "lab._controls['up'].click(); lab._controls['up'].click(); print(lab)"
    )
    notebooks = Path(__file__).parents[2] / "notebooks"
    run = subprocess.run([sys.executable, "-c", program], cwd=notebooks, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("1 of 1 services run on Docker")
    assert left(client) == []


def running(lab: EngineLab) -> dict[str, str]:
    assert lab.inputs.desk.engine is not None
    return {each.service: each.commit for each in lab.inputs.desk.engine.observe().containers if each.up}


def releases(lab: EngineLab) -> list[str]:
    return [each.commit for each in lab.inputs.desk._releases]


def test_an_optional_service_is_killed_by_an_update_or_never_made_s57_s56(client: Any) -> None:
    lab = engine_lab(ONE, DOCKER, offer=TWO, devices=here())
    assert isinstance(lab, EngineLab)
    press(lab, "up")
    press(lab, "up")
    one, two = releases(lab)
    assert running(lab) == dict.fromkeys(("camera", "gpu", "ui"), one)
    assert "Partly deployed" in press(lab, "offer")
    assert running(lab) == dict.fromkeys(("camera", "ui"), two)
    press(lab, "down")
    assert left(client) == []
    lab._controls["device"].value = "this machine"
    press(lab, "up")
    press(lab, "up")
    assert running(lab) == dict.fromkeys(("camera", "ui"), releases(lab)[0])
    lab.close()
    assert left(client) == []


def test_three_strategies_at_work_and_a_lock_that_holds_back(client: Any) -> None:
    one, two = updating(api="hand-over", ui="download-then-kill", log="kill-then-download")
    lab = engine_lab(one, DOCKER, offer=two)
    assert isinstance(lab, EngineLab)
    press(lab, "up")
    press(lab, "up")
    first, second = releases(lab)
    press(lab, "offer")
    assert running(lab) == dict.fromkeys(("api", "ui", "log"), second)
    lab._controls["service"].value = "ui"
    press(lab, "lock")
    assert "one lock blocks the whole app (S-110, S-111)" in press(lab, "offer")
    assert running(lab)["ui"] == second
    press(lab, "unlock")
    assert running(lab) == dict.fromkeys(("api", "ui", "log"), first)
    lab.close()
    assert left(client) == []


def test_a_device_that_rejects_an_update_goes_on_with_the_old_release_s52(client: Any) -> None:
    lab = engine_lab(TODAY, DOCKER, offer=TOMORROW, devices=some("rack-001"), host_os="8.0.2")
    assert isinstance(lab, EngineLab)
    press(lab, "up")
    press(lab, "up")
    before = running(lab)
    assert before
    assert "Release 2: Rejected" in press(lab, "offer")
    assert running(lab) == before
    lab.close()
    assert left(client) == []


def test_a_strangers_composition_comes_up_without_what_opens_this_machine(client: Any) -> None:
    lab = engine_lab(startable(1), DOCKER)
    assert isinstance(lab, EngineLab)
    assert "Tick “leave out what opens this machine”" in press(lab, "up")
    lab._controls["closed"].value = True
    press(lab, "up")
    press(lab, "up")
    assert len(running(lab)) == 5
    lab.close()
    assert left(client) == []
