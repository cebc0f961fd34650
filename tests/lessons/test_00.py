"""Notebook 00: a device on which everything runs, and one line to mend."""

from __future__ import annotations

from dataclasses import replace

import kit
from answers import Exercises
from lessons import start_here

DEVICE = start_here.DEVICE
GIVEN = start_here.GIVEN
T = start_here.START
PORTS = '    ports:\n      - "80:80"\n'


def device(**changes: str) -> start_here.Answer:
    return start_here.Answer(GIVEN.composition, DEVICE.changed(**changes))


LABELS = dict(GIVEN.composition.service("first-service").labels)
FIRST = kit.Service(name="first-service", build=kit.Build(context="."), labels=tuple(LABELS.items()))
SECOND = kit.Service(name="second-service", build=kit.Build(context="."))
BARE = start_here.Answer(kit.Composition(services=(replace(FIRST, labels=()), SECOND)), DEVICE)
ONE = start_here.Answer(kit.Composition(services=(FIRST,)), DEVICE.changed(device_type="jetson-nano"))


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
        ("00.1", start_here.Answer(GIVEN.composition.__class__(), DEVICE), "`first-service` is gone", "right half"),
        ("00.1", BARE, "A label was changed or is gone", "right half"),
        ("00.1", ONE, "`second-service` is gone", "right half"),
        ("00.1", "jetson-nano", "wants the lab", "The lab has a name"),
        ("00.2", T.replace("      - dta\n", ""), "`proxy` waits for `frontend` only", "the order is lost"),
        ("00.2", T.replace("dta", "date"), "Line 8: `proxy` depends on `date`", "Look at line 8"),
        ("00.2", T.replace("  data:\n    build: ./data\n", "").replace("      - dta\n", ""), "`data` is gone", "taken"),
        ("00.2", T.replace("dta", "data").replace("haproxy", "h").replace(":80", ":1"), "3 lines differ", "one name"),
        ("00.2", T.replace("dta", "data").replace(PORTS, ""), "3 lines differ", "one name"),
        ("00.2", T.replace("dta", "frontend"), "items 1 and 2", "Look at line 8"),
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
