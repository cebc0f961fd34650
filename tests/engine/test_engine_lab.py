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
