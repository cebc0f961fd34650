"""Notebook 09: eight problems of a stranger, and a release for three families."""

from __future__ import annotations

import re

import pytest

import kit
from answers import Exercises, words
from kit.vanishing import vanishing
from lessons import capstone

TEXT = words("09")
LINES = list(capstone.planted(1))
GOOD = capstone.shipped(None)
F = "      io.balena.features."
OPTIONAL = f"{F}optional: '1'\n"
UI = "    build: ./ui\n"
WAITS = "  ui:\n    build: ./ui\n    depends_on:\n"
CAMERA = "    devices:\n      - /dev/video0\n"
ARCH = GOOD.replace("hw.device-type: 'raspberrypi4-64'", "arch.sw: 'aarch64'")
PICKY = GOOD.replace("  ui:\n", f"  ui:\n    labels:\n{F}requires.arch.sw: aarch64\n")
UNORDERED = GOOD.replace(f"{WAITS}      - camera\n", f"  ui:\n{UI}")
SHARED = GOOD.replace(UI, f"{UI}    network_mode: service:vision-pi\n")
APART = GOOD.replace("- data:/data\nvolumes", "- other:/data\nvolumes").replace("  data:\n", "  data:\n  other:\n")


def said(*problems: int | str, variant: int = 1) -> dict[str, object]:
    return {"variant": variant, "problems": list(problems)}


class TestExercises(Exercises):
    lesson = capstone.lesson
    right = [
        ("09.1", said(*LINES)),
        ("09.1", said(*[sorted(rules)[0] for rules, _said in capstone.planted(1).values()])),
        ("09.1", said(*[sorted(rules)[-1].lower().replace("-", "") for rules, _said in capstone.planted(1).values()])),
        ("09.1", said(*LINES, 1, 2)),  # two false alarms are forgiven
        ("09.1", said(*capstone.planted(7), variant=7)),
        ("09.2", GOOD),
        ("09.2", GOOD.replace("'>=36'", "'36 - 99'").replace("data", "shots").replace("'80:80'", "'80:8080'")),
        ("09.2", GOOD.replace(WAITS, f"{WAITS}      - vision-pi\n")),
    ]  # fmt: skip
    wrong = [
        ("09.1", said(*LINES[1:]), "7 of 8 problems found.", "One that is missing stands in `web`"),
        ("09.1", said(1, 2, 3), "0 of 8 problems found, with 3 false alarms", "`web`"),
        ("09.1", said(*LINES, 1, 2, 3), "All 8 are found, with 3 false alarms: 73%", "Not everything that looks odd"),
        ("09.1", said(*LINES, variant=2), "of 8 problems found", "One that is missing"),
        ("09.1", said("C-1", "C-2"), "with 2 false alarms", "One that is missing"),
        ("09.1", said(*range(1, 40)), "with 31 false alarms", "Not everything that looks odd"),
        ("09.1", said(*[f"C-{number}" for number in range(1, 116)]), "false alarms", "Not everything"),
        ("09.1", {"variant": "2", "problems": LINES}, "it should be a whole number", "which composition"),
        ("09.1", {"variant": 1, "problems": "C-31"}, "wants a list", "between the brackets"),
        ("09.2", ARCH, "should be `vision-orin` alone", "S-68"),
        ("09.2", GOOD.replace("'<36'", "'~32'"), "no vision service runs", "S-68"),
        ("09.2", GOOD.replace(OPTIONAL, "", 1), "no vision service runs", "allowed to be absent"),
        ("09.2", GOOD.replace("sw.l4t: '>=36'", "sw.linux: '>=5.15'"), "`pi 1`", "allowed to be absent"),
        ("09.2", PICKY, "the release is rejected", "no family"),
        ("09.2", UNORDERED, "does not wait for `camera`", "order"),
        ("09.2", GOOD.replace("'80:80'", "'8080:80'"), "does not publish port 80", "published"),
        ("09.2", GOOD.replace("'80:80'", "'127.0.0.1:80:80'"), "does not publish port 80", "published"),
        ("09.2", GOOD.replace("'80:80'", "'80:80/udp'"), "does not publish port 80", "published"),
        ("09.2", GOOD.replace("data:/data\n", "data:/data:ro\n"), "read-only in both", "none"),
        ("09.2", GOOD.replace("/dev/video0", "/dev/video01"), "has no `/dev/video0`", "named"),
        ("09.2", GOOD.replace("- /dev/video0", "- /dev/video0:/dev/eye"), "has no `/dev/video0`", "named"),
        ("09.2", SHARED, "never ends", "hole"),
        ("09.2", APART, "no named volume in common", "Data that two services see"),
        ("09.2", GOOD.replace(CAMERA, "    privileged: true\n"), "`camera` opens every device", "has the device"),
        ("09.2", GOOD.replace(CAMERA, ""), "has no `/dev/video0`", "named"),
        ("09.2", GOOD.replace(UI, f"{UI}    restart: on-failure:3\n"), "C-106", "without findings"),
        ("09.2", GOOD.replace(UI, f"{UI}    cpus: 0.5\n"), "sw.spec", "Look at line"),
        ("09.2", "services: {camera: {image: a}}", "There is no service `ui`", "Five services"),
    ]  # fmt: skip

    def test_lines_of_one_variant_are_not_those_of_another(self) -> None:
        assert len({tuple(capstone.planted(variant)) for variant in range(30)}) > 25
        assert self.checked("09.1", said(*LINES, variant=3)).result == "not yet"


@pytest.mark.parametrize("block", range(6))
def test_every_variant_has_eight_problems_that_the_kit_finds(block: int) -> None:
    for variant in range(block * 25, block * 25 + 25):
        reading = kit.read(capstone.composed(variant))
        assert reading.ok
        assert len(capstone.planted(variant)) == capstone.EIGHT, variant
        assert all(rules for rules, _said in capstone.planted(variant).values())


def test_what_looks_odd_and_is_harmless_is_no_problem() -> None:
    for key, lines in capstone.HARMLESS:
        body = (
            f"    {key}:{lines[0]}\n"
            if lines[0].startswith(" ")
            else f"    {key}:\n" + "".join(f"      {x}\n" for x in lines)
        )
        reading = kit.read(f"services:\n  web:\n    image: a:1\n{body}")
        assert reading.ok
        assert kit.check(reading) == (), key


def test_the_composition_to_guess_is_that_of_the_text() -> None:
    shown = re.search(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    assert shown
    assert shown[1] == capstone.SENT
    rows = vanishing(kit.read(capstone.SENT))
    assert len(rows) == 10
    assert "ten settings" in TEXT
    right = str(sum(row.outcome == "=" for row in rows))
    assert str(capstone.arrived(right)).startswith(f"You said {right}, and so it is.")
    assert "settings" not in str(capstone.arrived(""))


def test_labels_inside_images_open_doors_and_decide_nothing_c91() -> None:
    lines = str(capstone.hidden_doors()).splitlines()[1:]
    assert ["/sys" in line for line in lines] == [False, True, False, False]
    assert all(line.endswith("deployed") for line in lines)


def test_the_solution_of_the_text_is_about_its_variant() -> None:
    written = re.search(r"problems = (\[5.*\])", TEXT)
    assert written
    assert capstone.marked(said(*eval(written[1]))) == (set(LINES), [])


def test_an_example_stands_in_until_there_is_a_release() -> None:
    assert capstone.so_far(GOOD).service("vision-orin") is not None
    assert all(len(capstone.so_far(odd).services) == 4 for odd in ("", "# x", "services: {", None, 7, capstone.BLANK))
