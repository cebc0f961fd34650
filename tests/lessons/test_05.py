"""Notebook 05: one service skipped and no more; exactly one of four."""

from __future__ import annotations

import re

import pytest

import kit
from answers import Exercises, words
from kit.contracts import OPTIONAL, is_optional
from lessons import optional_services as lesson

TEXT = words("05")
S, T = lesson.START, lesson.SELECTOR
PREFIX = "      io.balena.features."
LABELS = "    labels:\n      io.balena.features.requires.sw.l4t: '>=36.3'\n      io.balena.features.optional: '1'\n"
SHARED = "    network_mode: service:detector\n"
MARKED = S.replace("'yes'", "'1'")
GOOD = MARKED.replace(SHARED, SHARED + LABELS)
ONE = lesson.selecting(T)
ORIN = "jetson-orin-nano-devkit-nvme"


class TestExercises(Exercises):
    lesson = lesson.lesson
    right = [
        ("05.1", GOOD),
        ("05.1", MARKED.replace(SHARED, "")),  # a network of its own
        ("05.1", GOOD.replace("'1'", "'ON'").replace("    depends_on:\n      - detector\n", "")),
        ("05.1", GOOD.replace("'>=36.3'", "'36.3 - 99'")),
        ("05.1", MARKED.replace(SHARED, SHARED + LABELS.replace("36.3", "36.0"))
            .replace("optional: '1'\n  overlay", "optional: 'true'\n  overlay")
            .replace("'>=36.0'", "'>36.2.x'")),
        ("05.2", ONE),
        ("05.2", ONE.replace("'<36'", "'0 - 35'").replace("'>=36'", "'36 - 99'")),
        ("05.2", ONE.replace("'amd64'\n", "'amd64'\n      io.balena.features.requires.sw.supervisor: '>=14'\n")),
    ]  # fmt: skip
    wrong = [
        ("05.1", MARKED, "On `nano` the update never ends: `overlay`", "a shared network does not"),
        ("05.1", S.replace("'yes'", "'2'"), "because of `detector`: it asks for something and says `2`", "One unmet"),
        ("05.1", S.replace("      io.balena.features.optional: 'yes'\n", ""), "has no mark that says so", "One unmet"),
        ("05.1", S.replace(f"{PREFIX}requires.sw.l4t: '>=36.3'\n", ""), "would run on `nano`", "asking for less"),
        ("05.1", GOOD.replace("'>=36.3'", "'>=32'"), "would run on `nano`", "asking for less"),
        ("05.1", GOOD.replace("'>=36.3'", "'>=36.4.3'"), "does not run on `orin`", "more than the task"),
        ("05.1", MARKED.replace(SHARED, f"{SHARED}    labels:\n{PREFIX}optional: '1'\n"), "never ends", "satisfied"),
        ("05.1", f"{GOOD}    labels:\n{PREFIX}requires.sw.linux: '>=4'\n", "refuses the whole offer", "too young"),
        ("05.1", GOOD.replace("'>=36.3'", "'36.4.0'"), "`detector` does not run on `gen", "more than"),
        ("05.1", GOOD.replace("'>=36.3'", "'36.3.0 || 36.4.0'"), "does not run on `generated", "more than"),
        ("05.1", GOOD.replace("sw.l4t: '>=36.3'", f"hw.device-type: {ORIN}"), "does not run on `gen", "more than"),
        ("05.1", GOOD.replace("    ports:\n      - '80:80'\n", ""), "`ui` does not publish port 80", "the ports stay"),
        ("05.1", S.replace("  overlay:\n    build: ./overlay\n" + SHARED, ""), "`overlay` is gone", "Keep the four"),
        ("05.2", T.replace("'amd64'\n", f"'amd64'\n{PREFIX}optional: '1'\n"), "`vision-nano` runs beside", "exclude"),
        ("05.2", ONE.replace(f"'amd64'\n{PREFIX}optional: '1'", "'amd64'"), "because of `vision-pc`", "other three"),
        ("05.2", ONE.replace("'<36'", "'~32'"), "none of the four runs; it should be `vision-nano`", "at least one"),
        ("05.2", ONE.replace("hw.device-type: 'raspberrypi4-64'", "arch.sw: aarch64"), "`vision-pi` runs", "exclude"),
        ("05.2", ONE.replace("sw.l4t: '<36'", "hw.device-type: 'jetson-nano'"), "none of the four", "at least one"),
        ("05.2", ONE.replace("'<36'", "'32.7.3 || 32.7.6 || 35.4.0'"), "none of the four", "at least one"),
        ("05.2", ONE.replace("arch.sw: 'amd64'", "hw.device-type: 'intel-nuc'"), "none of the four", "at least one"),
        ("05.2", ONE.replace("'amd64'", f"'amd64'\n{PREFIX}requires.sw.linux: '>=4'"), "is refused", "too young"),
        ("05.2", ONE.replace("optional: '1'", "optional: 'yes'"), "S-53", "does not do what it seems"),
        ("05.2", ONE.replace("sw.l4t: '>=36'", "sw.l4t36: '>=36'"), "S-14", "does not do what it seems"),
    ]  # fmt: skip
    hands = ()

    def test_types_that_fit_only_the_six_devices_do_not_pass(self) -> None:
        """A slug names one type: exact types choose among the six, and fail on other Jetsons and PCs."""
        pasted = ONE.replace("arch.sw: 'amd64'", "hw.device-type: 'intel-nuc'")
        card = self.checked("05.2", pasted)
        assert card.result == "not yet"
        assert "generated device" in str(card)


def test_the_six_devices_have_the_facts_that_the_text_tells() -> None:
    assert {name: lesson.chosen(device) for name, device in lesson.six().items()} == {
        "orin": "vision-orin", "orin-old": "vision-nano", "xavier": "vision-nano", "nano": "vision-nano",
        "pi": "vision-pi", "pc": "vision-pc",
    }  # fmt: skip
    l4t = lesson.six()["orin-old"].facts.l4t
    assert l4t is not None
    assert (l4t.version or "").startswith("35.4")


def test_three_words_count_as_yes_s53() -> None:
    said = re.findall(r"exactly three words count as yes: `(\w+)`, `(\w+)` and `(\w+)`", TEXT)[0]
    tried = (*said, "yes", "y", "2", " 1", "", "enabled")
    assert tuple(word for word in tried if is_optional(kit.Service(name="a", labels=((OPTIONAL, word),)))) == said


@pytest.mark.parametrize("case", lesson.CASES, ids=[row[3] for row in lesson.CASES])
def test_what_runs_afterwards_is_decided_and_planned(case: tuple[str, tuple[str, ...], str, str]) -> None:
    decision, runs, status = lesson._case(*case[1])
    expected = {
        "S-51": ("deployed", ["camera 2", "gpu 2", "ui 2"], "done"),
        "S-57": ("partial", ["camera 2", "ui 2"], "done"),
        "S-60": ("rejected", ["camera 1", "gpu 1", "ui 1"], "rejected, no service"),
        "S-61": ("rejected", ["gpu 1", "ui 1"], "rejected, no service"),
        "S-55": ("refused", ["camera 1", "gpu 1", "ui 1"], "done"),
        "S-66": ("partial", ["camera 2", "ui 2"], "done"),
        "S-67": ("partial", ["camera 2"], "it never ends"),
    }
    assert (decision.outcome, runs, status) == expected[case[3]]


def test_the_guess_is_rejected_because_yes_is_off() -> None:
    source = re.search(r'kit\.read\("""\n(.*?)"""\)', TEXT, re.DOTALL)
    assert source
    decision = kit.decide(kit.read(source[1]).composition, lesson.devices()["nano"].facts)
    assert decision.outcome == "rejected"
    assert [each.name for each in decision.services if each.state == "no"] == ["vision-pc"]
