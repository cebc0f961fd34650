"""Notebook 04: labels that choose three devices of six, and sentences as version ranges."""

from __future__ import annotations

import re

from answers import Exercises, words
from lessons import requirement_labels

S = requirement_labels.START
TEXT = words("04")
GOOD = S.replace(">36.3", ">=36.3").replace("'16.4'", "'>=16.4'")
RIGHT = {"linux": ">=5.15", "l4t": "36.4", "supervisor": "14 || 16", "balena-os": ">=6.3.0 <2021"}

PASTED = S.replace(">36.3", "36.3.0 || 36.4.0 || 36.4.4").replace("'16.4'", "'16.4.6 || 16.12.7 || 17.6.3'")


class TestExercises(Exercises):
    lesson = requirement_labels.lesson
    right = [
        ("04.1", GOOD),
        ("04.1", GOOD.replace(">=36.3'", "36.3 - 99'").replace(">=16.4", ">=16.4.0")),
        ("04.1", re.sub(r"(io\.balena.*): '", r"- '\1=", GOOD)),
        ("04.2", RIGHT),
        ("04.2", {"linux": ">5.14", "l4t": "~36.4.0", "supervisor": "^14 || ^16", "balena-os": "6.3.0 - 2000"}),
    ]  # fmt: skip
    wrong = [
        ("04.1", GOOD.replace(">=36.3", ">36.3"), "On `orin-1`", "`sw.l4t` keeps this device out"),
        ("04.1", GOOD.replace(">=16.4", "16.4"), "a window, not a minimum", "`sw.supervisor` keeps this device out"),
        ("04.1", GOOD.replace(">=16.4", ">=16"), "It also runs on `orin-old`", "Nothing in the labels keeps it away"),
        ("04.1", GOOD.replace("sw.l4t", "sw.l4T"), "no requirement label", "does not do what it seems"),
        ("04.1", GOOD.replace(">=36.3", "latest"), "is no version range", "Look at line 5"),
        ("04.1", GOOD + "      io.balena.features.requires.sw.linux: '>=5'\n", "is refused", "too young"),
        ("04.1", GOOD + "      io.balena.features.requires.hw.device-type: jetson-nano\n", "`hw.device-type`", "keeps"),
        ("04.1", GOOD + "      io.balena.features.optional: '1'\n", "takes the release without `vision`", "at all"),
        ("04.1", PASTED, "On `generated device", "`sw.l4t` keeps this device out"),
        ("04.1", "services: {vision: {build: .}}", "It also runs on", "Nothing in the labels"),
        ("04.2", RIGHT | {"linux": "5.15"}, "should fit, and `5.15` leaves it out", "`5.15` means `>=5.15.0 <5.16.0-"),
        ("04.2", RIGHT | {"l4t": "^36.4"}, "should not fit", "`^36.4` means"),
        ("04.2", RIGHT | {"l4t": "36.4.0 || 36.4.3 || 36.4.4"}, "should fit", "means"),
        ("04.2", RIGHT | {"balena-os": ">=6.3.0 <2024"}, "should not fit", "means"),
        ("04.2", RIGHT | {"supervisor": "14 16"}, "should fit", "`14 16` means"),
        ("04.2", RIGHT | {"balena-os": ">=6.3.0 <7"}, "should fit", "means"),
        ("04.2", RIGHT | {"supervisor": "14 or 16"}, "is no range", "would not build a release"),
        ("04.2", {}, "`linux` has no text", "between quotation marks"),
    ]  # fmt: skip

    def test_an_answer_that_fits_only_the_shown_devices_does_not_pass(self) -> None:
        """Exact values that happen to choose the three devices are not what was asked for."""
        card = self.checked("04.1", PASTED)
        assert card.result == "not yet"
        assert "generated device" in str(card)


def test_the_traps_say_what_the_kit_decides() -> None:
    lines = str(requirement_labels.traps()).splitlines()
    assert len(lines) == len(requirement_labels.TRAPS) == 8
    assert sum("not met" in line for line in lines) == 7
    assert all(re.search(r"\(S-\d+\)$", line) for line in lines)


def test_the_table_of_labels_is_that_of_the_kit() -> None:
    from kit.contracts import LABELS

    rows = re.findall(
        r"^\| `([\w.-]+)` \|.*\| ([\d.]+) \(measured: ([\d.]+)\) \|$",
        TEXT,
        re.MULTILINE,
    )
    assert rows == [
        (each.suffix, ".".join(map(str, each.minimum)), ".".join(map(str, each.measured))) for each in LABELS
    ]


def test_the_six_devices_are_those_of_the_exercise() -> None:
    rows = re.findall(
        r"^\| ([\w-]+) \| ([\w-]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.–]+) \|$",
        TEXT,
        re.MULTILINE,
    )
    expected = [
        (name, device.device_type, device.os, device.supervisor, fact.version if (fact := device.facts.l4t) else "–")
        for name, device in requirement_labels.fleet().items()
    ]
    assert rows == expected


def test_the_sentences_are_those_of_the_exercise() -> None:
    assert all(f"| `{key}` | {sentence} |" in TEXT for key, (sentence, _windows) in requirement_labels.MEANT.items())
