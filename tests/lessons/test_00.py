"""Notebook 00: a device on which everything runs, and one line to mend."""

from __future__ import annotations

from answers import Exercises
from lessons import start_here

DEVICE = start_here.DEVICE
GIVEN = start_here.GIVEN
T = start_here.START


def device(**changes: str) -> start_here.Answer:
    return start_here.Answer(GIVEN.composition, DEVICE.changed(**changes))


class TestExercises(Exercises):
    lesson = start_here.lesson
    right = [
        ("00.1", device(device_type="jetson-nano")),
        ("00.1", device(device_type="jetson-nano", os="2.0.0", supervisor="99.0.0")),
        ("00.2", T.replace("dta", "data")),
        ("00.2", "\n\n" + T.replace("- dta", '- "data"')),
    ]  # fmt: skip
    wrong = [
        ("00.1", device(device_type="jetson"), "asks for another device type", "dashed ring"),
        ("00.1", device(arch="amd64"), "asks for another device type", "dashed ring"),
        ("00.1", start_here.Answer(GIVEN.composition.__class__(), DEVICE), "A label was changed or is", "right half"),
        ("00.1", "jetson-nano", "wants the lab", "The lab has a name"),
        ("00.2", T.replace("      - dta\n", ""), "`proxy` waits for `frontend` only", "the order is lost"),
        ("00.2", T.replace("dta", "date"), "Line 8: `proxy` depends on `date`", "Look at line 8"),
        ("00.2", T.replace("  data:\n    build: ./data\n", "").replace("      - dta\n", ""), "`data` is gone", "taken"),
        ("00.2", T.replace("dta", "data").replace("haproxy", "h").replace(":80", ":1"), "3 lines differ", "one name"),
        ("00.2", T.replace("dta", "data").replace("  data:", " data:"), "Line", "Look at line"),
    ]  # fmt: skip
    hands = (
        "00.1",
        "cell decision_lab(",
        "tab device type",
        "key Control+a",
        "type jetson-nano",
        "see Deployed: all 2 services run.",
    )
